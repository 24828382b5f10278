"""Nuclei put right beforehand: what is kept of them, what is added, and whose they say they are."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from cellcarve.carve import mend as module
from cellcarve.carve.mend import can_mend, mend, trace_back
from cellcarve.data.segmentation import Origin
from cellcarve.progress import Silent
from cellcarve.settings import CarveSettings, ComputeSettings


def run(table, prior, threads=1, **settings):
    own = replace(prior, cell=prior.cell.copy(), core=prior.core.copy())
    return mend(table, own, CarveSettings(**settings), ComputeSettings(threads=threads), Silent())


@pytest.fixture(scope="module")
def mended(wide):
    return run(wide.table, wide.prior)


def nuclei_hidden(tissue, share):
    """The prior without every so-manieth nucleus, and which those were."""
    hidden = np.arange(1, len(tissue.prior.names) + 1) % share == 0
    gone = np.append(False, hidden)[tissue.prior.cell]
    cell, core = np.where(gone, 0, tissue.prior.cell), tissue.prior.core & ~gone
    return replace(tissue.prior, cell=cell.astype(np.int32), core=core), np.flatnonzero(hidden) + 1


def mostly(tissue, rows):
    """The true cell of most of some rows."""
    return int(np.bincount(np.maximum(tissue.true[rows], 0)).argmax())


def test_every_nuclear_row_stays_nuclear(wide, mended):
    kept = wide.prior.core & (wide.prior.cell > 0) & (wide.table.status == 0)
    assert mended.prior.core[kept].all()
    assert (mended.prior.cell[mended.prior.core] > 0).all()
    assert np.array_equal(
        np.unique(mended.prior.cell[mended.prior.core]), np.arange(1, len(mended.prior.names) + 1)
    )


def test_cells_say_where_they_come_from(wide, mended):
    prior, origin, parent, trust = mended
    assert trust == 1
    assert len(prior.names) == len(set(prior.names)) == len(origin) == len(parent)
    assert np.array_equal(parent == 0, origin == Origin.NEW)
    same = origin == Origin.PRIOR
    assert [prior.names[c] for c in np.flatnonzero(same)] == [wide.prior.names[p - 1] for p in parent[same]]
    # A nucleus that was neither cut nor joined has the rows it had.
    kept = wide.prior.core & (wide.prior.cell > 0) & (wide.table.status == 0)
    now = prior.cell[kept]
    alone = same[now - 1]
    assert np.array_equal(parent[now - 1][alone], wide.prior.cell[kept][alone])


def test_hidden_nuclei_are_found(perfect):
    prior, hidden = nuclei_hidden(perfect, 8)
    found = run(perfect.table, prior)
    new = np.flatnonzero(found.origin == Origin.NEW) + 1
    assert 0.3 * len(hidden) < len(new) < 1.2 * len(hidden)
    # What most of a new cell's pseudo-nucleus was made by is a cell whose nucleus was hidden.
    missed = {mostly(perfect, perfect.prior.core & (perfect.prior.cell == cell)) for cell in hidden}
    right = [mostly(perfect, found.prior.cell == cell) in missed for cell in new]
    assert np.mean(right) > 0.6


def test_nothing_is_missing_where_nothing_was_hidden(perfect):
    found = run(perfect.table, perfect.prior)
    assert (found.origin != Origin.PRIOR).sum() < 0.03 * len(found.origin)


def test_cells_without_a_nucleus_live_on(perfect):
    nucleus_of = perfect.prior.cell == 1
    prior = replace(perfect.prior, core=perfect.prior.core & ~nucleus_of)
    found = run(perfect.table, prior)
    number = found.prior.names.index(perfect.prior.names[0]) + 1
    assert (found.prior.cell[nucleus_of] == number).mean() > 0.5


@pytest.mark.parametrize("threads", [2, 4])
def test_the_same_whatever_the_threads(wide, mended, threads):
    again = run(wide.table, wide.prior, threads)
    for one, other in zip(mended, again, strict=True):
        if one is not mended.prior:
            assert np.array_equal(one, other)
    assert mended.prior.names == again.prior.names
    assert np.array_equal(mended.prior.cell, again.prior.cell)
    assert np.array_equal(mended.prior.core, again.prior.core)


def test_what_a_method_finds_is_traced_back(wide, answer, mended):
    """Cell c of a segmentation stands for a mended nucleus, and that for a given one."""
    cells = min(len(answer.names), len(mended.origin))
    prior = (len(mended.origin) - np.arange(cells)).astype(np.int32)
    answer = replace(
        answer,
        prior=prior,
        origin=np.zeros(cells, np.uint8),
        existence=np.ones(cells, np.float32),
        expected=answer.expected[:cells],
    )
    found = trace_back(answer, mended)
    assert np.array_equal(found.prior, mended.parent[prior - 1])
    assert np.array_equal(found.origin, mended.origin[prior - 1])
    added = found.origin == Origin.NEW
    assert added.any()
    assert (found.existence[~added] == 1).all()
    amount = np.asarray(answer.expected.sum(1)).ravel()
    assert found.existence[added] == pytest.approx(1 - np.exp(-amount[added] / 10))


def test_pixels_and_fixed_cells_are_left_alone(perfect):
    prior, asked = perfect.prior, CarveSettings()
    assert can_mend(prior, asked)
    assert not can_mend(prior, CarveSettings(repair=False, new_cells=False))
    assert not can_mend(replace(prior, raster=SimpleNamespace()), asked)
    assert not can_mend(replace(prior, fixed=np.zeros(len(prior.names), bool)), asked)
    assert not can_mend(replace(prior, core=np.zeros_like(prior.core)), asked)


@pytest.mark.parametrize(("left_out", "origins"), [("repair", {0, 1}), ("new_cells", {0, 2, 3})])
def test_only_what_is_asked_for_is_done(wide, left_out, origins):
    found = run(wide.table, wide.prior, **{left_out: False})
    assert set(found.origin.tolist()) <= origins
    assert len(set(found.origin.tolist())) > 1
    assert found.prior.whole


def test_nuclei_that_lie_over_each_other_are_left_alone(wide):
    depth = 20.0 * (wide.prior.cell % 5) + wide.table.z
    table = replace(wide.table, z=depth.astype(np.float32))
    found = run(table, wide.prior)
    assert found.prior.names == wide.prior.names
    assert np.array_equal(found.prior.cell, wide.prior.cell)
    assert np.array_equal(found.parent, np.arange(1, len(wide.prior.names) + 1))
    assert (found.origin == Origin.PRIOR).all()


def test_few_transcripts_make_no_cell(perfect, monkeypatch):
    prior, _ = nuclei_hidden(perfect, 8)
    monkeypatch.setattr(module, "FEWEST", 10**9)
    assert not (run(perfect.table, prior).origin == Origin.NEW).any()
