"""How the input is read."""

from dataclasses import dataclass
from typing import Literal

from cellcarve.validate import Validated, bounded

Platform = Literal["auto", "xenium", "cosmx", "merscope", "visium_hd", "stereoseq", "table"]


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
    image
        Image to draw beneath the cells (TIFF, JPEG or PNG), in place of those that came with the input.
    image_pixel
        Side of one of its pixels in µm.
    image_offset
        "x,y" in µm of the corner of its first pixel.
    image_flip_y
        Its rows run towards smaller y; the offset is that of the last row.
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
    image: str | None = None
    image_pixel: float | None = bounded(None, 1e-6, 1e6)
    image_offset: str = "0,0"
    image_flip_y: bool = False
