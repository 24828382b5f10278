import shlex
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cellcarve.compat.proseg.command import parse
from cellcarve.compat.proseg.prior import lay
from cellcarve.compat.proseg.rows import read_rows
from cellcarve.compat.proseg.settle import settle
from cellcarve.compat.proseg.source import open_source


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Runs write into the working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def opened(line: str) -> SimpleNamespace:
    """A command line up to the chain: options in force, rows and prior."""
    options = settle(parse(shlex.split(line)).options)
    source = open_source(options)
    options = replace(options, inputs=source.inputs)
    table = read_rows(source)
    return SimpleNamespace(options=options, source=source, table=table, prior=lay(table, source, options))


@pytest.fixture
def follow():
    return opened


@pytest.fixture
def xenium():
    """Twelve rows of a Xenium table: two cells, a control probe, two of low quality, one in no cell."""
    return pd.DataFrame(
        {
            "transcript_id": np.arange(12, dtype=np.uint64) + 2**45,
            "cell_id": ["aa-1"] * 5 + ["bb-1"] * 5 + ["UNASSIGNED", "aa-1"],
            "overlaps_nucleus": np.array([1, 1, 0, 1, 0] * 2 + [1, 1], np.uint8),
            "feature_name": ["G1", "G2", "G1", "BLANK", "G2"] * 2 + ["G1", "NegControlProbe_1"],
            "x_location": np.linspace(0, 22, 12, dtype=np.float32),
            "y_location": np.linspace(5, 16, 12, dtype=np.float32),
            "z_location": np.linspace(1, 9, 12, dtype=np.float32),
            "qv": np.array([40, 20, 19.5, 40, 40] * 2 + [40, 40], np.float32),
            "fov_name": ["A1", "A2"] * 6,
        }
    )
