"""Small kernels against their rules written with NumPy over everything at once."""

import numpy as np
import pytest

from cellcarve.mixture.evidence import log_size, size_of
from cellcarve.mixture.graph import build_graph, near_degree, weigh
from cellcarve.mixture.missed import _unlike
from cellcarve.mixture.molecules import arrange
from cellcarve.mixture.near import lay_grid
from cellcarve.mixture.outlines import _foreign
from cellcarve.mixture.sampler import _members_of_small


def test_near_neighbours_are_those_below_the_limit(kit):
    """Neighbours stand in the order of distance, so the near ones are the first."""
    molecules = arrange(kit.field(seed=2, side=3, per_cell=40, noise=0.3).table)
    graph = build_graph(molecules, lay_grid(molecules.at), 1)
    rows = np.repeat(np.arange(len(molecules)), np.diff(graph.start))
    at = np.column_stack([molecules.at.x, molecules.at.y])
    length = np.linalg.norm(at[rows] - at[graph.neighbour], axis=1).astype(np.float32)
    _, limit = weigh(length)
    expected = np.bincount(rows, length < limit, len(molecules))
    assert 0 < np.sum(length >= limit) < 0.2 * len(length)
    assert np.array_equal(graph.near, expected)
    assert (near_degree(graph.start, length, np.inf) == np.diff(graph.start)).all()
    assert (near_degree(graph.start, length, length.min()) == 0).all()


def test_small_components_are_dissolved_unless_they_hold_a_nucleus():
    rng = np.random.default_rng(1)
    label = rng.integers(0, 60, 400).astype(np.int32)
    n = np.bincount(label, minlength=60).astype(np.int32)
    anchor = rng.integers(0, 2, 60).astype(np.int32)
    small = np.flatnonzero((n < 7) & (anchor == 0) & (np.arange(60) > 0))
    expected = np.flatnonzero(np.isin(label, small))
    assert len(expected) > 20
    assert np.array_equal(_members_of_small(label, n, anchor, 7), expected)


@pytest.mark.parametrize("corner", [0.0, 20_000.0])
def test_foreign_transcripts_are_all_others_in_the_box(kit, corner):
    """Far from the origin single precision rounds places across the borders of buckets."""
    rng = np.random.default_rng(3)
    at = kit.points(*(corner + rng.uniform(0, 300, (2, 6000)).round(1)))
    cell = rng.integers(0, 5, 6000).astype(np.int32)
    grid = lay_grid(at)
    for low in rng.uniform(-20, 290, (400, 2)).round(1) + corner:
        high = low + rng.uniform(0, 30, 2).round(1)
        box = tuple(np.float64(np.float32([*low, *high])))
        inside = (at.x >= box[0]) & (at.y >= box[1]) & (at.x <= box[2]) & (at.y <= box[3])
        expected = np.flatnonzero(inside & (cell != 2))
        found = sorted(zip(*_foreign(at, grid, cell, 2, box), strict=True))
        assert found == sorted(zip(at.x[expected].tolist(), at.y[expected].tolist(), strict=True))


@pytest.mark.parametrize("dims", [2, 3])
def test_size_is_the_log_of_the_radius_of_the_covariance(dims, rules, sums):
    """A disc (ball) of radius r has the standard deviation r / 2 (r / sqrt 5) along every axis."""
    rng = np.random.default_rng(4)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0] if dims == 3 else np.eye(3)
    at = rng.normal(0, [3.0, 1.0, 2.0 if dims == 3 else 0.0], (25, 3)) @ turn + 7
    radius = np.linalg.det(np.cov(at[:, :dims].T, ddof=0)) ** (0.5 / dims) * {2: 2, 3: 5**0.5}[dims]
    plain = rules(dims, scale=5.0, spread=1.25)
    z = np.log(radius / 5.0) * 5.0 / 1.25
    assert size_of(sums(at), 25, plain) == pytest.approx(z, rel=2e-4)
    assert log_size(sums(at), 25, plain) == pytest.approx(-4 * min(z**2, 9) * 25 / 35, rel=4e-4)


@pytest.mark.parametrize("dims", [2, 3])
def test_transcripts_in_a_line_or_on_a_spot_have_a_size(dims, rules, sums):
    line = np.column_stack([np.arange(6.0), np.zeros(6), np.zeros(6)])
    spot = np.repeat([[3.0, 2.0, 0.0]], 6, axis=0)
    for at in (line, spot):
        size = size_of(sums(at), 6, rules(dims))
        assert np.isfinite(size)
        assert size < -3
        assert log_size(sums(at), 6, rules(dims)) == pytest.approx(-4 * 9 * 6 / 16)


def slow_evidence(gene, base):
    """Log probability of genes in turn, each drawn from what came before it and the tissue's profile."""
    alpha, total, seen = 2 * np.sqrt(len(base)), 0.0, np.zeros(len(base))
    for g in gene:
        total += np.log((seen[g] + alpha * base[g]) / (seen.sum() + alpha))
        seen[g] += 1
    return total


def test_pieces_are_unlike_by_the_evidence_of_two_cells_over_one(kit):
    """Drawn one after the other; pieces share the nucleus beside most of them, some its genes."""
    rng = np.random.default_rng(5)
    n, pieces = 600, 12
    component = np.where(np.arange(n) < 300, rng.integers(1, 5, n), 0).astype(np.int32)
    piece = rng.integers(0, pieces, 300)
    beside = np.where(rng.random(300) < 0.8, 1 + piece % 4, rng.integers(1, 5, 300)).astype(np.int32)
    profile = rng.dirichlet(np.full(15, 0.3), 9)
    kind = np.append(component[:300], np.where(piece < 6, 1 + piece % 4, 5 + piece % 4))
    gene = (rng.random(n)[:, None] > np.cumsum(profile[kind], 1)[:, :-1]).sum(1)
    molecules = arrange(kit.table(np.arange(n), np.zeros(n), gene, 15))
    molecules.gene[:] = gene
    found = _unlike(molecules, (np.arange(300, n), piece, beside), component, pieces)
    base = (np.bincount(gene, minlength=15) + 0.1) / (n + 1.5)
    near = [np.bincount(beside[piece == p]).argmax() for p in range(pieces)]
    mine = [gene[300:][piece == p] for p in range(pieces)]
    nucleus = [gene[component == k] for k in near]
    expected = [
        slow_evidence(a, base) + slow_evidence(b, base) - slow_evidence(np.append(b, a), base)
        for a, b in zip(mine, nucleus, strict=True)
    ]
    assert min(abs(e - 4) for e in expected) > 0.05
    assert found.tolist() == [e > 4 for e in expected]
    assert 0 < found.sum() < pieces
