from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import cellcarve.carve
import cellcarve.mixture
import cellcarve.voxels
from cellcarve.config import gather
from cellcarve.data.prior import Prior
from cellcarve.methods import assign
from cellcarve.progress import Silent

MODULES = {"carve": cellcarve.carve, "voxel": cellcarve.voxels, "mixture": cellcarve.mixture}


def nothing():
    return Prior(np.zeros(0, np.int32), np.zeros(0, bool), [], "none", "")


@pytest.mark.parametrize("method", MODULES)
def test_linear_algebra_has_one_thread_whatever_the_host_gives_it(monkeypatch, method):
    seen = []

    def look(*_):
        seen.extend(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")

    monkeypatch.setattr(MODULES[method], method, look)
    with threadpool_limits(2, "blas"):
        assign(SimpleNamespace(), nothing(), gather({"method": method}), Silent())
    assert set(seen) == {1}


@pytest.mark.parametrize("wanted", [True, False])
def test_a_prior_is_whole_where_no_cells_are_to_be_added(monkeypatch, wanted):
    seen = []
    monkeypatch.setattr(cellcarve.mixture, "mixture", lambda _, prior, *__: seen.append(prior.whole))
    assign(SimpleNamespace(), nothing(), gather({"method": "mixture", "new_cells": wanted}), Silent())
    assert seen == [not wanted]
