"""Images to draw beneath the cells: the one that the user named, and what is said of those that cannot be placed."""

from pathlib import Path

import numpy as np

from cellcarve.data.table import Image, Table
from cellcarve.errors import InputError, SettingsError
from cellcarve.read.platform import first_of
from cellcarve.read.stream import PICTURE_ENDINGS
from cellcarve.settings import ReadSettings

# Pictures that lie beside transcripts, by the names that people and platforms give them.
_PICTURES = (
    "*[dD][aA][pP][iI]*.tif*",
    "morphology*.tif*",
    "morphology_focus/*.tif*",
    "images/*[dD][aA][pP][iI]*.*",
    "CellComposite/*.*",
)
_SAMPLE = 200_000


def named_image(settings: ReadSettings) -> Image | None:
    """The image that the user named, with its place.

    Raises
    ------
    SettingsError
        Its place is not told, or not understood.
    InputError
        The file does not exist.
    """
    if settings.image is None:
        return None
    path = Path(settings.image)
    if not path.is_file():
        raise InputError(f"image {path} does not exist; check the path")
    if settings.image_pixel is None:
        raise SettingsError(f"nothing says how wide a pixel of {path} is; give --image-pixel in um")
    try:
        x0, y0 = (float(v) for v in settings.image_offset.split(","))
    except ValueError:
        raise SettingsError(
            f"image-offset '{settings.image_offset}' is not 'x,y' in um; write two numbers"
        ) from None
    return Image(path, path.stem, settings.image_pixel, x0, y0, settings.image_flip_y)


def place_images(table: Table, settings: ReadSettings) -> None:
    """Settle which images of a table are drawn, in place, and note why others are not."""
    named = named_image(settings)
    if named is not None:
        table.images = (named,)
        return
    drawn = [image for image in table.images if _reached(image, table)]
    for image in table.images:
        if image not in drawn:
            table.notes.append(
                f"{image.path.name} is not drawn: no transcript lies where its field is, so it may be a crop; place it with "
                "--image, --image-pixel and --image-offset"
            )
    if not table.images and table.platform not in ("memory", "spatialdata"):
        table.notes += _loose(table.files[0].parent)
    table.images = tuple(drawn)


def _loose(folder: Path) -> list[str]:
    picture = first_of(folder, *_PICTURES)
    if picture is None or picture.suffix.lower() not in PICTURE_ENDINGS:
        return []
    return [
        f"{picture.relative_to(folder)} is not drawn, as no file says where it lies; place it with --image, "
        "--image-pixel and --image-offset"
    ]


def _reached(image: Image, table: Table) -> bool:
    """Whether a transcript lies in the image; one whose size cannot be read is left to the report."""
    size = _size(image.path)
    if size is None:
        return True
    x1, y1 = image.x0 + size[0] * image.pixel, image.y0 + size[1] * image.pixel
    # A sample nearly always tells; all rows are asked only where it finds none.
    for step in (max(1, len(table) // _SAMPLE), 1):
        x, y = table.x[::step], table.y[::step]
        if np.any((x >= image.x0) & (x < x1) & (y >= image.y0) & (y < y1)):
            return True
    return False


def _size(path: Path) -> tuple[int, int] | None:
    """Columns and rows of an image, without its pixels."""
    try:
        if path.suffix.lower() in (".tif", ".tiff"):
            import tifffile

            with tifffile.TiffFile(path, _multifile=False) as file:
                page = file.pages.first
                return int(page.imagewidth), int(page.imagelength)
        from PIL import Image as Picture

        with Picture.open(path) as picture:
            return picture.size
    except Exception:  # the image is an ornament
        return None
