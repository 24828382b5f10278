"""One place of the tissue twice: the cells before, and ours."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from cellcarve.data.result import Outlines, Run
from cellcarve.data.segmentation import Origin
from cellcarve.data.table import Status
from cellcarve.report.before import Before
from cellcarve.report.colours import GREY, ON_DARK, unlike_neighbours
from cellcarve.report.crop import Crop
from cellcarve.report.numbers import Numbers, blocks
from cellcarve.report.pieces import Columns, Figure
from cellcarve.report.raster import photo_uri
from cellcarve.report.svg import Box, Frame, dots, drawing, image, path, rings, scale_bar, tag
from cellcarve.report.windows import Window
from cellcarve.report.words import percent, plural

UNIT = 0.1
MOST_DOTS = 10_000


@dataclass(frozen=True)
class View:
    """The kept transcripts of a window; n rows.

    Attributes
    ----------
    x, y
        (n,) float32, µm.
    now, before
        (n,) cell of ours and cell before, 0 = none.
    colour_now, colour_before
        (n,) int64 numbers of colours, -1 = none; the same for a cell that was kept.
    """

    x: np.ndarray
    y: np.ndarray
    now: np.ndarray
    before: np.ndarray
    colour_now: np.ndarray
    colour_before: np.ndarray


@dataclass(frozen=True)
class Place:
    """A window, the image there if any, and a number that tells the close-ups of a page apart."""

    window: Window
    crop: Crop | None
    number: int


def closeup(run: Run, numbers: Numbers, place: Place) -> Columns:
    """Both panels of a place."""
    window, frame = place.window, Frame(place.window.box, UNIT)
    view = view_of(run, numbers.before, window.box)
    photo, again = _photo(place, frame)
    prior = prior_outlines(run)
    nuclei = rings(prior, touching(prior, window.box), frame)
    left = photo + _dots(view, view.colour_before, frame) + path(nuclei, class_="outline")
    faint = path(nuclei, class_="outline faint") if run.prior.kind == "nuclei" else Markup("")
    right = again + _dots(view, view.colour_now, frame) + faint + _cells(run, run.summary.outlines, frame)
    label = "no cells given" if numbers.before is None else numbers.before.label
    sides = (("before", left, view.before, label), ("after", right, view.now, "the result"))
    bar, link = scale_bar(frame, dark=True, share=36.0), f"closeup-{place.number}"
    figures = []
    for when, side, cell, what in sides:
        title = f"{window.title}: {when}"
        panel = drawing(frame, side + bar, title, class_="closeup", data_zoom=link)
        figures.append(Figure(panel, _caption(cell, what), title, zoom=when == "before"))
    return Columns(figures)


def view_of(run: Run, before: Before | None, box: Box) -> View:
    """The kept transcripts inside a box with the colours of their cells."""
    table = run.table
    found = [_inside_block(run, part, box) for part in blocks(len(table))]
    row = np.concatenate(found) if found else np.empty(0, np.int64)
    x, y, now = table.x[row], table.y[row], run.segmentation.cell[row]
    was = np.zeros(len(row), np.int64) if before is None else before.code[row].astype(np.int64)
    key = _keys(now, before)
    names, place = np.unique(np.concatenate([was, key]), return_inverse=True)
    place = place.ravel()
    size = np.maximum(np.bincount(place, minlength=len(names)), 1)
    middle = [np.bincount(place, np.concatenate([v, v]), minlength=len(names)) / size for v in (x, y)]
    real = names > 0
    colour = np.full(len(names), -1)
    colour[real] = unlike_neighbours(middle[0][real], middle[1][real])
    return View(x, y, now, was, colour[place[len(row) :]], colour[place[: len(row)]])


def _keys(now: np.ndarray, before: Before | None) -> np.ndarray:
    """(n,) code before of the cell that each row is in, or a number of its own where the cell continues none.

    Of several cells that continue one (a split), only the first takes over its key, and so its colour.
    """
    cells = np.unique(now[now > 0]).astype(np.int64)
    key = cells if before is None else before.cells + cells
    if before is not None:
        continued = before.ours[cells - 1]
        first = np.zeros(len(cells), bool)
        first[np.unique(continued, return_index=True)[1]] = True
        key = np.where(first & (continued > 0), continued, key)
    return np.concatenate([[0], key])[np.where(now > 0, np.searchsorted(cells, now) + 1, 0)]


def _inside_block(run: Run, part: slice, box: Box) -> np.ndarray:
    x, y = run.table.x[part], run.table.y[part]
    inside = (x >= box[0]) & (x < box[2]) & (y >= box[1]) & (y < box[3])
    return part.start + np.flatnonzero(inside & (run.table.status[part] == Status.KEPT))


def prior_outlines(run: Run) -> Outlines:
    """The prior's outlines in the form of ours."""
    prior = run.prior
    cell = np.arange(1, len(prior.outline_start), dtype=np.int32)
    return Outlines(cell, prior.outline_x, prior.outline_y, prior.outline_start)


def touching(outlines: Outlines, box: Box) -> np.ndarray:
    """(B,) bool: the outline's bounds overlap the box."""
    found = np.diff(outlines.start) > 0
    begin = outlines.start[:-1][found]
    if not len(begin):
        return found
    (left, right), (top, bottom) = (
        (np.minimum.reduceat(v, begin), np.maximum.reduceat(v, begin)) for v in (outlines.x, outlines.y)
    )
    found[found] = (left < box[2]) & (right > box[0]) & (top < box[3]) & (bottom > box[1])
    return found


def changed(run: Run, outlines: Outlines) -> np.ndarray:
    """(B,) bool: the outline belongs to a new, merged or split cell."""
    return run.segmentation.origin[outlines.cell - 1] != Origin.PRIOR


def _photo(place: Place, frame: Frame) -> tuple[Markup, Markup]:
    """The image of a place, and a reference that shows it a second time without storing it twice."""
    if place.crop is None:
        return Markup(""), Markup("")
    name = f"photo-{place.number}"
    first = image(photo_uri(place.crop.pixels), frame, place.crop.box, id=name, class_="photo")
    return first, tag("use", href=f"#{name}", class_="photo")


def _every(rows: int) -> int:
    return -(-rows // MOST_DOTS) or 1


def _dots(view: View, colour: np.ndarray, frame: Frame) -> Markup:
    """A path per colour, those in no cell first so that the others lie over them."""
    every = slice(None, None, _every(len(view.x)))
    x, y, shown = view.x[every], view.y[every], colour[every]
    paths = [path(dots(x[shown < 0], y[shown < 0], frame), stroke=GREY, class_="dots free")]
    for number, ink in enumerate(ON_DARK):
        rows = shown == number
        paths.append(path(dots(x[rows], y[rows], frame), stroke=ink, class_="dots"))
    return Markup("").join(paths)


def _cells(run: Run, outlines: Outlines, frame: Frame) -> Markup:
    shown, new = touching(outlines, frame.box), changed(run, outlines)
    plain = path(rings(outlines, shown & ~new, frame), class_="outline")
    return plain + path(rings(outlines, shown & new, frame), class_="outline changed")


def _caption(cell: np.ndarray, what: str) -> str:
    """What a panel holds, in words; `cell` is that of each transcript in it."""
    held = int(np.count_nonzero(cell))
    cells = plural(len(np.unique(cell[cell > 0])), "cell")
    every = _every(len(cell))
    drawn = f" One dot in {every} is drawn." if every > 1 else ""
    held_share = percent(held, len(cell))
    return (
        f"{what.capitalize()}: {cells}, {held_share} of {plural(len(cell), 'transcript')} in a cell.{drawn}"
    )
