"""What is believed about cells before the transcripts are looked at."""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Prior:
    """A prior segmentation laid over the rows of a `Table`; N rows, P prior cells.

    Attributes
    ----------
    cell
        (N,) int32: 0 = in no prior cell, else index into `names` plus one.
    core
        (N,) bool: the row lies in the nucleus of `cell` (or, where the prior knows cells only, in the inner
        part of the cell). Only these rows anchor a cell; the others are free to move.
    names
        The P cell ids as strings, unique.
    kind
        ``"nuclei"`` (cores are nuclei), ``"cells"`` (cores were cut out of whole cells) or ``"none"``.
    source
        For people: where it came from.
    confidence
        0 .. 1, how firmly core rows hold to their cell.
    outline_x, outline_y, outline_start
        Prior outlines for drawing: vertices in µm and CSR starts, (P + 1,) int64; empty where unknown.
    notes
        Sentences for the user.
    """

    cell: np.ndarray
    core: np.ndarray
    names: list[str]
    kind: str
    source: str
    confidence: float = 0.9
    outline_x: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))
    outline_y: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))
    outline_start: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))
    notes: list[str] = field(default_factory=list)
