"""Small finished runs whose every number is known."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.sparse import coo_matrix

from cellcarve.data.prior import Prior
from cellcarve.data.result import Outlines, Run, Summary
from cellcarve.data.segmentation import ORIGIN_NAMES, Segmentation
from cellcarve.data.table import Image, Table
from cellcarve.progress import Silent
from cellcarve.write import write_run


def squares(number, x, y, radius=4.0):
    """A closed counter-clockwise square around each place."""
    dx, dy = np.array([[-1, 1, 1, -1, -1], [-1, -1, 1, 1, -1]]) * radius
    ring_x, ring_y = (x[:, None] + dx).astype(np.float32), (y[:, None] + dy).astype(np.float32)
    start = np.arange(len(number) + 1, dtype=np.int64) * 5
    return Outlines(np.asarray(number, np.int32), ring_x.ravel(), ring_y.ravel(), start)


def _table(rng, x, y, owner, rich, genes):
    rows = len(x)
    full = {
        "z": rng.random(rows, dtype=np.float32) * 9,
        "quality": rng.random(rows, dtype=np.float32) * 40,
        "fov": rng.integers(0, 3, rows).astype(np.int32),
        "fovs": ["left", "middle", "right"],
        "cell": (owner + 1).astype(np.int32),
        "cell_names": [f"theirs{i:02d}" for i in range(owner.max(initial=-1) + 1)],
    }
    bare = {
        "z": None,
        "quality": None,
        "fov": None,
        "fovs": [],
        "cell": np.zeros(rows, np.int32),
        "cell_names": [],
    }
    ids = pa.array([f"t{i}" for i in range(rows)]) if rich else pa.array(np.arange(rows) + 2**40)
    genes = [f"gene{i}" for i in range(genes)]
    status = rng.choice(5, rows, p=[0.8, 0.05, 0.05, 0.05, 0.05]).astype(np.uint8)
    gene = rng.integers(0, len(genes), rows).astype(np.int32)
    columns = {"x": x, "y": y, "gene": gene, "genes": genes, "nucleus": None, "status": status}
    return Table("table", (), ids, **columns, **(full if rich else bare))


def _segmentation(rng, table, owner, cells, prior):
    rows, kept = len(table), table.status == 0
    best = np.where(kept & (rng.random(rows) < 0.9) & (cells > 0), owner + 1, 0).astype(np.int32)
    probability = np.where(best > 0, rng.random(rows), 0).astype(np.float32)
    held = best > 0
    shape = cells, len(table.genes)
    expected = coo_matrix((probability[held], (best[held] - 1, table.gene[held])), shape).tocsr()
    return Segmentation(
        cell=np.where(probability > 0.4, best, 0).astype(np.int32),
        best=best,
        probability=probability,
        runner_up=np.where(held, np.roll(best, 1), 0).astype(np.int32),
        background=kept & ~held,
        # Not in the order of the alphabet: numbers must never be taken for ranks.
        names=[f"cell-{cells - i}" for i in range(cells)],
        origin=rng.integers(0, 4, cells).astype(np.uint8),
        prior=np.arange(1, cells + 1, dtype=np.int32) * prior,
        existence=rng.random(cells, dtype=np.float32),
        cluster=rng.integers(0, 5, cells).astype(np.int32),
        expected=expected,
        model={"types": 5, "leak": [0.5, 0.25]},
    )


def _cells(result, place, prior, counts):
    names = np.array([None, *prior.names], object)
    x, y = place.T.astype(np.float32)
    columns = {
        "cell_id": result.names,
        "origin": np.array(ORIGIN_NAMES, object)[result.origin],
        "prior_id": names[result.prior],
        "x": x,
        "y": y,
        "area": np.full(len(x), 64.0),
        "transcripts": np.asarray(counts.sum(axis=1)).ravel(),
        "cluster": result.cluster,
        "border": x < 20,
        "existence": result.existence,
    }
    return pd.DataFrame(columns)


def make_run(rows=900, cells=30, rich=True, seed=0, genes=12):
    """A run on random tissue; `rich` ones have all that an input can have, the others the least."""
    rng = np.random.default_rng(seed)
    place = np.column_stack([np.arange(cells) % 6, np.arange(cells) // 6]) * 12.0 + 30.5
    owner = rng.integers(0, max(cells, 1), rows)
    x, y = ((place[owner] if cells else 50) + rng.uniform(-3.9, 3.9, (rows, 2))).T.astype(np.float32).copy()
    table = _table(rng, x, y, owner, rich, genes)
    prior = Prior(np.zeros(rows, np.int32), np.zeros(rows, bool), [], "none", "none")
    if rich:
        inside = np.where(rng.random(rows) < 0.5, owner + 1, 0).astype(np.int32)
        drawn = squares(range(1, cells + 1), *place.T, radius=2.0)
        names = [f"nucleus{i}" for i in range(cells)]
        rings = drawn.x, drawn.y, drawn.start
        prior = Prior(inside, inside > 0, names, "nuclei", "nuclei.tif", 0.8, *rings)
        table.images = (Image(Path("/nowhere/dapi.tif"), "DAPI", 0.2, 1.0, 2.0, True),)
    result = _segmentation(rng, table, owner, cells, rich)
    held = result.cell > 0
    at = result.cell[held] - 1, table.gene[held]
    counts = coo_matrix((np.ones(held.sum(), np.int32), at), (cells, len(table.genes))).tocsr()
    drawn = np.arange(1, cells + 1)[1:]
    outlines = squares(drawn, *place[drawn - 1].T)
    layers = {k: squares(drawn[k:], *place[drawn[k:] - 1].T, radius=3.0) for k in range(2)} if rich else {}
    summary = Summary(counts, _cells(result, place, prior, counts), outlines, layers)
    told = {"kind": prior.kind, "source": prior.source, "confidence": prior.confidence}
    record = {
        "platform": "table",
        "inputs": [],
        "prior": told,
        "model": result.model,
        "timings": [],
        "seed": 1,
    }
    return Run(table, prior, result, summary, record)


@pytest.fixture(scope="session", params=[True, False], ids=["rich", "bare"])
def written(request, tmp_path_factory):
    """A run and the folder it was written to, without the report; nobody changes either."""
    run = make_run(rich=request.param)
    folder = tmp_path_factory.mktemp("runs") / "result"
    write_run(run, folder, False, False, Silent())
    return SimpleNamespace(run=run, folder=folder)


@pytest.fixture(scope="session")
def made():
    """Makes runs: ``made(rows=900, cells=30, rich=True, seed=0, genes=12)``."""
    return make_run
