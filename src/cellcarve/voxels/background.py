"""Gibbs update of the background: a rate for each gene, layer and density stratum."""

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF
from cellcarve.chain.draws import GAMMA_STEP, gamma
from cellcarve.chain.streams import BACKGROUND
from cellcarve.voxels.threads import Threads


@njit(**LEAF)
def draw_background(background, counted, exposed, address, span):
    """Draw the rates of the genes of a range (first, last): Gamma(1 + counts, rate 1 + volume).

    Parameters
    ----------
    background
        float32 (g, p): rows of the range are filled.
    counted
        float64 (g, p): background counts, and what is believed beforehand.
    exposed
        float64 (p,): volume of the place in µm².
    address
        Seed and sweep.
    """
    for g in range(span[0], span[1]):
        for p in range(exposed.size):
            drawn = gamma(1.0 + counted[g, p], address[0], BACKGROUND, address[1], g, p * GAMMA_STEP)
            background[g, p] = drawn / (1.0 + exposed[p])


def update_background(
    background: np.ndarray, counted: np.ndarray, exposed: np.ndarray, address: np.ndarray, threads: Threads
) -> None:
    """Draw all background rates; `background` changes in place."""
    genes = len(background)
    threads.each(
        lambda first: draw_background(
            background, counted, exposed, address, (first, min(first + 256, genes))
        ),
        range(0, genes, 256),
    )
