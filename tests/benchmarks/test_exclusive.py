import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from cellcarve.evaluate.assignment import Assignment
from exclusive import counts_of, rare_pairs


def test_markers_of_two_kinds_of_cells_are_rare_together():
    profile = np.ones((4, 18))
    profile[:2, :3], profile[2:, 3:6] = 0, 0
    low, high = rare_pairs(profile, 30.0)
    assert set(zip(low.tolist(), high.tolist(), strict=True)) == {
        (i, j) for i in range(3) for j in range(3, 6)
    }


@pytest.mark.parametrize("size", [9, 10])
def test_small_cells_are_not_counted(size):
    cell = np.repeat([1, 2], [size, 12])
    found = Assignment.__new__(Assignment)
    found.cell, found.gene, found.genes = cell, np.arange(len(cell)) % 3, ["a", "b", "c"]
    counts = counts_of(found, ["c", "a", "b"])
    assert len(counts) == (1 if size < 10 else 2)
    np.testing.assert_array_equal(counts[-1], [4, 4, 4])
