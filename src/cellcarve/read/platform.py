"""What a platform's reader hands over: where the rows are, what the columns mean, and what lies beside them."""

from dataclasses import dataclass, field
from pathlib import Path

from cellcarve.data.bins import BinArray
from cellcarve.data.table import Image
from cellcarve.read.intake import Columns
from cellcarve.read.stream import Stream


@dataclass
class Found:
    """An input that was recognised but not yet read.

    Attributes
    ----------
    platform
        Name of the platform.
    why
        How it was recognised, for people.
    stream, columns
        The rows and what their columns mean.
    scale, z_scale
        µm per unit of the x and y columns, and of the z column.
    cell_scope
        True where cell ids are unique within a field of view only.
    images, boundaries, label_images, bins
        As in `Table`.
    """

    platform: str
    why: str
    stream: Stream
    columns: Columns
    scale: float = 1.0
    z_scale: float = 1.0
    cell_scope: bool = False
    images: tuple[Image, ...] = ()
    boundaries: dict[str, tuple[Path, ...]] = field(default_factory=dict)
    label_images: dict[str, Image] = field(default_factory=dict)
    bins: BinArray | None = None


def first_of(folder: Path, *patterns: str) -> Path | None:
    """First file (by name) that matches the first pattern that matches anything."""
    for pattern in patterns:
        found = sorted(file for file in folder.glob(pattern) if file.is_file())
        if found:
            return found[0]
    return None


def present(names: list[str], *choices: str) -> str | None:
    """First of the choices that is a column, compared without regard to case."""
    lower = {name.lower(): name for name in reversed(names)}
    return next((lower[choice.lower()] for choice in choices if choice.lower() in lower), None)
