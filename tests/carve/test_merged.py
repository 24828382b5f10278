"""Merged nuclei are told by what is usual in the tissue."""

import numpy as np
import pytest

from cellcarve.carve.merged import _halve, _unusual
from cellcarve.data.sorting import rows_of


@pytest.mark.parametrize("number", [50, 5_000])
def test_what_is_common_is_not_unusual(number):
    value = np.random.default_rng(number).normal(7, 3, number)
    value[:2] = 25
    found = _unusual(value, 0.16, 1.0, 3.0)
    assert np.abs(found[2:]).max() < 5
    np.testing.assert_allclose(found[:2], 6, atol=1)
    np.testing.assert_allclose(_unusual(value + 100, 0.16, 1.0, 3.0), found, atol=1e-9)


def test_few_nuclei_are_measured_by_the_usual_spread():
    np.testing.assert_allclose(_unusual(np.array([1.0, 1.0, 3.0]), 0.16, 1.0, 2.0), [0, 0, 1], atol=0.05)


def test_halves_are_two_means_along_the_long_axis():
    """No transcript lies nearer to the mean of the other half; a nucleus of two far clusters is cut between them."""
    rng = np.random.default_rng(3)
    label = rng.integers(1, 9, 400).astype(np.int32)
    turn = np.linspace(0, 3, 9)
    axis = np.column_stack([rng.uniform(0, 50, (9, 2)), np.cos(turn), np.sin(turn)])
    along = rng.normal(0, 3, 400) + np.where(label == 4, 20 * rng.choice([-1, 1], 400), 0)
    across = rng.normal(0, 1, 400)
    way = axis[label, 2:]
    x = axis[label, 0] + along * way[:, 0] - across * way[:, 1]
    y = axis[label, 1] + along * way[:, 1] + across * way[:, 0]
    side = np.zeros(400, bool)
    _halve(*rows_of(label, 10), x, y, axis, side)
    for c in range(1, 9):
        u, right = along[label == c], side[label == c]
        middles = u[~right].mean(), u[right].mean()
        assert middles[0] < middles[1]
        assert np.array_equal(right, np.abs(u - middles[1]) < np.abs(u - middles[0]))
    assert np.array_equal(side[label == 4], along[label == 4] > 0)
