"""Choose the prior and lay it over the transcripts."""

from pathlib import Path
from typing import Any

import numpy as np

from cellcarve.data.prior import Prior
from cellcarve.data.table import Status, Table
from cellcarve.errors import InputError
from cellcarve.priors import labels, outlines
from cellcarve.priors.core import inner
from cellcarve.priors.inside import polygon_of
from cellcarve.settings import PriorSettings

# Nuclei are smaller than this in nearly every tissue, cells larger (µm²).
_NUCLEUS_AREA = 60.0


def lay(table: Table, settings: PriorSettings, source: Any = None) -> Prior:
    """What is believed about cells, for every row.

    ``prior = "auto"`` takes the first of these that the input holds: the instrument's cells with nucleus flags, nucleus
    polygons, the instrument's cells, cell polygons, nothing.

    Parameters
    ----------
    table
        N rows.
    settings
        Where the prior comes from.
    source
        Not needed: what lies beside the input is named in the table.

    Returns
    -------
    Prior
        Cells are numbered by name; only those with a core transcript among the kept rows are there.

    Raises
    ------
    InputError
        A file is missing or damaged, or lies elsewhere than the transcripts.
    SettingsError
        A setting cannot be understood.
    """
    del source
    if settings.prior == "none":
        return _nothing(table, settings, "none asked for", [])
    if settings.prior != "auto":
        return _from_file(table, settings, Path(settings.prior))
    return _from_input(table, settings)


def _from_input(table: Table, settings: PriorSettings) -> Prior:
    notes = []
    flagged = table.nucleus is not None and bool((table.nucleus & (table.cell > 0)).any())
    if flagged and settings.prior_holds != "cells":
        prior = _make(
            table, settings, (table.cell, table.cell_names), table.nucleus, "the input's cells and nuclei", []
        )
        return _with_outlines(prior, table)
    if table.nucleus is not None and not flagged:
        notes.append("no transcript of the input is flagged as nuclear")
    if "nucleus" in table.boundaries and settings.prior_holds != "cells":
        return _from_polygons(table, settings, table.boundaries["nucleus"], "nuclei", notes)
    if (table.cell > 0).any():
        notes.append("the input's cells have no nuclei: their inner parts anchor them")
        return _make(table, settings, (table.cell, table.cell_names), None, "the input's cells", notes)
    if "cell" in table.boundaries:
        return _from_polygons(table, settings, table.boundaries["cell"], "cells", notes)
    return _nothing(table, settings, "the input holds none", notes)


def _from_file(table: Table, settings: PriorSettings, path: Path) -> Prior:
    if not path.exists():
        raise InputError(f"prior {path} does not exist; give a file, 'auto' or 'none' to --prior")
    if path.name.lower().endswith(labels.ENDINGS):
        label, notes = labels.label_rows(path, table.x, table.y, settings)
        if not (label > 0).any():
            raise InputError(
                f"prior {path}: no transcript lies on a label; check --prior-scale, --prior-offset and --prior-flip-y"
            )
        words, code = np.unique(label, return_inverse=True)
        names = [str(w) for w in words.tolist() if w > 0]
        cell = (code + (0 if words[0] == 0 else 1)).astype(np.int32)
        pixel = (settings.prior_scale or 1.0) ** 2
        kind = _judge(settings, path, float(np.median(np.bincount(cell)[1:])) * pixel, notes, "by name")
        return _make(
            table,
            settings,
            (cell, names),
            cell > 0 if kind == "nuclei" else None,
            f"label image {path.name}",
            notes,
        )
    if path.name.lower().endswith(outlines.ENDINGS):
        return _from_polygons(table, settings, (path,), "", [])
    raise InputError(
        f"prior {path} is neither a label image (.tif, .npy) nor polygons (.geojson, .parquet, .csv); export one of these"
    )


def _judge(settings: PriorSettings, path: Path, area: float, notes: list[str], how: str) -> str:
    """Nuclei or cells, as told, by the file's name, or by the usual area (µm²)."""
    if settings.prior_holds != "auto":
        return settings.prior_holds
    name = path.name.lower()
    if "nucle" in name or "dapi" in name or how == "by name":
        kind = "cells" if "cell" in name and "nucle" not in name else "nuclei"
    else:
        kind = "cells" if area > _NUCLEUS_AREA or "cell" in name else "nuclei"
    notes.append(f"{path.name} is taken to hold {kind}; say --prior-holds if it does not")
    return kind


