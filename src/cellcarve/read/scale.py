"""Notice positions that are pixels or millimetres, not µm."""

import math

import numpy as np

from cellcarve.data.table import Status, Table
from cellcarve.errors import InputError

# Transcripts lie 0.05 to 20 to the µm²; pixels of 0.1 to 0.2 µm make that at most a twentieth.
_THIN, _ABSURD, _WIDE = 0.01, 0.002, 2000.0
# Ten times more than the densest tissue; millimetres make it a million times more.
_CROWDED = 200.0
_FEWEST, _MOST, _SIDE = 1000, 1_000_000, 10.0


def check_scale(table: Table) -> None:
    """Note where transcripts are thin for tissue, and refuse what cannot be µm.

    Parameters
    ----------
    table
        N rows with their status; gets a note.

    Raises
    ------
    InputError
        Transcripts are far too thin over a wide extent, or far too dense.
    """
    kept = np.flatnonzero(table.status == Status.KEPT)
    if len(kept) < _FEWEST:
        return
    # Of very many rows every so-manieth will do; squares grow with it, so that they hold as many.
    step = math.ceil(len(kept) / _MOST)
    x, y = table.x[kept[::step]].astype(np.float64), table.y[kept[::step]].astype(np.float64)
    density = _usual_density(x, y, _SIDE * math.sqrt(step)) * step
    width, height = float(np.ptp(x)), float(np.ptp(y))
    digits = 0 if max(width, height) >= 10 else 3
    spread = f"{len(kept):,} transcripts over {width:,.{digits}f} x {height:,.{digits}f} um"
    usual = f"where most lie, {density:.2g} to the um2"
    if density < _ABSURD and max(width, height) > _WIDE:
        raise InputError(
            f"{table.files[0]}: {spread} are far too thin for tissue ({usual}); the positions look like pixels, so give "
            "their size in um with --scale, such as --scale 0.12"
        )
    if density > _CROWDED:
        raise InputError(
            f"{table.files[0]}: {spread} are far too dense for tissue ({usual}); the positions look like millimetres, so "
            "give how many um make one with --scale, such as --scale 1000"
        )
    if density < _THIN:
        table.notes.append(
            f"{spread} are thin for tissue ({usual}); if the positions are pixels, give their size in um with --scale"
        )


def _usual_density(x: np.ndarray, y: np.ndarray, side: float) -> float:
    """Others per µm² in the square where the typical transcript lies, which is not the typical square."""
    column, row = np.floor(x / side).astype(np.int64), np.floor(y / side).astype(np.int64)
    place = (column - column.min()) * (row.max() - row.min() + 1) + row - row.min()
    _, count = np.unique(place, return_counts=True)
    return float(np.median(np.repeat(count, count)) - 1) / side**2
