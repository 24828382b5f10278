"""Every setting of a run, one frozen dataclass per stage: the only place where a default value lives.

The command line, the configuration file, the Python interface and the settings stored with a result are all
made from these classes. ``None`` means "work it out from the data"; what was worked out is shown and stored.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cellcarve.memory import parse
from cellcarve.validate import Validated, bounded

Platform = Literal["auto", "xenium", "cosmx", "merscope", "table"]
Purity = Literal["balanced", "complete", "pure"]


@dataclass(frozen=True)
class ReadSettings(Validated):
    """How the input is read.

    Parameters
    ----------
    platform
        Instrument that made the input; "auto" finds out and says so.
    x_column
        Column with the x position, where it is not named as the platform names it.
    y_column
        Column with the y position.
    z_column
        Column with the z position (µm).
    gene_column
        Column with the gene.
    cell_column
        Column with the cell that the instrument gave each transcript.
    nucleus_column
        Column that is true (1) where a transcript lies in a nucleus.
    id_column
        Column with the transcript ids; without one, rows are numbered from 0.
    quality_column
        Column with the quality of each transcript (Phred scale).
    scale
        µm per unit of the x and y columns, for positions in pixels.
    min_qv
        Leave out transcripts of lower quality; where nothing is said, 20 if the input has qualities.
    genes_exclude
        Genes to leave out, separated by commas; * stands for anything. Control and blank probes always go.
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
    scale: float = bounded(1.0, 1e-6, 1e6)
    min_qv: float | None = bounded(None, 0)
    genes_exclude: tuple[str, ...] = ()
    roi: str | None = None


@dataclass(frozen=True)
class PriorSettings(Validated):
    """Where the prior segmentation comes from and how far it is trusted.

    Parameters
    ----------
    prior
        "auto" (what the input holds), "none", or a file: label image (tif, npy), polygons (GeoJSON,
        GeoParquet, Xenium or MERSCOPE boundaries).
    prior_confidence
        0 to 1: how firmly transcripts in a prior nucleus hold to it.
    prior_holds
        Whether the prior outlines nuclei or whole cells; "auto" judges by the input.
    prior_scale
        µm per pixel of a label image, or per unit of a polygon file.
    prior_offset
        "x,y" in µm of the corner of the label image or the origin of the polygons.
    prior_affine
        "a,b,c,d,e,f": x = a·column + b·row + c and y = d·column + e·row + f, in µm; replaces scale and
        offset.
    prior_flip_y
        The image's rows, or the polygons' y, run downwards.
    """

    prior: str = "auto"
    prior_confidence: float = bounded(0.9, 0, 1)
    prior_holds: Literal["auto", "nuclei", "cells"] = "auto"
    prior_scale: float | None = bounded(None, 1e-6, 1e6)
    prior_offset: str | None = None
    prior_affine: str | None = None
    prior_flip_y: bool = False


@dataclass(frozen=True)
class CarveSettings(Validated):
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
    cell_diameter
        Usual diameter of a cell in µm; read only where there is no prior.
    tile
        Side of the squares (µm) in which the tissue is worked on; smaller ones take less memory.
    """

    purity: Purity = "balanced"
    repair: bool = True
    new_cells: bool = True
    cell_diameter: float = bounded(13.0, 2, 100)
    tile: float = bounded(400.0, 50)


@dataclass(frozen=True)
class ComputeSettings(Validated):
    """What the run may use.

    Parameters
    ----------
    threads
        CPU threads; 0 takes all there are. The result does not depend on it.
    seed
        Same inputs, settings, version and seed give the same bytes, whatever the number of threads.
    memory
        Memory the run may use, such as "8G"; where nothing is said, what the machine has.
    """

    threads: int = bounded(0, 0)
    seed: int = bounded(0, 0, 2**63 - 1)
    memory: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.memory is not None:
            parse(self.memory)


@dataclass(frozen=True)
class Settings(Validated):
    """All settings of one segmentation.

    Parameters
    ----------
    method
        How transcripts are assigned.
    read, prior, carve, compute
        The settings of each stage.
    """

    method: Literal["carve"] = "carve"
    read: ReadSettings = field(default_factory=ReadSettings)
    prior: PriorSettings = field(default_factory=PriorSettings)
    carve: CarveSettings = field(default_factory=CarveSettings)
    compute: ComputeSettings = field(default_factory=ComputeSettings)


@dataclass(frozen=True)
class OutputSettings(Validated):
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
