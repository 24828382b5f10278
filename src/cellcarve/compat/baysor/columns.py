"""Which column holds what, and what the columns are called in the output."""

from dataclasses import dataclass

from cellcarve.compat.baysor.config import Data
from cellcarve.errors import InputError, nearest
from cellcarve.read.stream import Stream

CANONICAL = ("x", "y", "z", "gene")


@dataclass(frozen=True)
class Mapping:
    """Columns of the input.

    Attributes
    ----------
    source
        ``x``, ``y``, ``gene`` and, where there, ``z`` to the names of the input's columns.
    written
        (input's name, output's name) of the columns that are written back, in input order.
    """

    source: dict[str, str]
    written: tuple[tuple[str, str], ...]


def map_columns(stream: Stream, data: Data, prior: str | None) -> Mapping:
    """Find the columns of a table.

    A column that already has one of the canonical names without being the one is called ``<name>_reserved`` in the
    output, where it takes the place of an earlier such column.

    Parameters
    ----------
    stream
        The table.
    data
        Names of the columns.
    prior
        Name of the column with the prior segmentation, if any.

    Raises
    ------
    InputError
        A column is missing or stands twice.
    """
    source = {what: getattr(data, what) for what in CANONICAL}
    if source["z"] == "z" and "z" not in stream.names:
        del source["z"]
    for what, name in source.items():
        _check(stream, name, f"--{what}-column")
    if prior is not None:
        _check(stream, prior, "prior segmentation :NAME")
    written: list[tuple[str, str]] = []
    taken = {name: what for what, name in source.items()}
    reserved = {what for what, name in source.items() if what in stream.names and name != what}
    for name in stream.names:
        if stream.names.count(name) > 1:
            raise InputError(f"{stream.path} has more than one column '{name}'; rename all but one")
        if name in taken:
            written.append((name, taken[name]))
        elif name in reserved:
            written.append((name, f"{name}_reserved"))
        elif not (name.endswith("_reserved") and name.removesuffix("_reserved") in reserved):
            written.append((name, name))
    return Mapping(source, tuple(written))


def _check(stream: Stream, name: str, option: str) -> None:
    if name not in stream.names:
        raise InputError(
            f"{stream.path} has no column '{name}'{nearest(name, stream.names)}; name it with {option}"
        )
