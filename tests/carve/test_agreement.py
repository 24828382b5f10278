"""Cells that were found without a prior, and how they agree with groups from another start."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from cellcarve.carve.agreement import agreement, doubt
from cellcarve.carve.places import same_places
from cellcarve.carve.recipe import Recipe


def tissue_of(row, tiles):
    """Transcripts that stem from the input rows `row`, in some tiles of equal size."""
    start = np.linspace(0, len(row), tiles + 1).astype(np.int64)
    return SimpleNamespace(transcripts=SimpleNamespace(row=np.asarray(row, np.int64), start=start))


@pytest.mark.parametrize("tiles", [1, 4])
def test_agreement_is_the_best_overlap(tiles):
    rng = np.random.default_rng(tiles)
    cell, again = rng.integers(0, 6, 200).astype(np.int32), rng.integers(-1, 5, 160).astype(np.int32)
    row = rng.permutation(200)[:160]
    found = agreement(cell, tissue_of(row, tiles), again, 5)
    own = cell[row]
    for c in range(1, 6):
        dice = [
            2 * ((own == c) & (again == g)).sum() / ((own == c).sum() + (again == g).sum()) for g in range(5)
        ]
        assert found[c] == pytest.approx(max(dice))
    assert found[0] == 0


def test_cells_that_come_again_keep_more_of_their_probability():
    cell = np.repeat([0, 1, 2, 3], 20).astype(np.int32)
    again = np.where(cell == 3, np.arange(80) % 20, cell).astype(np.int32) - 1
    found = SimpleNamespace(
        best=cell,
        names=["a", "b", "c"],
        probability=np.where(cell > 0, 0.9, 0).astype(np.float32),
        expected=csr_matrix(np.full((3, 2), 9.0, np.float32)),
    )
    doubt(found, tissue_of(np.arange(80), 2), again, 0.0, Recipe())
    np.testing.assert_allclose(found.probability[cell == 1], 0.9, rtol=1e-6)
    assert found.probability[cell == 3].max() < 0.5
    assert not found.probability[cell == 0].any()
    # Expected counts stay the sums of probabilities: 20 transcripts in each cell, half of them of either gene.
    sums = np.bincount(cell, found.probability)[1:]
    np.testing.assert_allclose(found.expected.sum(1).A1, sums, rtol=1e-5)
    before = found.probability.copy()
    doubt(found, tissue_of(np.arange(80), 2), again, 1.0, Recipe())
    assert (found.probability[cell > 0] <= before[cell > 0] / 2 + 1e-6).all()


def test_places_that_two_tiles_see_are_one():
    first = np.array([[0.0, 0.0], [10.0, 0.0]])
    second = np.array([[10.2, 0.1], [20.0, 5.0]])
    place, number = same_places([first, second, np.empty((0, 2))], 1.0)
    assert len(place) == 3
    assert number[0][1] == number[1][0]
    assert len({*number[0], *number[1]}) == 3
    assert len(number[2]) == 0
