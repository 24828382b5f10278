"""Confidences from distances."""

import numpy as np
import pytest

from cellcarve.mixture.graph import build_graph
from cellcarve.mixture.molecules import arrange
from cellcarve.mixture.near import distance_to, lay_grid
from cellcarve.mixture.noise import confidence

NOTHING = np.empty(0, np.float32)


@pytest.fixture(scope="module")
def spots(kit):
    field = kit.field(seed=2, noise=0.15)
    molecules = arrange(field.table)
    grid = lay_grid(molecules.at)
    graph = build_graph(molecules, grid, 1)
    return molecules, graph, distance_to(molecules.at, grid, 6, 1), molecules.from_input(field.cell)


def test_lonely_transcripts_are_noise_and_crowded_ones_are_not(spots):
    _, graph, distance, cell = spots
    found, fit = confidence(distance, graph, NOTHING, 6, True)
    assert found[cell > 0].mean() > 0.85
    assert found[cell == 0].mean() < 0.5
    assert fit.mean[0] < fit.mean[1]
    assert np.all(found[distance > fit.cut] == 0)


def test_confidence_never_rises_with_distance(spots):
    _, graph, distance, _ = spots
    found, _ = confidence(distance, graph, NOTHING, 6, True)
    assert np.all(np.diff(found[np.argsort(distance)]) <= 1e-6)


def test_classic_rules_may_call_dense_spots_noise(spots):
    _, graph, distance, _ = spots
    dense = distance.copy()
    dense[:3] = 1e-4
    old, fit = confidence(dense, graph, NOTHING, 6, False)
    new, _ = confidence(dense, graph, NOTHING, 6, True)
    if fit.std[1] > fit.std[0]:
        assert old[:3].max() < new[:3].min()


def test_a_prior_bounds_confidence_from_below(spots):
    _, graph, distance, cell = spots
    least = np.where(cell == 0, 0.64, 0).astype(np.float32)
    found, _ = confidence(distance, graph, least, 6, True)
    assert found[cell == 0].min() >= 0.64 - 1e-6


def test_noise_does_not_depend_on_the_unit(kit, spots):
    _, graph, distance, _ = spots
    found, _ = confidence(distance, graph, NOTHING, 6, True)
    scaled, _ = confidence(distance * np.float32(1e-3), graph, NOTHING, 6, True)
    assert np.allclose(found, scaled, atol=1e-3)


def test_equal_distances_tell_nothing(spots):
    _, graph, distance, _ = spots
    found, fit = confidence(np.ones_like(distance), graph, NOTHING, 6, True)
    assert np.all(found == 1)
    assert fit.rounds == 0
