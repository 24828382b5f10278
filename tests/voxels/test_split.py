"""Which transcripts in a cell were made by it."""

import pytest
from toy import Toy

from cellcarve.voxels.rates import rate_of
from cellcarve.voxels.split import split_spots

COUNT = 40_000


@pytest.fixture
def toy():
    """Many transcripts of one gene in a voxel of cell 1."""
    toy = Toy((7, 7, 2), cells=2, transcripts=COUNT, seed=4)
    inside = toy.inside()
    toy.spots.gene[:], toy.spots.place[:] = 1, 0
    toy.spots.at[:] = int(inside[toy.labels.label[inside] == 1][0])
    return toy


def made_at(toy, ratio):
    """Share of the transcripts said to be made by the cell where its rate is so many times the background's."""
    toy.rates.background[1, 0] = rate_of(toy.rates, toy.cells, 1, 1) / ratio
    split_spots(*toy.state()[1:5], 0, 7, (0, COUNT))
    return toy.spots.made.mean()


@pytest.mark.parametrize("ratio", [0.5, 3.0, 20.0])
def test_drawn_the_share_is_the_chance(toy, ratio):
    assert made_at(toy, ratio) == pytest.approx(ratio / (1 + ratio), abs=0.01)
