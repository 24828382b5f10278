from types import SimpleNamespace

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import cellcarve.carve
import cellcarve.mixture
import cellcarve.voxels
from cellcarve.config import gather
from cellcarve.methods import assign
from cellcarve.progress import Silent

MODULES = {"carve": cellcarve.carve, "voxel": cellcarve.voxels, "mixture": cellcarve.mixture}


@pytest.mark.parametrize("method", MODULES)
def test_linear_algebra_has_one_thread_whatever_the_host_gives_it(monkeypatch, method):
    seen = []

    def look(*_):
        seen.extend(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")

    monkeypatch.setattr(MODULES[method], method, look)
    with threadpool_limits(2, "blas"):
        assign(
            SimpleNamespace(),
            SimpleNamespace(),
            gather({"method": method, "repair": False, "new_cells": False}),
            Silent(),
        )
    assert set(seen) == {1}
