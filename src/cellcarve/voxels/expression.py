"""Gibbs updates of the cells' expression: component, rates, and the sums that the components learn from."""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF, MAKER
from cellcarve.chain.draws import GAMMA_STEP, gamma
from cellcarve.chain.philox import unit, words
from cellcarve.chain.streams import COMPONENT, RATE, REST, SCALE, TABLES
from cellcarve.voxels.rates import dot
from cellcarve.voxels.zeros import between

# Exposure is told apart in so many bins when components are updated.
BINS = 16


class Mixture(NamedTuple):
    """What is known of the components when cells are updated.

    Attributes
    ----------
    log_weight
        float64 (m,): ln pi.
    mean, half_precision
        float64 (m,): of ln V.
    knots
        float64 (m, knots, 6): see `cellcarve.voxels.zeros`.
    bin
        int32 (c,): exposure bin of each cell.
    volume
        float64 (c,): V_c in µm².
    latent
        int32 (c, h): counts of each factor.
    """

    log_weight: np.ndarray
    mean: np.ndarray
    half_precision: np.ndarray
    knots: np.ndarray
    bin: np.ndarray
    volume: np.ndarray
    latent: np.ndarray


@njit(**LEAF)
def add_count(product, total, size, odds, count, exposed):
    """Multiply the factor of one dimension with counts, relative to none, into each component's product.

    Parameters
    ----------
    product, total
        float64 (m,): running product, and the logs taken out of it.
    size, odds
        (m,) r and s of the dimension.
    count
        Its counts, above 0.
    exposed
        E.
    """
    for m in range(product.size):
        load = odds[m] * exposed
        kept = load / (1.0 + load)
        for j in range(count):
            product[m] *= (size[m] + j) * kept
            if not 1e-250 < product[m] < 1e250:
                total[m] += math.log(max(product[m], 1e-300))
                product[m] = 1.0


@njit(**LEAF)
def component_scores(cells, rates, mixture, cell, product, total):
    """Log weight of each component for a cell, up to a constant, into `total`, float64 (m,).

    Parameters
    ----------
    cells, rates, mixture
        State.
    cell
        The cell.
    product
        float64 (m,): scratch.
    """
    exposed = float(cells.exposed[cell])
    log_volume = math.log(mixture.volume[cell])
    for m in range(total.size):
        spread = mixture.half_precision[m]
        total[m] = mixture.log_weight[m] + between(mixture.knots, m, 0, math.log(exposed))
        total[m] += 0.5 * math.log(spread) - spread * (log_volume - mixture.mean[m]) ** 2
    product[:] = 1.0
    plain = rates.background.shape[0] - rates.loading.shape[0]
    for slot in range(rates.start[cell], rates.start[cell + 1]):
        k = rates.key[slot]
        if 0 <= k < plain:
            add_count(product, total, rates.size[k], rates.odds[k], rates.tally[slot], exposed)
    for h in range(mixture.latent.shape[1]):
        count = mixture.latent[cell, h]
        if count > 0:
            add_count(product, total, rates.size[plain + h], rates.odds[plain + h], count, exposed)
    for m in range(total.size):
        total[m] += math.log(max(product[m], 1e-300))


@njit(**LEAF)
def draw_component(total, chance):
    """Component with chances proportional to exp(total), which is overwritten."""
    largest, whole = total[0], 0.0
    for m in range(total.size):
        largest = max(largest, total[m])
    for m in range(total.size):
        total[m] = math.exp(total[m] - largest)
        whole += total[m]
    chance *= whole
    for m in range(total.size):
        chance -= total[m]
        if chance < 0.0:
            return m
    return total.size - 1


@njit(**MAKER)
def choose_components(cells, rates, mixture, span):
    """Draw the component of each cell of a range (first, last); `cells.component` changes."""
    components = mixture.log_weight.size
    product, total = np.empty(components), np.empty(components)
    for cell in range(max(span[0], 1), span[1]):
        component_scores(cells, rates, mixture, cell, product, total)
        chance = unit(words(rates.address[0], COMPONENT, rates.address[1], cell, 0)[0])
        cells.component[cell] = draw_component(total, chance)


@njit(**LEAF)
def tables_of(size, seed, sweep, cell, k, count):
    """Tables that `count` guests occupy at concentration `size`: a draw; the first guest always opens one."""
    opened = 1
    for j in range(1, count):
        drawn = unit(words(seed, TABLES, sweep, cell, k * 4096 + j)[0])
        opened += drawn * (size + j) < size
    return opened


@njit(**MAKER)
def learn_from(cells, rates, mixture, with_tables, span):
    """Sums over the cells of a range (first, last).

    Returns
    -------
    tuple
        counts, int32 (k, m, bin), and tables, int32 (k, m).
    """
    dims, components = rates.size.shape
    plain = rates.background.shape[0] - rates.loading.shape[0]
    counts = np.zeros((dims, components, BINS), np.int32)
    tables = np.zeros((dims, components), np.int32)
    size, tally, seed, sweep = rates.size, rates.tally, rates.address[0], rates.address[1]
    for cell in range(max(span[0], 1), span[1]):
        m, b = cells.component[cell], mixture.bin[cell]
        for slot in range(rates.start[cell], rates.start[cell + 1]):
            k = rates.key[slot]
            if 0 <= k < plain:
                counts[k, m, b] += tally[slot]
                if with_tables:
                    tables[k, m] += tables_of(float(size[k, m]), seed, sweep, cell, k, tally[slot])
        for h in range(mixture.latent.shape[1]):
            count, k = mixture.latent[cell, h], plain + h
            if count > 0:
                counts[k, m, b] += count
                if with_tables:
                    tables[k, m] += tables_of(float(size[k, m]), seed, sweep, cell, k, count)
    return counts, tables


