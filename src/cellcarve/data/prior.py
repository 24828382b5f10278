"""What is believed about cells before the transcripts are looked at."""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class PriorRaster:
    """Prior cells of the pixels of a raster: a label mask, rasterised polygons, or the bins of a barcode table.

    Pixel (row, column) centre lies at x = a (column + 0.5) + b (row + 0.5) + c and
    y = d (column + 0.5) + e (row + 0.5) + f, in µm.

    Attributes
    ----------
    label
        (H, W) int32: 0 = no cell, else index into `Prior.names` plus one. May be memory-mapped.
    affine
        (a, b, c, d, e, f) as above, any sign.
    weight
        0 .. 1, weight of a pixel for its cell where `probability` is None.
    probability
        (H, W) float32 weight of each pixel for its cell, 0 .. 1 and final (discounts and logits already applied).
    nuclear
        The labels are nuclei: `weight` then replaces the trust in nuclei, and unlabelled pixels say nothing.
    """

    label: np.ndarray
    affine: tuple[float, float, float, float, float, float]
    weight: float = 0.5
    probability: np.ndarray | None = None
    nuclear: bool = False


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
    raster
        Prior cells by pixel instead of by row, where there are such; `cell` and `core` then hold what the raster
        says of each row. Read by the method voxel alone.
    fixed
        (P,) bool: the cell never changes; None where none is fixed.
    whole
        Cells that were missed have been added, or are not wanted: further ones would be parts of these. Read by the
        method mixture alone.
    cluster
        (N,) uint8 molecule cluster of each row from 1, where the method is not to find them; None where they are not
        known. Read by the method mixture alone.
    nuclear
        (N,) float32 chance of each row to lie in a nucleus, where genes do not tell it; None where it is not known.
        Read by the method mixture alone.
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
    raster: PriorRaster | None = None
    fixed: np.ndarray | None = None
    whole: bool = False
    cluster: np.ndarray | None = None
    nuclear: np.ndarray | None = None
