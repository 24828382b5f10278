"""Shapes of components: moments against NumPy, the pull of the scale, and no way to prefer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellcarve.mixture.shape import lift, pulled, refit, shape_deep, shape_flat, spread_of, write_form
from cellcarve.mixture.state import empty_cells


@pytest.mark.parametrize("centre", ["mean", "elsewhere"])
def test_covariance_is_that_of_numpy(centre, sums):
    at = np.random.default_rng(0).normal(3, 2, (50, 3))
    middle = at.mean(0) if centre == "mean" else np.array([1.0, 2, 3])
    found = spread_of(sums(at), 50, *middle)
    full = (at - middle).T @ (at - middle) / 50
    assert np.allclose(found, full[np.triu_indices(3)])


@pytest.mark.parametrize("angle", [0.0, 0.4, -0.4, np.pi / 4, -np.pi / 4])
def test_turned_cells_have_turned_shapes(angle, rules):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    long = turn @ np.diag([25.0, 2.0]) @ turn.T
    xx, xy, yy = shape_flat(np.array([long[0, 0], long[0, 1], 0, long[1, 1], 0, 0]), 60, rules())
    expected = turn @ np.diag([pulled(v, 60, 4.0, 1.0, 10.0) for v in (25.0, 2.0)]) @ turn.T
    assert np.allclose([xx, xy, yy], [expected[0, 0], expected[0, 1], expected[1, 1]])


@pytest.mark.parametrize("sign", [1, -1])
def test_classic_rules_erase_negative_covariance_only(sign, rules):
    _, xy, _ = shape_flat(np.array([9.0, sign * 5.0, 0, 9.0, 0, 0]), 60, rules(classic=True))
    assert (xy > 1) if sign > 0 else (xy == 0)


def test_deep_shapes_agree_with_flat_ones_and_turn_with_the_cell(rules):
    covariance = np.array([9.0, 3.0, 0, 6.0, 0, 4.0])
    flat = shape_flat(covariance, 40, rules())
    deep = shape_deep(covariance, 40, rules(dims=3))
    assert np.allclose(deep[[0, 1, 3]], flat)
    assert deep[5] == pytest.approx(pulled(4.0, 40, 4.0, 1.0, 10.0))


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("size", [1.0, 4e-3, 1e-6])
def test_classic_rules_widen_what_is_small_in_numbers(dims, size):
    """Against the rule written with matrices: 1e-4 more on the diagonal, and half as much again from step to step."""
    full = size**2 * np.array([[2.0, 0.5, 0.1], [0.5, 1.0, -0.3], [0.1, -0.3, 1.5]])
    found = full[np.triu_indices(3)].copy()
    lift(found, dims)
    expected, added = full.copy(), 1e-4
    while np.linalg.det(expected[:dims, :dims]) <= 1e-10:
        expected[range(dims), range(dims)] += added
        added *= 1.5
    assert np.allclose(found, expected[np.triu_indices(3)], rtol=1e-12, atol=0)
    widened = not np.allclose(found, full[np.triu_indices(3)], rtol=1e-12, atol=0)
    assert widened == (size < (1e-3 if dims == 2 else 1.0))


@pytest.mark.parametrize("classic", [False, True])
def test_only_by_classic_rules_shapes_depend_on_the_unit(classic, rules, sums):
    at = np.random.default_rng(5).normal(0, 4, (40, 3))
    found = []
    for unit in (1.0, 1e-4):
        cells = empty_cells(1)
        cells.n[1], cells.sums[1] = 40, sums(unit * at)
        refit(cells, rules(classic=classic, scale=4.0 * unit, spread=unit), np.zeros(0))
        found.append(cells.covariance[1, [0, 1, 3]] / unit**2)
    assert np.allclose(*found) == (not classic)


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1e4), st.integers(0, 10_000), st.floats(1e-6, 1e6))
def test_pull_goes_towards_the_scale_in_any_unit(variance, n, unit):
    value = pulled(variance * unit**2, n, 4.0 * unit, unit, 10.0) / unit**2
    assert value == pytest.approx(pulled(variance, n, 4.0, 1.0, 10.0), rel=1e-6)
    low, high = sorted((variance, 16.0))
    assert min(low, 16.0) - 1e-9 <= value <= high + 1e-9 or value == pytest.approx(1e-4 * 16)


@pytest.mark.parametrize("dims", [2, 3])
def test_the_form_is_the_density_of_a_normal(dims):
    from scipy.stats import multivariate_normal

    random = np.random.default_rng(1).normal(size=(3, 3))
    full = random @ random.T + np.eye(3)
    if dims == 2:
        full[2, :2] = full[:2, 2] = 0
    form = np.zeros(12)
    write_form(form, full[np.triu_indices(3)], dims, False)
    at = np.array([0.3, -1.0, 0.7])
    upper = [[3, 4, 5], [4, 6, 7], [5, 7, 8]]
    inverse = form[np.array(upper)]
    found = form[9] - 0.5 * at[:dims] @ inverse[:dims, :dims] @ at[:dims]
    assert found == pytest.approx(multivariate_normal(cov=full[:dims, :dims]).logpdf(at[:dims]))


def test_classic_rules_take_flat_cells_for_deep_ones():
    forms = np.zeros((2, 12))
    for form, classic in zip(forms, (False, True), strict=True):
        write_form(form, np.array([2.0, 0.5, 0, 1.0, 0, 1.0]), 2, classic)
    assert np.array_equal(forms[0, :9], forms[1, :9])
    assert forms[1, 9] == pytest.approx(forms[0, 9] - 0.5 * np.log(2 * np.pi))


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 20, 100])
def test_no_number_of_transcripts_breaks_a_shape(dims, n, rules, sums):
    rng = np.random.default_rng(n)
    cells = empty_cells(1)
    at = np.repeat(rng.normal(0, 1e4, (1, 3)), n, 0) if n == 20 else rng.normal(0, 3, (n, 3))
    cells.n[1] = n
    cells.sums[1] = sums(at) if n else 0
    cells.covariance[1] = [16, 0, 0, 16, 0, 16]
    refit(cells, rules(dims), np.zeros(0))
    assert not np.isnan(cells.form).any()
    assert cells.form[1, 10] == (-np.inf if n == 0 else pytest.approx(np.log(n)))
    if n:
        assert np.allclose(cells.form[1, :2], at.mean(0)[:2], atol=1e-2)
