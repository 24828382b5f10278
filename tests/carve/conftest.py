from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix, csr_matrix

from cellcarve.carve import carve
from cellcarve.data.prior import Prior
from cellcarve.data.segmentation import Origin, Segmentation
from cellcarve.data.table import Table
from cellcarve.priors import lay
from cellcarve.progress import Silent
from cellcarve.read import read
from cellcarve.settings import CarveSettings, ComputeSettings, PriorSettings, ReadSettings
from cellcarve.simulate import SimulateSettings, simulate

PER_ROW = ("x", "y", "z", "gene", "quality", "fov", "cell", "nucleus", "status")


def _tissue(folder, **settings):
    """Table, prior and true cell (-1 = leave out) of each row of a simulated tissue."""
    simulate(SimulateSettings(image=False, **settings), folder)
    table = read(folder, ReadSettings())
    truth = pd.read_parquet(folder / "truth.parquet").set_index("transcript_id").true_cell
    true = truth.loc[table.ids.to_numpy(zero_copy_only=False)].to_numpy()
    return SimpleNamespace(table=table, prior=lay(table, PriorSettings()), true=true)


@pytest.fixture(scope="session")
def tissue(tmp_path_factory):
    """About 40 000 transcripts with faulty nuclei; tests must leave it as it is."""
    return _tissue(tmp_path_factory.mktemp("tissue"), transcripts=40_000, seed=3)


@pytest.fixture(scope="session")
def perfect(tmp_path_factory):
    """About 40 000 transcripts with every nucleus drawn as it is."""
    return _tissue(tmp_path_factory.mktemp("perfect"), transcripts=40_000, seed=4, perfect=True)


@pytest.fixture(scope="session")
def wide(tmp_path_factory):
    """About 80 000 transcripts."""
    return _tissue(tmp_path_factory.mktemp("wide"), transcripts=80_000, seed=5)


def run_carve(table, prior, threads=1, seed=0, **settings):
    """Segmentation of a table that is given away: the method gets its own copy of the prior."""
    own = replace(prior, cell=prior.cell.copy(), core=prior.core.copy())
    return carve(table, own, CarveSettings(**settings), ComputeSettings(threads=threads, seed=seed), Silent())


@pytest.fixture(scope="session")
def run():
    """The method on a table and a prior, one thread unless told."""
    return run_carve


@pytest.fixture(scope="session")
def answer(tissue):
    """The tissue segmented with the default settings."""
    return run_carve(tissue.table, tissue.prior)


@pytest.fixture(scope="session")
def made():
    """Builds a table and a prior from arrays: made(x, y, gene, cell, core) with plain lists allowed."""

    def make(x, y, gene, cell, core, genes=None):
        n = len(x)
        gene, cell = np.asarray(gene, np.int32), np.asarray(cell, np.int32)
        genes = genes or int(gene.max()) + 1
        names = [f"n{i}" for i in range(1, int(cell.max()) + 1)]
        table = Table(
            "memory", (), pa.array(np.arange(n)), np.asarray(x, np.float32), np.asarray(y, np.float32), None, gene,
            [f"g{i}" for i in range(genes)], None, None, [], cell, names, np.asarray(core, bool),
            np.zeros(n, np.uint8),
        )  # fmt: skip
        return table, Prior(cell, np.asarray(core, bool), names, "nuclei" if names else "none", "made up")

    return make


def taken(table, prior, row):
    """Table and prior with only the rows `row`, in that order."""
    parts = {name: getattr(table, name) for name in PER_ROW}
    parts = {name: v[row] for name, v in parts.items() if v is not None}
    table = replace(table, ids=table.ids.take(pa.array(row)), **parts)
    return table, replace(prior, cell=prior.cell[row], core=prior.core[row])


@pytest.fixture(scope="session")
def take():
    """Takes rows of a table and a prior."""
    return taken


def _agreement(a, b):
    """Share of rows in the same cell (or in none) after the best one-to-one matching of cells."""
    both = (a > 0) & (b > 0)
    table = coo_matrix((np.ones(both.sum()), (a[both], b[both])), shape=(a.max() + 1, b.max() + 1)).toarray()
    left, right = linear_sum_assignment(-table)
    return (table[left, right].sum() + ((a == 0) & (b == 0)).sum()) / len(a)


@pytest.fixture(scope="session")
def agreement():
    """How alike two partitions of the same rows are, 0 .. 1."""
    return _agreement


def _same_bytes(a, b):
    for f in fields(Segmentation):
        one, other = getattr(a, f.name), getattr(b, f.name)
        if isinstance(one, csr_matrix):
            for part in ("data", "indices", "indptr"):
                assert getattr(one, part).tobytes() == getattr(other, part).tobytes(), f"{f.name}.{part}"
        elif isinstance(one, np.ndarray):
            assert one.dtype == other.dtype, f.name
            assert one.tobytes() == other.tobytes(), f.name
        else:
            assert one == other, f.name


@pytest.fixture(scope="session")
def same_bytes():
    """Asserts that every array of two segmentations holds the same bytes."""
    return _same_bytes


def _consistent(table, prior, s):
    """Asserts what holds of every segmentation."""
    n, cells = len(table), len(s.names)
    kept = table.status == 0
    for name in ("cell", "best", "probability", "runner_up", "background"):
        assert getattr(s, name).shape == (n,), name
    for name in ("cell", "best", "runner_up"):
        v = getattr(s, name)
        assert v.min(initial=0) >= 0
        assert v.max(initial=0) <= cells
        assert (v[~kept] == 0).all()
    assert ((s.cell == 0) | (s.cell == s.best)).all()
    assert ((s.probability > 0) == (s.best > 0)).all()
    assert (s.probability <= 1 + 1e-5).all()
    assert ((s.runner_up != s.best) | (s.best == 0)).all()
    assert not s.background[~kept].any()
    assert len(set(s.names)) == cells
    for name in ("origin", "prior", "existence", "cluster"):
        assert getattr(s, name).shape == (cells,), name
    assert ((s.existence >= 0) & (s.existence <= 1)).all()
    assert ((s.prior == 0) == (s.origin == Origin.NEW)).all()
    assert s.prior.max(initial=0) <= len(prior.names)
    assert s.expected.shape == (cells, len(table.genes))
    assert np.isfinite(s.expected.data).all()
    assert (s.expected.data >= 0).all()
    assert s.expected.sum() <= kept.sum() * (1 + 1e-4)


@pytest.fixture(scope="session")
def consistent():
    """Asserts what holds of every segmentation of a table and a prior."""
    return _consistent
