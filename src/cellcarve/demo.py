"""The demo: a small tissue whose truth is known, segmented and scored beside rules without a model."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cellcarve.progress import Progress
from cellcarve.settings import OutputSettings, Settings

if TYPE_CHECKING:
    from cellcarve.data.result import Run

TRANSCRIPTS = 80_000
EXPANSION = 5.0


def demo(folder: Path, overwrite: bool, progress: Progress) -> dict[str, dict[str, Any]]:
    """Simulate a tissue, segment it, and score the result.

    Parameters
    ----------
    folder
        Where to write: ``tissue/`` (input and truth), ``result/`` (the run), ``rules/`` (what simple rules
        give) and ``accuracy.json``.
    overwrite
        Replace an earlier demo.
    progress
        Who is told how far it is.

    Returns
    -------
    dict
        Per rule, "cellcarve" first, the measures of `cellcarve.evaluate.evaluate`.

    Raises
    ------
    OutputError
        The folder is in use or cannot be written.
    """
    from cellcarve.evaluate import evaluate
    from cellcarve.fresh import fresh
    from cellcarve.run import segment
    from cellcarve.simulate import SimulateSettings, simulate

    with fresh(folder, overwrite):
        tissue, result = folder / "tissue", folder / "result"
        simulate(SimulateSettings(transcripts=TRANSCRIPTS), tissue, progress)
        run = segment(tissue, Settings(), OutputSettings(result), progress)
        progress.stage("score")
        candidates = {"cellcarve": result} | _write_rules(run, folder / "rules")
        truth = tissue / "truth.parquet"
        scores = {name: evaluate(path, truth=truth) for name, path in candidates.items()}
        (folder / "accuracy.json").write_text(json.dumps(scores, indent=2) + "\n")
    return scores


def simple_rules(run: "Run") -> dict[str, np.ndarray]:
    """What rules that need no model make of a run's input and prior.

    Parameters
    ----------
    run
        A run whose prior has at least one core transcript.

    Returns
    -------
    dict
        Per rule (N,) int32 prior cells of all input rows, 0 = none.
    """
    from scipy.spatial import cKDTree

    table, prior = run.table, run.prior
    kept = table.status == 0
    place = np.column_stack([table.x, table.y])
    core = np.flatnonzero(kept & prior.core & (prior.cell > 0))
    distance, neighbour = cKDTree(place[core]).query(place)
    nearest = np.where(kept, prior.cell[core[neighbour]], 0).astype(np.int32)
    alone = np.zeros(len(kept), np.int32)
    alone[core] = prior.cell[core]
    return {
        "nearest nucleus": nearest,
        f"nuclei grown by {EXPANSION:g} µm": np.where(distance <= EXPANSION, nearest, 0).astype(np.int32),
        "nuclei alone": alone,
    }


def _write_rules(run: "Run", folder: Path) -> dict[str, Path]:
    """One table of transcript and cell per rule, as any other program would deliver it."""
    folder.mkdir()
    ids = pa.array([None, *run.prior.names])
    paths = {}
    for name, cell in simple_rules(run).items():
        paths[name] = folder / f"{name.replace(' ', '_').replace('µm', 'um')}.parquet"
        columns = {"transcript_id": run.table.ids, "cell_id": ids.take(pa.array(cell))}
        pq.write_table(pa.table(columns), paths[name])
    return paths
