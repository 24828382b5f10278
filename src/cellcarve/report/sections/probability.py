"""How sure the assignments are, and where."""

import numpy as np
from markupsafe import Markup

from cellcarve.data.result import Run
from cellcarve.report.charts import Steps, colour_bar, histogram
from cellcarve.report.colours import DISTINCT, OURS, SEQUENTIAL, ramp
from cellcarve.report.numbers import Numbers, blocks, tally
from cellcarve.report.pieces import Columns, Figure, Key, Section, Text
from cellcarve.report.raster import Pixels, indexed_uri, sample
from cellcarve.report.svg import Frame, drawing, image, scale_bar
from cellcarve.report.words import count

BINS = 20
PIXEL = 10.0
STEPS = 250
WITHHELD = DISTINCT[1]


def probability(run: Run, numbers: Numbers) -> Section:
    """Histogram and map of the probabilities."""
    if not numbers.assigned:
        return Section(
            "probability", "Certainty", [Text("No transcript was assigned, so there is nothing to show.")]
        )
    figures = Columns([_histogram(run, numbers), _map(run, numbers)])
    return Section("probability", "Certainty", [figures])


def _histogram(run: Run, numbers: Numbers) -> Figure:
    result = run.segmentation
    given, withheld = np.zeros(BINS, np.int64), np.zeros(BINS, np.int64)
    for part in blocks(numbers.rows):
        place = np.minimum(result.probability[part] * BINS, BINS - 1).astype(np.int64)
        assigned = result.cell[part] > 0
        given += tally(place, assigned, BINS)
        withheld += tally(place, ~assigned & (result.best[part] > 0), BINS)
    layers = [Steps(given + withheld, WITHHELD), Steps(given, "#FFFFFF"), Steps(given, OURS)]
    chart = histogram(
        np.linspace(0, 1, BINS + 1), layers, ("probability of the likeliest cell", "transcripts")
    )
    keys = [Key(OURS, "assigned"), Key(WITHHELD, "likeliest cell not sure enough", count(withheld.sum()))]
    caption = (
        "The probability is meant literally: of the transcripts at 0.8, four in five should be in the "
        "right cell. Look for a pile at the right; many in the middle means that cells of like type touch "
        "each other."
    )
    return Figure(chart, caption, "Probabilities", keys)


def _map(run: Run, numbers: Numbers) -> Figure:
    part = sample(numbers.rows)
    rows = run.segmentation.cell[part] > 0
    grid = Pixels(numbers.box, PIXEL, 900)
    pixel = grid.of(run.table.x[part][rows], run.table.y[part][rows])
    found = grid.sums(pixel)
    mean = grid.sums(pixel, run.segmentation.probability[part][rows]) / np.maximum(found, 1)
    low = float(np.floor(20 * np.percentile(mean[found > 0], 2)) / 20) if found.any() else 0.0
    low = min(low, 0.9)
    share = np.clip((mean - low) / (1 - low), 0, 1)
    index = np.where(found > 0, 1 + np.rint(share * (STEPS - 1)), 0).astype(np.uint8)
    colours = ramp(SEQUENTIAL, STEPS)
    uri = indexed_uri(index, np.concatenate([[[255, 255, 255]], colours]), clear=0)
    frame = Frame(numbers.box, max(0.1, (numbers.box[2] - numbers.box[0]) / 4000))
    content = image(uri, frame, grid.box, class_="pixels") + scale_bar(frame, share=30.0)
    picture = drawing(frame, content, "Map of the mean probability", class_="map small")
    caption = (
        f"Mean probability of the assigned transcripts per {grid.side:g} µm pixel; white has none. Dark "
        "regions deserve a look at the image: crowded cells, missed nuclei or out-of-focus tissue."
    )
    scale = colour_bar(ramp(SEQUENTIAL, 12), low, 1.0, "mean probability")
    return Figure(Markup("{}{}").format(picture, scale), caption, "Where assignments are sure")
