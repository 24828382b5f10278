"""The table of molecules, as Baysor takes it in: columns renamed, z judged, rare and unwanted genes left out."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from cellcarve.compat.baysor.columns import Mapping, map_columns
from cellcarve.compat.baysor.genes import excluded
from cellcarve.compat.baysor.implied import Implied, implied
from cellcarve.compat.baysor.log import Log
from cellcarve.compat.baysor.options import Options
from cellcarve.data.table import Table
from cellcarve.errors import InputError
from cellcarve.read.convert import Place, Words, as_positions
from cellcarve.read.grow import Growing
from cellcarve.read.platform import first_of
from cellcarve.read.stream import Stream, open_stream
from cellcarve.read.xenium import TABLES

_MISSING_GENE = "missing"
# By the old rules what is not a number is a segment like any other.
_NAN = "nan"


@dataclass
class Molecules:
    """The molecules that take part; K of N input rows.

    Attributes
    ----------
    table
        K rows, all kept; a molecule's id is its row plus one.
    row
        (K,) int64, ascending: the input row of each molecule.
    rows
        N.
    path
        The file that was read.
    mapping
        Its columns.
    prior_code
        (K,) int32, index into `prior_words`, -1 where missing; None without a prior column.
    prior_words
        Distinct values of the prior's column.
    implied
        (K,) values of the columns that only the old rules look at, by what they stand for.
    """

    table: Table
    row: np.ndarray
    rows: int
    path: Path
    mapping: Mapping
    prior_code: np.ndarray | None
    prior_words: list[str]
    implied: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.row)


def table_path(coordinates: Path) -> Path:
    """The file that holds the molecules.

    Raises
    ------
    InputError
        There is none.
    """
    if coordinates.is_dir():
        found = first_of(coordinates, *TABLES)
        if found is None:
            raise InputError(f"{coordinates} holds none of {', '.join(TABLES)}; name the table of molecules")
        return found
    if not coordinates.is_file():
        raise InputError(f"{coordinates} does not exist; check the path")
    return coordinates


def load(options: Options, log: Log) -> Molecules:
    """Read the molecules.

    Parameters
    ----------
    options
        Names of columns, genes to leave out, and the prior where it is a column.
    log
        Told what was loaded and left out.

    Raises
    ------
    InputError
        A column is missing, a position is not finite, or nothing is left.
    SettingsError
        A pattern of genes cannot be understood.
    """
    data = options.config.data
    stream = open_stream(table_path(options.coordinates), literal=True)
    prior = options.prior[1:] if options.prior.startswith(":") else None
    mapping = map_columns(stream, data, prior)
    axes = ("x", "y") if data.force_2d else ("x", "y", "z")
    granted = Implied(implied(options, mapping), stream.path)
    priors = Words(_NAN if options.compat else "")
    read = _read(stream, mapping, axes, (prior, priors, granted))
    genes, code = read.genes, read.gene
    count = np.bincount(code, minlength=len(genes))
    common = count >= data.min_molecules_per_gene
    chosen = common & ~excluded(genes, data.exclude_genes, options.compat, log)
    row = np.flatnonzero(chosen[code]).astype(np.int64)
    if len(row) == 0:
        raise InputError(
            f"{stream.path}: none of {len(code):,} molecules is left (data.min_molecules_per_gene "
            f"{data.min_molecules_per_gene}, data.exclude_genes '{data.exclude_genes}'); loosen these"
        )
    z = _depth(read.z, row)
    number = np.cumsum(chosen) - 1
    table = _table(
        stream.path, (read.x[row], read.y[row], z), number[code[row]], np.array(genes)[chosen].tolist()
    )
    written = tuple(pair for pair in mapping.written if z is not None or pair[1] != "z")
    mapping = Mapping(mapping.source, written)
    _tell(table, len(code), log)
    codes = None if read.prior is None else read.prior[row]
    more = {what: values[row] for what, values in granted.finish().items()}
    if more:
        log.warn(f"used though nobody named them, by --compat 0.7: columns {', '.join(more)} of the table")
    return Molecules(table, row, len(code), stream.path, mapping, codes, read.prior_words, more)


@dataclass
class _Read:
    """All rows of the columns that matter."""

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray | None
    gene: np.ndarray
    genes: list[str]
    prior: np.ndarray | None
    prior_words: list[str]


def _read(
    stream: Stream, mapping: Mapping, axes: tuple[str, ...], rest: tuple[str | None, Words, Implied]
) -> _Read:
    """All rows; `rest` is the prior's column, and what collects it and the columns that are taken for granted."""
    numbers = {what: Growing() for what in axes if what in mapping.source}
    (prior, priors, granted), genes, rows = rest, Words(), 0
    wanted = [*mapping.source.values(), *granted.columns.values(), *([prior] if prior is not None else [])]
    for batch in stream.batches(list(dict.fromkeys(wanted))):
        for what, grown in numbers.items():
            place = Place(stream.path, mapping.source[what], rows)
            grown.add(as_positions(batch.column(mapping.source[what]), place))
        genes.add(batch.column(mapping.source["gene"]), Place(stream.path, mapping.source["gene"], rows))
        if prior is not None:
            priors.add(batch.column(prior), Place(stream.path, prior, rows))
        granted.add(batch, rows)
        rows += batch.num_rows
    if rows == 0:
        raise InputError(f"{stream.path} holds no molecules; check that the export is complete")
    arrays = {what: grown.finish() for what, grown in numbers.items()}
    gene, names = _named(*genes.finish())
    code, labels = priors.finish() if prior is not None else (None, [])
    pa.default_memory_pool().release_unused()
    return _Read(arrays["x"], arrays["y"], arrays.get("z"), gene, names, code, labels)


