"""Reads which cell any program gave each transcript."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from cellcarve.errors import InputError, nearest


@dataclass(frozen=True)
class Columns:
    """Names of the columns of a table; None = the first of the usual names that the table has.

    Attributes
    ----------
    id
        Transcript id.
    cell
        Cell that the transcript was given.
    best
        Likeliest cell, before any threshold.
    probability
        Probability that the likeliest cell is right.
    background
        True where the program calls the transcript background, whatever its cell.
    gene
        Gene.
    x, y
        Position in µm.
    nucleus
        True (1) where the transcript lies in the nucleus of the instrument's cell.
    none
        Values of the cell column, as text, that mean "no cell", besides the usual ones.
    """

    id: str | None = None
    cell: str | None = None
    best: str | None = None
    probability: str | None = None
    background: str | None = None
    gene: str | None = None
    x: str | None = None
    y: str | None = None
    nucleus: str | None = None
    none: tuple[str, ...] = ()


USUAL = {
    "id": ("transcript_id", "molecule_id"),
    "cell": ("assignment", "cell", "cell_id", "cell_ID"),
    "best": ("best_cell",),
    "probability": ("probability", "prob", "assignment_confidence"),
    "background": ("background",),
    "gene": ("feature_name", "gene", "target"),
    "x": ("observed_x", "x_location", "x", "global_x"),
    "y": ("observed_y", "y_location", "y", "global_y"),
    "nucleus": ("overlaps_nucleus",),
}
NO_CELL = {"", "UNASSIGNED", "-1", "-1.0", "nan", "NaN", "None", "<NA>", "4294967295"}
ZERO = {"0", "0.0"}
# Programs that count their cells from 0 call the column so.
COUNTED_FROM_ZERO = "assignment"


@dataclass
class Assignment:
    """A cell for each transcript; N rows in the table's order, 0 = none. What the table lacks is None.

    Attributes
    ----------
    ids
        N transcript ids, an Arrow array of int64 or string.
    cell
        (N,) int32 cell, numbered from 1 by first appearance.
    best
        (N,) int32 likeliest cell, with numbers of its own.
    probability
        (N,) float32 that `best` (or else `cell`) is right.
    gene
        (N,) int32 index into `genes`.
    genes
        Names of the genes.
    x, y
        (N,) float32, µm.
    nucleus
        (N,) bool.
    """

    ids: pa.Array | None
    cell: np.ndarray
    best: np.ndarray | None
    probability: np.ndarray | None
    gene: np.ndarray | None
    genes: list[str]
    x: np.ndarray | None
    y: np.ndarray | None
    nucleus: np.ndarray | None

    def __len__(self) -> int:
        return len(self.cell)


def read_assignment(path: Path, columns: Columns = Columns()) -> Assignment:
    """Read the table of any program.

    Parameters
    ----------
    path
        Parquet or CSV file (also compressed), or a folder that holds ``transcripts.parquet`` or
        ``transcripts.csv.gz``.
    columns
        Names of columns where they are not the usual ones.

    Raises
    ------
    InputError
        The file is absent or unreadable, or lacks the column of cells.
    """
    table = table_of(path)
    found = _found(path, table.names, columns)
    if "cell" not in found:
        raise InputError(
            f"'{path}' has no column with cells ({', '.join(USUAL['cell'])}); say which one holds them"
        )
    data = table.read(sorted(set(found.values())))
    get = {name: data[column].combine_chunks() for name, column in found.items()}
    none = NO_CELL | set(columns.none) | (set() if found["cell"] == COUNTED_FROM_ZERO else ZERO)
    cell = cell_codes(get["cell"], none)
    if ("background" in get and found["cell"] == COUNTED_FROM_ZERO) or columns.background:
        cell = np.where(_flags(get["background"]), 0, cell).astype(np.int32)
    gene, genes = _genes(get.get("gene"))
    return Assignment(
        ids=transcript_ids(get.get("id")),
        cell=cell,
        best=cell_codes(get["best"], none) if "best" in get else None,
        probability=_numbers(get.get("probability")),
        gene=gene,
        genes=genes,
        x=_numbers(get.get("x")),
        y=_numbers(get.get("y")),
        nucleus=_flags(get["nucleus"]) if "nucleus" in get else None,
    )


@dataclass
class Source:
    """A table on disk of which some columns are read.

    Attributes
    ----------
    path
        The file.
    names
        Its columns.
    """

    path: Path
    names: list[str]

    def read(self, columns: list[str]) -> pa.Table:
        """Some of the columns."""
        if _is_parquet(self.path):
            return pq.read_table(self.path, columns=columns)
        return pcsv.read_csv(self.path, convert_options=pcsv.ConvertOptions(include_columns=columns))


def table_of(path: Path, names: tuple[str, ...] = ("transcripts.parquet", "transcripts.csv.gz")) -> Source:
    """The table at a path; in a folder, the first of `names` that is there.

    Raises
    ------
    InputError
        There is none, or it cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        inside = [path / name for name in names if (path / name).is_file()]
        if not inside:
            raise InputError(f"folder '{path}' holds none of {', '.join(names)}; name the table itself")
        path = inside[0]
    if not path.is_file():
        raise InputError(f"there is no file '{path}'; check the path")
    try:
        if _is_parquet(path):
            return Source(path, pq.read_schema(path).names)
        with pcsv.open_csv(path) as reader:
            return Source(path, reader.schema.names)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"cannot read '{path}' as a table ({error}); Parquet and CSV are understood"
        ) from error


