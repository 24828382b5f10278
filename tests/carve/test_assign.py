"""From beliefs to answers: how sure an assignment must be."""

import numpy as np
import pytest

from cellcarve.carve.assign import Answer, sure_enough


@pytest.fixture
def answers():
    """Every pair of a probability and a surprise."""
    probability, surprise = (
        v.ravel().astype(np.float32) for v in np.meshgrid(np.linspace(0, 1, 101), np.linspace(-5, 5, 41))
    )
    best = (probability > 0).astype(np.int32)
    return Answer(best, 0 * best, probability, surprise, probability[:, None])


@pytest.mark.parametrize("blur", [0.0, 0.5, 1.0])
def test_purer_settings_give_less(answers, blur):
    complete, balanced, pure = (sure_enough(answers, p, blur) for p in ("complete", "balanced", "pure"))
    assert complete[balanced].all()
    assert balanced[pure].all()
    assert complete.sum() > balanced.sum() > pure.sum()


@pytest.mark.parametrize("purity", ["complete", "balanced", "pure"])
def test_surer_and_more_expected_transcripts_are_never_dropped_first(answers, purity):
    sure = sure_enough(answers, purity, 0.0).reshape(41, 101)
    assert (np.diff(sure.astype(int), axis=0) >= 0).all()
    assert (np.diff(sure.astype(int), axis=1) >= 0).all()
    assert sure[:, -1].all()
    assert not sure[:, 0].any()


def test_no_cell_is_never_sure(answers):
    answers.best[:] = 0
    assert not sure_enough(answers, "complete", 0.0).any()
