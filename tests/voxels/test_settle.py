"""The end of a hill-climb: transcripts lie in the cells that they are given, as near as those come."""

import numpy as np
import pytest
from toy import Toy

from cellcarve.voxels.drift import drift_of, place_of, weight_of
from cellcarve.voxels.masses import no_masses
from cellcarve.voxels.settle import TIMES, settle_spots
from cellcarve.voxels.threads import Threads

COUNT, ADDRESS = 600, (3, 17)
DRIFT = drift_of((0.8, 2.0, 0.3), (1.0, 0.3), 0.3, 1.0, 2)


@pytest.fixture
def toy():
    """Transcripts strewn over a lattice, away from where they were seen."""
    toy = Toy((14, 14, 2), cells=5, transcripts=COUNT, seed=8)
    toy.spots.at[:] = np.random.default_rng(1).permutation(toy.spots.at)
    return toy


def wanted(toy):
    """A cell for each transcript: the one that holds most of its surroundings, none for every seventh."""
    state = (toy.grid, toy.labels, toy.spots)
    masses = no_masses(COUNT)
    for n in range(TIMES):
        masses.add(state, DRIFT, (ADDRESS[0], ADDRESS[1] + n), Threads(1))
    best = masses.who[np.arange(COUNT), masses.mass.sum(2).argmax(1)].astype(np.int32)
    best[::7] = 0
    return best


def settled(toy, best, moving):
    settle_spots(toy.grid, toy.labels, toy.spots, DRIFT, ADDRESS, moving, best, (0, COUNT))
    return toy.labels.label[toy.spots.at], toy.spots.made.astype(bool)


def test_transcripts_go_to_places_of_their_cells(toy):
    best, before = wanted(toy), toy.spots.at.copy()
    there, made = settled(toy, best, 1)
    assert np.array_equal(made, best > 0)
    assert np.array_equal(there[made], best[made])
    assert np.array_equal(toy.spots.at[best == 0], before[best == 0])
    stayed = toy.labels.label[before] == best
    assert np.array_equal(toy.spots.at[stayed], before[stayed])
    home = ~stayed & made & (toy.labels.label[toy.spots.seen] == best)
    assert home.sum() > 100
    assert np.array_equal(toy.spots.at[home], toy.spots.seen[home])


def test_places_are_likely_ones(toy):
    """A transcript from elsewhere lies where a move from its observed place can lead, rarely far from the likeliest."""
    best, before = wanted(toy), toy.spots.at.copy()
    settled(toy, best, 1)
    moved = np.flatnonzero((toy.spots.at != before) & (toy.spots.at != toy.spots.seen))
    assert len(moved) > 50
    inside, ratio = toy.inside(), []
    for t in moved.tolist():
        origin = place_of(toy.grid, int(toy.spots.seen[t]))

        def weight(voxel, origin=origin):
            step = [a - b for a, b in zip(place_of(toy.grid, voxel), origin, strict=True)]
            return weight_of(DRIFT, *step)

        own = inside[toy.labels.label[inside] == best[t]]
        ratio.append(weight(int(toy.spots.at[t])) / max(weight(int(v)) for v in own))
    assert min(ratio) > 0
    assert np.median(ratio) == 1


def test_where_nothing_moves_strangers_are_background(toy):
    best, before = wanted(toy), toy.spots.at.copy()
    there, made = settled(toy, best, 0)
    assert np.array_equal(toy.spots.at, before)
    assert np.array_equal(made, (best > 0) & (there == best))
    assert 0 < made.sum() < (best > 0).sum()
