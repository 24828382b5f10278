"""``segmentation_borders.html``: cells' borders over the molecules, by composition and by cluster."""

from collections.abc import Iterator

import numpy as np
from markupsafe import Markup

from cellcarve.compat.baysor.config import Config
from cellcarve.compat.baysor.plots.frame import Frame, frame_for
from cellcarve.compat.baysor.plots.map import Outlines, assets, data_block, map_of
from cellcarve.compat.baysor.plots.raster import picture
from cellcarve.data.table import Table
from cellcarve.mixture.result import MixtureRun, Rings
from cellcarve.report.colours import GREY, palette, rgb
from cellcarve.report.page import render
from cellcarve.report.pieces import Columns, Figure, Key, Piece, Section, Text

_CELLS, _PRIOR = "cell-rings", "prior-rings"
_HELP = (
    "Drag to move; click a map and turn the wheel to zoom. Both maps move together. The bar is in the units of the "
    "coordinates; y runs downwards."
)


def borders_page(
    table: Table, run: MixtureRun, names: np.ndarray, prior: Rings | None, config: Config
) -> str:
    """The page as HTML text.

    Parameters
    ----------
    table
        K molecules.
    run
        The result, with its rings.
    names
        (C,) names of the cells.
    prior
        Rings of the prior segments, if any.
    config
        Sizes of the picture.
    """
    frame = frame_for(table.x, table.y, config)
    layers, blocks = _outlines(run, names, prior, frame)
    figures = [
        Figure(
            map_of(frame, picture(frame, table.x, table.y, colour), layers, "borders", title),
            note,
            title,
            keys,
        )
        for title, note, colour, keys in _views(run)
    ]
    # The data stand once, before the maps that share them.
    pieces: list[Piece] = [Text(_HELP), Columns(figures), Figure(blocks, "")]
    style, script = assets()
    return render("Borders of cells", [Section("borders", "Borders", pieces)], style, script)


def _outlines(
    run: MixtureRun, names: np.ndarray, prior: Rings | None, frame: Frame
) -> tuple[list[Outlines], Markup]:
    layers, blocks = [], Markup("")
    if prior is not None:
        layers.append(Outlines(_PRIOR, "prior segmentation", "#D55E00"))
        blocks += data_block(_PRIOR, prior, frame)
    if run.rings is not None:
        number = run.cells.n_transcripts[run.rings.cell - 1].tolist()
        told = tuple(
            f"{name}: {count} molecules"
            for name, count in zip(names[run.rings.cell - 1], number, strict=True)
        )
        layers.append(Outlines(_CELLS, "cells", "#1f2328"))
        blocks += data_block(_CELLS, run.rings, frame, told)
    return layers, blocks


def _views(run: MixtureRun) -> Iterator[tuple[str, str, np.ndarray, list[Key]]]:
    """Title, remark, (K, 3) colours and keys of each map."""
    if run.colour is not None:
        remark = "Similar colours mean a similar composition of genes around the molecule."
        yield "Neighbourhood composition", remark, run.colour, []
    if run.cluster is not None:
        names, code = np.unique(run.cluster, return_inverse=True)
        inks = palette(len(names))
        keys = [Key(ink, f"cluster {k}") for k, ink in zip(names.tolist(), inks, strict=True)]
        table = np.array([*map(rgb, inks)], np.uint8)
        yield (
            "Molecule clusters",
            "Major cell types found from the molecules alone.",
            table[code],
            keys,
        )
    if run.colour is None:
        inks = palette(14)
        table = np.array([*map(rgb, inks), rgb(GREY)], np.uint8)
        code = np.where(run.cell > 0, (run.cell * 5) % len(inks), len(inks))
        yield "Cells", "Molecules in the colour of their cell.", table[code], [Key(GREY, "noise")]
