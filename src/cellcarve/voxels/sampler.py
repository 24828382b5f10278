"""The schedule: warm-up, coarse burn-in, fine sampling, hill-climb. A generator; saving and stopping are the caller's."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cellcarve.data import flat
from cellcarve.data.prior import Prior
from cellcarve.settings import VoxelSettings
from cellcarve.voxels.chain import Chain, shape_of
from cellcarve.voxels.cluster import first_components
from cellcarve.voxels.drift import DRIFT_EVERY, drift_all, drift_of
from cellcarve.voxels.finer import make_finer
from cellcarve.voxels.gibbs import draw_expression
from cellcarve.voxels.intake import Intake
from cellcarve.voxels.kernel import Drift
from cellcarve.voxels.record import Record
from cellcarve.voxels.settle import settle
from cellcarve.voxels.state import Plan
from cellcarve.voxels.sweep import colours, sweep
from cellcarve.voxels.threads import Threads

WARM_UP = 20
COLDEST = 0.01
# After the warm-up expression is drawn, and components learn, every so many sweeps, and transcripts move every
# `DRIFT_EVERY`: labels change little between two sweeps, and each costs as much as all else. The posterior does not ask
# how often its parts are drawn.
EXPRESS_EVERY = 8
# Recorded sweeps that transcripts look around in: every so many, as labels change little between two sweeps, and not
# more than this in all.
LOOK_EVERY, MOST_LOOKS = 4, 1000
# A sweep of usual effort visits each fine voxel once in so many sweeps.
VISIT_EVERY, USUAL_STEPS = 8, 4000


@dataclass
class Step:
    """What one sweep did: its phase ("burn-in", "sampling" or "hill-climb"), number, and labels changed."""

    phase: str
    sweep: int
    changed: int


def plan_of(chain: Chain, settings: VoxelSettings, ratio: int, temperature: float = 1.0) -> Plan:
    """What the voxel moves of the next sweep are told; `ratio` is the voxel's width in fine voxels."""
    effort = settings.morphology_steps_per_iter * ratio**2
    whole = max(1, round(VISIT_EVERY * USUAL_STEPS / effort)) if effort else 0
    weight = 0.5 / settings.cell_compactness**2 / chain.frame.grid.nl
    return Plan(
        seed=int(chain.rates.address[0]),
        sweep=chain.sweep,
        stride=whole,
        phase=chain.sweep % whole if whole else 0,
        bubble=settings.ab_nihlo_bubble_prob,
        connected=int(settings.enforce_connectivity),
        cooling=1.0 / temperature,
        voxel=chain.frame.voxel,
        shape=weight,
        evidence=settings.label_evidence,
    )


def drift_for(chain: Chain, settings: VoxelSettings) -> Drift:
    """Tables of the moves of transcripts on the present lattice."""
    near, far = settings.diffusion_sigma_near or 1.0, settings.diffusion_sigma_far or 4.0
    proposal = (settings.diffusion_proposal_sigma, settings.diffusion_proposal_sigma_z)
    sigmas = (near, far, settings.diffusion_sigma_z)
    return drift_of(sigmas, proposal, settings.diffusion_probability, chain.frame.side, chain.frame.grid.nl)


def _voxels(chain: Chain, plan: Plan, coloured: list[np.ndarray], threads: Threads) -> int:
    if plan.stride == 0:
        return 0
    state = (chain.frame.grid, chain.labels, chain.cells, chain.spots, chain.rates, chain.sizes)
    return sweep(state, plan, coloured, threads)


def _drift(chain: Chain, drift: Drift, record: Record | None, threads: Threads) -> None:
    before = None if record is None else chain.labels.label[chain.spots.at]
    state = (chain.frame.grid, chain.labels, chain.cells, chain.spots, chain.rates)
    drift_all(state, drift, chain.sweep, threads)
    if record is not None and before is not None:
        record.add_moves(before, chain.labels.label[chain.spots.at], len(chain.number))


