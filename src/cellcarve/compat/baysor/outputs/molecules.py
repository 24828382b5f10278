"""``segmentation.csv``: the input's columns as they were, and what was found out about each molecule."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from cellcarve.compat.baysor.loading import Molecules
from cellcarve.compat.baysor.outputs.colours import hex_codes
from cellcarve.data.lines import lines
from cellcarve.errors import InputError
from cellcarve.mixture.result import COMPARTMENT_NAMES, MixtureRun
from cellcarve.read.stream import open_stream


def write_molecules(
    path: Path, molecules: Molecules, run: MixtureRun, segment: np.ndarray | None, names: np.ndarray
) -> None:
    """Write a row per molecule, in the order of the input.

    Parameters
    ----------
    path
        The file.
    molecules
        K molecules, and where their other columns are.
    run
        The result; without colours the column ``ncv_color`` is left out.
    segment
        (K,) prior segments, or None.
    names
        (C,) names of the cells.

    Raises
    ------
    InputError
        The input has changed since it was read.
    OSError
        The file cannot be written.
    """
    new = _found(run, segment)
    order = _order(molecules, list(new), run.colour is not None)
    with path.open("wb") as file:
        head = io.StringIO()
        csv.writer(head, lineterminator="\n").writerow(order)
        file.write(head.getvalue().encode())
        done = 0
        for batch in _kept_rows(molecules):
            part = slice(done, done + batch.num_rows)
            done += batch.num_rows
            file.write(lines(_columns(batch, order, molecules, run, (new, part, names))))


def _found(run: MixtureRun, segment: np.ndarray | None) -> dict[str, np.ndarray]:
    """Columns that are plain numbers, in their order; ``cell``, ``is_noise`` and colours are made by the batch."""
    new: dict[str, np.ndarray] = {"molecule_id": np.arange(1, len(run.row) + 1)}
    if segment is not None:
        new["prior_segmentation"] = segment
    new["confidence"] = run.confidence
    if run.compartment is not None:
        new["compartment"] = run.compartment
    if run.nuclei_probs is not None:
        new["nuclei_probs"] = run.nuclei_probs
    if run.cluster is not None:
        new["cluster"] = run.cluster
    return new | {
        "cell": run.cell,
        "assignment_confidence": run.assignment_confidence,
        "is_noise": run.cell == 0,
    }


def _order(molecules: Molecules, new: list[str], coloured: bool) -> list[str]:
    """Names of all columns; one that the input had stays where it was."""
    old = [name for _, name in molecules.mapping.written if coloured or name != "ncv_color"]
    return [*old, *(name for name in [*new, *(["ncv_color"] if coloured else [])] if name not in old)]


def _kept_rows(molecules: Molecules) -> Iterator[pa.RecordBatch]:
    """The input again, rows that were left out taken away."""
    stream = open_stream(molecules.path, literal=True)
    first = 0
    for batch in stream.batches([name for name, _ in molecules.mapping.written]):
        low, high = np.searchsorted(molecules.row, [first, first + batch.num_rows])
        first += batch.num_rows
        yield batch.take(pa.array(molecules.row[low:high] - (first - batch.num_rows)))
    if first != molecules.rows:
        raise InputError(
            f"{molecules.path} had {molecules.rows} rows when the run began and has {first} now; run again"
        )


def _columns(
    batch: pa.RecordBatch,
    order: list[str],
    molecules: Molecules,
    run: MixtureRun,
    found: tuple[dict[str, np.ndarray], slice, np.ndarray],
) -> pa.Table:
    new, part, names = found
    old = {name: batch.column(k) for k, (_, name) in enumerate(molecules.mapping.written)}
    made: list[pa.Array] = []
    for name in order:
        if name == "ncv_color" and run.colour is not None:
            made.append(pa.array(hex_codes(run.colour[part])))
        elif name in new:
            made.append(_new(name, new[name][part], names))
        elif name == "gene":
            # As in the counts, where genes without a name have one.
            made.append(_worded(molecules.table.gene[part], molecules.table.genes))
        else:
            made.append(_as_text(old[name]))
    # Names may repeat only in the header, where an input already had them.
    return pa.table(made, names=[str(k) for k in range(len(made))])


def _new(name: str, values: np.ndarray, names: np.ndarray) -> pa.Array:
    if name == "cell":
        return _worded(values, ["", *names.tolist()])
    if name == "compartment":
        return _worded(values, COMPARTMENT_NAMES)
    if values.dtype.kind == "f":
        return pa.array(np.round(values.astype(np.float64), 5))
    return pa.array(values)


def _worded(code: np.ndarray, words: Sequence[str]) -> pa.Array:
    """The words that codes stand for."""
    listed = pa.array(words, pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(code, pa.int32()), listed).cast(pa.string())


def _as_text(column: pa.Array) -> pa.Array:
    """A column of the input in a type that csv can hold."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        try:
            return column.cast(pa.string())
        except pa.ArrowInvalid:
            return pa.nulls(len(column), pa.string())
    return pa.nulls(len(column), pa.string()) if pa.types.is_nested(kind) else column
