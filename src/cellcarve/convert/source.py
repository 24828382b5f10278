"""A finished segmentation from its folder: a run of ours, or a store as proseg writes it."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq

from cellcarve.errors import InputError

if TYPE_CHECKING:
    from anndata import AnnData

# What a batch of transcripts may hold, and what the columns are called by us and by proseg.
ROWS_AT_ONCE = 1 << 20
OURS = {"id": "transcript_id", "gene": "gene", "x": "x", "y": "y", "z": "z", "qv": "qv", "cell": "cell_id"}
PROSEG = {
    "id": "transcript_id",
    "gene": "gene",
    "x": "observed_x",
    "y": "observed_y",
    "z": "observed_z",
    "made_x": "x",
    "made_y": "y",
    "made_z": "z",
    "qv": "qv",
    "cell": "assignment",
}


@dataclass
class Finished:
    """A finished segmentation; C cells.

    Attributes
    ----------
    folder
        Where it lies.
    table
        Cells by genes: counts, the table of cells with ``x`` and ``y`` (µm) in it, positions.
    polygon
        (C,) shapely polygons or multi-polygons in µm; None where a cell has none.
    parts
        Parquet or CSV files with its transcripts, in order; none where the store was written without.
    columns
        What the columns of these files are called, by ``id``, ``gene``, ``x``, ``y``, ``z``, ``qv``, ``cell`` and
        ``made_x``, ``made_y``, ``made_z`` (where a transcript was made, if not where it was seen).
    nucleus
        (C,) shapely polygons in µm of the prior that a cell grew from, where known; None elsewhere.
    record
        What is known of the run.
    """

    folder: Path
    table: "AnnData"
    polygon: np.ndarray
    parts: list[Path]
    columns: dict[str, str]
    nucleus: np.ndarray
    record: dict[str, Any] = field(default_factory=dict)

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.table.n_obs

    def transcripts(self, *names: str) -> Iterator[dict[str, Any]]:
        """Batches of transcripts in input order.

        Parameters
        ----------
        *names
            Which columns, by the keys of `columns`; those that the files lack are left out.

        Yields
        ------
        dict
            By name: ``cell`` as (n,) int64, counted from 0, -1 = none; all others as Arrow arrays.
        """
        known = pa.array(self.table.obs_names, pa.string())
        for part in self.parts:
            for batch in _batches(part, {name: self.columns[name] for name in names if name in self.columns}):
                if "cell" in batch:
                    batch["cell"] = _cells(batch["cell"], known)
                yield batch


def load(folder: Path) -> Finished:
    """Read a run folder, its store, or a store that proseg or its stand-in wrote.

    Parameters
    ----------
    folder
        The folder.

    Raises
    ------
    InputError
        It is neither, or damaged.
    """
    run, store = (folder / "run.json").is_file(), (folder / "tables" / "table").is_dir()
    if not run and not store:
        raise InputError(
            f"'{folder}' is neither a finished run (no 'run.json') nor a store of proseg (no 'tables/table'); name the "
            "folder given to -o, or the .zarr folder"
        )
    try:
        return _load_run(folder) if run else _load_store(folder)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise InputError(f"'{folder}' is damaged ({error}); segment again") from error


def load_files(transcripts: Path, outlines: Path) -> Finished:
    """Read the table of transcripts and the outlines that proseg wrote as files of their own.

    Parameters
    ----------
    transcripts
        CSV, gzipped CSV or Parquet, of any version of proseg.
    outlines
        GeoJSON, gzipped or not.

    Raises
    ------
    InputError
        One of them cannot be read.
    """
    import gzip
    import json

    import shapely

    try:
        content = outlines.read_bytes()
        unpacked = gzip.decompress(content) if outlines.name.endswith(".gz") else content
        features = json.loads(unpacked)["features"]
        names = [str(feature["properties"]["cell"]) for feature in features]
        shapes = shapely.from_geojson([json.dumps(feature["geometry"]) for feature in features])
        held = next(_batches(transcripts, PROSEG), {})
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        pa.ArrowException,
        shapely.errors.GEOSException,
    ) as error:
        raise InputError(f"cannot read '{transcripts}' and '{outlines}' as proseg's ({error})") from error
    missing = [PROSEG[name] for name in ("id", "cell") if name not in held]
    if missing:
        raise InputError(
            f"'{transcripts}' has no column '{missing[0]}'; give the table of transcripts that proseg wrote"
        )
    return Finished(
        outlines.parent, _bare(names), shapes, [transcripts], PROSEG, np.full(len(names), None, object)
    )


def _bare(names: list[str]) -> "AnnData":
    """Cells of which nothing is known but their names."""
    import pandas as pd
    from anndata import AnnData

    return AnnData(obs=pd.DataFrame(index=pd.Index(np.array(names, object), dtype=object)))


def _load_run(folder: Path) -> Finished:
    import json

    import anndata

    table = anndata.read_h5ad(folder / "counts.h5ad")
    polygon = _polygons(folder / "boundaries.parquet", "cell_id", table.obs_names)
    nucleus = np.full(table.n_obs, None, object)
    prior = folder / "prior_boundaries.parquet"
    record = json.loads((folder / "run.json").read_text())
    if prior.is_file() and record["prior"]["kind"] == "nuclei":
        nucleus = _polygons(prior, "cell_id", table.obs["prior_id"].astype(str))
    return Finished(folder, table, polygon, [folder / "transcripts.parquet"], OURS, nucleus, record)


def _load_store(folder: Path) -> Finished:
    import anndata

    with warnings.catch_warnings():
        # proseg leaves out how arrays are encoded, which anndata remarks for each.
        warnings.simplefilter("ignore")
        table = anndata.read_zarr(folder / "tables" / "table")
    if "cell" in table.obs:
        table.obs_names = table.obs["cell"].astype(str).to_numpy(object)
    for axis, name in (("x", "centroid_x"), ("y", "centroid_y")):
        if name in table.obs:
            table.obs[axis] = table.obs[name].to_numpy(np.float32)
    polygon = _polygons(folder / "shapes/cell_boundaries/shapes.parquet", "cell", table.obs_names)
    parts = (folder / "points/transcripts/points.parquet").glob("part.*.parquet")
    ordered = sorted(parts, key=lambda part: int(part.name.split(".")[1]))
    columns = _columns(folder, ordered)
    return Finished(folder, table, polygon, ordered, columns, np.full(table.n_obs, None, object))


def _columns(folder: Path, parts: list[Path]) -> dict[str, str]:
    """What the columns of a store's transcripts are called: as in our runs or as proseg calls them."""
    if not parts:
        return PROSEG
    held = pq.read_schema(parts[0]).names
    for columns in (PROSEG, OURS):
        if {columns["cell"], columns["gene"]} <= set(held):
            return columns
    raise InputError(
        f"'{folder}' was written by neither cellcarve nor proseg: its transcripts have the columns {', '.join(held)}"
    )


