"""Expression: every cell is a continuous mixture of overlapping programmes that vary along the tissue."""

from dataclasses import dataclass

import numpy as np
from numba import njit

from cellcarve.simulate.cells import Cells
from cellcarve.simulate.fields import height
from cellcarve.simulate.hashing import fraction, normals, scramble
from cellcarve.simulate.kinds import KINDS
from cellcarve.simulate.plan import Plan

PROGRAMMES = 14
# Programmes from here on are states (such as stress or division) that any cell can be in.
STATES = 10


@dataclass(frozen=True)
class Panel:
    """Genes and programmes of a tissue; G genes, K programmes.

    Attributes
    ----------
    genes
        G names.
    heap
        (K, G) float64, cumulative share of each programme's molecules.
    background
        (G,) float64, cumulative share of the molecules that no cell made.
    ease
        (2, G) float64, 0 .. 1: how readily a gene's molecules are found outside and inside the nucleus.
    region
        (K, kinds) float64, preference of the programmes for the kinds of regions.
    """

    genes: list[str]
    heap: np.ndarray
    background: np.ndarray
    ease: np.ndarray
    region: np.ndarray


def make_panel(seed: int, genes: int) -> Panel:
    """Draw the genes' abundances, programmes and compartments."""
    rng = np.random.Generator(np.random.Philox(key=[seed, 2]))
    base = np.exp(rng.normal(0, 1.1, genes))
    base[rng.uniform(size=genes) < 0.05] *= 0.04
    profile = base * np.exp(_contrast(rng, genes))
    profile /= profile.sum(axis=1, keepdims=True)
    share = rng.dirichlet(np.full(PROGRAMMES, 2.0)) @ profile * np.exp(rng.normal(0, 0.5, genes))
    bias = np.clip(np.exp(rng.normal(0, 0.5, genes)), 0.3, 3.0)
    return Panel(
        genes=[f"Gene{g + 1:0{len(str(genes))}d}" for g in range(genes)],
        heap=np.cumsum(profile, axis=1) / profile.sum(axis=1, keepdims=True),
        background=np.cumsum(share) / share.sum(),
        ease=np.minimum(np.stack([1 / bias, bias]), 1.0),
        region=rng.normal(0, 1.2, (PROGRAMMES, len(KINDS)))
        - 1.5 * (np.arange(PROGRAMMES) >= STATES)[:, None],
    )


def _contrast(rng: np.random.Generator, genes: int) -> np.ndarray:
    """(K, G) logarithm of each programme's factor on each gene."""
    contrast = rng.normal(0, 0.35, (PROGRAMMES, genes))
    marker = rng.uniform(size=genes) < 0.6
    home = rng.uniform(size=(PROGRAMMES, genes)) < 1.6 / PROGRAMMES
    up, down = rng.normal(1.8, 0.5, (PROGRAMMES, genes)), rng.normal(-1.6, 0.5, (PROGRAMMES, genes))
    identity = np.where(home, up, down)
    identity[STATES:] = np.where(home, up, 0)[STATES:]
    return contrast + np.where(marker, identity, 0)


def mixtures(plan: Plan, panel: Panel, cells: Cells) -> np.ndarray:
    """(n, K) float64, share of each programme in each cell; rows add up to 1."""
    noise = normals(cells.key ^ np.uint64(0x7A11), PROGRAMMES).T
    drift = np.stack([height(wave, cells.x, cells.y) for wave in plan.gradient], axis=1)
    score = panel.region[:, cells.kind].T + 0.9 * drift + 2.2 * noise
    weight = np.exp(score - score.max(axis=1, keepdims=True))
    return weight / weight.sum(axis=1, keepdims=True)


@njit(cache=True, nogil=True)
def draw_genes(
    state: np.ndarray,
    cell: np.ndarray,
    nuclear: np.ndarray,
    key: np.ndarray,
    mixture: np.ndarray,
    heap: np.ndarray,
    ease: np.ndarray,
) -> np.ndarray:
    """A gene for each molecule; a cell favours genes of its own on top of its programmes.

    Parameters
    ----------
    state
        (N,) uint64, random bits of the molecules.
    cell
        (N,) int64, position of the cell that makes it, 0 .. n - 1.
    nuclear
        (N,) bool, made in the nucleus.
    key
        (n,) uint64, the cells' keys.
    mixture
        (n, K) float64, cumulative mixture of the cells.
    heap, ease
        As in `Panel`.

    Returns
    -------
    np.ndarray
        (N,) int32.
    """
    gene = np.empty(len(state), np.int32)
    for t in range(len(state)):
        bits, c = state[t], cell[t]
        for _ in range(64):
            bits = scramble(bits + np.uint64(0x9E3779B97F4A7C15))
            k = min(np.searchsorted(mixture[c], fraction(bits)), heap.shape[0] - 1)
            bits = scramble(bits + np.uint64(0x9E3779B97F4A7C15))
            g = min(np.searchsorted(heap[k], fraction(bits)), heap.shape[1] - 1)
            taken = ease[int(nuclear[t]), g] * _liking(key[c], g)
            bits = scramble(bits + np.uint64(0x9E3779B97F4A7C15))
            if fraction(bits) < taken:
                break
        gene[t] = g
    return gene


@njit(cache=True, nogil=True, inline="always")
def _liking(key: np.uint64, gene: int) -> float:
    """How readily a cell makes a gene, 0.2 .. 1."""
    return 0.2 + 0.8 * fraction(scramble(key + np.uint64(gene) * np.uint64(0xD1B54A32D192ED03)))


@njit(cache=True, nogil=True)
def taste(key: np.ndarray, genes: int) -> np.ndarray:
    """(n, G) float64, how readily each of the cells with some keys makes each gene, 0.2 .. 1."""
    table = np.empty((len(key), genes))
    for c in range(len(key)):
        for g in range(genes):
            table[c, g] = _liking(key[c], g)
    return table
