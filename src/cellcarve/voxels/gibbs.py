"""One sweep over everything but labels and positions: which transcripts a cell made, components, rates, background."""

import numpy as np

from cellcarve.settings import VoxelSettings
from cellcarve.voxels.background import update_background
from cellcarve.voxels.books import check_books
from cellcarve.voxels.chain import Chain
from cellcarve.voxels.components import draw_weights, update_dims, update_volumes
from cellcarve.voxels.expression import (
    BINS,
    Mixture,
    choose_components,
    draw_rates,
    draw_scales,
    learn_from,
)
from cellcarve.voxels.factors import update_latent, update_loading
from cellcarve.voxels.split import split
from cellcarve.voxels.threads import Threads
from cellcarve.voxels.zeros import knots_of

# How many times the data's weight a believed share of background has.
BELIEF = 20.0


def exposure_bins(
    exposed: np.ndarray, component: np.ndarray, components: int
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Bin of every cell by ln of its exposure; cells by component and bin, and each bin's mean exposure.

    Parameters
    ----------
    exposed
        (c,) E of the cells; entry 0 does not count.
    component
        (c,) their components.
    components
        How many there are.
    """
    log_exposed = np.log(exposed.astype(np.float64))
    low, high = log_exposed[1:].min(), log_exposed[1:].max()
    place = np.minimum((log_exposed - low) / max(high - low, 1e-9) * BINS, BINS - 1)
    which = np.maximum(place, 0).astype(np.int32)
    number = np.bincount(component[1:] * BINS + which[1:], minlength=components * BINS)
    total = np.bincount(which[1:], exposed[1:].astype(np.float64), BINS)
    held = np.bincount(which[1:], minlength=BINS)
    return which, (number.reshape(components, BINS).astype(np.float64), total / np.maximum(held, 1))


def _mixture(chain: Chain, which: np.ndarray) -> Mixture:
    volume = chain.cells.volume * chain.frame.voxel
    return Mixture(
        chain.log_weight,
        chain.sizes.mean,
        chain.sizes.half_precision,
        chain.knots,
        which,
        volume,
        chain.latent,
    )


def _update_components(chain: Chain, settings: VoxelSettings, sampled: bool, threads: Threads) -> None:
    """Draw r (if sampled) and s of all dimensions, and tabulate what follows."""
    cells, rates = chain.cells, chain.rates
    which, bins = exposure_bins(cells.exposed, cells.component, len(chain.log_weight))
    mixture = _mixture(chain, which)
    parts = threads.ranges(
        lambda first, last: learn_from(cells, rates, mixture, int(sampled), (first, last)), len(cells.volume)
    )
    learnt = tuple(np.sum([part[n] for part in parts], axis=0, dtype=np.int32) for n in (0, 1))
    hyper = (
        settings.hyperparam_e_phi,
        settings.hyperparam_f_phi,
        settings.hyperparam_neg_mu_phi,
        settings.hyperparam_tau_phi,
    )

    def one(first: int) -> None:
        span = (first, min(first + 64, len(rates.size)))
        update_dims(rates.size, rates.odds, learnt, bins, hyper, rates.address, int(sampled), span)

    threads.each(one, range(0, len(rates.size), 64))
    _tabulate(chain, threads)


def _tabulate(chain: Chain, threads: Threads) -> None:
    plain = len(chain.rates.background) - len(chain.rates.loading)
    chain.knots = knots_of(chain.rates.size, chain.rates.odds, plain, threads)


def _update_factors(chain: Chain, threads: Threads) -> None:
    if chain.rates.factor.shape[1] > 0:
        update_loading(chain.rates, update_latent(chain.rates, chain.latent, threads), threads)


def _choose(chain: Chain, threads: Threads) -> None:
    """Draw the components of cells, and the mixture's weights."""
    mixture = _mixture(chain, np.zeros(len(chain.number), np.int32))
    state = (chain.cells, chain.rates, mixture)
    threads.ranges(lambda first, last: choose_components(*state, (first, last)), len(chain.number))
    number = np.bincount(chain.cells.component[1:], minlength=len(chain.log_weight)).astype(np.float64)
    draw_weights(number, chain.rates.address, chain.log_weight)


def _draw_cells(chain: Chain, settings: VoxelSettings, threads: Threads) -> None:
    mixture = _mixture(chain, np.zeros(len(chain.number), np.int32))
    state = (chain.cells, chain.rates, mixture)
    threads.ranges(lambda first, last: draw_rates(*state, (first, last)), len(chain.number))
    if settings.use_scaled_cells:
        volume = mixture.volume
        threads.ranges(
            lambda first, last: draw_scales(chain.cells, chain.rates, volume, (first, last)),
            len(chain.number),
        )


def _update_background(chain: Chain, settings: VoxelSettings, rest: np.ndarray, threads: Threads) -> None:
    """Draw the background's rates, near those of the whole tissue where its share is believed to be known."""
    spots, volume = chain.spots, chain.place_volume
    counts, weight = rest.astype(np.float64), 0.0
    if settings.background_share is not None:
        weight = BELIEF
        gene = np.bincount(spots.gene, minlength=rest.shape[0]) / len(spots.gene)
        place = np.bincount(spots.place, minlength=rest.shape[1])
        counts += weight * settings.background_share * gene[:, None] * place
    exposed = volume * (1 + weight)
    update_background(chain.rates.background, counts, exposed, chain.rates.address, threads)


def draw_expression(
    chain: Chain,
    settings: VoxelSettings,
    sampled: bool,
    threads: Threads,
    warm: bool = False,
    settled: bool = False,
) -> None:
    """One sweep of Gibbs updates; the chain changes in place.

    Parameters
    ----------
    chain
        The chain; `sweep` is the number of this sweep, from 1.
    settings
        All settings.
    sampled
        r is drawn too.
    threads
        Who does the work.
    warm
        Cells keep their components.
    settled
        Which transcripts a cell made is not drawn: `made` of the transcripts tells.
    """
    volume = chain.cells.volume[1:] * chain.frame.voxel
    first = len(chain.rates.key) == 0
    update_volumes(chain.sizes, chain.cells.component[1:], volume, chain.rates.address)
    state = (chain.labels, chain.cells, chain.spots, chain.rates)
    sweep = 0 if first else chain.sweep
    how = (settings.unmodeled_fixed_cells, settled)
    chain.rates, rest = split(state, chain.room, how, sweep, threads)
    chain.rates.address[1] = chain.sweep
    chain.cells.exposed[1:] = chain.cells.scale[1:] * volume
    _update_factors(chain, threads)
    if chain.knots.size == 0:
        _tabulate(chain, threads)
    if not warm:
        _choose(chain, threads)
    _update_components(chain, settings, sampled, threads)
    _draw_cells(chain, settings, threads)
    _update_background(chain, settings, rest, threads)
    if settings.check_consistency:
        check_books(chain)
