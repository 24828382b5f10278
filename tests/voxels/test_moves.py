"""Metropolis ratios against the full log posterior, and chain frequencies against enumeration."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from numba import njit
from toy import Toy

from cellcarve.voxels.lattice import block
from cellcarve.voxels.move import chance_of, propose, relabel, stays_whole
from cellcarve.voxels.rates import rate_of
from cellcarve.voxels.state import Plan
from cellcarve.voxels.sweep import colours, gain_of, sweep_tile, within_reach
from cellcarve.voxels.terms.compactness import compactness_value, uneven
from cellcarve.voxels.terms.counts import counts_value
from cellcarve.voxels.terms.earlier import earlier_value
from cellcarve.voxels.terms.volume import volume_value


def full_value(toy, label):
    """The log posterior of labels from its definition, up to a constant."""
    cells, plan = toy.cells, toy.plan
    count = len(cells.volume) - 1
    genes = toy.spots.gene
    rate = np.array([[rate_of(toy.rates, cells, c, g) for g in genes] for c in range(count + 1)])
    rest = toy.rates.background[genes, toy.spots.place].astype(float)
    exposed = cells.scale.astype(float) * cells.total * plan.voxel
    exposed[0] = 0
    volume = np.bincount(label, minlength=count + 1)[1:]
    m = cells.component[1:]
    cube = np.moveaxis(block(toy.grid, label)[1:-1, 1:-1], 2, 0)
    return (
        plan.evidence * counts_value(label, toy.spots.at, rate, rest, exposed)
        + volume_value(volume, plan.voxel, toy.sizes.mean[m], toy.sizes.half_precision[m])
        + compactness_value(cube, count, plan.shape)
        + earlier_value(label, toy.labels.prior, toy.labels.odds[toy.labels.level])
    )


@pytest.mark.parametrize("shape", [(6, 6, 2), (4, 5, 1), (3, 3, 5)])
def test_every_move_changes_the_log_posterior_by_what_is_summed(shape):
    toy = Toy(shape, seed=sum(shape))
    label, across = toy.labels.label, (shape[0] + 2) * shape[2]
    before = full_value(toy, label)
    cells = toy.cells
    books = (cells.volume, cells.area, cells.edge, cells.component)
    for voxel, new in itertools.product(toy.inside().tolist(), range(4)):
        old = int(label[voxel])
        if old == new:
            continue
        gain = gain_of(*toy.state(), toy.plan, (voxel, old, new))
        if old and toy.cells.volume[old] == 1:
            assert gain == -math.inf
            continue
        changed = label.copy()
        changed[voxel] = new
        assert gain == pytest.approx(full_value(toy, changed) - before, abs=2e-4)
        relabel(label, books, voxel, (across, shape[2]), new)
        kept = [v.copy() for v in (toy.cells.volume, toy.cells.area, toy.cells.edge)]
        toy.measure()
        assert all(
            (a == b)[1:].all()
            for a, b in zip(kept, (toy.cells.volume, toy.cells.area, toy.cells.edge), strict=True)
        )
        label[voxel] = old
        toy.measure()


def test_nothing_changes_without_a_move():
    toy = Toy()
    voxel = int(toy.inside()[0])
    same = int(toy.labels.label[voxel])
    assert full_value(toy, toy.labels.label) == full_value(toy, toy.labels.label.copy())
    from cellcarve.voxels.terms.earlier import earlier_change

    assert earlier_change(1, 2.0, same, same) == 0


def test_chance_of_a_proposal_is_how_often_it_is_made():
    toy = Toy((4, 4, 3), seed=5)
    across, words = 6 * 3, (np.arange(60_000, dtype=np.uint64) * 71_582 % 2**32).astype(np.uint32)
    for voxel in toy.inside()[::5].tolist():
        drawn = Counter(propose(toy.labels.label, voxel, across, 3, 0.1, w) for w in words[::7])
        total = sum(drawn.values())
        for new in range(4):
            expected = chance_of(toy.labels.label, voxel, across, 3, new, 0.1)
            assert drawn[new] / total == pytest.approx(expected, abs=0.015)


def test_chain_visits_labellings_as_often_as_the_posterior_says():
    toy = Toy((3, 2, 1), cells=2, transcripts=6, seed=2)
    toy.plan = toy.plan._replace(shape=0.3)
    inner = toy.inside()
    toy.labels.label[inner] = [1, 1, 0, 0, 2, 2]
    toy.measure()
    weight = np.zeros(3**6)
    for code, state in enumerate(itertools.product(range(3), repeat=6)):
        if 1 in state and 2 in state:
            label = toy.labels.label.copy()
            label[inner] = state
            weight[code] = math.exp(full_value(toy, label))
    seen = rounds_of(*toy.state(), toy.plan, 400_000)
    assert seen[weight == 0].sum() == 0
    assert 0.5 * np.abs(seen / seen.sum() - weight / weight.sum()).sum() < 0.03


@njit
def rounds_of(grid, labels, cells, spots, rates, sizes, plan, rounds):
    """How often each state of the inner voxels, read as a number to base 3, is seen over many sweeps."""
    seen = np.zeros(729, np.int64)
    for n in range(rounds):
        now = type_plan(plan, n)
        sweep_tile(grid, labels, cells, spots, rates, sizes, now, 0)
        code = 0
        for j in range(grid.ny):
            for i in range(grid.nx):
                code = code * 3 + labels.label[(j + 1) * (grid.nx + 2) + i + 1]
        seen[code] += 1
    return seen


@njit
def type_plan(plan, n):
    """The plan of sweep n."""
    return Plan(
        plan.seed,
        n,
        plan.stride,
        plan.phase,
        plan.bubble,
        plan.connected,
        plan.cooling,
        plan.voxel,
        plan.shape,
        plan.evidence,
    )


def test_a_disc_is_round_and_a_square_is_not():
    y, x = np.mgrid[-30:31, -30:31]
    for radius in (5, 12, 25):
        disc = (x**2 + y**2 <= radius**2).astype(int)
        assert abs(compactness_value(disc[None], 1, 1.0)) < 0.002
    square = np.zeros((1, 40, 40), int)
    square[0, 5:30, 5:30] = 1
    assert uneven(625, 4 * 23 * 3 + 4 * 5) == pytest.approx(-compactness_value(square, 1, 1.0))
    assert -compactness_value(square, 1, 1.0) > 0.015


def test_connectivity_sees_cuts_and_gaps():
    toy = Toy((5, 5, 1), cells=1, transcripts=0)
    label, inner = toy.labels.label, toy.inside().reshape(5, 5)
    label[:] = 0
    label[inner[2, 1:4]] = 1
    middle, end, apart = int(inner[2, 2]), int(inner[2, 3]), int(inner[0, 0])
    assert not stays_whole(label, middle, 7, 1, 1, 0)
    assert stays_whole(label, end, 7, 1, 1, 0)
    assert not stays_whole(label, apart, 7, 1, 0, 1)
    label[inner[2, 2]] = 0
    assert not stays_whole(label, middle, 7, 1, 0, 1)


def test_tiles_of_one_colour_never_reach_the_same_cell():
    toy = Toy((60, 60, 1), tile=10, transcripts=1, cells=1)
    homes = np.array([[-1, -1], *itertools.product(range(0, 60, 3), repeat=2)], np.int32)
    for tiles in colours(toy.grid, toy.labels.open):
        reached = Counter()
        for tile in tiles.tolist():
            middle = [(2 * (tile % 6) + 1) * 10, (2 * (tile // 6) + 1) * 10]
            reached.update(c for c in range(1, len(homes)) if within_reach(homes, c, 10, *middle))
        assert max(reached.values()) == 1