def _is_parquet(path: Path) -> bool:
    return path.suffix in (".parquet", ".pq")


def _found(path: Path, names: list[str], columns: Columns) -> dict[str, str]:
    """Column of the table for each thing that it has."""
    found = {}
    for item in fields(Columns):
        if item.name == "none":
            continue
        wanted = getattr(columns, item.name)
        if wanted is not None and wanted not in names:
            raise InputError(f"'{path}' has no column '{wanted}'{nearest(wanted, names)}")
        usual = (name for name in USUAL[item.name] if name in names)
        chosen = wanted or next(usual, None)
        if chosen:
            found[item.name] = chosen
    return found


def cell_codes(column: pa.Array, none: set[str]) -> np.ndarray:
    """(N,) int32 cells numbered from 1 by first appearance; 0 where null or one of the texts in `none`."""
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    words = coded.dictionary.cast(pa.string()).to_pylist()
    number = np.zeros(len(words) + 1, np.int32)
    real = np.array([word is not None and word not in none for word in words], bool)
    number[1:][real] = np.arange(1, real.sum() + 1)
    return number[coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64) + 1]


def transcript_ids(column: pa.Array | None) -> pa.Array | None:
    """Ids as int64 where they are whole numbers, else as strings."""
    if column is None:
        return None
    return column.cast(pa.int64()) if pa.types.is_integer(column.type) else column.cast(pa.string())


def _genes(column: pa.Array | None) -> tuple[np.ndarray | None, list[str]]:
    if column is None:
        return None, []
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    return coded.indices.to_numpy().astype(np.int32), coded.dictionary.cast(pa.string()).to_pylist()


def _numbers(column: pa.Array | None) -> np.ndarray | None:
    return None if column is None else column.cast(pa.float32()).to_numpy(zero_copy_only=False)


def _flags(column: pa.Array) -> np.ndarray:
    return pc.fill_null(column.cast(pa.bool_()), False).to_numpy(zero_copy_only=False)


def places(wanted: pa.Array | None, ids: pa.Array | None, rows: tuple[int, int], what: str) -> np.ndarray:
    """Where each wanted transcript stands in another table.

    Parameters
    ----------
    wanted, ids
        Ids of the wanted transcripts and of the table; where either is None, rows correspond by order.
    rows
        Number of wanted transcripts and of rows of the table.
    what
        The table, for the message.

    Returns
    -------
    np.ndarray
        (rows[0],) int64; -1 = not in the table.

    Raises
    ------
    InputError
        Rows can be told apart neither by id nor by order, or no transcript is in both tables.
    """
    if wanted is None or ids is None:
        if rows[0] != rows[1]:
            raise InputError(
                f"{what} has no transcript ids and {rows[1]:,} rows instead of {rows[0]:,}; add ids"
            )
        return np.arange(rows[0])
    if wanted.type != ids.type:
        wanted, ids = wanted.cast(pa.string()), ids.cast(pa.string())
    if wanted.equals(ids):
        return np.arange(rows[0])
    place = pc.fill_null(pc.index_in(wanted, value_set=ids), -1).to_numpy().astype(np.int64)
    if rows[0] and place.max() < 0:
        raise InputError(f"{what} shares no transcript id with the other table; are both of one experiment?")
    return place


def at(values: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The values at some places, 0 where the place is -1."""
    return np.append(values, np.zeros(1, values.dtype))[place]