def _from_polygons(
    table: Table, settings: PriorSettings, paths: tuple[Path, ...], kind: str, notes: list[str]
) -> Prior:
    rings = [outlines.load_rings(path) for path in paths]
    name = [n for r in rings for n in r.name]
    x, y = (np.concatenate([getattr(r, axis) for r in rings]) for axis in ("x", "y"))
    start = np.cumsum([0] + [n for r in rings for n in np.diff(r.start).tolist()]).astype(np.int64)
    scale = settings.prior_scale or 1.0
    x0, y0 = labels.offset_of(settings)
    x, y = x * scale + x0, y * (-scale if settings.prior_flip_y else scale) + y0
    if not _meets(y, table.y) and _meets(-y, table.y) and not settings.prior_flip_y:
        y = -y
        notes.append(f"{paths[0].name}: y runs the other way than the transcripts', and was negated")
    if not (_meets(x, table.x) and _meets(y, table.y)):
        raise InputError(labels.no_overlap(paths[0], (x.min(), y.min(), x.max(), y.max()), table.x, table.y))
    owner = polygon_of(table.x, table.y, x, y, start)
    words = sorted(set(name))
    place = {w: i + 1 for i, w in enumerate(words)}
    code = np.array([place[n] for n in name] + [0], np.int32)
    size = np.median((np.maximum.reduceat(x, start[:-1]) - np.minimum.reduceat(x, start[:-1])) ** 2) * 0.7
    kind = kind or _judge(settings, paths[0], float(size), notes, "by area")
    cell = code[owner]
    if kind == "cells":
        notes.append("the prior's cells have no nuclei: their inner parts anchor them")
    prior = _make(
        table,
        settings,
        (cell, words),
        cell > 0 if kind == "nuclei" else None,
        f"polygons of {paths[0].name}",
        notes,
    )
    _draw(prior, name, x, y, start)
    return prior


def _meets(v: np.ndarray, w: np.ndarray) -> bool:
    """Whether two ranges overlap."""
    return len(v) > 0 and v.min() <= w.max() and w.min() <= v.max()


def _make(
    table: Table,
    settings: PriorSettings,
    cells: tuple[np.ndarray, list[str]],
    nucleus: np.ndarray | None,
    source: str,
    notes: list[str],
) -> Prior:
    """Keep cells with a core transcript among the kept rows, and number them anew in the order of their names."""
    cell, names = cells
    kept = table.status == Status.KEPT
    cell = np.where(kept, cell, 0).astype(np.int32)
    core = inner(cell, table.x, table.y, len(names)) if nucleus is None else nucleus & (cell > 0)
    alive = np.bincount(cell[core], minlength=len(names) + 1) > 0
    alive[0] = False
    if not alive.any():
        return _nothing(table, settings, "no cell of the prior holds a transcript", notes)
    number = np.where(alive, np.cumsum(alive), 0).astype(np.int32)
    return Prior(
        cell=number[cell],
        core=core,
        names=[n for n, a in zip(names, alive[1:], strict=True) if a],
        kind="nuclei" if nucleus is not None else "cells",
        source=source,
        confidence=settings.prior_confidence,
        notes=[
            f"prior: {source}, {int(alive.sum()):,} {'nuclei' if nucleus is not None else 'cells'}",
            *notes,
        ],
    )


def _nothing(table: Table, settings: PriorSettings, why: str, notes: list[str]) -> Prior:
    note = f"prior: none ({why}); cells are found from density and expression"
    n = len(table)
    return Prior(
        np.zeros(n, np.int32),
        np.zeros(n, bool),
        [],
        "none",
        "none",
        settings.prior_confidence,
        notes=[note, *notes],
    )


def _with_outlines(prior: Prior, table: Table) -> Prior:
    """Nucleus outlines for drawing, where they lie beside the input."""
    if "nucleus" in table.boundaries:
        rings = outlines.load_rings(table.boundaries["nucleus"][0])
        _draw(prior, rings.name, rings.x, rings.y, rings.start)
    return prior


def _draw(prior: Prior, name: list[str], x: np.ndarray, y: np.ndarray, start: np.ndarray) -> None:
    """Fill in one outline per prior cell: its longest ring, or none."""
    place = {n: i for i, n in enumerate(prior.names)}
    owner = np.array([place.get(n, -1) for n in name], np.int64)
    length = np.diff(start)
    order = np.lexsort((-length, owner))
    order = order[owner[order] >= 0]
    chosen = order[np.unique(owner[order], return_index=True)[1]]
    count = np.zeros(len(prior.names), np.int64)
    count[owner[chosen]] = length[chosen]
    prior.outline_start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    index = np.arange(count.sum()) - np.repeat(prior.outline_start[:-1], count)
    first = np.zeros(len(prior.names), np.int64)
    first[owner[chosen]] = start[chosen]
    vertex = np.repeat(first, count) + index
    prior.outline_x, prior.outline_y = x[vertex].astype(np.float32), y[vertex].astype(np.float32)
