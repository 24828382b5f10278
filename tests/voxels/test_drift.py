import numpy as np
import pytest
from numba import njit
from toy import Toy

from cellcarve.voxels.drift import (
    DRIFT_EVERY,
    WALK_EVERY,
    displacement,
    drift_of,
    link,
    move_spots,
    place_of,
    weight_of,
)
from cellcarve.voxels.kernel import between_voxels, cumulative
from cellcarve.voxels.rates import rate_of


@pytest.mark.parametrize(
    ("sigma", "side", "known", "entries"),
    [
        (1.0, 1.0, [0.36875, 0.24080, 0.06672, 0.00773, 0.00037, 0.00001], 6),
        (4.0, 1.0, [0.09922, 0.09620, 0.08767, 0.07511, 0.06049, 0.04579], 19),
        (0.1, 0.25, [0.68245, 0.15797, 0.00080], None),
        (0.2, 0.25, [0.44263, 0.23982, 0.03728, 0.00157], None),
    ],
)
def test_tables_hold_the_known_values(sigma, side, known, entries):
    table = between_voxels(sigma, side)
    assert np.allclose(table[: len(known)], known[: len(table)], atol=3e-5)
    assert 2 * table.sum() - table[0] == pytest.approx(1)
    assert np.all(np.diff(table) < 0)
    if entries is not None:
        assert len(table) == entries


@pytest.mark.parametrize("sigma", [0.0, 1e-300])
def test_nothing_moves_without_a_spread(sigma):
    assert between_voxels(sigma, 0.25).tolist() == [1.0]
    words = np.arange(0, 2**32, 2**20, dtype=np.uint64).astype(np.uint32)
    assert not _drawn(cumulative(between_voxels(sigma, 0.25)), words).any()


@njit
def _drawn(total, words):
    out = np.empty(words.size, np.int64)
    for n in range(words.size):
        out[n] = displacement(total, words[n])
    return out


def test_displacements_follow_their_table():
    table = between_voxels(2.0, 1.0)
    words = (np.arange(200_000, dtype=np.uint64) * np.uint64(21_474) % np.uint64(2**32)).astype(np.uint32)
    drawn = _drawn(cumulative(table), words)
    for n in range(-len(table) + 1, len(table)):
        assert np.mean(drawn == n) == pytest.approx(table[abs(n)], abs=2e-3)


def test_transcripts_come_to_lie_where_posterior_says():
    """Many transcripts of one gene in one voxel: after some sweeps they are a sample of the posterior of one."""
    count = 20_000
    toy = Toy((7, 7, 2), cells=2, transcripts=count, seed=4)
    toy.spots.gene[:], toy.spots.place[:] = 1, 0
    start = int(toy.inside().reshape(7, 7, 2)[3, 2, 1])
    toy.spots.seen[:], toy.spots.at[:] = start, start
    drift = drift_of((0.6, 1.5, 0.3), (1.0, 0.3), 0.3, 1.0, 2)
    for sweep in range(40):
        move_spots(*toy.state()[:5], drift, sweep, (0, count))
    inside, origin = toy.inside(), place_of(toy.grid, start)
    chance = np.array(
        [
            weight_of(drift, *(a - b for a, b in zip(place_of(toy.grid, v), origin, strict=True)))
            * (toy.rates.background[1, 0] + rate_of(toy.rates, toy.cells, toy.labels.label[v], 1))
            for v in inside.tolist()
        ]
    )
    seen = np.bincount(toy.spots.at, minlength=len(toy.labels.label))[inside]
    assert seen.sum() == count
    assert 0.5 * np.abs(seen / count - chance / chance.sum()).sum() < 0.02


@pytest.mark.parametrize("first", [0, 1])
def test_steps_take_their_turn_whichever_sweeps_have_moves(first):
    """Steps of no length leave all where they are; one move in four is such a step, in even sweeps and in odd ones."""
    toy = Toy((7, 7, 2), cells=2, transcripts=2000, seed=4)
    drift, still = drift_of((0.6, 1.5, 0.3), (0.0, 0.0), 0.3, 1.0, 2), 0
    for sweep in range(first, 64, DRIFT_EVERY):
        before = toy.spots.at.copy()
        move_spots(*toy.state()[:5], drift, sweep, (0, 2000))
        still += np.array_equal(toy.spots.at, before)
    assert still == 64 // DRIFT_EVERY // WALK_EVERY


def test_links_hold_every_transcript_once_and_in_order():
    toy = Toy(transcripts=500)
    link(toy.spots.head, toy.spots.after, toy.spots.at)
    found = []
    for voxel in range(len(toy.spots.head)):
        t, last = toy.spots.head[voxel], -1
        while t >= 0:
            assert toy.spots.at[t] == voxel
            assert t > last
            found.append(t)
            t, last = toy.spots.after[t], t
    assert sorted(found) == list(range(500))
