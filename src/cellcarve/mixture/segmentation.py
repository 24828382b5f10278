"""The method mixture under the contract of all methods: a table and a prior to a segmentation."""

import numpy as np

from cellcarve.chain.keeper import Keeper
from cellcarve.data import flat
from cellcarve.data.prior import Prior
from cellcarve.data.segmentation import Origin, Segmentation, existence_of
from cellcarve.data.table import Table
from cellcarve.mixture.kept import Kept
from cellcarve.mixture.method import fit
from cellcarve.mixture.result import MixtureRun
from cellcarve.mixture.trust import trust
from cellcarve.progress import Progress
from cellcarve.settings import ComputeSettings, MixtureSettings


def mixture(
    table: Table,
    prior: Prior,
    settings: MixtureSettings,
    compute: ComputeSettings,
    progress: Progress,
    keeper: Keeper | None = None,
) -> Segmentation:
    """Assign every kept transcript to a cell, or to none.

    Parameters
    ----------
    table
        N rows of input.
    prior
        Prior cells laid over them, perhaps none.
    settings, compute
        Of the method and of the run.
    progress
        Who is told how far it is.
    keeper
        Keeps checkpoints of the chain, if anybody does.

    Returns
    -------
    Segmentation
        Of all N rows, in input order.
    """
    watch = None if keeper is None else Kept(keeper)
    run = fit(table, prior, settings, compute, progress, watch)
    for note in run.notes:
        progress.note(note)
    return as_segmentation(run, len(table), prior.names)


def as_segmentation(run: MixtureRun, rows: int, prior_names: list[str]) -> Segmentation:
    """A fitted mixture as a segmentation of all `rows` input rows."""

    def spread(values: np.ndarray) -> np.ndarray:
        out = flat.zeros(rows, values.dtype)
        out[run.row] = values
        return out

    cells, clusters = run.cells, run.cells.cluster
    origin = cells.origin.astype(np.uint8)
    prior = np.where(origin == Origin.PRIOR, cells.prior, 0).astype(np.int32)
    probability = run.rate
    if run.distinctness is not None:
        probability = trust(run.assignment_confidence, run.cell > 0, run.trace.history, run.distinctness)
    cell = spread(run.cell)
    return Segmentation(
        cell=cell,
        best=spread(run.cell),
        probability=spread(probability),
        runner_up=spread(run.runner_up),
        background=spread(run.cell == 0),
        names=_names(prior, prior_names),
        origin=origin,
        prior=prior,
        existence=existence_of(cells.n_transcripts, np.where(origin == Origin.PRIOR, 0.0, 1.0)),
        cluster=np.zeros(len(origin), np.int32) if clusters is None else clusters,
        expected=run.counts.astype(np.float32),
        model={
            "scale": run.scale,
            "scale_std": run.scale_std,
            "distinctness": run.distinctness,
            **run.params,
        },
    )


def _names(prior: np.ndarray, known: list[str]) -> list[str]:
    """The prior's names, and fresh ones for the rest."""
    taken, out, made = set(known), [], 0
    for number in prior.tolist():
        if number:
            out.append(known[number - 1])
            continue
        made += 1
        name = f"new-{made}"
        while name in taken:
            name += "-x"
        taken.add(name)
        out.append(name)
    return out
