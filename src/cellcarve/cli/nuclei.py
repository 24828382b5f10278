"""The command ``nuclei``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from cellcarve.cli.shared import FOLDER
from cellcarve.nuclei import NucleiSettings

FINDING = Parameter(name="*", group=Group("Finding", sort_key=1))
AS_SET = NucleiSettings()


def nuclei(
    image: Path,
    /,
    *,
    output: Annotated[Path, FOLDER],
    probabilities: Path | None = None,
    quiet: Annotated[bool, Parameter(negative="")] = False,
    settings: Annotated[NucleiSettings, FINDING] = AS_SET,
) -> None:
    """Find the nuclei of a picture of DAPI, as a label image that serves as prior.

    Parameters
    ----------
    image
        TIFF, OME-TIFF, npy, PNG or JPEG.
    output
        Label image to write (.npy, .npy.gz or .tif), for --prior and for proseg's --cellpose-masks.
    probabilities
        Image of logits to write as well, for proseg's --cellpose-cellprobs.
    quiet
        Show nothing but errors.
    """
    from cellcarve.console import console
    from cellcarve.nuclei import find_nuclei

    with console(quiet) as progress:
        number = find_nuclei(image, output, settings, progress, probabilities)
    if not quiet:
        print(f"{number:,} nuclei in {output}")
