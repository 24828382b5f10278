"""The command ``convert``."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

Form = Literal["h5ad", "seurat", "xenium-ranger", "qupath", "spatialdata", "geojson"]


def convert(
    folder: Path,
    /,
    *,
    to: Form,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    pixel_size: float | None = None,
    origin: tuple[float, float] | None = None,
) -> None:
    """Write a finished segmentation, ours or proseg's, in another tool's form.

    Parameters
    ----------
    folder
        A run's folder, or the zarr store of proseg or of its stand-in.
    to
        The form.
    output
        File or folder to make; named after the source by default.
    overwrite
        Replace what is there; it is kept until the new one is complete.
    pixel_size
        For qupath: side in µm of a pixel of the image; that of the run's image by default.
    origin
        For qupath: position in µm of the corner of the image's first pixel.
    """
    from cellcarve.api import convert as write

    out = write(folder, to, output, overwrite=overwrite, pixel_size=pixel_size, origin=origin)
    from cellcarve.convert import FORMATS

    print(f"{out} written; next: {FORMATS[to].next_step.format(out=out)}")
