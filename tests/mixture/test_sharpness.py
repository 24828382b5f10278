"""How sharp borders are is told from densities alone."""

import numpy as np
import pytest

from cellcarve.mixture.method import mark
from cellcarve.mixture.model import build, rules_of
from cellcarve.mixture.prepare import prepare
from cellcarve.mixture.sharpness import BEYOND_SEEN, filled_steps


def tiles(blur, gaps=False, seed=1, side=10, step=8.0):
    """Tiles around a jittered lattice, of densities that differ, all of the same genes, nuclei being discs of 2 µm.

    Transcripts are displaced by the blur, those of nuclei too; with gaps, nothing lies beyond 3 µm.
    """
    rng = np.random.default_rng(seed)
    column, row = (v.ravel() for v in np.meshgrid(np.arange(side), np.arange(side)))
    centre = np.column_stack([column + 0.5 * (row % 2), 0.87 * row]) * step + rng.uniform(-1, 1, (side**2, 2))
    at = rng.uniform(0, side * step, (60_000, 2))
    away = np.hypot(*(at[:, None] - centre).transpose(2, 0, 1))
    owner, away = away.argmin(1), away.min(1)
    rate = np.exp(rng.normal(0, 0.5, len(centre)))
    kept = rng.random(len(at)) < 0.25 * rate[owner] / rate.max()
    kept &= (away < 3) | (not gaps)
    at = at[kept] + rng.normal(0, blur, (kept.sum(), 2))
    away = np.hypot(*(at[:, None] - centre).transpose(2, 0, 1))
    nucleus = np.where(away.min(1) < 2, away.argmin(1) + 1, 0).astype(np.int32)
    return at, nucleus


def fair(kit, at, nucleus):
    table = kit.table(at[:, 0], at[:, 1], np.arange(len(at)) % 20, 20)
    prior, chosen = kit.nuclei(nucleus, nucleus > 0), kit.settings()
    ready = prepare(table, prior, chosen, 1)
    marked = mark(ready, table.genes, chosen, kit.compute(), [])
    return build(ready, marked, rules_of(ready, prior, chosen), chosen, 1, 7).rules.fair


@pytest.mark.parametrize("seed", [1, 2])
def test_blurred_borders_are_told_from_sharp_ones(kit, seed):
    sharp, blurred = (fair(kit, *tiles(blur, seed=seed)) for blur in (0.05, 2.0))
    assert sharp < 0.4 * BEYOND_SEEN < 0.5 * BEYOND_SEEN < blurred


def test_where_there_are_gaps_densities_say_nothing(kit):
    assert fair(kit, *tiles(0.05, gaps=True)) == pytest.approx(0.5 * BEYOND_SEEN)


def test_steps_are_filled_up_to_the_first_gap():
    density = np.array([3.0, 0.4, 1.0, 1.1, 1.0, 0.9, 0.8, 0.3, 1.0])
    here = np.repeat(np.arange(9), (100 * density).astype(int))
    there = np.repeat(np.arange(9), 100)
    # What lies at the edge of a nucleus is left out of account.
    assert filled_steps(here, there) == 7
    assert filled_steps(here[here < 5], there[there < 5]) == 5
