"""What the method learned from this tissue."""

from typing import Any

import numpy as np

from cellcarve.data.result import Run
from cellcarve.report.numbers import Numbers
from cellcarve.report.pieces import Grid, Section, Text
from cellcarve.report.words import decimal, plural, shorten

MEANING = {
    "blur": "how badly expression tells the two sides of a border apart: 0 clearly, 1 not at all; "
    "the higher, the more geometry alone decides",
    "power": "how far the size of a nucleus sets the size of its cell: 0 not at all, 1 fully",
    "balance": "above 0 the sizes of neighbouring cells are evened out, below 0 spread",
    "valley": "above 0 borders follow valleys of transcript density, below 0 ridges",
    "pixel": "side of a label pixel, µm",
    "sigma": "smoothing of the transcript density, µm",
    "radius": "usual radius of a nucleus, µm",
    "quartile": "how far out, in nuclear radii, three quarters of the transcripts around nuclei lie",
    "log_size": "natural logarithm of the usual number of transcripts nearest to a cell, plus ten",
    "cell_transcripts": "transcripts per cell",
    "density": "transcripts per µm² in a usual cell",
    "background": "transcripts per µm² that belong to no cell, all genes together",
    "inside": "transcripts per µm² close to nuclei",
    "types": "expression types that were told apart",
}


def model(run: Run, numbers: Numbers) -> Section:
    """The learned values, one a row, with plain words where their meaning is known."""
    rows = [
        [name, value, MEANING.get(name.rsplit(".", 1)[-1], "")]
        for name, value in _flat(run.segmentation.model)
    ]
    if not rows:
        return Section("model", "Learned values", [Text("This run stored no learned values.")])
    text = "Worked out from this tissue, not set by hand. Unusual values are worth a look at the maps above."
    grid = Grid(["name", "value", "meaning"], [list(row) for row in rows], "lll")
    return Section("model", "Learned values", [Text(text), grid])


def _flat(values: dict[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Name and readable value of every entry, nested names joined with dots."""
    lines: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{above}{key}"
        lines += _flat(value, f"{name}.") if isinstance(value, dict) else [(name, _readable(value))]
    return lines


def _readable(value: Any) -> str:
    if isinstance(value, (list, tuple, np.ndarray)):
        return _series(value)
    if isinstance(value, (float, np.floating)):
        return decimal(float(value))
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, np.integer)):
        return f"{int(value):,}"
    return shorten(str(value), 120)


def _series(values: Any) -> str:
    """Short lists in full, long ones by their length and range."""
    flat = list(np.ravel(np.asarray(values, dtype=object)))
    if len(flat) <= 8:
        return ", ".join(_readable(value) for value in flat) or "none"
    numeric = [float(v) for v in flat if isinstance(v, (int, float, np.integer, np.floating))]
    if len(numeric) < len(flat):
        return f"{plural(len(flat), 'value')}: {shorten(', '.join(map(str, flat)), 90)}"
    return f"{plural(len(flat), 'value')} from {decimal(min(numeric))} to {decimal(max(numeric))}"
