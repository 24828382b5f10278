"""Merged nuclei are told by what is usual in the tissue."""

import numpy as np
import pytest

from cellcarve.carve.merged import _unusual


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