def look_around(chain: Chain, drift: Drift, record: Record, threads: Threads) -> None:
    """Record whose surroundings the transcripts lie in at present."""
    state = (chain.frame.grid, chain.labels, chain.spots)
    record.masses.add(state, drift, (int(chain.rates.address[0]), chain.sweep), threads)


def _dispersed(settings: VoxelSettings, burning: bool) -> bool:
    """Whether r is drawn."""
    return settings.dispersion is None and (settings.variable_burnin_dispersion or not burning)


def _express(
    chain: Chain,
    settings: VoxelSettings,
    turn: tuple[int, int],
    sampled: bool,
    threads: Threads,
    settled: bool = False,
) -> None:
    """Draw expression where it is its turn: the sweep and how many there are, of which the last always draws."""
    n, number = turn
    if n % EXPRESS_EVERY == 0 or n == number - 1:
        draw_expression(chain, settings, sampled, threads, settled=settled)


def burn_in(chain: Chain, settings: VoxelSettings, ratio: int, threads: Threads) -> Iterator[Step]:
    """Warm-up with labels fixed, then sweeps on the coarse lattice without moves of transcripts."""
    sampled = _dispersed(settings, True)
    for n in range(chain.sweep, WARM_UP):
        chain.sweep += 1
        draw_expression(chain, settings, sampled, threads, warm=True)
        if n == 0:
            first_components(chain, settings.ncomponents)
    coloured = colours(chain.frame.grid, chain.labels.open)
    for n in range(chain.sweep - WARM_UP, settings.burnin_samples):
        chain.sweep += 1
        changed = _voxels(chain, plan_of(chain, settings, ratio), coloured, threads)
        _express(chain, settings, (n, settings.burnin_samples), sampled, threads)
        yield Step("burn-in", chain.sweep, changed)


def sampling(chain: Chain, settings: VoxelSettings, record: Record, threads: Threads) -> Iterator[Step]:
    """Sweeps on the fine lattice, the last ones recorded, then the hill-climb."""
    drift = drift_for(chain, settings)
    coloured = colours(chain.frame.grid, chain.labels.open)
    sampled = _dispersed(settings, False)
    last = settings.samples + settings.hillclimb
    for n in range(chain.sweep - WARM_UP - settings.burnin_samples, last):
        chain.sweep += 1
        climbed = n - settings.samples
        temperature = COLDEST ** ((climbed + 1) / settings.hillclimb) if climbed >= 0 else 1.0
        changed = _voxels(chain, plan_of(chain, settings, 1, temperature), coloured, threads)
        recording = climbed < 0 and n >= settings.samples - settings.recorded_samples
        if climbed == 0:
            record.close(chain.spots.gene, shape_of(chain))
        settled = n == last - 1 and climbed >= 0 and not record.asked
        if settled:
            settle(chain, drift, settings, threads)
        elif settings.diffusion and n % DRIFT_EVERY == 0:
            counted = record if recording and settings.transition_counts else None
            _drift(chain, drift, counted, threads)
        if recording:
            state = (chain.labels, chain.cells, chain.spots, chain.rates)
            if record.sweeps % max(LOOK_EVERY, settings.recorded_samples // MOST_LOOKS) == 0:
                look_around(chain, drift, record, threads)
            record.add(state, settings.unmodeled_fixed_cells, threads)
        _express(chain, settings, (n, last), sampled, threads, settled)
        yield Step("sampling" if climbed < 0 else "hill-climb", chain.sweep, changed)


def steps(
    chain: Chain,
    given: tuple[Intake, Prior],
    settings: VoxelSettings,
    ratio: int,
    record: Record,
    threads: Threads,
) -> Iterator[Step]:
    """All sweeps that are still to do, one by one; the chain and the record change in place."""
    yield from burn_in(chain, settings, ratio, threads)
    if ratio > 1 and chain.sweep == WARM_UP + settings.burnin_samples:
        make_finer(chain, ratio, given, settings)
        # The input, which has been looked at, may lie in files.
        flat.relax()
    yield from sampling(chain, settings, record, threads)
