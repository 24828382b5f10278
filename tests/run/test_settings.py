import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellcarve.config import flatten, gather, stages
from cellcarve.errors import SettingsError
from cellcarve.settings import Settings


def test_defaults_survive_the_round_trip():
    assert gather(flatten(Settings())) == Settings()


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "min_qv": st.floats(0, 100),
            "seed": st.integers(0, 2**63 - 1),
            "purity": st.sampled_from(["balanced", "complete", "pure"]),
            "repair": st.booleans(),
            "roi": st.sampled_from(["-1,-2,3,4", "area.geojson"]),
            "genes_exclude": st.lists(st.sampled_from(["A", "B*", "C-1"])),
        },
    )
)
def test_any_settings_survive_the_round_trip(values):
    settings = gather(values)
    assert gather(flatten(settings)) == settings


def test_flat_names_are_unique_over_the_stages():
    staged = [stage for stage in vars(Settings()).values() if dataclasses.is_dataclass(stage)]
    counted = sum(len(dataclasses.fields(stage)) for stage in staged)
    assert len(stages()) == counted + 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"min_qvv": 3}, "did you mean 'min_qv'"),
        ({"min-q": 3}, "did you mean 'min_qv'"),
        ({"min_qv": "20"}, "min_qv must be a number"),
        ({"min_qv": float("nan")}, "min_qv must be at least 0"),
        ({"prior_confidence": 1.2}, "prior_confidence must be between 0 and 1"),
        ({"purity": "clean"}, "choose from balanced, complete, pure"),
        ({"repair": 1}, "repair must be true or false"),
        ({"threads": 1.5}, "threads must be a whole number"),
        ({"threads": True}, "threads must be a whole number"),
        ({"seed": -1}, "seed must be between 0"),
        ({"genes_exclude": [1]}, "genes_exclude must be a list of words"),
        ({"memory": "plenty"}, "write it like 8G"),
        ({"memory": "0G"}, "write it like 8G"),
        ({"tile": 1}, "tile must be at least 50"),
    ],
)
def test_mistakes_are_refused_with_advice(values, message):
    with pytest.raises(SettingsError, match=message):
        gather(values)


def test_kinds_that_serve_are_converted():
    settings = gather({"min-qv": np.int64(20), "genes_exclude": "A, B*,", "repair": np.False_})
    assert settings.read.min_qv == 20.0
    assert isinstance(settings.read.min_qv, float)
    assert settings.read.genes_exclude == ("A", "B*")
    assert settings.carve.repair is False
