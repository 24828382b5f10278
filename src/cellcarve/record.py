"""The record of a run: everything needed to know how a result came about, JSON-ready."""

import hashlib
import os
import platform
import resource
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cellcarve import __version__, interrupt, memory
from cellcarve.config import flatten
from cellcarve.data import flat
from cellcarve.progress import Progress
from cellcarve.settings import Settings

if TYPE_CHECKING:
    from cellcarve.data.prior import Prior
    from cellcarve.data.segmentation import Segmentation
    from cellcarve.data.table import Table

_LIBRARIES = "numpy scipy numba pyarrow pandas shapely geopandas anndata zarr spatialdata scikit-image"
_ENDS = 2**20


class Stopwatch:
    """Passes progress on and keeps each stage's wall and CPU time.

    Parameters
    ----------
    progress
        Who is told.

    Attributes
    ----------
    timings
        Per finished stage ``{"stage", "seconds", "cpu_seconds"}``; grows while the run goes on.
    notes
        Every note so far.
    """

    def __init__(self, progress: Progress) -> None:
        self.timings: list[dict[str, Any]] = []
        self.notes: list[str] = []
        self._progress = progress
        self._open: tuple[str, float, float] | None = None

    def stage(self, name: str, total: int = 0, unit: str = "") -> None:
        """End the stage before and begin the next."""
        interrupt.check()
        flat.relax()
        memory.trim()
        self.stop()
        self._open = name, time.perf_counter(), time.process_time()
        self._progress.stage(name, total, unit)

    def stop(self) -> None:
        """End the stage that is open, if any."""
        if self._open is not None:
            name, wall, cpu = self._open
            seconds = round(time.perf_counter() - wall, 3)
            used = round(time.process_time() - cpu, 3)
            self.timings.append({"stage": name, "seconds": seconds, "cpu_seconds": used})
        self._open = None

    def advance(self, amount: int) -> None:
        """Pass on."""
        interrupt.check()
        self._progress.advance(amount)

    def stand(self, text: str) -> None:
        """Pass on."""
        self._progress.stand(text)

    def note(self, text: str) -> None:
        """Keep and pass on, each text once."""
        if text not in self.notes:
            self.notes.append(text)
            self._progress.note(text)


def fingerprint(path: Path) -> dict[str, Any]:
    """Size in bytes of a file and the SHA-256 of its first and last MiB (all of it where smaller)."""
    size = path.stat().st_size
    digest = hashlib.sha256()
    with path.open("rb") as file:
        digest.update(file.read(_ENDS))
        file.seek(max(size - _ENDS, min(size, _ENDS)))
        digest.update(file.read(_ENDS))
    return {"path": str(path), "bytes": size, "sha256_of_ends": digest.hexdigest()}


def peak_memory() -> int:
    """Bytes of memory this process has held at most so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def versions() -> dict[str, str]:
    """Version of the program, of Python and of every library that a result depends on."""
    own = {"cellcarve": __version__, "python": platform.python_version()}
    return own | {name: version(name) for name in _LIBRARIES.split()}


def origin(settings: Settings, files: tuple[Path, ...]) -> dict[str, Any]:
    """What a result depends on: program, libraries, settings and inputs.

    Parameters
    ----------
    settings
        All settings of the run.
    files
        The input files that were read; folders are left out.
    """
    return {
        "program": "cellcarve",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": settings.compute.seed,
        "settings": flatten(settings),
        "threads": settings.compute.threads or os.cpu_count() or 1,
        "versions": versions(),
        "machine": platform.platform(),
        "inputs": [fingerprint(path) for path in files if path.is_file()],
    }


def outcome(table: "Table", prior: "Prior", segmentation: "Segmentation") -> dict[str, Any]:
    """What came out, in numbers that add up.

    Returns
    -------
    dict
        ``rows`` (read, then by status), ``prior``, ``result`` (assigned, unassigned and background
        transcripts; cells by origin) and ``model`` (learned values).
    """
    from cellcarve.data.segmentation import ORIGIN_NAMES

    losses = table.losses()
    assigned = int(np.count_nonzero(segmentation.cell))
    origins = np.bincount(segmentation.origin, minlength=len(ORIGIN_NAMES))
    return {
        "platform": table.platform,
        "rows": {"read": len(table)} | losses,
        "genes": len(table.genes),
        "prior": {
            "source": prior.source,
            "kind": prior.kind,
            "cells": len(prior.names),
            "confidence": prior.confidence,
        },
        "result": {
            "cells": len(segmentation.names),
            "cells_by_origin": {name: int(n) for name, n in zip(ORIGIN_NAMES, origins, strict=True)},
            "transcripts_assigned": assigned,
            "transcripts_unassigned": losses["kept"] - assigned,
            "background": int(np.count_nonzero(segmentation.background)),
        },
        "model": segmentation.model,
    }
