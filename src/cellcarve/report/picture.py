"""One still picture of a region: image, transcripts and cells."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cellcarve.data.result import Outlines, Run
from cellcarve.data.table import Image
from cellcarve.errors import OutputError
from cellcarve.report.before import before_of
from cellcarve.report.closeup import changed, touching, view_of
from cellcarve.report.colours import GREY, ON_DARK
from cellcarve.report.crop import best_image, crop_of
from cellcarve.report.svg import Box

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONG_SIDE = 1600
DPI = 100


def picture(run: Run, box: Box, path: Path, image: Image | None = None, transcripts: bool = True) -> None:
    """Write a PNG of a region, its longer side `LONG_SIDE` pixels.

    Parameters
    ----------
    run
        A finished run.
    box
        (xmin, ymin, xmax, ymax) in µm.
    path
        The PNG to write.
    image
        What to lay beneath; by default the table's own nuclear image.
    transcripts
        Draw the transcripts in the colours of their cells.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    scale = LONG_SIDE / DPI / max(box[2] - box[0], box[3] - box[1])
    figure = Figure(((box[2] - box[0]) * scale, (box[3] - box[1]) * scale), dpi=DPI, facecolor="#14171c")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.axis("off")
    chosen = image or best_image(run.table.images)
    crop = None if chosen is None else crop_of(chosen, box)
    if crop is not None:
        left, top, right, bottom = crop.box
        axes.imshow(crop.pixels, cmap="gray", extent=(left, right, bottom, top), interpolation="bilinear")
    if transcripts:
        _transcripts(axes, run, box, scale * 72)
    _outlines(axes, run.summary.outlines, run, box)
    # Last, because drawing an image changes the limits; y runs downwards as in images.
    axes.set(xlim=(box[0], box[2]), ylim=(box[3], box[1]), aspect="auto")
    try:
        FigureCanvasAgg(figure).print_png(str(path))
    except OSError as error:
        raise OutputError(f"{path}: the picture cannot be written ({error.strerror})") from error


def _transcripts(axes: "Axes", run: Run, box: Box, points: float) -> None:
    """Dots of half a µm; `points` is the size of a µm on the page."""
    view = view_of(run, before_of(run), box)
    inks = np.array([*ON_DARK, GREY])  # -1, in no cell, is the last
    axes.scatter(view.x, view.y, s=(0.5 * points) ** 2, c=inks[view.colour_now], linewidths=0, alpha=0.9)


def _outlines(axes: "Axes", outlines: Outlines, run: Run, box: Box) -> None:
    from matplotlib.collections import LineCollection

    shown, new = touching(outlines, box), changed(run, outlines)
    points = np.column_stack([outlines.x, outlines.y])
    for chosen, ink, style in ((shown & ~new, "white", "solid"), (shown & new, "#FFE94D", "dashed")):
        rows = np.flatnonzero(chosen)
        parts = [points[outlines.start[k] : outlines.start[k + 1]] for k in rows]
        axes.add_collection(LineCollection(parts, colors=ink, linewidths=1.4, linestyles=style))
