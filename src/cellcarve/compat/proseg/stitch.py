"""``stitch-cosmx``: the flat files that AtoMx exports, field by field, as one table in µm for ``--cosmx-micron``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa

from cellcarve.compat.commands import answered
from cellcarve.data.lines import lines
from cellcarve.errors import InputError, OutputError
from cellcarve.read.convert import Place, as_positions
from cellcarve.read.stream import CsvStream, first_line
from cellcarve.staged import staged

CALLS = "*_complete_code_cell_target_call_coord.csv*"
_TAKEN = ("fov", "CellId", "x", "y", "z", "target", "CellComp")
_KINDS = {
    "fov": pa.int64(),
    "CellId": pa.int64(),
    "z": pa.float32(),
    "target": pa.string(),
    "CellComp": pa.string(),
}
_POSITIONS = "latest.fovs.csv"


@dataclass(frozen=True)
class Slide:
    """Where the fields of a slide lie.

    Parameters
    ----------
    pixel
        Side of a pixel in µm.
    corners
        x and y of each field in µm, by its number.
    """

    pixel: float
    corners: dict[int, tuple[float, float]]


def main(tokens: list[str]) -> None:
    """Run the command line ``stitch-cosmx FOLDER TABLE``.

    Parameters
    ----------
    tokens
        The words after the command's name.

    Raises
    ------
    CellcarveError
        The arguments, the folder or the output do not allow it.
    """
    given = answered(_command(), tokens, "cellcarve stitch-cosmx")
    if isinstance(given, dict):
        fields, rows = stitch(given["folder"], given["table"], given["flip_y"])
        print(f"{rows:,} transcripts of {fields} fields of view in {given['table']}")


def stitch(folder: Path, table: Path, flip_y: bool = False) -> tuple[int, int]:
    """Join the fields of view of a slide.

    Parameters
    ----------
    folder
        Export of AtoMx, with the folders ``RunSummary`` and ``AnalysisResults`` some levels down.
    table
        To write: ``.csv``, ``.csv.gz`` or ``.parquet``; columns fov, cell_ID (0 = none), x_local_px, y_local_px, z,
        target, CellComp, and x and y in µm. An earlier one is replaced when the new one is whole.
    flip_y
        Let y run the other way.

    Returns
    -------
    tuple
        Numbers of fields and of rows.

    Raises
    ------
    InputError
        A file is missing or damaged, or a field has no position.
    OutputError
        The table cannot be written.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; name the export of AtoMx")
    if not table.name.endswith((".csv", ".csv.gz", ".parquet")):
        raise OutputError(f"'{table}' has an unknown ending; write .csv, .csv.gz or .parquet")
    files = _calls(folder)
    slide = Slide(_pixel(_first(folder, "*_ExptConfig.txt")), _corners(_first(folder, _POSITIONS)))
    rows = 0
    with staged() as stage, _Writer(stage.place(table), table.name) as writer:
        for file in files:
            for batch in _field(file, slide, flip_y):
                writer.add(batch)
                rows += batch.num_rows
    return len(files), rows


