"""What a section of the report is made of; `page.html` knows how to draw each kind."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True)
class Fact:
    """A key number with what it counts and an optional remark."""

    value: str
    label: str
    remark: str = ""


@dataclass(frozen=True)
class Facts:
    """Key numbers side by side."""

    kind: ClassVar[str] = "facts"
    items: list[Fact]


@dataclass(frozen=True)
class Notes:
    """Sentences the reader should see first; warnings stand out."""

    kind: ClassVar[str] = "notes"
    warnings: list[str]
    notes: list[str]


@dataclass(frozen=True)
class Key:
    """One colour of a figure and its meaning; `group` links it to the shapes it dims or shows."""

    colour: str
    label: str
    remark: str = ""
    group: str = ""


@dataclass(frozen=True)
class Figure:
    """A drawing with its caption; `wide` ones take the whole width."""

    kind: ClassVar[str] = "figure"
    drawing: Markup
    caption: str
    title: str = ""
    keys: list[Key] = field(default_factory=list)
    zoom: bool = False


@dataclass(frozen=True)
class Bar:
    """A table cell with a bar behind its text; `share` is 0 .. 1."""

    share: float
    text: str


@dataclass(frozen=True)
class Grid:
    """A table; `align` holds one letter per column, l or r."""

    kind: ClassVar[str] = "grid"
    header: list[str]
    rows: list[list[str | Bar]]
    align: str
    caption: str = ""
    total: bool = False


@dataclass(frozen=True)
class Code:
    """Lines to copy."""

    kind: ClassVar[str] = "code"
    title: str
    text: str


@dataclass(frozen=True)
class Columns:
    """Pieces side by side where the page is wide enough."""

    kind: ClassVar[str] = "columns"
    pieces: Sequence["Piece"]


@dataclass(frozen=True)
class Layers:
    """Switches that show or hide the layers of the drawings of a section: (class of the layer, label)."""

    kind: ClassVar[str] = "layers"
    items: list[tuple[str, str]]


Piece = Text | Facts | Notes | Figure | Grid | Code | Columns | Layers


@dataclass(frozen=True)
class Section:
    """A part of the page with its own entry in the table of contents."""

    key: str
    title: str
    pieces: Sequence[Piece]
