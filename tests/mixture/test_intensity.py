"""Noise by place: planted noise is told from cells, and its density is found."""

import numpy as np

from cellcarve.mixture.intensity import believed_by_place, compare, strew
from cellcarve.mixture.molecules import arrange
from cellcarve.mixture.near import distance_to, lay_grid


def test_comparing_finds_a_known_ratio_of_densities():
    """Points of density e^(a + bx) against even ones: the weights are a and b."""
    rng = np.random.default_rng(1)
    even = rng.random(60_000)
    kept = rng.random(60_000)
    kept = kept[rng.random(60_000) < np.exp(1.5 * kept - 1.5)]
    weight = compare(*(np.column_stack([np.ones(len(x)), x]) for x in (kept, even)))
    assert np.allclose(weight, [-1.5, 1.5], atol=0.06)


def test_strewn_points_lie_evenly_where_transcripts_are(kit):
    rng = np.random.default_rng(2)
    at = kit.points(rng.uniform(0, 100, 5000), rng.uniform(0, 50, 5000))
    strewn, density = strew(at, 2.5, rng)
    count, _, _ = np.histogram2d(strewn.x, strewn.y, bins=(10, 5), range=((0, 100), (0, 50)))
    assert abs(count / 100 / density - 1).max() < 0.3
    assert np.isclose(density, len(strewn.x) / 5000, rtol=0.01)


def test_planted_noise_is_found_by_place(kit):
    field = kit.field(seed=4, side=8, gap=18.0, per_cell=100, noise=0.1)
    molecules = arrange(field.table)
    true = molecules.from_input(field.cell)
    segment = molecules.from_input(np.where(field.core, field.cell, 0))
    away = distance_to(molecules.at, lay_grid(molecules.at), 6, 1)
    rng = np.random.default_rng(0)
    sure = believed_by_place(molecules, segment, away, (6, 4.0), np.ones(len(away), np.float32), rng)
    outside = segment == 0
    wrong = np.mean((sure[outside] < 0.5) != (true[outside] == 0))
    assert wrong < 0.6 * np.mean(true[outside] == 0)
    assert abs((1 - sure).sum() / (true == 0).sum() - 1) < 0.45


def test_even_tissue_has_no_noise(kit):
    rng = np.random.default_rng(5)
    x, y = rng.uniform(0, 100, (2, 6000))
    molecules = arrange(kit.table(x, y, rng.integers(0, 5, 6000), 5))
    column, row = molecules.at.x // 10, molecules.at.y // 10
    middle = np.hypot(molecules.at.x % 10 - 5, molecules.at.y % 10 - 5) < 3
    segment = np.where(middle, 500 + column * 11 + row, 0).astype(np.int32)
    away = distance_to(molecules.at, lay_grid(molecules.at), 6, 1)
    known = np.full(6000, 0.5, np.float32)
    assert believed_by_place(molecules, segment, away, (6, 5.0), known, rng).min() > 0.9


def test_far_from_nuclei_nothing_is_said(kit):
    rng = np.random.default_rng(6)
    x, y = rng.uniform(0, 200, 6000), rng.uniform(0, 100, 6000)
    molecules = arrange(kit.table(x, y, rng.integers(0, 5, 6000), 5))
    segment = np.where(molecules.at.x < -40, 1, 0).astype(np.int32)
    away = distance_to(molecules.at, lay_grid(molecules.at), 6, 1)
    known = rng.random(6000).astype(np.float32)
    sure = believed_by_place(molecules, segment, away, (6, 5.0), known, rng)
    same = sure == known
    assert same[molecules.at.x > -19].all()
    assert not same[molecules.at.x < -21].any()
