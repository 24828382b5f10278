"""10x Visium HD: ``binned_outputs`` of Space Ranger, the folder above it, or ``square_002um`` itself.

Opens the 2 µm bins: ``raw_feature_bc_matrix`` or ``filtered_feature_bc_matrix`` (``.h5`` or folder with ``matrix.mtx.gz``),
``spatial/tissue_positions.parquet`` and ``spatial/scalefactors_json.json``. x is the image's column and y its row, in µm.
``barcode_mappings.parquet``, where there is one beside, says which cell each bin belongs to.
"""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cellcarve.data.bins import Affine, BinArray
from cellcarve.errors import InputError
from cellcarve.read.intake import Columns
from cellcarve.read.platform import Found
from cellcarve.read.sparse import SparseStream
from cellcarve.read.stream import first_line

SQUARE = "square_002um"
RAW, FILTERED = "raw_feature_bc_matrix", "filtered_feature_bc_matrix"
MAPPINGS = "barcode_mappings.parquet"
# Side of a bin, µm.
PITCH = 2.0


@dataclass
class Bins:
    """The 2 µm bins of a slide that have a row in the matrix; B bins, G genes.

    Attributes
    ----------
    path
        Folder ``square_002um``.
    barcodes
        B names.
    counts
        (B, G) sparse counts.
    genes
        G gene symbols.
    x, y
        (B,) float32, centre of the bin in µm.
    row, column
        (B,) int32, place on the slide's array.
    """

    path: Path
    barcodes: pa.Array
    counts: Any
    genes: list[str]
    x: np.ndarray
    y: np.ndarray
    row: np.ndarray
    column: np.ndarray

    def stream(self, **places: pa.Array) -> SparseStream:
        """Molecules, with further columns by bin."""
        axes = {"x": pa.array(self.x), "y": pa.array(self.y)}
        return SparseStream(self.path, self.counts, self.genes, axes | places)


def square(path: Path) -> Path | None:
    """Folder of the 2 µm bins under what was given, or None."""
    choices = path, path / SQUARE, path / "binned_outputs" / SQUARE, path / "outs" / "binned_outputs" / SQUARE
    return next((c for c in choices if c.name == SQUARE and (c / "spatial").is_dir()), None)


def recognise(path: Path) -> Found | None:
    """A Visium HD folder, or None."""
    folder = square(path) if path.is_dir() else None
    if folder is None:
        return None
    bins = load(folder, (FILTERED, RAW))
    mappings = next(
        (f for f in (folder.parent.parent / MAPPINGS, folder.parent / MAPPINGS) if f.is_file()), None
    )
    why = f"{folder.name} in {folder.parent.name}"
    if mappings is None:
        return Found("visium_hd", why, bins.stream(), Columns("x", "y", "gene"), bins=bin_array(bins))
    cell, nucleus = mapped(mappings, bins.barcodes)
    columns = Columns("x", "y", "gene", cell="cell_id", nucleus="in_nucleus")
    stream = bins.stream(cell_id=cell, in_nucleus=nucleus)
    return Found("visium_hd", f"{why}, {MAPPINGS}", stream, columns, bins=bin_array(bins))


def load(folder: Path, matrices: tuple[str, ...]) -> Bins:
    """The bins of a folder ``square_002um``.

    Parameters
    ----------
    folder
        It.
    matrices
        Names of matrices, the first that is there is read.

    Raises
    ------
    InputError
        A file is missing or damaged, or bins have no position.
    """
    try:
        counts, genes, barcodes = _matrix(folder, matrices)
        scale, positions = _scale(folder), _positions(folder)
    except InputError:
        raise
    except Exception as error:
        what = first_line(error) or type(error).__name__
        raise InputError(f"{folder} cannot be read ({what}); copy it again") from error
    place = pa.compute.index_in(barcodes, positions["barcode"].combine_chunks())
    if place.null_count:
        first = barcodes[int(np.argmax(place.is_null().to_numpy(zero_copy_only=False)))]
        raise InputError(
            f"{folder}: {place.null_count:,} bins, such as {first}, are in the matrix but not in tissue_positions; "
            "copy the folder again"
        )
    at = {name: positions[name].to_numpy()[place.to_numpy()] for name in positions.column_names[1:]}
    return Bins(
        folder,
        barcodes,
        counts,
        genes,
        (at["pxl_col_in_fullres"] * scale).astype(np.float32),
        (at["pxl_row_in_fullres"] * scale).astype(np.float32),
        at["array_row"].astype(np.int32),
        at["array_col"].astype(np.int32),
    )