@njit(**LEAF)
def phi_of(r, kept, seed, sweep, cell, k, count):
    """Draw phi of a dimension given its counts; the address is that of `unseen`, so that a zero count agrees.

    Parameters
    ----------
    r, kept
        Size, and s / (1 + s E).
    seed, sweep, cell, k, count
        Address, and the counts.
    """
    return gamma(r + count, seed, RATE, sweep, cell, k * GAMMA_STEP) * kept


@njit(**LEAF)
def rest_of(rates, knots, m, cell, log_exposed, taken):
    """Draw the sum of the rates of all genes without counts: a gamma number with their mean and variance.

    Parameters
    ----------
    rates, knots
        State, and the tables of `cellcarve.voxels.zeros`.
    m, cell, log_exposed
        Component, cell, ln E.
    taken
        Mean and variance that the genes with counts would have added.
    """
    mean = between(knots, m, 2, log_exposed) - taken[0]
    spread = between(knots, m, 4, log_exposed) - taken[1]
    if mean <= 1e-12 or spread <= 1e-12 * mean * mean:
        return max(mean, 0.0)
    shape = mean * mean / spread
    return gamma(shape, rates.address[0], REST, rates.address[1], cell, 0) * spread / mean


@njit(**LEAF)
def draw_plain(rates, knots, exposed, m, cell):
    """Draw the rates of a cell's genes that are modelled one by one; returns their sum over all such genes."""
    plain = rates.background.shape[0] - rates.loading.shape[0]
    key, tally, value, size, odds = rates.key, rates.tally, rates.value, rates.size, rates.odds
    seed, sweep = rates.address[0], rates.address[1]
    total, mean, spread = 0.0, 0.0, 0.0
    for slot in range(rates.start[cell], rates.start[cell + 1]):
        k = key[slot]
        if not 0 <= k < plain:
            continue
        r, s = float(size[k, m]), float(odds[k, m])
        kept = s / (1.0 + s * exposed)
        phi = phi_of(r, kept, seed, sweep, cell, k, tally[slot])
        value[slot] = phi
        total, mean, spread = total + phi, mean + r * kept, spread + r * kept * kept
    return total + rest_of(rates, knots, m, cell, math.log(exposed), (mean, spread))


@njit(**LEAF)
def draw_factors(rates, latent, exposed, m, cell):
    """Draw the factors of a cell, and from them the rates of its genes with counts; returns the factors' sum."""
    factor, loading, key, value = rates.factor[cell], rates.loading, rates.key, rates.value
    factors, plain = factor.size, rates.background.shape[0] - loading.shape[0]
    size, odds, seed, sweep = rates.size, rates.odds, rates.address[0], rates.address[1]
    total = 0.0
    for h in range(factors):
        r, s = float(size[plain + h, m]), float(odds[plain + h, m])
        phi = phi_of(r, s / (1.0 + s * exposed), seed, sweep, cell, plain + h, latent[cell, h])
        factor[h] = phi
        total += phi
    for slot in range(rates.start[cell], rates.start[cell + 1]):
        gene = key[slot] - plain
        if gene >= 0:
            value[slot] = dot(factor, loading[gene])
    return total


@njit(**LEAF)
def draw_rates(cells, rates, mixture, span):
    """Draw the rates of the cells of a range (first, last): `rates.value`, `rates.factor`, `cells.total` change."""
    for cell in range(max(span[0], 1), span[1]):
        m, exposed = cells.component[cell], float(cells.exposed[cell])
        total = draw_plain(rates, mixture.knots, exposed, m, cell)
        if rates.factor.shape[1] > 0:
            total += draw_factors(rates, mixture.latent, exposed, m, cell)
        cells.total[cell] = total


@njit(**LEAF)
def draw_scales(cells, rates, volume, span):
    """One Metropolis step for the scale of each cell of a range: log-normal with precision 10, counts Poisson."""
    for cell in range(max(span[0], 1), span[1]):
        counted = 0
        for slot in range(rates.start[cell], rates.start[cell + 1]):
            counted += max(rates.tally[slot], 0)
        a, b, c, _ = words(rates.address[0], SCALE, rates.address[1], cell, 0)
        step = math.sqrt(-2.0 * math.log(unit(a))) * math.cos(6.283185307179586 * unit(b))
        old = math.log(cells.scale[cell])
        new = old + 2.0 * step / math.sqrt(10.0 + counted)
        expected = volume[cell] * cells.total[cell]
        change = counted * (new - old) - expected * (math.exp(new) - math.exp(old)) - 5.0 * (new**2 - old**2)
        if math.log(unit(c)) < change:
            cells.scale[cell] = math.exp(new)