def _named(code: np.ndarray, names: list[str]) -> tuple[np.ndarray, list[str]]:
    """Molecules without a gene get one called "missing"."""
    if not (code < 0).any():
        return code, names
    merged = sorted({*names, _MISSING_GENE})
    number = {name: k for k, name in enumerate(merged)}
    place = np.array([number[name] for name in [*names, _MISSING_GENE]], np.int32)
    return place[code], merged


def _depth(z: np.ndarray | None, row: np.ndarray) -> np.ndarray | None:
    """The depth where it says something."""
    if z is None:
        return None
    z = z[row]
    return z if z.min() < z.max() else None


def _table(
    path: Path, place: tuple[np.ndarray, np.ndarray, np.ndarray | None], gene: np.ndarray, genes: list[str]
) -> Table:
    n = len(gene)
    return Table(
        platform="table",
        files=(path,),
        ids=pa.array(np.arange(n, dtype=np.uint64)),
        x=place[0],
        y=place[1],
        z=place[2],
        gene=gene.astype(np.int32),
        genes=genes,
        quality=None,
        fov=None,
        fovs=[],
        cell=np.zeros(n, np.int32),
        cell_names=[],
        nucleus=None,
        status=np.zeros(n, np.uint8),
    )


def _tell(table: Table, rows: int, log: Log) -> None:
    log.note(f"Loaded {len(table)} transcripts, {len(table.genes)} genes.")
    if len(table) < rows:
        log.note(f"{rows - len(table)} of {rows} molecules were left out with their genes.")
    twice = _duplicates(table)
    if twice:
        log.warn(f"{twice} molecules have the same position and gene as an earlier one; check the export")


def _duplicates(table: Table) -> int:
    """Molecules that repeat the position and the gene of an earlier one."""
    keys = [table.gene, table.x, table.y, *([] if table.z is None else [table.z])]
    order = np.lexsort(keys[::-1])
    same = np.ones(max(len(order) - 1, 0), bool)
    for key in keys:
        same &= key[order[1:]] == key[order[:-1]]
    return int(same.sum())
