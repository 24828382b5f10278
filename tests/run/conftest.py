import sys
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import csr_matrix

from cellcarve.data.prior import Prior
from cellcarve.data.result import Outlines, Summary
from cellcarve.data.segmentation import Segmentation
from cellcarve.data.table import Table


def small_table(status=(0, 0, 1, 2, 0)) -> Table:
    n = len(status)
    zero = np.zeros(n, np.float32)
    return Table(
        platform="table",
        files=(),
        ids=pa.array(np.arange(n)),
        x=zero,
        y=zero,
        z=None,
        gene=np.zeros(n, np.int32),
        genes=["A"],
        quality=None,
        fov=None,
        fovs=[],
        cell=np.zeros(n, np.int32),
        cell_names=[],
        nucleus=None,
        status=np.array(status, np.uint8),
        notes=["read a small table"],
    )


def small_segmentation(rows: int) -> Segmentation:
    cell = np.zeros(rows, np.int32)
    cell[0] = 1
    one = np.ones(1, np.int32)
    return Segmentation(
        cell=cell,
        best=cell,
        probability=cell.astype(np.float32),
        runner_up=0 * cell,
        background=cell == 2,
        names=["c1"],
        origin=np.zeros(1, np.uint8),
        prior=one,
        existence=one.astype(np.float32),
        cluster=one,
        expected=csr_matrix((1, 1), dtype=np.float32),
        model={"kappa": 1000.0},
    )


@pytest.fixture
def stages(monkeypatch):
    """Every stage replaced by a stand-in that notes its call; what they return can be exchanged."""
    calls = []
    world = SimpleNamespace(
        calls=calls, table=small_table(), small_table=small_table, names=["n1"], kind="nuclei"
    )

    def stage(name, answer):
        def act(*arguments):
            calls.append(name)
            return answer(*arguments)

        return act

    def lay(table, settings, source):
        core = np.zeros(len(table), bool)
        return Prior(table.cell, core, world.names, world.kind, "made up", notes=["prior made up"])

    def summarise(table, prior, segmentation, progress):
        empty = np.empty(0, np.float32)
        outlines = Outlines(np.empty(0, np.int32), empty, empty, np.zeros(1, np.int64))
        return Summary(csr_matrix((1, 1), dtype=np.int32), None, outlines)

    fakes = {
        "read": {"read": stage("read", lambda *_: world.table)},
        "priors": {"lay": stage("lay", lay)},
        "carve": {"carve": stage("carve", lambda table, *_: small_segmentation(len(table)))},
        "summarise": {"summarise": stage("summarise", summarise)},
        "write": {
            "check_output": stage("check", lambda *_: None),
            "write_run": stage("write", lambda *_: None),
        },
    }
    for name, content in fakes.items():
        monkeypatch.setitem(sys.modules, f"cellcarve.{name}", SimpleNamespace(**content))
    return world
