"""Read transcripts from whatever is given, finding out what it is."""

from pathlib import Path
from typing import Any

import numpy as np

from cellcarve.data.table import Status, Table
from cellcarve.errors import InputError
from cellcarve.progress import Progress
from cellcarve.read import cosmx, memory, merscope, table, xenium
from cellcarve.read.controls import control_genes, excluded_genes
from cellcarve.read.intake import Intake, take_in
from cellcarve.read.platform import Found
from cellcarve.read.roi import inside
from cellcarve.settings import ReadSettings

_PLATFORMS = {"xenium": xenium.recognise, "cosmx": cosmx.recognise, "merscope": merscope.recognise}
_NO_CELL = {"", "-1", "unassigned", "none", "nan", "na", "null", "<na>"}
_LEAST_QUALITY = 20.0
# Transcripts lie 0.05 to 20 to the µm²; pixels of 0.1 to 0.2 µm make that at most a fortieth.
_THIN, _SPARSE, _WIDE = 0.01, 0.002, 2000.0


def read(source: Any, settings: ReadSettings, progress: Progress | None = None) -> Table:
    """Read all transcripts of an experiment.

    Parameters
    ----------
    source
        Folder or file of a platform, any table, a SpatialData store, or a table in memory.
    settings
        What the user said of it.
    progress
        Not needed; notes are in the table.

    Returns
    -------
    Table
        Every input row, in input order.

    Raises
    ------
    InputError
        The input cannot be used; the sentence says what is wrong and where.
    """
    del progress
    found = _recognise(source, settings)
    columns = table.renamed(found.columns, settings)
    flags = {what: f"--{what}-column" for what in ("x", "y", "z", "gene", "cell", "nucleus", "id", "quality")}
    taken = take_in(found.stream, columns, flags)
    scale = found.scale * settings.scale
    x, y = (taken.numbers[axis] * np.float32(scale) for axis in ("x", "y"))
    z = taken.numbers.get("z")
    cell, cell_names = _cells(taken, found.cell_scope)
    read_table = Table(
        platform=found.platform,
        files=(found.stream.path,),
        ids=taken.ids,
        x=x,
        y=y,
        z=None if z is None else z * np.float32(found.z_scale),
        gene=taken.codes["gene"],
        genes=taken.words["gene"],
        quality=taken.numbers.get("quality"),
        fov=taken.codes.get("fov"),
        fovs=taken.words.get("fov", []),
        cell=cell,
        cell_names=cell_names,
        nucleus=taken.nucleus,
        status=np.zeros(len(x), np.uint8),
        images=found.images,
        boundaries=found.boundaries,
        label_images=found.label_images,
        notes=[f"input: {found.platform} ({found.why})"],
    )
    _sift(read_table, taken, settings)
    _check_scale(read_table, settings)
    return read_table


def _recognise(source: Any, settings: ReadSettings) -> Found:
    if not isinstance(source, str | Path):
        return memory.recognise(source)
    path = Path(source)
    if not path.exists():
        raise InputError(f"{path} does not exist; check the path")
    if settings.platform in _PLATFORMS:
        found = _PLATFORMS[settings.platform](path)
        if found is None:
            raise InputError(
                f"{path} does not look like {settings.platform} output; check --platform, or leave it out"
            )
        return found
    if path.suffix == ".zarr":
        return memory.open_store(path)
    if settings.platform == "auto":
        for recognise in _PLATFORMS.values():
            found = recognise(path)
            if found is not None:
                return found
    return table.recognise(path)


def _cells(taken: Intake, scoped: bool) -> tuple[np.ndarray, list[str]]:
    """The instrument's cells as codes (0 = none) and names; names get the field of view where ids need it."""
    if "cell" not in taken.codes:
        rows = len(taken.codes["gene"])
        return np.zeros(rows, np.int32), []
    code, words = taken.codes["cell"], taken.words["cell"]
    empty = {w for w in words if w.lower() in _NO_CELL}
    if "-1" not in empty:
        # Where nothing else says "no cell", a 0 does.
        empty |= {w for w in words if w == "0"}
    none = np.array([w in empty for w in words] + [True])[code]
    if scoped and "fov" in taken.codes:
        fov = taken.codes["fov"].astype(np.int64)
        key, place = np.unique(fov * (len(words) + 1) + code, return_inverse=True)
        names = [
            f"{taken.words['fov'][k // (len(words) + 1)]}_{words[k % (len(words) + 1)]}" for k in key.tolist()
        ]
        code, words = place.astype(np.int32), names
    used, place = np.unique(code[~none], return_inverse=True)
    out = np.zeros(len(code), np.int32)
    out[~none] = place + 1
    return out, [words[k] for k in used.tolist()]


def _sift(read_table: Table, taken: Intake, settings: ReadSettings) -> None:
    """Fill in the status of every row; the first reason that applies counts."""
    control = control_genes(read_table.genes)[read_table.gene]
    if taken.not_gene is not None:
        control |= taken.not_gene
    excluded, notes = excluded_genes(read_table.genes, settings.genes_exclude)
    read_table.notes += notes
    reasons = [(Status.CONTROL, control), (Status.EXCLUDED_GENE, excluded[read_table.gene])]
    if read_table.quality is not None:
        least = _LEAST_QUALITY if settings.min_qv is None else settings.min_qv
        reasons.append((Status.LOW_QUALITY, ~(read_table.quality >= np.float32(least))))
    if settings.roi is not None:
        reasons.append((Status.OUTSIDE, ~inside(settings.roi, read_table.x, read_table.y)))
    for reason, hit in reversed(reasons):
        read_table.status[hit] = reason


def _check_scale(read_table: Table, settings: ReadSettings) -> None:
    """Refuse positions that are plainly pixels: a wide extent in which transcripts are far too thin."""
    kept = read_table.status == Status.KEPT
    x, y = read_table.x[kept], read_table.y[kept]
    if len(x) < 1000 or settings.scale != 1.0:
        return
    side = 10.0
    square = np.floor(x / side).astype(np.int64) * 100_000_007 + np.floor(y / side).astype(np.int64)
    _, count = np.unique(square, return_counts=True)
    # Where the typical transcript lies, not the typical square.
    density = float(np.median(np.repeat(count, count)) - 1) / side**2
    width, height = float(np.ptp(x)), float(np.ptp(y))
    if density < _THIN:
        read_table.notes.append(
            f"transcripts are thin: {len(x):,} over {width:,.0f} x {height:,.0f} um; if the positions are pixels, give "
            "their size in um with --scale"
        )
    if density < _SPARSE and max(width, height) > _WIDE:
        raise InputError(
            f"{read_table.files[0]}: {len(x):,} transcripts spread over {width:,.0f} x {height:,.0f} um are "
            f"{len(x) / max(width * height, 1):.2g} to the um2, far too thin for tissue; the positions look like pixels, so "
            "give their size with --scale, such as --scale 0.12"
        )
