"""Whether density rises between nuclei."""

import numpy as np
import pytest

from cellcarve.chain.ridges import rise_between


def test_density_between_nuclei_tells_ridges():
    """A net of nuclei 20 apart, ridges half way between them or none."""
    j, i = np.mgrid[:200, :200]
    away = np.minimum(np.abs(j % 20 - 9.5), np.abs(i % 20 - 9.5))
    edge = np.maximum(np.abs(j % 20 - 9.5), np.abs(i % 20 - 9.5))
    middle = np.stack(np.mgrid[10:200:20, 10:200:20], -1).reshape(-1, 2).astype(float)
    radius = np.full(len(middle), 4.0)
    even = np.ones((200, 200), np.float32)
    assert rise_between(even, middle, radius) == pytest.approx(0)
    ridged = np.where((edge > 8) & (away < 3), 2, 1).astype(np.float32)
    assert rise_between(ridged, middle, radius) > 0.3
    assert rise_between(2 / ridged, middle, radius) < -0.3
    assert rise_between(ridged, middle[:4], radius[:4]) == 0
