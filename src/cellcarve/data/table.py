"""The input as it was read: one entry per input row, in input order."""

from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

import numpy as np
import pyarrow as pa

from cellcarve.data.bins import BinArray


class Status(IntEnum):
    """Why a row takes part in the segmentation or was left out; the first reason that applies counts."""

    KEPT = 0
    CONTROL = 1
    EXCLUDED_GENE = 2
    LOW_QUALITY = 3
    OUTSIDE = 4


STATUS_NAMES = ("kept", "control probe", "excluded gene", "low quality", "outside")


@dataclass(frozen=True)
class Image:
    """A registered image that the platform delivered, never loaded before it is drawn.

    Attributes
    ----------
    path
        The image file (TIFF, OME-TIFF, JPEG or PNG).
    name
        What it shows, for example ``"DAPI"``.
    pixel
        Side of a pixel in µm at full resolution.
    x0, y0
        Position in µm of the corner of pixel (0, 0).
    flip_y
        True where the last image row lies at ``y0`` and rows run towards larger y upwards.
    """

    path: Path
    name: str
    pixel: float
    x0: float = 0.0
    y0: float = 0.0
    flip_y: bool = False


@dataclass
class Table:
    """All input rows, in input order; N rows, G genes.

    Attributes
    ----------
    platform
        ``"xenium"``, ``"cosmx"``, ``"merscope"``, ``"visium_hd"``, ``"stereoseq"``, ``"spatialdata"``, ``"anndata"``,
        ``"table"`` or ``"memory"``.
    files
        The files that were read.
    ids
        (N,) transcript ids as the input had them: an Arrow array of uint64, int64 or string.
    x, y
        (N,) float32, µm.
    z
        (N,) float32, µm, or None where the input has none.
    gene
        (N,) int32, index into `genes`.
    genes
        G names, sorted.
    quality
        (N,) float32 Phred-like score, or None.
    fov
        (N,) int32, index into `fovs`, or None.
    fovs
        Names of the fields of view.
    cell
        (N,) int32, the instrument's cell: 0 = none, else index into `cell_names` plus one.
    cell_names
        The instrument's cell ids as strings.
    nucleus
        (N,) bool, the row lies in the nucleus of its cell; None where the input does not say.
    status
        (N,) uint8 of `Status`.
    images
        Registered images found beside the table.
    boundaries
        Polygon files found beside the table: ``"nucleus"`` and/or ``"cell"`` to their paths.
    label_images
        Label images found beside the table, by field of view ("" = whole tissue).
    notes
        Sentences for the user about what was found or worked out.
    bins
        Where the bins lie that rows were counted in, or None where rows have places of their own.
    """

    platform: str
    files: tuple[Path, ...]
    ids: pa.Array
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray | None
    gene: np.ndarray
    genes: list[str]
    quality: np.ndarray | None
    fov: np.ndarray | None
    fovs: list[str]
    cell: np.ndarray
    cell_names: list[str]
    nucleus: np.ndarray | None
    status: np.ndarray
    images: tuple[Image, ...] = ()
    boundaries: dict[str, tuple[Path, ...]] = field(default_factory=dict)
    label_images: dict[str, Image] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    bins: BinArray | None = None

    def __len__(self) -> int:
        return len(self.x)

    def losses(self) -> dict[str, int]:
        """Rows by status name, every status named; the values add up to the number of rows."""
        count = np.bincount(self.status, minlength=len(STATUS_NAMES))
        return {name: int(n) for name, n in zip(STATUS_NAMES, count, strict=True)}
