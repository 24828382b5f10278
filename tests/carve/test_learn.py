"""What is learned of borders and of missed cells."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from cellcarve.carve.geometry import pair_loss
from cellcarve.carve.nuclei import measure, moments
from cellcarve.carve.rate import shift_of_rate


def border(seed, n=400, s=1.2, e=0.2, w=0.15, v=0.5):
    """Transcripts between two cells, drawn from the model of the border itself."""
    rng = np.random.default_rng(seed)
    lead, size = rng.normal(0, 2, n), rng.normal(0, 0.7, n)
    p = e / (1 + np.exp(-v * size)) + (1 - e) / (1 + np.exp(-s * lead))
    profile = rng.dirichlet(np.full(12, 0.3), 3) + 1e-3
    profile /= profile.sum(1, keepdims=True)
    share = np.stack([(1 - w) * p, (1 - w) * (1 - p), np.full(n, w)], 1)
    source = (rng.random((n, 1)) > np.cumsum(share, 1)).sum(1).clip(max=2)
    gene = np.array([rng.choice(12, p=profile[k]) for k in source])
    return lead, size, np.ascontiguousarray(profile[:, gene].T)


def slow_loss(theta, lead, size, chance):
    def logistic(v):
        return 1 / (1 + np.exp(-v))

    e, w = logistic(theta[1]), logistic(theta[2])
    p = e * logistic(theta[3] * size) + (1 - e) * logistic(np.exp(theta[0]) * lead)
    return -np.log(w * chance[:, 2] + (1 - w) * (p * chance[:, 0] + (1 - p) * chance[:, 1])).mean()


@pytest.mark.parametrize("seed", range(6))
def test_gradient_of_the_pair_loss(seed):
    data = border(seed)
    theta = np.random.default_rng(seed).normal(0, 1, 4)
    loss, slope = pair_loss(theta, *data)
    assert loss == pytest.approx(slow_loss(theta, *data), rel=1e-9)
    np.testing.assert_allclose(slope, approx_fprime(theta, lambda t: slow_loss(t, *data), 1e-7), atol=2e-6)


def test_pair_loss_is_least_near_the_truth():
    data = border(0, n=20_000)
    truth = np.array([np.log(1.2), np.log(0.2 / 0.8), np.log(0.15 / 0.85), 0.5])
    best = pair_loss(truth, *data)[0]
    for other in ([-1.5, 0, 0, 0], [1.2, 0, 0, 0], [0, 3, 0, 0], [0, 0, 2.5, 0]):
        assert pair_loss(truth + other, *data)[0] > best


def test_shift_of_rate_follows_what_is_seen():
    rng = np.random.default_rng(0)
    usual = 0.22
    base = np.log(usual / (1 - usual))

    def tissue(rate, n=4000):
        """Odds at the usual rate, of places of which a share `rate` are missed cells."""
        return base + rng.normal(np.where(rng.random(n) < rate, 2, -2), 2)

    shift = [shift_of_rate(tissue(rate), usual) for rate in (0.02, 0.08, 0.22, 0.3)]
    assert (np.diff(shift) > 0).all()
    assert min(shift) >= -4
    assert max(shift) <= 0.5
    wanted = np.log(0.08 / 0.92) - base
    assert shift[1] == pytest.approx(wanted, abs=0.3)
    assert shift[2] == pytest.approx(0, abs=0.2)


def test_shift_of_rate_of_no_places_is_none():
    assert shift_of_rate(np.empty(0), 0.22) == 0
    assert shift_of_rate(np.full(50, -30.0), 0.22) == -4
    assert shift_of_rate(np.full(50, 30.0), 0.22) == 0.5


def test_moments_are_those_of_each_label():
    rng = np.random.default_rng(3)
    label = rng.integers(0, 5, 200).astype(np.int32)
    label[label == 4] = 5
    x, y = rng.normal(0, 3, (2, 200)).astype(np.float32)
    found = np.stack(moments(label, x, y, 5))
    for c in (1, 2, 3, 5):
        own = label == c
        cov = np.cov(x[own].astype(float), y[own].astype(float))
        wanted = [own.sum(), x[own].mean(), y[own].mean(), cov[0, 0], cov[1, 1], cov[0, 1]]
        np.testing.assert_allclose(found[:, c], wanted, rtol=1e-4, atol=1e-5)
    assert (found[:, 4] == 0).all()


def test_radius_of_even_discs():
    rng = np.random.default_rng(4)
    wanted = np.repeat([3.0, 5.0], 30)
    label = np.repeat(np.arange(1, 61), 200).astype(np.int32)
    r, turn = np.sqrt(rng.random(12_000)) * wanted[label - 1], rng.uniform(0, 2 * np.pi, 12_000)
    x, y = (r * np.cos(turn) + 20 * label).astype(np.float32), (r * np.sin(turn)).astype(np.float32)
    nuclei = measure(label, x, y, 60)
    np.testing.assert_allclose(nuclei.radius[1:], wanted, rtol=0.12)
    assert nuclei.usual == pytest.approx(np.sqrt(15), rel=0.05)
    np.testing.assert_allclose(nuclei.x[1:], 20 * np.arange(1, 61), atol=1.2)