def grid(bins: Bins) -> Affine:
    """(a, b, c, d, e, f) from (column, row) of a bin's corner to µm, by least squares over all bins."""
    if np.ptp(bins.row) == 0 or np.ptp(bins.column) == 0:
        # A single line of bins does not show how the array is turned.
        x, y = (
            float(np.mean(v - PITCH * (at + 0.5))) for v, at in ((bins.x, bins.column), (bins.y, bins.row))
        )
        return PITCH, 0.0, x, 0.0, PITCH, y
    # Measured from the middle: far from the origin the sums would lose digits.
    column, row = bins.column + 0.5, bins.row + 0.5
    middle = np.array([column.mean(), row.mean()])
    offset = np.column_stack([column - middle[0], row - middle[1]])
    squares = offset.T @ offset
    lines = []
    for value in (bins.x.astype(np.float64), bins.y.astype(np.float64)):
        turn = np.linalg.solve(squares, offset.T @ (value - value.mean()))
        lines += [*turn.tolist(), float(value.mean() - turn @ middle)]
    a, b, c, d, e, f = lines
    return a, b, c, d, e, f


def bin_array(bins: Bins) -> BinArray:
    """Where the bins lie."""
    a, b, c, d, e, f = grid(bins)
    return BinArray(PITCH, (a / PITCH, b / PITCH, c, d / PITCH, e / PITCH, f))


def mapped(path: Path, barcodes: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Cell of each bin (null = none) and whether it lies in the nucleus, from Space Ranger's barcode mappings.

    Raises
    ------
    InputError
        The file is damaged, lacks a column, or knows none of the bins.
    """
    names = [SQUARE, "cell_id", "in_nucleus"]
    try:
        known = pq.read_schema(path).names
        missing = [name for name in names if name not in known]
        if missing:
            raise InputError(f"{path} has no column '{missing[0]}'; give Space Ranger's {MAPPINGS}")
        table = pq.read_table(path, columns=names).combine_chunks()
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path} cannot be read as parquet ({first_line(error)}); copy it again") from error
    place = pa.compute.index_in(barcodes, table[SQUARE].cast(pa.string()).combine_chunks())
    if place.null_count == len(place):
        raise InputError(f"{path} names none of the bins of the matrix; give the mappings of the same slide")
    cell = table["cell_id"].cast(pa.string()).combine_chunks().take(place)
    nucleus = table["in_nucleus"].combine_chunks().cast(pa.bool_()).take(place).fill_null(False)
    return cell, nucleus


def _scale(folder: Path) -> float:
    file = folder / "spatial" / "scalefactors_json.json"
    try:
        return float(json.loads(file.read_text())["microns_per_pixel"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file} lacks microns_per_pixel ({first_line(error)}); copy it again") from error


def _positions(folder: Path) -> pa.Table:
    names = ["barcode", "array_row", "array_col", "pxl_row_in_fullres", "pxl_col_in_fullres"]
    file = folder / "spatial" / "tissue_positions.parquet"
    if file.is_file():
        return pq.read_table(file, columns=names).cast(_schema())
    file = file.with_suffix(".csv")
    if not file.is_file():
        raise InputError(f"{folder / 'spatial'} has no tissue_positions.parquet; copy the folder again")
    from pyarrow import csv

    return csv.read_csv(file).select(names).cast(_schema())


def _schema() -> pa.Schema:
    whole, real = pa.int32(), pa.float64()
    kinds = {"barcode": pa.string(), "array_row": whole, "array_col": whole}
    return pa.schema({**kinds, "pxl_row_in_fullres": real, "pxl_col_in_fullres": real})


def _matrix(folder: Path, matrices: tuple[str, ...]) -> tuple[Any, list[str], pa.Array]:
    """Counts (bins by genes), gene symbols and barcodes."""
    for name in matrices:
        if (folder / f"{name}.h5").is_file():
            return _from_h5(folder / f"{name}.h5")
        if (folder / name / "matrix.mtx.gz").is_file():
            return _from_mtx(folder / name)
    raise InputError(f"{folder} has none of {', '.join(matrices)} (.h5 or a folder); copy it again")


def _from_h5(file: Path) -> tuple[Any, list[str], pa.Array]:
    import h5py
    from scipy.sparse import csr_matrix

    with h5py.File(file) as store:
        matrix = store["matrix"]
        genes, bins = matrix["shape"][:]
        # Stored by column of genes x bins, which is by row of bins x genes.
        parts = (matrix["data"][:], matrix["indices"][:], matrix["indptr"][:])
        counts = csr_matrix(parts, shape=(bins, genes))
        names = [name.decode() for name in matrix["features"]["name"][:]]
        barcodes = pa.array(matrix["barcodes"][:].astype(str).tolist(), pa.string())
    return counts, names, barcodes


def _from_mtx(folder: Path) -> tuple[Any, list[str], pa.Array]:
    from scipy.io import mmread

    with gzip.open(folder / "features.tsv.gz", "rt") as file:
        features = [line.rstrip("\n").split("\t") for line in file]
    with gzip.open(folder / "barcodes.tsv.gz", "rt") as file:
        barcodes = pa.array([line.rstrip("\n").split("\t")[0] for line in file], pa.string())
    counts = mmread(folder / "matrix.mtx.gz").T.tocsr()
    return counts, [words[1] if len(words) > 1 else words[0] for words in features], barcodes
