"""A finished run from its folder: what the report and the converters need."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cellcarve.data.prior import Prior
from cellcarve.data.result import Outlines, Run, Summary
from cellcarve.data.segmentation import ORIGIN_NAMES, Segmentation
from cellcarve.data.table import STATUS_NAMES, Table
from cellcarve.errors import InputError


def load_run(folder: Path) -> Run:
    """Read a run folder back.

    Raises
    ------
    InputError
        It is no run folder, or not whole.
    """
    needed = ("run.json", "transcripts.parquet", "counts.h5ad", "boundaries.parquet")
    missing = [name for name in needed if not (folder / name).exists()]
    if missing:
        raise InputError(f"{folder} is no finished run: {missing[0]} is missing; name the folder given to -o")
    import anndata

    counts = anndata.read_h5ad(folder / "counts.h5ad")
    record = json.loads((folder / "run.json").read_text())
    rows = pq.read_table(folder / "transcripts.parquet")
    names = [str(n) for n in counts.obs_names]
    prior = _prior(rows, record)
    segmentation = _segmentation(rows, counts, names, prior, record)
    table = _table(rows, counts, prior, record)
    cells = pq.read_table(folder / "cells.parquet").to_pandas()
    outlines = _outlines(folder / "boundaries.parquet", names)
    summary = Summary(counts.X.tocsr(), cells, outlines)
    return Run(table, prior, segmentation, summary, record)


def _codes(rows: pa.Table, name: str, words: list[str]) -> np.ndarray:
    """Codes from 1 (0 = null) of a text column into known words, int32."""
    column = rows[name].cast(pa.string()).combine_chunks()
    place = pc.index_in(column, pa.array(words, pa.string()))
    return pc.add(pc.fill_null(place, -1), 1).to_numpy(zero_copy_only=False).astype(np.int32)


def _numbers(rows: pa.Table, name: str) -> np.ndarray | None:
    return rows[name].combine_chunks().to_numpy(zero_copy_only=False) if name in rows.column_names else None


def _words(rows: pa.Table, name: str) -> list[str]:
    if name not in rows.column_names:
        return []
    return sorted(w for w in pc.unique(rows[name].cast(pa.string())).to_pylist() if w is not None)


def _prior(rows: pa.Table, record: dict) -> Prior:
    names = _words(rows, "prior_cell")
    facts = record.get("prior", {})
    if not names:
        return Prior(np.zeros(len(rows), np.int32), np.zeros(len(rows), bool), [], "none", "none")
    core = _numbers(rows, "prior_core")
    cell = _codes(rows, "prior_cell", names)
    return Prior(cell, core, names, facts.get("kind", "nuclei"), facts.get("source", ""))  # type: ignore[arg-type]


def _segmentation(rows: pa.Table, counts: Any, names: list[str], prior: Prior, record: dict) -> Segmentation:
    cell = _codes(rows, "cell_id", names)
    parent = counts.obs["prior_id"].astype(str)
    place = {n: i + 1 for i, n in enumerate(prior.names)}
    return Segmentation(
        cell=cell,
        best=cell,
        probability=_numbers(rows, "probability"),  # type: ignore[arg-type]
        runner_up=_codes(rows, "runner_up", names),
        background=_numbers(rows, "background"),  # type: ignore[arg-type]
        names=names,
        origin=np.array([ORIGIN_NAMES.index(o) for o in counts.obs["origin"]], np.uint8),
        prior=np.array([place.get(p, 0) for p in parent], np.int32),
        existence=counts.obs["existence"].to_numpy(np.float32),
        cluster=counts.obs["cluster"].to_numpy(np.int32),
        expected=counts.layers["expected"].tocsr(),
        model=record.get("model", {}),
    )


def _table(rows: pa.Table, counts: Any, prior: Prior, record: dict) -> Table:
    genes = [str(g) for g in counts.var_names]
    fovs = _words(rows, "fov")
    return Table(
        platform=record.get("platform", "table"),
        files=tuple(Path(item["path"]) for item in record.get("inputs", [])),
        ids=rows["transcript_id"].combine_chunks(),
        x=_numbers(rows, "x"),  # type: ignore[arg-type]
        y=_numbers(rows, "y"),  # type: ignore[arg-type]
        z=_numbers(rows, "z"),
        gene=_codes(rows, "gene", genes) - 1,
        genes=genes,
        quality=_numbers(rows, "qv"),
        fov=_codes(rows, "fov", fovs) - 1 if fovs else None,
        fovs=fovs,
        cell=prior.cell,
        cell_names=prior.names,
        nucleus=prior.core,
        status=(_codes(rows, "status", list(STATUS_NAMES)) - 1).astype(np.uint8),
    )


def _outlines(path: Path, names: list[str]) -> Outlines:
    import geopandas
    import shapely

    frame = geopandas.read_parquet(path)
    place = {n: i + 1 for i, n in enumerate(names)}
    cell = np.array([place[str(n)] for n in frame["cell_id"]], np.int32)
    corner, index = shapely.get_coordinates(frame.geometry.to_numpy(), return_index=True)
    start = np.searchsorted(index, np.arange(len(cell) + 1)).astype(np.int64)
    return Outlines(cell, corner[:, 0].astype(np.float32), corner[:, 1].astype(np.float32), start)
