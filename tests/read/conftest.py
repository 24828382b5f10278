import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def spots():
    """A small table whose cells are -1 (none), 0 and numbers beyond 32 bits."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "transcript_id": np.arange(500) + 2**40,
            "x": rng.uniform(0, 30, 500).astype(np.float32),
            "y": rng.uniform(0, 30, 500).astype(np.float32),
            "gene": rng.choice(["A", "B", "NegControlProbe_1"], 500),
            "cell": np.array([-1, 0, 2**33, 2**34, 2**35, 2**40])[rng.integers(0, 6, 500)],
            "qv": rng.uniform(0, 40, 500),
        }
    )