def _polygons(path: Path, column: str, names: Any) -> np.ndarray:
    """Polygon of each name, None where the file has none."""
    import shapely

    rows = pq.read_table(path)
    if column not in rows.column_names:
        column = next(name for name in rows.column_names if name != "geometry")
    place = pc.index_in(pa.array(names, pa.string()), rows[column].cast(pa.string()).combine_chunks())
    shapes = np.full(len(rows) + 1, None, object)
    shapes[:-1] = shapely.from_wkb(rows["geometry"].to_numpy())
    return shapes[pc.fill_null(place, len(shapes) - 1).to_numpy()]


def _batches(part: Path, wanted: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Columns of a file by our names, some rows at a time; those it lacks are left out."""
    if part.name.endswith(".parquet"):
        file = pq.ParquetFile(part)
        held = {name: column for name, column in wanted.items() if column in file.schema_arrow.names}
        batches = file.iter_batches(ROWS_AT_ONCE, columns=list(held.values()))
    else:
        batches = iter(csv.open_csv(part))
        held = {name: column for name, column in wanted.items() if column in batches.schema.names}
    for batch in batches:
        yield {name: batch[column] for name, column in held.items()}


def _cells(column: pa.Array, known: pa.Array) -> np.ndarray:
    """(n,) int64 place of each cell's name among the known, -1 = none."""
    if pa.types.is_dictionary(column.type):
        place = pc.index_in(column.dictionary.cast(pa.string()), known)
        code = np.append(pc.fill_null(place, -1).to_numpy(), -1)
        return code[pc.fill_null(column.indices, -1).to_numpy()].astype(np.int64)
    return pc.fill_null(pc.index_in(column.cast(pa.string()), known), -1).to_numpy().astype(np.int64)
