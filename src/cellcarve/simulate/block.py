"""The molecules of one block: where they were made, which gene, where they are found."""

from dataclasses import dataclass

import numpy as np

from cellcarve.simulate.bodies import locate, shelve
from cellcarve.simulate.fields import height
from cellcarve.simulate.hashing import normals
from cellcarve.simulate.nuclei import in_nucleus
from cellcarve.simulate.plan import FULL, Plan
from cellcarve.simulate.programmes import Panel, draw_genes, mixtures
from cellcarve.simulate.window import Window

# Cells differ in how densely they are filled: no cell holds more than this many times the mean.
DENSEST = 2.2
# Molecules per volume in a nucleus and outside it, over the mean.
FILLED = (0.65, 1.5)
# Blur that every molecule suffers (µm), and the furthest that any drifts.
LOCAL_BLUR = 0.3
FURTHEST = 40.0
# Exponent of the drift's tail.
TAIL = 2.2


@dataclass
class Molecules:
    """Molecules of a block; N rows.

    Attributes
    ----------
    x, y, z
        (N,) float64, where they are found (µm).
    gene
        (N,) int32.
    made
        (N,) int64, position in the window's cells of the maker; -1 = none.
    """

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    gene: np.ndarray
    made: np.ndarray


def make_molecules(plan: Plan, panel: Panel, window: Window, rng: np.random.Generator) -> Molecules:
    """All molecules of a block that are found in the tissue, in random order."""
    x, y, z, made, nuclear = _births(plan, window, rng)
    bits = rng.integers(0, 2**64, len(x), np.uint64)
    mixture = np.cumsum(mixtures(plan, panel, window.cells), axis=1)
    gene = draw_genes(bits, made, nuclear, window.cells.key, mixture, panel.heap, panel.ease)
    born = Molecules(x, y, z, gene, made)
    return found(plan, panel, window, born, rng)


def found(plan: Plan, panel: Panel, window: Window, born: Molecules, rng: np.random.Generator) -> Molecules:
    """What is found in the end of molecules that cells made: drifted, with the background, in random order."""
    place = _drift(plan, rng, np.stack([born.x, born.y, born.z]))
    haze, hazy = _background(plan, panel, window, rng)
    place = np.concatenate([place, haze], axis=1)
    gene = np.concatenate([born.gene, hazy])
    made = np.concatenate([born.made, np.full(len(hazy), -1, np.int64)])
    order = rng.permutation(len(gene))
    here = np.all((place[:2] >= 0) & (place[:2] < plan.side), axis=0)
    order = order[here[order]]
    x, y, z = place[:, order]
    return Molecules(x, y, z, gene[order], made[order])


def _births(plan: Plan, window: Window, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Where molecules are made, by which cell, and whether in its nucleus."""
    x, y, z = _scatter(plan, window.box, plan.density * DENSEST, rng)
    made = locate(plan.warp, shelve(window.cells), x, y, z)
    nuclear = in_nucleus(window.nuclei.shape, made, x, y, z)
    filled = np.exp(0.3 * normals(window.cells.key ^ np.uint64(0x4E65), 1)[0])
    rate = np.minimum(filled[made] * np.where(nuclear, *FILLED[::-1]), DENSEST)
    kept = (made >= 0) & (rng.random(len(x)) * DENSEST < rate)
    return x[kept], y[kept], z[kept], made[kept], nuclear[kept]


def _scatter(
    plan: Plan, box: tuple[float, float, float, float], density: float, rng: np.random.Generator
) -> np.ndarray:
    """(3, N) float64 places spread evenly over a box of the section, `density` per µm²."""
    xmin, ymin, xmax, ymax = box
    number = rng.poisson(density * (xmax - xmin) * (ymax - ymin))
    low = np.array([xmin, ymin, 0.0])
    size = np.array([xmax - xmin, ymax - ymin, plan.settings.depth])
    return low[:, None] + size[:, None] * rng.random((3, number))


def _drift(plan: Plan, rng: np.random.Generator, place: np.ndarray) -> np.ndarray:
    """Where molecules are found that were made at `place` (3, N)."""
    settings, number = plan.settings, place.shape[1]
    sigma = np.hypot(LOCAL_BLUR, settings.blur_um)
    place = place + sigma * rng.standard_normal((3, number))
    far = np.flatnonzero(rng.random(number) < settings.drifting)
    distance = settings.leak_um * (rng.random(len(far)) ** (-1 / TAIL) - 1)
    direction = rng.standard_normal((3, len(far)))
    direction /= np.sqrt((direction**2).sum(axis=0))
    place[:, far] += np.minimum(distance, FURTHEST) * direction
    # Nothing leaves the section upwards or downwards: it comes back in.
    double = 2 * settings.depth
    turned = np.mod(place[2], double) if double else np.zeros(number)
    place[2] = np.minimum(turned, double - turned)
    return place


def _background(
    plan: Plan, panel: Panel, window: Window, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Places (3, M) and genes (M,) of molecules that no cell made."""
    share = plan.settings.haze
    density = plan.density * FULL * share / (1 - share)
    place = _scatter(plan, window.box, 2 * density, rng)
    kept = 2 * rng.random(place.shape[1]) < 1 + height(plan.haze, place[0], place[1])
    gene = np.searchsorted(panel.background, rng.random(int(kept.sum()))).astype(np.int32)
    return place[:, kept], np.minimum(gene, len(panel.genes) - 1)
