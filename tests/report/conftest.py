"""Finished runs to report on: one on real tissue with nearest-nucleus cells, and random ones of any size."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.sparse import coo_matrix
from scipy.spatial import ConvexHull, KDTree, QhullError

from cellcarve.data.prior import Prior
from cellcarve.data.result import Outlines, Run, Summary
from cellcarve.data.segmentation import Segmentation
from cellcarve.data.table import Image, Table

RECORD = {
    "program": "cellcarve",
    "started": "2026-01-01T00:00:00+00:00",
    "seed": 0,
    "threads": 2,
    "versions": {"cellcarve": "0.1.0", "numpy": "2.4"},
    "settings": {"purity": "balanced", "min_qv": 20, "genes_exclude": (), "roi": None, "repair": True},
    "timings": [
        {"stage": "read", "seconds": 0.4, "cpu_seconds": 0.5},
        {"stage": "assign", "seconds": 3.25, "cpu_seconds": 6.1},
    ],
    "notes": ["platform: Xenium, recognised by its columns"],
    "peak_memory": 512 << 20,
}


def hulls(x, y, code, cells):
    """Convex outlines of the points of each cell 1 .. cells, grown a little."""
    order = np.argsort(code, kind="stable")
    start = np.searchsorted(code[order], np.arange(1, cells + 2))
    rings, owners = [], []
    for cell in range(1, cells + 1):
        rows = order[start[cell - 1] : start[cell]]
        points = np.column_stack([x[rows], y[rows]]).astype(float)
        if len(points) < 3:
            continue
        try:
            ring = points[ConvexHull(points).vertices]
        except QhullError:
            continue
        rings.append(np.concatenate([ring, ring[:1]]))
        owners.append(cell)
    flat = np.concatenate(rings) if rings else np.empty((0, 2))
    length = np.array([len(ring) for ring in rings], np.int64)
    starts = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    return Outlines(
        np.array(owners, np.int32), flat[:, 0].astype(np.float32), flat[:, 1].astype(np.float32), starts
    )


def run_of(table, prior, cell, probability, segmentation_parts):
    """Put the pieces of a run together; `cell` holds the likeliest cell of every row."""
    cells, genes = len(segmentation_parts["names"]), len(table.genes)
    kept = table.status == 0
    best = np.where(kept, cell, 0).astype(np.int32)
    final = np.where(probability > 0.5, best, 0).astype(np.int32)
    held = final > 0
    counts = coo_matrix(
        (np.ones(held.sum(), np.int32), (final[held] - 1, table.gene[held])), (cells, genes)
    ).tocsr()
    segmentation = Segmentation(
        cell=final,
        best=best,
        probability=np.where(best > 0, probability, 0).astype(np.float32),
        runner_up=np.zeros(len(table), np.int32),
        background=kept & (best == 0),
        existence=np.ones(cells, np.float32),
        expected=counts.astype(np.float32),
        **segmentation_parts,
    )
    outlines = hulls(table.x[held], table.y[held], final[held], cells)
    summary = Summary(counts, pd.DataFrame({"cell_id": segmentation.names}), outlines)
    return Run(table, prior, segmentation, summary, dict(RECORD))


def nearest_nucleus(folder: Path) -> Run:
    """The Xenium breast crop: nuclei as prior, every transcript to its nearest nucleus within 9 µm."""
    path = folder / "xenium_breast" / "transcripts.parquet"
    data = pq.read_table(path)
    x, y = (data[f"{axis}_location"].to_numpy() for axis in "xy")
    names, cell = np.unique(data["cell_id"].to_numpy(), return_inverse=True)
    cell = cell.astype(np.int32)  # -1 sorts first and becomes 0
    nucleus = data["overlaps_nucleus"].to_numpy() == 1
    genes, gene = np.unique(
        data["feature_name"].to_numpy(zero_copy_only=False).astype(str), return_inverse=True
    )
    quality = data["qv"].to_numpy()
    status = np.where(np.char.startswith(genes, "Neg")[gene], 1, np.where(quality < 25, 3, 0)).astype(
        np.uint8
    )
    image = Image(path.parent / "dapi.tif", "DAPI", 0.2125, 1062.0, 212.0)
    labels = [str(n) for n in names[1:]]
    table = Table(
        "xenium", (path,), pa.array(data["transcript_id"].to_numpy()), x, y, data["z_location"].to_numpy(),
        gene.astype(np.int32), genes.tolist(), quality, None, [], cell, labels, nucleus, status, (image,),
        notes=["no nucleus polygons beside the table: nuclei are those of overlaps_nucleus"],
    )  # fmt: skip
    core = nucleus & (cell > 0)
    outlines = hulls(x[core], y[core], cell[core], len(labels))
    start = np.searchsorted(outlines.cell, np.arange(1, len(labels) + 2))
    prior = Prior(
        np.where(core, cell, 0).astype(np.int32), core, labels, "nuclei", "overlaps_nucleus", 0.9,
        outlines.x, outlines.y, outlines.start[start],
    )  # fmt: skip
    found = np.unique(cell[core])
    middle = [np.bincount(cell[core], v[core])[found] / np.bincount(cell[core])[found] for v in (x, y)]
    distance, near = KDTree(np.column_stack(middle)).query(np.column_stack([x, y]))
    best = np.where(distance < 9, near + 1, 0)
    rng = np.random.default_rng(1)
    origin = rng.choice(4, len(found), p=[0.9, 0.06, 0.02, 0.02]).astype(np.uint8)
    parts = {
        "names": [labels[c - 1] for c in found],
        "origin": origin,
        "prior": np.where(origin == 1, 0, found).astype(np.int32),
        "cluster": (middle[0] / 90).astype(np.int32) % 5 + 7 * (middle[1] > 420),
        "model": {
            "blur": 0.21,
            "types": 14,
            "density": {"mean": 0.0123},
            "leak": list(np.linspace(0, 1, 30)),
        },
    }
    return run_of(table, prior, best, np.clip(1.1 - distance / 14, 0.3, 0.995), parts)


def random_run(
    rows: int, cells: int, genes: int = 40, seed: int = 0, prior: bool = True, side: float = 200.0
) -> Run:
    """Random transcripts around random cells, without z, quality, image or instrument cells."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0, side, (max(cells, 1), 2))
    owner = rng.integers(0, max(cells, 1), rows)
    x, y = (centre[owner] + rng.normal(0, 3, (rows, 2))).T.astype(np.float32)
    best = (owner + 1) * (rng.random(rows) < 0.85) if cells else np.zeros(rows, int)
    names = [f"c{i}" for i in range(cells)]
    gene = rng.integers(0, genes, rows).astype(np.int32)
    table = Table(
        "table", (Path("points.csv"),), pa.array(np.arange(rows)), x, y, None, gene,
        [f"gene{i:03d}" for i in range(genes)], None, None, [], np.zeros(rows, np.int32), [], None,
        np.zeros(rows, np.uint8),
    )  # fmt: skip
    known = names if prior else []
    inside = np.where(rng.random(rows) < 0.5, best, 0).astype(np.int32) if prior else np.zeros(rows, np.int32)
    parts = {
        "names": names,
        "origin": rng.integers(0, 4, cells).astype(np.uint8),
        "prior": np.arange(1, cells + 1, dtype=np.int32) if prior else np.zeros(cells, np.int32),
        "cluster": rng.integers(0, 6, cells).astype(np.int32),
        "model": {},
    }
    belief = Prior(inside, inside > 0, known, "nuclei" if prior else "none", "", 0.9)
    return run_of(table, belief, best, rng.uniform(0.3, 1, rows).astype(np.float32), parts)


@pytest.fixture(scope="session")
def breast(data_folder) -> Run:
    return nearest_nucleus(data_folder)


@pytest.fixture(scope="session")
def scattered():
    """Makes random runs: ``scattered(rows, cells, genes=40, seed=0, prior=True, side=200.0)``."""
    return random_run
