"""From beliefs to answers: how sure an assignment must be."""

from types import SimpleNamespace

import numpy as np
import pytest

from cellcarve.carve.assign import Answer, sure_enough

PURITIES = ("complete", "balanced", "pure")


def model(blur=0.0):
    """What of a model the threshold reads."""
    return SimpleNamespace(geometry=SimpleNamespace(blur=blur), usual_rare=2.0)


@pytest.fixture
def answers():
    """Every pair of a probability and a surprise, of transcripts that are alone half the time."""
    probability, surprise = (
        v.ravel().astype(np.float32) for v in np.meshgrid(np.linspace(0, 1, 101), np.linspace(-5, 5, 41))
    )
    best = (probability > 0).astype(np.int32)
    half = np.full(len(best), 0.5, np.float32)
    return Answer(best, 0 * best, probability, surprise, half, 0 * half, probability[:, None])


@pytest.mark.parametrize("blur", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_purer_settings_give_less(answers, blur, seed):
    rng = np.random.default_rng(seed)
    answers.alone = rng.random(len(answers.best)).astype(np.float32)
    answers.rare = rng.exponential(2, len(answers.best)).astype(np.float32)
    complete, balanced, pure = (sure_enough(answers, p, model(blur)) for p in PURITIES)
    assert complete[balanced].all()
    assert balanced[pure].all()
    assert complete.sum() > balanced.sum() > pure.sum()


@pytest.mark.parametrize("purity", PURITIES)
def test_surer_and_more_expected_transcripts_are_never_dropped_first(answers, purity):
    sure = sure_enough(answers, purity, model()).reshape(41, 101)
    assert (np.diff(sure.astype(int), axis=0) >= 0).all()
    assert (np.diff(sure.astype(int), axis=1) >= 0).all()
    assert sure[:, -1].all()
    assert not sure[:, 0].any()


@pytest.mark.parametrize("purity", ["balanced", "pure"])
def test_rare_company_asks_for_more_unless_others_of_the_gene_are_there(answers, purity):
    plain = sure_enough(answers, purity, model())
    answers.rare[:] = 5
    strange = sure_enough(answers, purity, model())
    assert plain[strange].all()
    assert plain.sum() > strange.sum()
    answers.alone[:] = 0
    supported = sure_enough(answers, purity, model())
    assert supported[plain].all()
    answers.rare[:] = 0
    np.testing.assert_array_equal(supported, sure_enough(answers, purity, model()))


def test_no_cell_is_never_sure(answers):
    answers.best[:] = 0
    assert not sure_enough(answers, "complete", model()).any()
