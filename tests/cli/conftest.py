import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def tissue():
    """A table of 36 cells on a lattice, 12 µm apart, with nuclei: about 2,000 transcripts of 12 genes."""
    rng = np.random.default_rng(0)
    cell = rng.integers(1, 37, 2000)
    angle, radius = rng.uniform(0, 2 * np.pi, 2000), 5.5 * np.sqrt(rng.uniform(0, 1, 2000))
    nuclear = radius < 3.5
    gene = np.where(
        rng.random(2000) < 0.8, (cell % 3) * 4 + rng.integers(0, 4, 2000), rng.integers(0, 12, 2000)
    )
    return pd.DataFrame(
        {
            "transcript_id": np.arange(2000),
            "x": 12.0 * (cell % 6) + radius * np.cos(angle) + 10,
            "y": 12.0 * (cell // 6) + radius * np.sin(angle) + 10,
            "gene": [f"G{g}" for g in gene],
            "cell": np.where(nuclear, cell, 0),
            "overlaps_nucleus": nuclear.astype(int),
        }
    )


@pytest.fixture
def columns():
    """Flags that name the columns of `tissue`."""
    return ["--cell-column", "cell", "--nucleus-column", "overlaps_nucleus", "--id-column", "transcript_id"]
