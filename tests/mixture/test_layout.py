"""Layouts that keep neighbours near, against the equations written out."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.spatial import cKDTree

from cellcarve.chain.philox import below, words
from cellcarve.chain.streams import MIXTURE_LAYOUT
from cellcarve.mixture.layout import curve, lay_out, neighbour_weights


def neighbours(points, k):
    distance, index = cKDTree(points).query(points, k + 1)
    return index[:, 1:].astype(np.int32), np.ascontiguousarray(distance[:, 1:])


def test_the_curve_falls_as_asked():
    """The values for the usual choice are in the paper's own program and many others."""
    usual = curve(1.0, 0.1)
    assert (usual.a, usual.b) == pytest.approx((1.577, 0.895), abs=0.002)
    wide = curve(2.0, 0.1)
    near, far = (1 / (1 + wide.a * d ** (2 * wide.b)) for d in (0.05, 4.0))
    assert near > 0.9
    assert far == pytest.approx(math.exp(-(4 - 0.1) / 2), abs=0.06)


def test_weights_are_those_of_the_paper():
    rng = np.random.default_rng(1)
    index, distance = neighbours(rng.normal(size=(40, 4)), 7)
    one = np.zeros((40, 40))
    for i in range(40):
        above = distance[i] - distance[i, 0]
        scale = brentq(lambda s, above=above: np.exp(-above / s).sum() - 3, 1e-6, 1e3)
        one[i, index[i]] = np.exp(-above / scale)
    expected = one + one.T - one * one.T
    assert np.allclose(neighbour_weights(index, distance).toarray(), expected, atol=1e-9)


def test_points_on_one_spot_have_weights():
    points = np.repeat([[0.0, 0.0], [5.0, 0.0]], 6, axis=0)
    weights = neighbour_weights(*neighbours(points, 7)).toarray()
    assert np.isfinite(weights).all()
    assert weights.max() <= 1
    assert weights[:6, :6].sum() > 5 * weights[:6, 6:].sum()


def plain_layout(weights, first, shape, rounds, seed):
    """The slow twin, point by point with vectors."""
    place = first - first.mean(0)
    place = place / np.abs(place).max()
    dense = weights.toarray()
    share = dense / dense.max()
    for t in range(rounds):
        e = -1
        for i in range(len(place)):
            for j in np.flatnonzero(dense[i]):
                e += 1
                if int((t + 1) * share[i, j]) == int(t * share[i, j]):
                    continue
                others = [(j, True)] + [
                    (below(w, len(place)), False) for w in words(seed, MIXTURE_LAYOUT, t, e, 0)
                ]
                for o, pulls in others:
                    line = place[i] - place[o]
                    d = np.linalg.norm(line)
                    if d == 0:
                        continue
                    like = 1 / (1 + shape.a * d ** (2 * shape.b))
                    factor = (
                        -2 * shape.a * shape.b * d ** (2 * shape.b - 2) * like
                        if pulls
                        else 2 * shape.b * like / (1e-3 + d**2)
                    )
                    step = (1 - t / rounds) * np.clip(factor * line, -4, 4)
                    place[i] += step
                    if pulls:
                        place[o] -= step
    return place


def test_descent_is_that_of_the_equations():
    rng = np.random.default_rng(2)
    points = rng.normal(size=(20, 3))
    weights = neighbour_weights(*neighbours(points, 5))
    weights.sort_indices()
    shape = curve(2.0, 0.1)
    found = lay_out(weights, points, shape, 4, 3)
    assert np.allclose(found, plain_layout(weights, points, shape, 4, 3), atol=1e-6)


def test_neighbours_stay_near_where_directions_are_too_few():
    """Eight groups in eight directions, laid out in two."""
    rng = np.random.default_rng(3)
    group = np.repeat(np.arange(8), 40)
    points = np.eye(8)[group] + rng.normal(0, 0.05, (320, 8))
    weights = neighbour_weights(*neighbours(points, 10))
    place = lay_out(weights, points[:, :2], curve(1.0, 0.1), 200, 1)
    _, near = cKDTree(place).query(place, 6)
    assert np.mean(group[near[:, 1:]] == group[:, None]) > 0.97
