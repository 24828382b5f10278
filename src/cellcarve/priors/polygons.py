"""Outlines of nuclei or cells as a prior."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from cellcarve.data.prior import Prior
from cellcarve.data.rings import ring_areas
from cellcarve.data.table import Table
from cellcarve.errors import InputError
from cellcarve.priors.found import Found, kept_rows
from cellcarve.priors.holds import holds_nuclei
from cellcarve.priors.inside import polygon_of
from cellcarve.priors.placement import apply, elsewhere, placement
from cellcarve.priors.rings import Rings, load_rings
from cellcarve.settings import PriorSettings


def from_polygons(
    table: Table, settings: PriorSettings, paths: tuple[Path, ...], what: str = ""
) -> tuple[Found, Rings]:
    """The outlines that hold the kept transcripts; of several, the smallest. Cells are ordered by name.

    Parameters
    ----------
    table
        N rows.
    settings
        Where the outlines lie and what they hold.
    paths
        Files that together make one prior, such as one per plane.
    what
        "nucleus" or "cell" where that is known; else it is judged.

    Returns
    -------
    tuple
        Cells, all of their rows nuclear where the outlines are nuclei; and the outlines in µm.

    Raises
    ------
    InputError
        A file cannot be read, or lies elsewhere than the transcripts.
    SettingsError
        Offset or affine cannot be understood.
    """
    row = kept_rows(table)
    x, y = table.x[row], table.y[row]
    notes: list[str] = []
    rings = load_placed(settings, paths, (x, y), notes)
    if not _touch((rings.x, rings.y), (x, y)):
        raise InputError(elsewhere(paths[0], (rings.x, rings.y), x, y))
    owner = polygon_of(x, y, rings.x, rings.y, rings.start)
    cell = np.append(rings.cell + 1, 0)[owner].astype(np.int32)
    nuclei = what == "nucleus"
    if settings.prior_holds != "auto" or not what:
        area = float(np.median(ring_areas(rings.x, rings.y, rings.start)))
        nuclei = holds_nuclei(settings, paths[0].name, area, notes)
    source = f"polygons of {', '.join(path.name for path in paths)}"
    return Found(cell, rings.names, cell > 0 if nuclei else None, source, notes), rings


def load_placed(
    settings: PriorSettings, paths: tuple[Path, ...], at: tuple[np.ndarray, np.ndarray], notes: list[str]
) -> Rings:
    """The rings of some files in µm; y is negated, with a note, where only that brings them to the transcripts."""
    rings = _join([load_rings(path) for path in paths])
    placed = _place(rings, settings, settings.prior_flip_y)
    if _touch((placed.x, placed.y), at):
        return placed
    turned = _place(rings, settings, not settings.prior_flip_y)
    if not _touch((turned.x, turned.y), at):
        return placed
    notes.append(f"{paths[0].name}: its y runs against that of the transcripts, and was negated")
    return turned


def _place(rings: Rings, settings: PriorSettings, flip: bool) -> Rings:
    x, y = apply(placement(settings), rings.x, -rings.y if flip else rings.y)
    return replace(rings, x=x, y=y)


def add_outlines(prior: Prior, rings: Rings) -> None:
    """Fill in one outline per prior cell of the same name: its largest ring, or none."""
    import pandas as pd

    place = pd.Index(prior.names).get_indexer(pd.Index(rings.names))[rings.cell]
    area = ring_areas(rings.x, rings.y, rings.start)
    order = np.lexsort((-area, place))
    order = order[place[order] >= 0]
    cell, first = np.unique(place[order], return_index=True)
    chosen = order[first]
    length, begin = np.zeros((2, len(prior.names)), np.int64)
    length[cell], begin[cell] = np.diff(rings.start)[chosen], rings.start[chosen]
    prior.outline_start = np.append(0, np.cumsum(length))
    vertex = np.repeat(begin - prior.outline_start[:-1], length) + np.arange(prior.outline_start[-1])
    prior.outline_x, prior.outline_y = rings.x[vertex].astype(np.float32), rings.y[vertex].astype(np.float32)


def _join(several: list[Rings]) -> Rings:
    """Rings of one file after another, under common names."""
    if len(several) == 1:
        return several[0]
    import pandas as pd

    names = pd.Index(sorted(set().union(*(rings.names for rings in several))))
    cell = [names.get_indexer(pd.Index(rings.names))[rings.cell] for rings in several]
    start = np.concatenate([[0], np.cumsum(np.concatenate([np.diff(rings.start) for rings in several]))])
    x, y = (np.concatenate([getattr(rings, axis) for rings in several]) for axis in ("x", "y"))
    return Rings(names.tolist(), np.concatenate(cell), x, y, start.astype(np.int64))


def _touch(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> bool:
    """Whether the extents of two sets of positions overlap."""
    return all(a.min() <= b.max() and b.min() <= a.max() for a, b in zip(one, other, strict=True))
