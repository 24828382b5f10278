"""Every setting of a run, one frozen dataclass per stage: the only place where a default value lives.

The command line, the configuration file, the Python interface and the settings stored with a result are all made
from these classes. ``None`` means "work it out from the data"; the value that was worked out is shown and stored.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Platform = Literal["auto", "xenium", "cosmx", "merscope", "table"]
Purity = Literal["balanced", "complete", "pure"]


@dataclass(frozen=True)
class ReadSettings:
    """How the input is read.

    Parameters
    ----------
    platform
        Instrument that made the input; "auto" finds out and says so.
    x_column, y_column, z_column
        Names of the position columns, where the platform's own do not apply.
    gene_column
        Name of the gene column.
    cell_column
        Name of the column with the instrument's cell of each transcript.
    nucleus_column
        Name of the column that is true (1) where a transcript lies in a nucleus.
    id_column
        Name of the transcript id column; without one, rows are numbered from 0.
    quality_column
        Name of the quality column (Phred-like).
    scale
        µm per unit of the x and y columns, for positions in pixels.
    min_qv
        Transcripts of lower quality are left out; by default 20 where the input has qualities.
    genes_exclude
        Genes to leave out; * stands for anything. Control and blank probes always go.
    roi
        Region to segment: "xmin,ymin,xmax,ymax" in µm, or a polygon file (GeoJSON or GeoParquet).
    """

    platform: Platform = "auto"
    x_column: str | None = None
    y_column: str | None = None
    z_column: str | None = None
    gene_column: str | None = None
    cell_column: str | None = None
    nucleus_column: str | None = None
    id_column: str | None = None
    quality_column: str | None = None
    scale: float = 1.0
    min_qv: float | None = None
    genes_exclude: tuple[str, ...] = ()
    roi: str | None = None


@dataclass(frozen=True)
class PriorSettings:
    """Where the prior segmentation comes from and how far it is trusted.

    Parameters
    ----------
    prior
        "auto" (what the input holds), "none", or a file: label image (tif, npy), polygons (GeoJSON, GeoParquet,
        Xenium or MERSCOPE boundaries).
    prior_confidence
        0 to 1: how firmly transcripts in a prior nucleus hold to it.
    prior_holds
        Whether the prior outlines nuclei or whole cells; "auto" judges by the input.
    prior_scale
        µm per pixel of a label image, or per unit of a polygon file.
    prior_offset
        "x,y" in µm of the corner of the label image or the origin of the polygons.
    prior_affine
        "a,b,c,d,e,f": x = a*column + b*row + c and y = d*column + e*row + f, in µm; replaces scale and offset.
    prior_flip_y
        The image's rows, or the polygons' y, run downwards.
    """

    prior: str = "auto"
    prior_confidence: float = 0.9
    prior_holds: Literal["auto", "nuclei", "cells"] = "auto"
    prior_scale: float | None = None
    prior_offset: str | None = None
    prior_affine: str | None = None
    prior_flip_y: bool = False


@dataclass(frozen=True)
class CarveSettings:
    """The method carve.

    Parameters
    ----------
    purity
        How sure an assignment must be: "complete" assigns nearly all, "balanced" is the default, "pure" drops
        transcripts that their cell's profile makes unlikely.
    repair
        Split merged and join split prior nuclei.
    new_cells
        Add cells where transcripts lie far from every nucleus.
    tile
        Side of a tile in µm; None chooses it by the memory allowed.
    """

    purity: Purity = "balanced"
    repair: bool = True
    new_cells: bool = True
    tile: float | None = None


@dataclass(frozen=True)
class ComputeSettings:
    """What the run may use.

    Parameters
    ----------
    threads
        CPU threads; 0 takes all there are. The result does not depend on it.
    seed
        Same inputs, settings, version and seed give the same bytes, whatever the number of threads.
    memory
        Memory the run may use, such as "8G"; None takes what the machine has.
    """

    threads: int = 0
    seed: int = 0
    memory: str | None = None


@dataclass(frozen=True)
class Settings:
    """All settings of one segmentation."""

    method: Literal["carve"] = "carve"
    read: ReadSettings = field(default_factory=ReadSettings)
    prior: PriorSettings = field(default_factory=PriorSettings)
    carve: CarveSettings = field(default_factory=CarveSettings)
    compute: ComputeSettings = field(default_factory=ComputeSettings)


@dataclass(frozen=True)
class OutputSettings:
    """Where the result goes.

    Parameters
    ----------
    output
        Folder to write; made at the end, under a temporary name until it is whole.
    overwrite
        Replace an earlier result; it is kept until the new one is complete.
    """

    output: Path
    overwrite: bool = False
