"""The method voxel from prior cells to a result."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from cellcarve.chain.keeper import Keeper
from cellcarve.data.prior import Prior
from cellcarve.data.segmentation import Segmentation
from cellcarve.data.table import Table
from cellcarve.errors import SettingsError
from cellcarve.progress import Progress
from cellcarve.settings import ComputeSettings, VoxelSettings
from cellcarve.voxels.chain import Chain, begin
from cellcarve.voxels.finish import answered, finish, to_segmentation, unanswered
from cellcarve.voxels.intake import take_in
from cellcarve.voxels.kept import Kept
from cellcarve.voxels.likelihood import log_likelihood
from cellcarve.voxels.record import Record
from cellcarve.voxels.result import VoxelRun
from cellcarve.voxels.sampler import WARM_UP, drift_for, look_around, steps
from cellcarve.voxels.soft import answer
from cellcarve.voxels.threads import Threads
from cellcarve.voxels.watch import Nobody, Progressed, Watch

LOG_EVERY = 10


def standing(chain: Chain, threads: Threads) -> dict[str, float]:
    """How well the chain explains the transcripts, and the shares of them that lie in cells and that cells made."""
    return {
        "log_likelihood": log_likelihood(chain, threads),
        "assigned": float((chain.labels.label[chain.spots.at] > 0).mean()),
        "foreground": float(np.mean(chain.spots.made)),
    }


def told(entry: dict[str, Any]) -> str:
    """An entry of the log in words."""
    return (
        f"log-likelihood {entry['log_likelihood']:,.0f}, {entry['assigned']:.1%} assigned, "
        f"{entry['foreground']:.1%} not background"
    )


def sample(
    table: Table,
    prior: Prior,
    settings: VoxelSettings,
    compute: ComputeSettings,
    progress: Progress,
    watch: Watch | None = None,
) -> VoxelRun:
    """Run the chain.

    Parameters
    ----------
    table
        N rows of input.
    prior
        Prior cells, by row or by raster.
    settings
        Model and schedule.
    compute
        Threads and seed. Same input, settings and seed give the same bytes, whatever the number of threads.
    progress
        Who is told how far it is.
    watch
        Who looks on, if anybody.

    Returns
    -------
    VoxelRun
        The last state and the average over the recorded sweeps.

    Raises
    ------
    InputError
        There are no prior cells, or they lie elsewhere than the transcripts.
    SettingsError
        The schedule or the voxel sizes contradict each other.
    MemoryBudgetError
        The lattice is too large.
    """
    if settings.recorded_samples > settings.samples:
        raise SettingsError(
            f"recorded_samples ({settings.recorded_samples}) cannot be more than samples ({settings.samples})"
        )
    threads = Threads(compute.threads)
    try:
        return _sample(table, prior, settings, compute.seed, (threads, progress, watch or Nobody()))
    finally:
        threads.close()


def _sample(
    table: Table, prior: Prior, settings: VoxelSettings, seed: int, doing: tuple[Threads, Progress, Watch]
) -> VoxelRun:
    threads, progress, watch = doing
    progress.stage("laying voxels")
    intake = take_in(table, prior, settings)
    if table.bins is not None and prior.raster is not None:
        prior = replace(prior, raster=replace(prior.raster, affine=table.bins.onto(prior.raster.affine)))
    chain, ratio = begin(intake, prior, settings, seed)
    kept, given = len(chain.number) - 1, len(prior.names)
    if kept < given:
        intake.notes.append(f"{given - kept:,} of {given:,} prior cells hold no voxel and are left out")
    for note in intake.notes:
        progress.note(note)
    state = watch.begin(Progressed(chain, Record(len(intake.row), watch.asks), []))
    chain = state.chain
    progress.stage("sampling", settings.burnin_samples + settings.samples + settings.hillclimb, "sweeps")
    progress.advance(max(0, chain.sweep - WARM_UP))

    def result(ask: Callable[[], dict[str, Any]], last: bool) -> VoxelRun:
        return finish(chain, (intake, prior, table), state.record, ask, state.log, last)

    for step in steps(chain, (intake, prior), settings, ratio, state.record, threads):
        progress.advance(1)
        if step.sweep % LOG_EVERY == 0:
            state.log.append({**vars(step), **standing(chain, threads)})
            progress.stand(told(state.log[-1]))
        watch.swept(state, lambda: result(lambda: unanswered(chain), last=False))
    masses = state.record.masses
    if not watch.asks:
        return result(lambda: unanswered(chain), last=True)
    if masses.looks == 0:
        look_around(chain, drift_for(chain, settings), state.record, threads)
    return result(lambda: answered(chain, answer(chain, masses, settings, threads)), last=True)


def voxel(
    table: Table,
    prior: Prior,
    settings: VoxelSettings,
    compute: ComputeSettings,
    progress: Progress,
    keeper: Keeper | None = None,
) -> Segmentation:
    """Assign every kept transcript to the cell that is likeliest on average over the recorded sweeps, or to none.

    Parameters and errors are those of `sample`; `keeper` keeps checkpoints of the chain, if anybody does. The hill-climb,
    which only polishes the last state, is left out.

    Returns
    -------
    Segmentation
        Of all N rows, in input order.
    """
    watch = None if keeper is None else Kept(keeper)
    run = sample(table, prior, replace(settings, hillclimb=0), compute, progress, watch)
    return to_segmentation(run, table)
