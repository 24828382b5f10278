"""Components that are parted and begun: planted cells, and cells that are to be left alone."""

from dataclasses import fields

import numpy as np
import pytest

from cellcarve.mixture import mixture
from cellcarve.mixture.birth import births
from cellcarve.mixture.change import move
from cellcarve.mixture.method import mark
from cellcarve.mixture.model import build, rules_of
from cellcarve.mixture.prepare import prepare
from cellcarve.mixture.split import splits


@pytest.fixture
def planted(kit):
    """A maker of a chain whose labels are true cells, renamed by a function; and the true cells."""

    def make(rename):
        field = kit.field(seed=3, noise=0.02)
        chosen = kit.settings(min_transcripts_per_cell=20)
        ready = prepare(field.table, kit.no_prior(field.table), chosen, 1)
        marked = mark(ready, field.table.genes, chosen, kit.compute(), [])
        state = build(ready, marked, rules_of(ready, kit.no_prior(field.table), chosen), chosen)
        true = ready.molecules.from_input(field.cell)
        move(state, np.arange(len(true), dtype=np.int32), rename(true).astype(np.int32))
        return state, true

    return make


def test_two_cells_in_one_are_parted_and_whole_ones_stay(planted):
    """Cells 2 and 4 are given to the cells before them; a lone gap of a lattice lies between."""
    state, true = planted(lambda cell: np.where((cell == 2) | (cell == 4), cell - 1, cell))
    before = state.scene.label.copy()
    assert splits(state, 20) == 2
    label = state.scene.label
    for one, other in ((1, 2), (3, 4)):
        halves = [np.bincount(label[true == cell]).argmax() for cell in (one, other)]
        assert halves[0] != halves[1]
        assert np.mean(label[true == other] == halves[1]) > 0.9
        assert np.mean(label[true == one] == halves[0]) > 0.9
    others = (true > 4) | (true == 0)
    np.testing.assert_array_equal(label[others], before[others])
    kept = np.bincount(label, minlength=len(state.cells.n))
    np.testing.assert_array_equal(kept[1:], state.cells.n[1:])


def test_nothing_is_parted_where_every_component_is_a_cell(planted):
    state, _ = planted(lambda cell: cell)
    before = state.scene.label.copy()
    assert splits(state, 20) == 0
    np.testing.assert_array_equal(state.scene.label, before)


def test_a_cell_that_is_taken_for_noise_begins_anew(planted):
    state, true = planted(lambda cell: np.where(cell == 7, 0, cell))
    assert births(state, 20) == 1
    new = np.bincount(state.scene.label[true == 7]).argmax()
    assert new > 0
    assert np.mean(state.scene.label[true == 7] == new) > 0.8
    assert np.mean(true[state.scene.label == new] == 7) > 0.9
    assert births(state, 20) == 0


def test_anchored_cells_stay_whole(kit):
    field = kit.field(seed=4, side=3)
    joined = np.where(field.cell == 2, 1, field.cell)
    prior = kit.nuclei(np.where(field.core, joined, 0).astype(np.int32), field.core)
    chosen = kit.settings(splits=True)
    found = mixture(field.table, prior, chosen, kit.compute(), kit.silent)
    whole = mixture(field.table, prior, kit.settings(), kit.compute(), kit.silent)
    np.testing.assert_array_equal(found.cell, whole.cell)


@pytest.mark.parametrize("threads", [2, 4])
def test_same_bytes_whatever_the_threads(kit, threads):
    field = kit.field(seed=5, gap=9.0)
    chosen = kit.settings(splits=True, births=True)
    one, other = (
        mixture(field.table, kit.no_prior(field.table), chosen, kit.compute(threads=n), kit.silent)
        for n in (1, threads)
    )
    for f in fields(one):
        if isinstance(getattr(one, f.name), np.ndarray):
            assert getattr(one, f.name).tobytes() == getattr(other, f.name).tobytes(), f.name
