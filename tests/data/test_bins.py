"""An array of bins that lies turned and mirrored in the tissue."""

import numpy as np
import pytest

from cellcarve.data.bins import BinArray

COS, SIN = np.cos(0.02), np.sin(0.02)
BINS = BinArray(2.0, (-COS, SIN, 5758.0, SIN, COS, 11.5))


def positions(seed=0):
    return np.random.default_rng(seed).uniform(0, 3000, (2, 50))


def test_the_way_back_is_the_way_back():
    u, v = positions()
    x, y = BINS.place(u, v)
    assert x[0] == pytest.approx(5758 - COS * u[0] + SIN * v[0])
    np.testing.assert_allclose(BINS.along(x, y), (u, v), atol=1e-8)


def test_displacements_keep_their_length():
    u, v = positions(1)
    np.testing.assert_allclose(np.hypot(*BINS.turn(u, v)), np.hypot(u, v))
    np.testing.assert_allclose(BINS.turn(np.zeros(1), np.zeros(1)), 0, atol=1e-12)


def test_positions_anywhere_in_a_bin_share_its_middle():
    row, column = np.divmod(np.arange(30), 6)
    shift = np.random.default_rng(2).uniform(-0.9, 0.9, (2, 30))
    x, y = BINS.place(2 * column + 1 + shift[0], 2 * row + 1 + shift[1])
    u, v = BINS.middles(x.astype(np.float32), y.astype(np.float32))
    assert u.tolist() == (2.0 * column + 1).tolist()
    assert v.tolist() == (2.0 * row + 1).tolist()


def test_maps_to_the_tissue_become_maps_to_the_array():
    image = (0.3, 0.05, 20.0, -0.02, 0.4, 7.0)
    a, b, c, d, e, f = BINS.onto(image)
    s, t = positions(3)
    tissue = image[0] * s + image[1] * t + image[2], image[3] * s + image[4] * t + image[5]
    np.testing.assert_allclose((a * s + b * t + c, d * s + e * t + f), BINS.along(*tissue), atol=1e-6)
