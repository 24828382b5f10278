"""The inner part of whole cells."""

import numpy as np
import pytest

from cellcarve.priors.core import inner


def test_stretched_cell_keeps_its_shape():
    rng = np.random.default_rng(2)
    x, y = rng.uniform(-5, 5, 2000).astype(np.float32), rng.uniform(-15, 15, 2000).astype(np.float32)
    core = inner(np.ones(2000, np.int32), x, y, 1)
    assert core.mean() == pytest.approx(0.4, abs=0.001)
    reach = np.hypot(x / 5, y / 15)
    assert reach[core].max() < np.median(reach) * 1.15
    assert np.abs(y[core]).max() > 2 * np.abs(x[core]).max()


def test_each_cell_as_if_alone():
    rng = np.random.default_rng(4)
    cell = rng.integers(0, 6, 400).astype(np.int32)
    x, y = rng.normal(0, 3, (2, 400)).astype(np.float32)
    together = inner(cell, x, y, 5)
    for c in range(1, 6):
        mine = cell == c
        alone = inner(np.ones(mine.sum(), np.int32), x[mine], y[mine], 1)
        assert (together[mine] == alone).all()
    assert not together[cell == 0].any()


@pytest.mark.parametrize(("rows", "expected"), [(1, 1), (3, 3), (5, 3), (10, 4)])
def test_at_least_three(rows, expected):
    same = np.zeros(rows, np.float32)
    assert inner(np.full(rows, 2, np.int32), same, same, 2).sum() == expected


def test_far_from_the_origin():
    rng = np.random.default_rng(6)
    x, y = rng.integers(0, 64, (2, 300)).astype(np.float32) / 8
    cell = np.ones(300, np.int32)
    assert (inner(cell, x, y, 1) == inner(cell, x + 65536, y + 65536, 1)).mean() > 0.99
