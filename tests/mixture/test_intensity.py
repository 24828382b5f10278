"""Noise by place: planted noise is told from cells, and its density is found."""

from types import SimpleNamespace

import numpy as np

from cellcarve.mixture.change import move
from cellcarve.mixture.intensity import believe_by_cells, believed_by_place, compare, cores, strew
from cellcarve.mixture.method import mark
from cellcarve.mixture.model import build, rules_of
from cellcarve.mixture.molecules import arrange
from cellcarve.mixture.near import distance_to, lay_grid
from cellcarve.mixture.prepare import prepare
from cellcarve.mixture.sampler import refresh


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
    # Near transcripts tell of half the noise, evenly.
    usual = np.full(len(away), 1 - 0.5 * np.mean(true == 0), np.float32)
    sure = believed_by_place(molecules, segment, away, (6, 4.0), usual, rng)
    outside = segment == 0
    wrong = np.mean((sure[outside] < 0.5) != (true[outside] == 0))
    assert wrong < 0.6 * np.mean(true[outside] == 0)
    assert abs((1 - sure).sum() / (true == 0).sum() - 1) < 0.45


def test_thin_cytoplasm_around_dense_nuclei_is_no_noise(kit):
    """Cells whose transcripts gather in nuclei: what lies far from them is as thin as noise, but near neighbours differ."""
    rng = np.random.default_rng(5)
    middle = np.stack(np.meshgrid(np.arange(8), np.arange(8)), -1).reshape(-1, 2) * 12.0
    nuclear = np.repeat(middle, 120, 0) + rng.normal(0, 1.0, (64 * 120, 2))
    thin = rng.uniform(-6, 90, (2500, 2))
    at = kit.points(*np.concatenate([nuclear, thin]).T)
    segment = np.r_[np.repeat(np.arange(1, 65), 120), np.zeros(2500)].astype(np.int32)
    away = distance_to(at, lay_grid(at), 6, 1)
    usual = np.full(len(segment), 0.995, np.float32)
    molecules = SimpleNamespace(at=at)
    sure = believed_by_place(molecules, segment, away, (6, 4.0), usual, rng)
    assert (1 - sure).sum() <= 3.01 * (1 - usual).sum()
    assert sure.min() > 0.5


def test_without_nuclei_the_cells_found_so_far_stand_for_them(kit):
    """Cores are within one standard deviation; noise is told better than by near transcripts, and is no more."""
    field = kit.field(seed=4, side=8, gap=18.0, per_cell=100, noise=0.1)
    chosen = kit.settings()
    ready = prepare(field.table, kit.no_prior(field.table), chosen, 1)
    marked = mark(ready, field.table.genes, chosen, kit.compute(), [])
    state = build(ready, marked, rules_of(ready, kit.no_prior(field.table), chosen), chosen)
    true = ready.molecules.from_input(field.cell)
    move(state, np.arange(len(true), dtype=np.int32), true)
    refresh(state)
    core = cores(state)
    inside = core > 0
    assert np.array_equal(core[inside], true[inside])
    upper = state.cells.covariance[true]
    dx, dy = state.at.x - state.cells.form[true, 0], state.at.y - state.cells.form[true, 1]
    det = upper[:, 0] * upper[:, 3] - upper[:, 1] ** 2
    square = (upper[:, 3] * dx**2 - 2 * upper[:, 1] * dx * dy + upper[:, 0] * dy**2) / np.where(
        det > 0, det, 1
    )
    assert np.mean(inside == ((square < 1) & (true > 0))) > 0.999
    away = ready.molecules.from_input(ready.noise.distance)
    before = state.scene.confidence
    believe_by_cells(state, ready.molecules, away, ready.noise.neighbour, np.random.default_rng(1))
    after = state.scene.confidence
    assert state.rules.placed
    assert (1 - after).sum() < 1.001 * (1 - before).sum()
    wrong = [np.mean((sure < 0.5) != (true == 0)) for sure in (before, after)]
    assert wrong[1] < wrong[0] + 0.005


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
    same = np.isclose(sure, known, rtol=0, atol=1e-7)
    assert same[molecules.at.x > -19].all()
    assert not same[molecules.at.x < -21].any()
