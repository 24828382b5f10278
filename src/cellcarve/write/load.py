"""A finished run from its folder."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cellcarve.data.prior import Prior
from cellcarve.data.result import Run, Summary
from cellcarve.data.segmentation import ORIGIN_NAMES, Segmentation
from cellcarve.data.table import STATUS_NAMES, Image, Table
from cellcarve.errors import InputError
from cellcarve.write.boundaries import read_outlines

if TYPE_CHECKING:
    from anndata import AnnData

NEEDED = ("run.json", "transcripts.parquet", "cells.parquet", "counts.h5ad", "boundaries.parquet")


def load_run(folder: Path) -> Run:
    """Read a run folder back.

    Parameters
    ----------
    folder
        What `write_run` made.

    Returns
    -------
    Run
        As it was written, but for what the files do not hold: polygons by layer, and which of the
        instrument's transcripts lie in nuclei.

    Raises
    ------
    InputError
        It is no run folder, or one of its files is damaged.
    """
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"'{folder}' is no finished run ('{missing[0]}' is missing); name the folder given to -o"
        )
    try:
        return _load(folder)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"'{folder}' holds a damaged run ({error}); segment again") from error


def _load(folder: Path) -> Run:
    import anndata

    record = json.loads((folder / "run.json").read_text())
    counts = anndata.read_h5ad(folder / "counts.h5ad")
    rows = pq.read_table(folder / "transcripts.parquet")
    table = _table(rows, list(counts.var_names), record)
    cells = pq.read_table(folder / "cells.parquet").to_pandas()
    prior = _prior(rows, cells["prior_id"], folder / "prior_boundaries.parquet", record["prior"])
    segmentation = _segmentation(rows, counts, prior.names)
    outlines = read_outlines(folder / "boundaries.parquet", segmentation.names)
    segmentation.model = record["model"]
    return Run(table, prior, segmentation, Summary(counts.X, cells, outlines), record)


def _table(rows: pa.Table, genes: list[str], record: dict[str, Any]) -> Table:
    fovs, cells = _words(rows, "fov"), _words(rows, "instrument_cell")
    return Table(
        platform=record["platform"],
        files=tuple(Path(item["path"]) for item in record["inputs"]),
        ids=rows["transcript_id"].combine_chunks(),
        x=_numbers(rows, "x"),
        y=_numbers(rows, "y"),
        z=_numbers(rows, "z") if "z" in rows.column_names else None,
        gene=_codes(rows, "gene", genes) - 1,
        genes=genes,
        quality=_numbers(rows, "qv") if "qv" in rows.column_names else None,
        fov=_codes(rows, "fov", fovs) - 1 if fovs else None,
        fovs=fovs,
        cell=_codes(rows, "instrument_cell", cells),
        cell_names=cells,
        nucleus=None,
        status=(_codes(rows, "status", STATUS_NAMES) - 1).astype(np.uint8),
        images=tuple(Image(**item | {"path": Path(item["path"])}) for item in record["images"]),
    )


def _prior(rows: pa.Table, parents: Any, drawn: Path, facts: dict[str, Any]) -> Prior:
    """The prior; its cells that hold no transcript, have no outline and became no cell are gone."""
    outlined = pq.read_table(drawn, columns=["cell_id"])["cell_id"].to_pylist() if drawn.exists() else []
    others = {*_words(rows, "prior_cell"), *parents.dropna()} - set(outlined)
    names = outlined + sorted(others)
    core = _numbers(rows, "prior_core") if "prior_core" in rows.column_names else np.zeros(len(rows), bool)
    told = facts["kind"], facts["source"], facts["confidence"]
    prior = Prior(_codes(rows, "prior_cell", names), core, names, *told)
    if outlined:
        rings = read_outlines(drawn, outlined)
        without = np.full(len(others), rings.start[-1])
        prior.outline_x, prior.outline_y = rings.x, rings.y
        prior.outline_start = np.concatenate([rings.start, without])
    return prior


def _segmentation(rows: pa.Table, counts: "AnnData", prior: list[str]) -> Segmentation:
    names, cells = list(counts.obs_names), counts.obs
    number = {name: place for place, name in enumerate(prior, 1)}
    return Segmentation(
        cell=_codes(rows, "cell_id", names),
        best=_codes(rows, "best_cell", names),
        probability=_numbers(rows, "probability"),
        runner_up=_codes(rows, "runner_up", names),
        background=_numbers(rows, "background"),
        names=names,
        origin=np.array([ORIGIN_NAMES.index(word) for word in cells["origin"]], np.uint8),
        prior=np.array([number.get(name, 0) for name in cells["prior_id"]], np.int32),
        existence=cells["existence"].to_numpy(np.float32),
        cluster=cells["cluster"].to_numpy(np.int32),
        expected=counts.layers["expected"],
    )


def _numbers(rows: pa.Table, name: str) -> np.ndarray:
    return rows[name].to_numpy()


def _words(rows: pa.Table, name: str) -> list[str]:
    """The words of a text column, sorted; none where there is no such column."""
    if name not in rows.column_names:
        return []
    return sorted(set().union(*(chunk.dictionary.to_pylist() for chunk in rows[name].chunks)))


def _codes(rows: pa.Table, name: str, words: "list[str] | tuple[str, ...]") -> np.ndarray:
    """(N,) int32 index of a text column into words plus one, 0 = null; all 0 where there is no such column."""
    if name not in rows.column_names:
        return np.zeros(len(rows), np.int32)
    known = pa.array(words, pa.string())
    parts = [np.empty(0, np.int32)]
    for chunk in rows[name].chunks:
        place = pc.index_in(chunk.dictionary, known).to_numpy(zero_copy_only=False)
        code = np.append(place + 1, 0).astype(np.int32)
        # Null has the last place: index -1.
        parts.append(code[pc.fill_null(chunk.indices, -1).to_numpy()])
    return np.concatenate(parts)
