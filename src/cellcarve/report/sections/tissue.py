"""The whole tissue: where the transcripts are, and the cells over them."""

import numpy as np
from markupsafe import Markup

from cellcarve.data.result import Run
from cellcarve.data.table import Status
from cellcarve.report.colours import FAINT, palette, ramp, rgb
from cellcarve.report.numbers import Numbers
from cellcarve.report.pieces import Figure, Key, Section
from cellcarve.report.raster import SAMPLE, Pixels, indexed_uri, sample
from cellcarve.report.svg import Frame, drawing, image, path, rings, scale_bar
from cellcarve.report.words import count, plural

MOST_OUTLINES = 20_000
GREYS = 32
NAMED = 21


def tissue(run: Run, numbers: Numbers) -> Section:
    """The map with its legend of expression types."""
    types, of_cell = _types(run)
    colours = palette(len(types))
    frame = Frame(numbers.box, max(0.1, (numbers.box[2] - numbers.box[0]) / 12_000))
    few = len(run.summary.outlines.cell) <= MOST_OUTLINES
    content = _density(run, numbers, frame) if few else _painted(run, numbers, frame, colours, of_cell)
    if few:
        content += _outlines(run, frame, colours, of_cell)
    content += scale_bar(frame)
    view = drawing(frame, content, "Map of the tissue with all cells", class_="map", data_zoom="map")
    return Section(
        "map", "Tissue map", [Figure(view, _caption(few), "", _keys(run, types, of_cell, colours), zoom=True)]
    )


def _types(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Expression types, the most frequent first, and (C,) the rank of each cell's type."""
    found, of_cell, number = np.unique(run.segmentation.cluster, return_inverse=True, return_counts=True)
    order = np.argsort(-number, kind="stable")
    rank = np.empty(len(found), np.int64)
    rank[order] = np.arange(len(found))
    return found[order], rank[of_cell.ravel()]


def _density(run: Run, numbers: Numbers, frame: Frame) -> Markup:
    """Transcripts per pixel in grey, logarithmic."""
    x, y = _kept(run)
    grid = Pixels(numbers.box, 2.0, 1200)
    found = np.log1p(grid.sums(grid.of(x, y)))
    level = np.rint(found * ((GREYS - 1) / max(float(found.max()), 1e-9))).astype(np.uint8)
    return image(indexed_uri(level, ramp(("#FFFFFF", "#6F7680"), GREYS)), frame, grid.box, class_="pixels")


def _painted(run: Run, numbers: Numbers, frame: Frame, colours: list[str], of_cell: np.ndarray) -> Markup:
    """Pixels in the colour of the cell their transcripts are in; outlines darker where they can be told."""
    part = sample(numbers.rows)
    box = numbers.box
    # Pixels of about two transcripts: smaller ones would leave holes in the cells.
    side = (2 * (box[2] - box[0]) * (box[3] - box[1]) / max(min(numbers.kept, SAMPLE), 1)) ** 0.5
    x, y, cell, status = (
        v[part] for v in (run.table.x, run.table.y, run.segmentation.cell, run.table.status)
    )
    grid = Pixels(box, max(side, 1.0), 2400)
    shown = min(len(colours), 250)
    value = np.concatenate([[1], 2 + of_cell % shown]).astype(np.uint8)[cell]
    index = np.zeros(grid.nx * grid.ny, np.uint8)
    for rows in ((status == Status.KEPT) & (cell == 0), cell > 0):
        index[grid.of(x[rows], y[rows])] = value[rows]
    index = _closed(index.reshape(grid.ny, grid.nx)).ravel()
    if grid.side <= 2.5:
        index[grid.of(run.summary.outlines.x, run.summary.outlines.y)] = 2 + shown
    table = ["#FFFFFF", FAINT, *colours[:shown], "#30343A"]
    picture = indexed_uri(index.reshape(grid.ny, grid.nx), np.array([rgb(c) for c in table]))
    return image(picture, frame, grid.box, class_="pixels")


def _closed(index: np.ndarray) -> np.ndarray:
    """Pixels without transcripts (0) take the value of a neighbour, where one has any."""
    for axis, shift in ((0, 1), (0, -1), (1, 1), (1, -1)):
        beside = np.roll(index, shift, axis)
        index = np.where((index == 0) & (beside > 1), beside, index)
    return index


def _kept(run: Run) -> tuple[np.ndarray, np.ndarray]:
    part = sample(len(run.table))
    kept = run.table.status[part] == Status.KEPT
    return run.table.x[part][kept], run.table.y[part][kept]


def _outlines(run: Run, frame: Frame, colours: list[str], of_cell: np.ndarray) -> Markup:
    outlines = run.summary.outlines
    rank = of_cell[outlines.cell - 1]
    paths = []
    for number, colour in enumerate(colours):
        data = rings(outlines, rank == number, frame)
        paths.append(path(data, fill=colour, class_="cell", data_group=f"type-{number}"))
    return Markup("").join(paths)


def _keys(run: Run, types: np.ndarray, of_cell: np.ndarray, colours: list[str]) -> list[Key]:
    """A line per expression type with the genes that mark it most."""
    markers = _markers(run, of_cell, len(types))
    cells = np.bincount(of_cell, minlength=len(types))
    keys = [
        Key(colours[k], f"Type {types[k]}", f"{plural(int(cells[k]), 'cell')} · {markers[k]}", f"type-{k}")
        for k in range(min(len(types), NAMED))
    ]
    if len(types) > NAMED:
        keys.append(Key(FAINT, f"{count(len(types) - NAMED)} rarer types", "colours repeat"))
    return keys


def _markers(run: Run, of_cell: np.ndarray, types: int) -> list[str]:
    """Per type, the three genes whose share of its transcripts stands out most from the tissue's."""
    from scipy.sparse import csr_matrix

    cells = len(of_cell)
    member = csr_matrix((np.ones(cells, np.int64), (of_cell, np.arange(cells))), shape=(types, cells))
    names = []
    total = np.asarray(run.summary.counts.sum(axis=0), float).ravel()
    expected = total / max(total.sum(), 1)
    for row in member @ run.summary.counts:
        size = row.sum()
        found, seen = row.indices, row.data / max(size, 1)
        # Excess share times log ratio: favours genes that are both telling and frequent.
        score = seen * np.log(np.maximum(seen, 1e-12) / np.maximum(expected[found], 1e-12))
        best = found[np.argsort(-score, kind="stable")[:3]]
        names.append(", ".join(run.table.genes[g] for g in best) or "no transcripts")
    return names


def _caption(few: bool) -> str:
    cells = "Outlines are the cells" if few else "Pixels take the colour of the cell their transcripts are in"
    return (
        f"{cells}, coloured by expression type; grey is transcript density. Look for regions without cells "
        "that are full of transcripts (nuclei were missed there) and for types that follow the anatomy. "
        "Drag to move, use the buttons or Ctrl and the wheel to zoom; point at a type to single it out. y "
        "runs downwards, as in the images."
    )
