"""The positional argument: a table, a platform's folder, or a store; and what its columns mean."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cellcarve.compat.proseg.options import InputOptions, Options
from cellcarve.errors import InputError, nearest
from cellcarve.read import cosmx, merscope, visium_hd, xenium
from cellcarve.read.anndata import open_table
from cellcarve.read.platform import first_of
from cellcarve.read.spatialdata import facts_of, points_of, table_of
from cellcarve.read.stream import Stream, open_stream

ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz", ".parquet", ".gz")
# Columns of older MERFISH tables, and what MERSCOPE calls them.
_MERFISH = {
    "x_column": ("x", "global_x"),
    "y_column": ("y", "global_y"),
    "z_column": ("z", "global_z"),
    "cell_id_column": ("cell", "cell_id"),
}
_TABLES = {"xenium": xenium.TABLES, "cosmx": cosmx.TABLES, "merscope": merscope.TABLES}


@dataclass
class Source:
    """An input that is open but not yet read.

    Attributes
    ----------
    stream
        Its rows.
    inputs
        The options, with the columns that the input has; None for those that it lacks and does without.
    bins
        The bins of a Visium HD slide, else None.
    outlines
        Files of cell polygons that lie beside a table without cells.
    """

    stream: Stream
    inputs: InputOptions
    bins: visium_hd.Bins | None = None
    outlines: tuple[Path, ...] = ()


def open_source(options: Options) -> Source:
    """Open what the command line names.

    Parameters
    ----------
    options
        Settled.

    Raises
    ------
    InputError
        It cannot be opened, or lacks a column.
    """
    path, inputs = options.source, options.inputs
    if inputs.anndata:
        return _counts(path, inputs)
    if inputs.zarr:
        return (
            _counts(table_of(path, inputs.spatialdata_table), inputs)
            if inputs.spatialdata_table
            else _points(path, inputs)
        )
    if inputs.visiumhd:
        return _visium(path, inputs)
    table = _table(path, inputs)
    stream = open_stream(table, literal=True)
    if inputs.merfish:
        inputs = _as_merscope(stream, inputs)
    if inputs.merscope and inputs.cell_id_column not in stream.names:
        return _outlined(table, stream, inputs)
    return Source(*_columns(stream, inputs))


def _as_merscope(stream: Stream, inputs: InputOptions) -> InputOptions:
    """To proseg 3.1 ``--merfish`` is an older table, to 3.2 another word for ``--merscope``: the table decides."""
    changed = {
        option: now
        for option, (earlier, now) in _MERFISH.items()
        if getattr(inputs, option) == earlier and earlier not in stream.names and now in stream.names
    }
    return replace(inputs, **changed)  # type: ignore[arg-type]


def _table(path: Path, inputs: InputOptions) -> Path:
    """The file with the transcripts: the path itself, or the one of its platform in a folder."""
    if path.is_dir():
        patterns = next((_TABLES[name] for name in _TABLES if getattr(inputs, name)), ())
        found = first_of(path, *patterns)
        if found is None:
            store = ", or say --zarr or --anndata if it is a store" if _is_zarr(path) else ""
            raise InputError(
                f"{path} is a folder without a table of transcripts; name the table itself{store}"
            )
        return found
    if not path.name.lower().endswith(ENDINGS):
        raise InputError(
            f"{path} has an unknown ending; a table of transcripts ends in .csv, .csv.gz or .parquet"
        )
    return path


def _outlined(table: Path, stream: Stream, inputs: InputOptions) -> Source:
    """A MERSCOPE table without cells, whose cells are outlined in files beside it."""
    found = merscope.recognise(table)
    outlines = found.boundaries.get("cell", ()) if found is not None else ()
    if outlines and not inputs.cellpose_masks:
        inputs = replace(inputs, cell_id_column=None)
    return Source(*_columns(stream, inputs), outlines=outlines)


def _is_zarr(path: Path) -> bool:
    return any((path / name).is_file() for name in ("zarr.json", ".zgroup"))


def _columns(stream: Stream, inputs: InputOptions) -> tuple[Stream, InputOptions]:
    """The options with the columns that the table has; qualities, fields and assignments may be absent, as in proseg."""
    free = ["qv_column", "fov_column", "cell_assignment_column", "transcript_id_column"]
    absent: dict[str, Any] = {name: None for name in free if getattr(inputs, name) not in stream.names}
    if inputs.cell_id_column not in stream.names:
        if inputs.cell_assignment_column in stream.names:
            # Earlier CosMx tables name the cell in the column that says whether there is one.
            absent["cell_id_column"] = inputs.cell_assignment_column
            absent["cell_id_unassigned"] = inputs.cell_assignment_unassigned
        elif inputs.cellpose_masks or inputs.zarr_shape:
            absent |= {"cell_id_column": None, "compartment_column": None}
    if inputs.ignore_z_coord and inputs.z_column not in stream.names:
        absent["z_column"] = None
    inputs = replace(inputs, **absent)
    for name in ("gene_column", "x_column", "y_column", "z_column", "cell_id_column", "compartment_column"):
        _check(stream, name, getattr(inputs, name))
    return stream, inputs


def _check(stream: Stream, option: str, column: str | None) -> None:
    if column is None or column in stream.names:
        return
    advice = nearest(column, stream.names)
    flag = f"--{option.replace('_', '-')}"
    other = {
        "cell_id_column": ", or give the prior with --cellpose-masks",
        "compartment_column": ", or say --use-cell-initialization",
        "z_column": ", or say --ignore-z-coord",
    }
    raise InputError(
        f"{stream.path} has no column '{column}'{advice}; name it with {flag}{other.get(option, '')}"
    )


def _points(path: Path, inputs: InputOptions) -> Source:
    """Points of a SpatialData store; genes and cells are found where the store says, qualities where they usually are."""
    stream = points_of(path)
    facts = facts_of(stream)
    gene = inputs.gene_column or _first(stream, facts.get("feature_key"), "gene", "feature_name", "target")
    cell = inputs.cell_id_column or _first(stream, facts.get("instance_key"), "cell_id", "cell")
    z = inputs.z_column if inputs.z_column in stream.names else None
    quality = inputs.qv_column or _first(stream, "qv")
    inputs = replace(
        inputs,
        gene_column=gene or "gene",
        cell_id_column=cell or "cell_id",
        z_column=z,
        qv_column=quality,
    )
    return Source(*_columns(stream, inputs))


def _first(stream: Stream, *names: str | None) -> str | None:
    return next((name for name in names if name in stream.names), None)


def _counts(path: Path, inputs: InputOptions) -> Source:
    """A table of counts; its rows are the molecules."""
    cell = inputs.cell_id_column
    stream = open_table(path, inputs.anndata_coordinate_key, inputs.gene_column, (cell,) if cell else ())
    return Source(stream, _own(inputs, cell, "z" if "z" in stream.names else None))


def _visium(path: Path, inputs: InputOptions) -> Source:
    folder = visium_hd.square(path)
    if folder is None:
        raise InputError(f"{path} has no {visium_hd.SQUARE}; name Space Ranger's binned_outputs")
    bins = visium_hd.load(folder, (visium_hd.RAW, visium_hd.FILTERED))
    return Source(bins.stream(), _own(inputs, None, None), bins)


def _own(inputs: InputOptions, cell: str | None, z: str | None) -> InputOptions:
    """The columns of a matrix of counts, which are always called the same."""
    return replace(
        inputs,
        gene_column="gene",
        transcript_id_column=None,
        x_column="x",
        y_column="y",
        z_column=z,
        compartment_column=None,
        fov_column=None,
        cell_assignment_column=None,
        cell_id_column=cell,
        qv_column=None,
    )
