"""Balance of places and genes: what was planted is found."""

import numpy as np
import pytest

from cellcarve.mixture.balance import _loss, fit
from cellcarve.mixture.nuclei import measure_nuclei


def planted(strength, blur, n=40_000):
    rng = np.random.default_rng(7)
    lead = rng.exponential(0.6, n)
    first = blur / 2 + (1 - blur) / (1 + np.exp(-strength * lead))
    profile = rng.dirichlet(np.full(30, 0.3), 2)
    own = np.where(rng.random(n) < first, 0, 1)
    gene = np.array([rng.choice(30, p=profile[k]) for k in (0, 1)])
    gene = (rng.random(n)[:, None] > np.cumsum(profile[own], 1)[:, :-1]).sum(1)
    return lead, np.column_stack([profile[0, gene], profile[1, gene], np.full(n, 1 / 30)])


@pytest.mark.parametrize(("strength", "blur"), [(3.0, 0.05), (8.0, 0.5), (2.0, 0.35)])
def test_strength_and_blur_are_found(strength, blur):
    found = fit(*planted(strength, blur))
    assert found[0] == pytest.approx(strength, rel=0.3)
    assert found[1] == pytest.approx(blur, abs=0.1)


def test_the_slope_is_that_of_the_loss():
    lead, rate = planted(3.0, 0.3, 500)
    t = np.array([-1.0, 0.3, 0.7])
    _, slope = _loss(t, lead, rate)
    for a, step in enumerate(1e-5 * np.eye(3)):
        rise = _loss(t + step, lead, rate)[0] - _loss(t - step, lead, rate)[0]
        assert slope[a] == pytest.approx(rise / 2e-5, abs=1e-6)


def test_nuclei_are_measured(kit):
    """Discs of 2 and 3 µm: the usual radius lies between; transcripts of the larger ones are further apart."""
    rng = np.random.default_rng(3)
    radius = np.repeat([2.0, 3.0], 20)
    cell = np.repeat(np.arange(1, 41), 200)
    turn, out = rng.uniform(0, 2 * np.pi, 8000), np.sqrt(rng.random(8000)) * radius[cell - 1]
    at = kit.points(20 * cell + out * np.cos(turn), out * np.sin(turn))
    found = measure_nuclei(at, cell, 41)
    assert found.radius == pytest.approx(radius, rel=0.15)
    assert 2 < found.rim < 3
    # Their edge is further out, too.
    assert found.inset[21:].min() > found.inset[1:21].max() > 0
