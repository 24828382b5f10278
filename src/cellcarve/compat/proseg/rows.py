"""Rows of the input as a `Table`, with proseg's own rules for cells, nuclei and what is left out."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow.csv import ConvertOptions

from cellcarve.compat.proseg.options import InputOptions
from cellcarve.compat.proseg.pattern import matching
from cellcarve.compat.proseg.source import Source
from cellcarve.data.table import Status, Table
from cellcarve.errors import InputError
from cellcarve.read import visium_hd
from cellcarve.read.intake import Columns, Intake, take_in

MOST_GENES = 1 << 20
_WHOLE = re.compile(r"-?\d+(\.0+)?")
# NA, nan, null and others: fit for the name of a gene, but not of a cell.
_MISSING = ConvertOptions().null_values
_COLUMNS = {
    "x": "x_column",
    "y": "y_column",
    "gene": "gene_column",
    "z": "z_column",
    "quality": "qv_column",
    "cell": "cell_id_column",
    "fov": "fov_column",
    "id": "transcript_id_column",
    "compartment": "compartment_column",
    "assignment": "cell_assignment_column",
}


def read_rows(source: Source) -> Table:
    """Read every row.

    Parameters
    ----------
    source
        Open input.

    Returns
    -------
    Table
        N rows in input order; x and y are scaled, z is not.

    Raises
    ------
    InputError
        A value is missing or wrong, an id is no whole number, or there are no rows.
    """
    inputs = source.inputs
    columns = Columns(**{what: getattr(inputs, name) for what, name in _COLUMNS.items()})
    # proseg hands ids through and never looks anything up by them.
    taken = take_in(source.stream, columns, own_ids=False)
    if inputs.coordinate_scale is not None:
        for axis in ("x", "y"):
            taken.arrays[axis] *= np.float32(inputs.coordinate_scale)
    _check(taken, source.stream.path, inputs)
    cell, names = cells(taken, inputs)
    z = None if inputs.ignore_z_coord else taken.arrays.get("z")
    bins = None
    if source.bins is not None and inputs.coordinate_scale is None:
        bins = visium_hd.bin_array(source.bins)
    table = Table(
        platform="proseg",
        files=(source.stream.path,),
        ids=taken.ids,
        x=taken.arrays["x"],
        y=taken.arrays["y"],
        z=z,
        gene=taken.codes["gene"],
        genes=taken.words["gene"],
        quality=taken.arrays.get("quality"),
        fov=taken.codes.get("fov"),
        fovs=taken.words.get("fov", []),
        cell=cell,
        cell_names=names,
        nucleus=nuclear(taken, inputs),
        status=np.zeros(len(cell), np.uint8),
        bins=bins,
    )
    _sift(table, inputs)
    return table


def cells(taken: Intake, inputs: InputOptions) -> tuple[np.ndarray, list[str]]:
    """Prior cell of every row.

    Parameters
    ----------
    taken
        N rows.
    inputs
        Says which words mean "no cell", and whether ids are unique within a field of view only.

    Returns
    -------
    tuple
        (N,) int32, 0 = none, else index into the names plus one; and the names. A name that several fields of view
        share gets its field in front.
    """
    if "cell" not in taken.codes:
        return np.zeros(len(taken.codes["gene"]), np.int32), []
    code, words = taken.codes["cell"], taken.words["cell"]
    real = np.append(~_means_none(words, inputs.cell_id_unassigned), False)
    has = real[code]
    if "assignment" in taken.codes:
        none = _means_none(taken.words["assignment"], inputs.cell_assignment_unassigned)
        has &= np.append(~none, True)[taken.codes["assignment"]]
    scoped = inputs.non_unique_cell_ids and "fov" in taken.codes
    width = len(words) + 1
    key = code.astype(np.int64) + (taken.codes["fov"].astype(np.int64) * width if scoped else 0)
    found, number = np.unique(np.where(has, key, np.iinfo(np.int64).min), return_inverse=True)
    first = int(len(found) > 0 and found[0] == np.iinfo(np.int64).min)
    found = found[first:]
    names = [words[k] for k in (found % width).tolist()]
    if len(set(names)) < len(names):
        fovs = [*taken.words["fov"], ""]
        names = [f"{fovs[f]}_{name}" for f, name in zip((found // width).tolist(), names, strict=True)]
    return (number + 1 - first).astype(np.int32), names


def nuclear(taken: Intake, inputs: InputOptions) -> np.ndarray:
    """(N,) bool: the row lies in the nucleus of its cell; all do where the input has no compartments."""
    if "compartment" not in taken.codes:
        return np.ones(len(taken.codes["gene"]), bool)
    wanted = _plain(inputs.compartment_nuclear or "")
    words = [_plain(word) == wanted for word in taken.words["compartment"]]
    return np.array([*words, False], bool)[taken.codes["compartment"]]


def _plain(word: str) -> str:
    """Numbers without decimals, and truth as a number."""
    if word.lower() in ("true", "false"):
        return str(int(word.lower() == "true"))
    return word.split(".")[0] if _WHOLE.fullmatch(word) else word


def _means_none(words: list[str], unassigned: str | None) -> np.ndarray:
    """Which words mean "no cell": the one named, NA and its like and, where all are numbers and it is none, -1."""
    none = {"" if unassigned is None else _plain(unassigned), *_MISSING}
    if all(_WHOLE.fullmatch(word) or word in none for word in words) and not _WHOLE.fullmatch(
        unassigned or ""
    ):
        none.add("-1")
    return np.array([_plain(word) in none for word in words], bool)


def _check(taken: Intake, path: Path, inputs: InputOptions) -> None:
    if len(taken.words["gene"]) > MOST_GENES:
        raise InputError(f"{path} has {len(taken.words['gene']):,} genes; the most is {MOST_GENES:,}")
    if not pa.types.is_integer(taken.ids.type) or (
        pa.types.is_signed_integer(taken.ids.type) and _negative(taken.ids)
    ):
        raise InputError(
            f"{path}, column '{inputs.transcript_id_column}': transcript ids must be whole numbers from 0 up; leave "
            "--transcript-id-column out or name another"
        )


def _negative(ids: pa.Array) -> bool:
    return len(ids) > ids.null_count and pa.compute.min(ids).as_py() < 0


def _sift(table: Table, inputs: InputOptions) -> None:
    """Fill in the status: low quality first, then genes, as proseg does."""
    pattern = inputs.excluded_genes
    if pattern is not None:
        table.status[matching(pattern, table.genes)[table.gene]] = Status.EXCLUDED_GENE
    if table.quality is not None and inputs.min_qv is not None:
        table.status[table.quality < np.float32(inputs.min_qv)] = Status.LOW_QUALITY
