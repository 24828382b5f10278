"""Statistics of cells against SciPy and NumPy."""

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from cellcarve.mixture.summary import counts_of, describe, hull_area


def test_hull_is_that_of_scipy():
    rng = np.random.default_rng(0)
    at = rng.integers(0, 12, (60, 2)).astype(float)
    at = np.vstack([at, at[:10]])
    at = at[np.lexsort((at[:, 1], at[:, 0]))]
    assert hull_area(*at.T.copy()) == pytest.approx(ConvexHull(at).volume)
    line = np.arange(5.0)
    assert hull_area(line, 2 * line) == pytest.approx(0)


def test_cells_are_described_from_their_transcripts(kit):
    field = kit.field(seed=7, side=3)
    n, cell = len(field.cell), field.cell.copy()
    cell[np.flatnonzero(cell == 9)[2:]] = 0
    rng = np.random.default_rng(0)
    sure, cluster = rng.random(n).astype(np.float32), rng.integers(0, 4, n).astype(np.int32)
    values = {"confidence": sure, "assignment_confidence": None, "cluster": cluster, "prior": None}
    values |= {"lifespan": np.zeros(9), "origin": np.ones(9)}
    at = kit.points(field.table.x, field.table.y)
    found = describe(at, cell, 9, values, (at.x + 100, at.y))
    place = np.column_stack([at.x, at.y]).astype(np.float64)
    for k in range(1, 9):
        own = cell == k
        assert found.n_transcripts[k - 1] == own.sum()
        x, y = place[own].mean(0)
        assert (found.x[k - 1], found.y[k - 1]) == pytest.approx((x + 100, y), abs=1e-4)
        assert found.area[k - 1] == pytest.approx(ConvexHull(place[own]).volume)
        assert found.density[k - 1] == pytest.approx(own.sum() / found.area[k - 1])
        low, high = np.linalg.eigvalsh(np.cov(place[own].T))
        assert found.elongation[k - 1] == pytest.approx(high / low)
        assert found.avg_confidence[k - 1] == pytest.approx(sure[own].mean(), rel=1e-5)
        count = np.bincount(cluster[own], minlength=4)[1:]
        assert found.cluster[k - 1] == count.argmax() + 1
        assert found.max_cluster_frac[k - 1] == pytest.approx(count.max() / own.sum())
    assert np.isnan([found.area[8], found.density[8], found.elongation[8]]).all()
    counts = counts_of(cell, field.table.gene, 9, 20)
    assert counts.sum() == (cell > 0).sum()
    assert np.array_equal(counts[3].toarray()[0], np.bincount(field.table.gene[cell == 4], minlength=20))
