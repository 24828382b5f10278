"""What the cells of a family express: a type each, or a mixture of overlapping programmes."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.spatial import cKDTree

from cellcarve.simulate.cells import Cells
from cellcarve.simulate.families.kinds import Expression
from cellcarve.simulate.hashing import normals
from cellcarve.simulate.programmes import PROGRAMMES, Panel, draw_genes, make_panel

TYPES = 8
# Markers of a type, and the share of its molecules that they hold.
MARKERS, MARKED = 8, 0.5
# Cells nearer than this many spacings never have the same block of genes.
BESIDE = 1.5
# More blocks than this are not needed by cells on a lattice.
MOST_BLOCKS = 32


@dataclass
class Repertoire:
    """What the cells of a field make; n cells, K types.

    Attributes
    ----------
    panel
        Genes and profiles; a row of its `heap` per type.
    mixture
        (n, K) float64, share of each type in each cell; rows add up to 1.
    pure
        Every cell is of one type and makes exactly its profile.
    """

    panel: Panel
    mixture: np.ndarray
    pure: bool


def make_repertoire(kind: Expression, cells: Cells, spacing: float, seed: int, genes: int) -> Repertoire:
    """Draw profiles, and what each cell is."""
    if kind == "programmes":
        score = 2.2 * normals(cells.key ^ np.uint64(0x7A11), PROGRAMMES).T
        weight = np.exp(score - score.max(axis=1, keepdims=True))
        return Repertoire(make_panel(seed, genes), weight / weight.sum(axis=1, keepdims=True), False)
    rng = np.random.Generator(np.random.Philox(key=[seed, 3]))
    if kind == "blocks":
        own = _colours(cells, BESIDE * spacing)
        profile = _blocks(rng, genes, int(own.max()) + 1)
    else:
        types = 1 if kind == "one" else TYPES
        own = rng.integers(0, types, len(cells))
        profile = _markers(rng, genes, types if kind == "markers" else 0)
    return Repertoire(
        _panel(profile, np.bincount(own, minlength=len(profile))), np.eye(len(profile))[own], True
    )


def _markers(rng: np.random.Generator, genes: int, types: int) -> np.ndarray:
    """(K, G) profiles: a few strong markers per type over a lognormal background; 0 types = background alone."""
    base = np.exp(rng.normal(0, 1.0, genes))
    base /= base.sum()
    if not types:
        return base[None]
    each = max(1, min(MARKERS, genes // (2 * types)))
    marker = rng.permutation(genes)[: types * each].reshape(types, each)
    profile = np.tile(base * (1 - MARKED), (types, 1))
    profile[np.arange(types)[:, None], marker] += MARKED * rng.dirichlet(np.full(each, 4.0), types)
    return profile


def _blocks(rng: np.random.Generator, genes: int, types: int) -> np.ndarray:
    """(K, G) profiles that share no gene: lognormal within blocks of equal size."""
    profile = np.exp(rng.normal(0, 1.0, genes))
    home = rng.permutation(genes) % types
    return np.where(home == np.arange(types)[:, None], profile, 0.0)


def _panel(profile: np.ndarray, number: np.ndarray) -> Panel:
    """A panel of pure profiles; the background is what all cells make together."""
    profile = profile / profile.sum(axis=1, keepdims=True)
    types, genes = profile.shape
    heap = np.cumsum(profile, axis=1)
    total = np.cumsum(number @ profile)
    return Panel(
        genes=[f"Gene{g + 1:0{len(str(genes))}d}" for g in range(genes)],
        heap=heap / heap[:, -1:],
        background=total / total[-1],
        ease=np.ones((2, genes)),
        region=np.zeros((types, 1)),
    )


def _colours(cells: Cells, near: float) -> np.ndarray:
    """(n,) int64 colours such that no two cells within `near` µm share one."""
    seed = np.column_stack([cells.x, cells.y, cells.z])
    pairs = cKDTree(seed).query_pairs(near, output_type="ndarray")
    a, b = np.concatenate([pairs, pairs[:, ::-1]]).T
    order = np.argsort(a, kind="stable")
    start = np.searchsorted(a[order], np.arange(len(cells) + 1))
    return _greedy(start, b[order])


@njit(cache=True, nogil=True)
def _greedy(start: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """The lowest colour that no earlier neighbour has, cell by cell; the last one where all are taken."""
    colour = np.full(len(start) - 1, -1, np.int64)
    for c in range(len(colour)):
        taken = 0
        for e in range(start[c], start[c + 1]):
            if colour[beside[e]] >= 0:
                taken |= 1 << colour[beside[e]]
        own = 0
        while own < MOST_BLOCKS - 1 and (taken >> own) & 1:
            own += 1
        colour[c] = own
    return colour


def genes_of(
    repertoire: Repertoire, cells: Cells, made: np.ndarray, nuclear: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """(N,) int32 genes of molecules made by cells at position `made`, in their nucleus where `nuclear`."""
    heap = repertoire.panel.heap
    if not repertoire.pure:
        bits = rng.integers(0, 2**64, len(made), np.uint64)
        mixture = np.cumsum(repertoire.mixture, axis=1)
        return draw_genes(bits, made, nuclear, cells.key, mixture, heap, repertoire.panel.ease)
    own = repertoire.mixture.argmax(axis=1)[made]
    types, genes = heap.shape
    # One long heap, a unit per type: a single search serves all molecules.
    long = (heap + np.arange(types)[:, None]).ravel()
    found = np.searchsorted(long, own + rng.random(len(made)), side="right") - own * genes
    return np.minimum(found, genes - 1).astype(np.int32)
