"""What a finished chain holds, entry by entry, against NumPy on everything at once."""

import numpy as np
from toy import Toy

from cellcarve.voxels.gather import list_steps, voxels_by_cell
from cellcarve.voxels.lattice import block
from cellcarve.voxels.rates import rate_of
from cellcarve.voxels.record import SLOTS, record_spots
from cellcarve.voxels.tally import tabulate


def test_voxels_are_listed_by_cell_layer_row_and_column():
    toy = Toy(shape=(7, 5, 3), cells=4, transcripts=90, seed=1)
    label = block(toy.grid, toy.labels.label)[1:-1, 1:-1]
    held = np.bincount(toy.spots.at, minlength=len(toy.labels.label))
    held = block(toy.grid, held)[1:-1, 1:-1]
    j, i, k = np.nonzero(label)
    rows = np.stack([label[j, i, k], i, j, k, held[j, i, k]])
    expected = rows[:, np.lexsort((i, j, k, rows[0]))]
    assert np.array_equal(voxels_by_cell(toy.grid, toy.labels.label, toy.spots, 4), expected)
    assert expected[4].max() > 1


def test_steps_are_from_the_observed_to_the_present_voxel_in_input_order():
    toy = Toy(shape=(7, 5, 3), seed=2)
    rng = np.random.default_rng(3)
    seen = rng.choice(toy.inside(), len(toy.spots.at)).astype(np.int32)
    order = rng.permutation(len(seen))
    step = np.empty((len(seen), 3), np.int16)
    list_steps(toy.grid, toy.spots._replace(seen=seen), order, step)

    def where(voxel):
        row, column, layer = np.unravel_index(voxel, (5 + 2, 7 + 2, 3))
        return np.column_stack([column, row, layer])

    assert np.array_equal(step[order], where(toy.spots.at) - where(seen))
    assert np.abs(step).max() > 1


def test_weights_are_added_up_by_cell_and_gene():
    rng = np.random.default_rng(4)
    who, weight = rng.integers(0, 6, (70, SLOTS)), rng.integers(-1, 3, (70, SLOTS)).astype(np.float32)
    gene = rng.integers(0, 8, 70).astype(np.int32)
    expected = np.zeros((5, 8))
    for t in range(70):
        for cell, amount in zip(who[t], weight[t], strict=True):
            if cell > 0 and amount > 0:
                expected[cell - 1, gene[t]] += amount
    found = tabulate(who, weight, gene, (5, 8), np.float64)
    assert np.array_equal(found.toarray(), expected)
    assert found.has_canonical_format


def test_sweeps_record_the_chance_that_the_cell_and_not_the_background_made_a_transcript():
    toy = Toy(cells=3, seed=5)
    count = len(toy.spots.at)
    toy.cells.fixed[2] = 1
    label = toy.labels.label[toy.spots.at]
    for keep in (0, 1):
        who, weight = np.zeros((count, SLOTS), np.int32), np.zeros((count, SLOTS), np.float32)
        record_spots(toy.labels, toy.cells, toy.spots, toy.rates, keep, who, weight, (0, count))
        background = toy.rates.background[toy.spots.gene, toy.spots.place]
        chance = weight[:, 0]
        assert np.array_equal(who[:, 0], label)
        assert (who[:, 1:] == 0).all()
        assert (chance[label == 0] == 0).all()
        assert len(np.unique(label)) == 4
        assert ((chance[label == 2] == 1).all()) == bool(keep)
        free = (label > 0) & (label != 2)
        pairs = zip(label[free].tolist(), toy.spots.gene[free].tolist(), strict=True)
        own = np.array([rate_of(toy.rates, toy.cells, cell, gene) for cell, gene in pairs])
        assert np.allclose(chance[free], own / (own + background[free]), rtol=1e-4)
