"""How far labels are to be trusted, learned from genes alone."""

import numpy as np
import pytest

from cellcarve.carve.overlap import learn_overlap


def pairs_of(share: float, number: int, other: float = 0.1) -> np.ndarray:
    """Transcripts of two kinds of cells whose labels are nearly certain, drawn with a leak share that is known."""
    rng = np.random.default_rng(4)
    label = np.where(rng.random(number) < 0.5, 0.97, 0.03)
    leaked = rng.uniform(0.3, 0.7, number)
    first = (1 - share) * label + share * leaked
    second = (1 - share) * (1 - label) + share * (1 - leaked)
    mine = rng.random(number) < first / (first + second)
    marker = rng.random(number) < np.where(rng.random(number) < other, 0.5, np.where(mine, 0.85, 0.15))
    gene = np.where(marker[:, None], [0.85, 0.15, 0.5], [0.15, 0.85, 0.5])
    return np.column_stack([label, 1 - label, leaked, 1 - leaked, gene])


@pytest.mark.parametrize("share", [0.5, 0.65, 0.8])
def test_the_share_that_made_the_genes_is_found(share):
    # Which transcripts are neither cell's is found along with it: the two hardly stand for each other.
    assert learn_overlap(pairs_of(share, 40_000), 0.5) == pytest.approx(share, abs=0.05)


def test_order_of_the_two_cells_does_not_matter():
    pairs = pairs_of(0.7, 20_000)
    assert learn_overlap(pairs[:, [1, 0, 3, 2, 5, 4, 6]], 0.5) == pytest.approx(
        learn_overlap(pairs, 0.5), abs=1e-4
    )


def test_too_few_pairs_leave_the_usual_share():
    assert learn_overlap(pairs_of(0.8, 999), 0.5) == 0.5
    assert learn_overlap(np.empty((0, 7)), 0.4) == 0.4


def test_the_share_stays_within_bounds():
    assert 0.45 <= learn_overlap(pairs_of(0.0, 20_000), 0.5) <= 0.5
    assert learn_overlap(pairs_of(1.0, 20_000), 0.5) <= 0.9
