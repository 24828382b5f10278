"""Groups of transcripts where no prior is given: which one a transcript joins, by looking at all of them."""

import numpy as np
import pytest

from cellcarve.carve.blank import _REACH, _bucket, _join


@pytest.mark.parametrize("unlike", [0.0, 8.0])
@pytest.mark.parametrize("seed", range(3))
def test_transcripts_join_the_nearest_centre_in_place_and_expression(seed, unlike):
    rng = np.random.default_rng(seed)
    box, diameter = (-30.0, -20.0, 35.0, 28.0), 7.0
    centre = rng.uniform((-40, -30), (45, 38), (60, 2))
    x, y = (rng.uniform(low, high, 900).astype(np.float32) for low, high in ((-30, 35), (-20, 28)))
    around, like = (
        np.sqrt(rng.dirichlet(np.full(4, 0.3), number)).astype(np.float32) for number in (900, 60)
    )
    label = np.empty(900, np.int32)
    numbers = np.array([diameter, unlike, box[0], box[1]])
    _join((x, y), around, centre, like, _bucket(centre, box, _REACH * diameter), numbers, label)
    square = ((x[:, None] - centre[:, 0]) ** 2 + (y[:, None] - centre[:, 1]) ** 2) / diameter**2
    cost = square + unlike * (1 - around @ like.T)
    expected = np.where(cost.min(1) < _REACH**2, cost.argmin(1), -1)
    assert np.any(expected < 0)
    assert np.any(square[np.arange(900), expected][expected >= 0] > 1)
    assert np.array_equal(label, expected)
