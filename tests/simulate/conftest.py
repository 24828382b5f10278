import pandas as pd
import pytest

from cellcarve.simulate import SimulateSettings, simulate


@pytest.fixture(scope="session")
def tissue(tmp_path_factory):
    """Folder of a small tissue with faulty nuclei: four blocks of more than 100 µm."""
    folder = tmp_path_factory.mktemp("tissue")
    simulate(SimulateSettings(transcripts=60_000, seed=7), folder)
    return folder


@pytest.fixture(scope="session")
def rows(tissue):
    """Transcripts and truth side by side."""
    return pd.read_parquet(tissue / "transcripts.parquet").merge(pd.read_parquet(tissue / "truth.parquet"))