def _command() -> click.Command:
    where = click.Path(path_type=Path)
    flip = click.Option(["--flip-y"], is_flag=True, help="Let y run the other way, as the images do.")
    return click.Command(
        "stitch-cosmx",
        params=[click.Argument(["folder"], type=where), click.Argument(["table"], type=where), flip],
        callback=lambda **values: values,
        help="Join the flat files that AtoMx exports into one TABLE that proseg --cosmx-micron reads.",
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def _first(folder: Path, name: str) -> Path:
    """The first such file of a run's summary, by path."""
    for pattern in (f"S0/*/RunSummary/{name}", f"**/RunSummary/{name}"):
        found = sorted(folder.glob(pattern))
        if found:
            return found[0]
    raise InputError(f"{folder} has no RunSummary/{name}; name the folder that AtoMx exported")


def _calls(folder: Path) -> list[Path]:
    """The tables of all fields, in the order of their numbers."""
    for pattern in (f"S0/*/AnalysisResults/*/FOV*/{CALLS}", f"**/FOV*/{CALLS}"):
        found = sorted(folder.glob(pattern), key=lambda file: (_number(file), file))
        if found:
            return found
    raise InputError(
        f"{folder} has no AnalysisResults/*/FOV*/{CALLS.rstrip('*')}; name the folder that AtoMx exported, or give "
        "its *_tx_file.csv to 'cellcarve proseg --cosmx' as it is"
    )


def _number(file: Path) -> int:
    digits = re.search(r"\d+", file.parent.name)
    return int(digits[0]) if digits else -1


def _pixel(file: Path) -> float:
    """µm per pixel."""
    found = re.search(r"ImPixel_nm\W+([0-9.]+)", file.read_text(errors="replace"))
    if found is None or float(found[1]) <= 0:
        raise InputError(f"{file} does not tell ImPixel_nm; copy it again")
    return float(found[1]) / 1000


def _corners(file: Path) -> dict[int, tuple[float, float]]:
    """Positions of the fields in µm; the file has no header: slide, x, y, z, offset, ROI, FOV."""
    try:
        rows = np.loadtxt(file, delimiter=",", usecols=(1, 2, 6), ndmin=2)
    except (ValueError, IndexError) as error:
        raise InputError(f"{file} is no table of fields ({first_line(error)}); copy it again") from error
    return {int(fov): (x * 1000, y * 1000) for x, y, fov in rows.tolist()}


def _field(file: Path, slide: Slide, flip_y: bool) -> Iterator[pa.RecordBatch]:
    """The rows of one field in µm."""
    stream = CsvStream(file)
    missing = [name for name in _TAKEN if name not in stream.names]
    if missing:
        raise InputError(f"{file} has no column '{missing[0]}'; export it again")
    if _number(file) not in slide.corners:
        raise InputError(f"{file}: field of view {_number(file)} is not in {_POSITIONS}; export both again")
    x0, y0 = slide.corners[_number(file)]
    rows = 0
    for batch in stream.batches(list(_TAKEN)):
        column = dict(zip(_TAKEN, batch.columns, strict=True))
        at = {axis: as_positions(column[axis], Place(file, axis, rows)) for axis in "xy"}
        kept = {name: _cast(column[name], kind, Place(file, name, rows)) for name, kind in _KINDS.items()}
        rows += batch.num_rows
        x, y = (at[axis].astype(np.float64) * slide.pixel for axis in "xy")
        x, y = x - x0, -y - y0
        written = {
            "fov": kept["fov"],
            "cell_ID": kept["CellId"].fill_null(0),
            "x_local_px": pa.array(at["x"]),
            "y_local_px": pa.array(at["y"]),
            "z": kept["z"],
            "target": kept["target"],
            "CellComp": kept["CellComp"],
            "x": pa.array(x),
            "y": pa.array(-y if flip_y else y),
        }
        yield pa.RecordBatch.from_pydict(written)


def _cast(column: pa.Array, kind: pa.DataType, place: Place) -> pa.Array:
    try:
        return column.cast(kind)
    except pa.ArrowInvalid as error:
        raise InputError(
            f"{place.path}, column '{place.column}': {first_line(error)}; export it again"
        ) from error


class _Writer:
    """Writes batches as CSV or parquet, by the ending of the final name."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        self._file: Any = None
        self._writer: Any = None

    def __enter__(self) -> "_Writer":
        zipped = "gzip" if self._name.endswith(".gz") else None
        self._file = pa.output_stream(str(self._path), compression=zipped)
        return self

    def add(self, batch: pa.RecordBatch) -> None:
        """Write some rows."""
        if self._name.endswith(".parquet"):
            self._add_parquet(batch)
            return
        if self._file.tell() == 0:
            self._file.write((",".join(batch.schema.names) + "\n").encode())
        self._file.write(lines(batch))

    def _add_parquet(self, batch: pa.RecordBatch) -> None:
        import pyarrow.parquet as pq

        if self._writer is None:
            self._writer = pq.ParquetWriter(self._file, batch.schema, compression="zstd")
        self._writer.write_batch(batch)

    def __exit__(self, *_: object) -> None:
        for part in (self._writer, self._file):
            if part is not None:
                part.close()
