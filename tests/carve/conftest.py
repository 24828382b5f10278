"""A small simulated tissue, read once."""

from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from cellcarve.carve import carve
from cellcarve.priors import lay
from cellcarve.progress import Silent
from cellcarve.read import read
from cellcarve.settings import CarveSettings, ComputeSettings, PriorSettings, ReadSettings
from cellcarve.simulate import SimulateSettings, simulate


@pytest.fixture(scope="session")
def tissue(tmp_path_factory):
    """Table, prior and truth of about 60 000 simulated transcripts."""
    folder = tmp_path_factory.mktemp("tissue") / "outs"
    simulate(SimulateSettings(transcripts=60_000, seed=77, image=False), folder)
    table = read(folder, ReadSettings())
    truth = pq.read_table(folder / "truth.parquet")["true_cell"].to_numpy()
    return SimpleNamespace(table=table, prior=lay(table, PriorSettings()), truth=truth)


@pytest.fixture(scope="session")
def run():
    """Segment a table with a prior."""

    def segment(table, prior, threads=2, **settings):
        return carve(table, prior, CarveSettings(**settings), ComputeSettings(threads=threads), Silent())

    return segment


@pytest.fixture(scope="session")
def usual(tissue, run):
    """The tissue with default settings."""
    return run(tissue.table, tissue.prior)


@pytest.fixture(scope="session")
def agreement():
    """Share of rows in cells that are each other's best partner, of those that either puts into a cell."""

    def share(a, b):
        used = (a > 0) | (b > 0)
        both = (a > 0) & (b > 0)
        pairs, count = np.unique(np.stack([a[both], b[both]]), axis=1, return_counts=True)
        order = np.argsort(-count, kind="stable")
        first, second, same = set(), set(), 0
        for i in order.tolist():
            if pairs[0, i] not in first and pairs[1, i] not in second:
                first.add(pairs[0, i])
                second.add(pairs[1, i])
                same += count[i]
        return same / used.sum()

    return share
