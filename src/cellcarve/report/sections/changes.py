"""Before and after: what changed, in numbers and in close-ups."""

from cellcarve.data.result import Run
from cellcarve.data.table import Image
from cellcarve.report.before import Before, flow_of
from cellcarve.report.closeup import Place, closeup
from cellcarve.report.crop import best_image, crop_of
from cellcarve.report.numbers import Numbers
from cellcarve.report.pieces import Bar, Grid, Layers, Piece, Section, Text
from cellcarve.report.windows import SIDE, windows_of
from cellcarve.report.words import count, percent, plural


def changes(run: Run, numbers: Numbers) -> Section:
    """The table of changes and the close-ups."""
    pieces: list[Piece] = [] if numbers.before is None else [_table(numbers, numbers.before, run)]
    windows = windows_of(run, numbers)
    image = best_image(run.table.images)
    crops = [crop_of(image, window.box) if image else None for window in windows]
    if windows:
        pieces.append(Text(_how_to_read()))
    if image and not any(crops):
        pieces.append(Text(_missing(image)))
    if windows:
        photo = [("photo", "image")] if any(crops) else []
        pieces.append(Layers([*photo, ("outline", "outlines"), ("dots", "transcripts")]))
    for number, (window, crop) in enumerate(zip(windows, crops, strict=True)):
        pieces.append(closeup(run, numbers, Place(window, crop, number)))
    return Section("changes", "Before and after", pieces)


def _missing(image: Image) -> str:
    return (
        f"The image {image.name} ({image.path}) is not drawn: it does not reach these places, or its format "
        "cannot be read on this machine (compressed TIFF may need the Python package imagecodecs)."
    )


def _table(numbers: Numbers, before: Before, run: Run) -> Grid:
    flow = flow_of(run, before)
    lines = [
        ("in the same cell as before", flow.same),
        ("moved to another cell", flow.moved),
        ("in no cell before, in one now", flow.gained),
        ("in a cell before, in none now", flow.lost),
        ("in no cell before or now", flow.never),
    ]
    rows: list[list[str | Bar]] = [
        [name, count(n), Bar(n / max(numbers.kept, 1), percent(n, numbers.kept))] for name, n in lines
    ]
    rows.append(["all kept transcripts", count(numbers.kept), ""])
    caption = f"Every kept transcript, compared with {before.label} ({plural(before.cells, 'cell')})."
    return Grid(["transcripts", "number", "share"], rows, "lrl", caption, total=True)


def _how_to_read() -> str:
    return (
        f"Each pair shows the same {SIDE:g} × {SIDE:g} µm: on the left the cells that came with the input, "
        "on the right the result. A dot is a transcript and takes the colour of its cell; a cell that was "
        "kept has the same colour on both sides, and grey dots are in no cell. White lines are prior "
        "outlines on the left and cells on the right; dashed yellow lines are new, merged and split "
        "cells. A good result fills the space between nuclei without crossing into the next nucleus. The "
        "places were picked by rule: where most has changed, and one place of ordinary density."
    )
