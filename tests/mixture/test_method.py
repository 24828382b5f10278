"""The whole method: what it finds, and what it must not depend on."""

from dataclasses import replace

import numpy as np
import pytest

from cellcarve.errors import InputError, SettingsError
from cellcarve.mixture import add_colours, add_outlines, fit, mixture


def run(kit, table, prior=None, threads=1, **values):
    compute = kit.compute(threads=threads)
    return fit(table, prior or kit.no_prior(table), kit.settings(**values), compute, kit.silent)


def same(a, b):
    """Whether two runs agree to the last byte."""
    rows = ("cell", "runner_up", "confidence", "assignment_confidence")
    return all(getattr(a, name).tobytes() == getattr(b, name).tobytes() for name in rows)


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("compat", ["", "0.7"])
def test_cells_are_found_without_a_prior(kit, deep, compat):
    field = kit.field(seed=1, deep=deep)
    found = run(kit, field.table, compat=compat)
    sources = np.zeros((26, found.cell.max() + 1))
    np.add.at(sources, (field.cell, found.cell), 1)
    big = np.flatnonzero(sources.sum(0) >= 10)
    big = big[big > 0]
    pure = sources[1:, big].max(0) / sources[:, big].sum(0)
    assert np.mean(pure > 0.85) > 0.9
    whole = sources[1:, 1:].max(1) / sources[1:].sum(1)
    assert np.mean(whole > 0.85) > 0.8


@pytest.mark.parametrize(
    "values", [{}, {"compat": "0.7"}, {"molecule_clusters": 0}, {"composition": "classic"}]
)
def test_a_prior_gives_one_cell_per_nucleus(kit, values):
    field = kit.field(seed=1)
    prior = kit.nuclei(field.cell, field.core)
    found = run(kit, field.table, prior, **values)
    assert kit.share_right(field.cell, found.cell) > 0.85
    segment = mixture(field.table, prior, kit.settings(**values), kit.compute(), kit.silent)
    if not values.get("compat"):
        known = segment.prior > 0
        assert known.sum() == 25
        assert [segment.names[k] for k in np.flatnonzero(known)] == prior.names
    assert len(set(segment.names)) == len(segment.names)
    assert np.array_equal(segment.cell, found.cell)


def test_a_prior_beyond_doubt_is_kept(kit):
    field = kit.field(seed=1)
    wrong = field.cell.copy()
    wrong[field.core & (field.table.x > 30)] = 1
    found = run(kit, field.table, kit.nuclei(wrong, field.core, 1.0))
    for k in np.unique(wrong[field.core]):
        assert len(np.unique(found.cell[field.core & (wrong == k)])) == 1
    assert found.cell[field.core].min() > 0


def test_a_whole_prior_is_not_added_to(kit):
    """Where four cells have lost their nuclei, cells begin there; not where the prior is said to be whole."""
    field = kit.field(seed=1)
    lost = (field.table.x < np.quantile(field.table.x, 0.4)) & (
        field.table.y < np.quantile(field.table.y, 0.4)
    )
    part = kit.nuclei(np.where(lost, 0, field.cell), field.core & ~lost)
    part.cell[~part.core] = 0
    given = set(np.unique(part.cell[part.core]).tolist())
    more, whole = (
        mixture(field.table, replace(part, whole=w), kit.settings(), kit.compute(), kit.silent)
        for w in (False, True)
    )
    assert np.count_nonzero(more.prior == 0) >= 2
    assert set(whole.prior.tolist()) <= given
    asked = mixture(
        field.table, replace(part, whole=True), kit.settings(cells_init=50), kit.compute(), kit.silent
    )
    assert np.count_nonzero(asked.prior == 0) >= 2


def test_numbers_add_up(kit):
    field = kit.field(seed=2)
    field.table.status[::7] = 3
    found = run(kit, field.table, kit.nuclei(field.cell, field.core))
    cells = len(found.cells.x)
    assert np.array_equal(found.row, np.flatnonzero(field.table.status == 0))
    assert np.array_equal(np.unique(found.cell[found.cell > 0]), np.arange(1, cells + 1))
    assert np.array_equal(found.cells.n_transcripts, np.bincount(found.cell, minlength=cells + 1)[1:])
    own = field.table.x[found.row][found.cell == 1]
    assert found.cells.x[0] == pytest.approx(own.mean())
    assert found.counts.shape == (cells, 20)
    assert found.counts.sum() == (found.cell > 0).sum()
    assert np.all(found.trace.components[:, :-1] >= found.trace.components[:, 1:])
    assert len(found.trace.changed) == found.params["rounds"] <= 100
    assert np.all((found.assignment_confidence >= 0) & (found.assignment_confidence <= 1))
    assert np.all(found.runner_up != np.where(found.cell > 0, found.cell, -1))
    add_outlines(found, field.table, kit.compute())
    assert np.array_equal(found.rings.cell, np.arange(1, cells + 1))
    assert np.array_equal(found.is_noise, found.cell == 0)


@pytest.mark.parametrize("deep", [False, True])
def test_bytes_do_not_depend_on_threads(kit, monkeypatch, deep):
    from cellcarve.mixture import molecules

    monkeypatch.setattr(molecules.on_chunks, "__defaults__", (300,))
    field = kit.field(seed=3, deep=deep)
    prior = kit.nuclei(field.cell, field.core)
    one, two, four = (run(kit, field.table, prior, threads, iterations=40) for threads in (1, 2, 4))
    assert same(one, two)
    assert same(one, four)


def test_seeds_matter_and_repeat(kit):
    field = kit.field(seed=3)
    one = run(kit, field.table)
    assert same(one, run(kit, field.table))
    other = fit(field.table, kit.no_prior(field.table), kit.settings(), kit.compute(seed=9), kit.silent)
    assert not same(one, other)


def test_moving_the_tissue_changes_nothing(kit):
    field = kit.field(seed=4)
    snapped = replace(field.table, x=np.rint(field.table.x * 64) / 64, y=np.rint(field.table.y * 64) / 64)
    moved = replace(snapped, x=snapped.x + np.float32(1024), y=snapped.y - np.float32(512))
    assert same(run(kit, snapped), run(kit, moved))


@pytest.mark.parametrize("turn", [90, 45])
def test_turning_the_tissue_finds_the_same_cells(kit, turn):
    field = kit.field(seed=4, noise=0.02)
    angle = np.deg2rad(turn)
    x, y = field.table.x.astype(np.float64), field.table.y.astype(np.float64)
    turned = replace(
        field.table,
        x=(x * np.cos(angle) - y * np.sin(angle)).astype(np.float32),
        y=(x * np.sin(angle) + y * np.cos(angle)).astype(np.float32),
    )
    one, two = run(kit, field.table), run(kit, turned)
    right = [kit.share_right(field.cell, r.cell) for r in (one, two)]
    assert abs(right[0] - right[1]) < 0.02
    assert kit.share_right(one.cell, two.cell) > 0.95


def test_names_of_genes_and_prior_cells_do_not_matter(kit):
    field = kit.field(seed=5)
    prior = kit.nuclei(field.cell, field.core)
    one = run(kit, field.table, prior, molecule_clusters=0)
    order = np.random.default_rng(0).permutation(25)
    number = np.append(0, order + 1).astype(np.int32)
    names = [prior.names[k] for k in np.argsort(order)]
    other = replace(prior, cell=number[prior.cell], names=names)
    two = run(kit, field.table, other, molecule_clusters=0)
    assert np.mean(number[one.cell[one.cell <= 25]] == two.cell[one.cell <= 25]) > 0.99
    genes = np.random.default_rng(1).permutation(20).astype(np.int32)
    three = run(kit, replace(field.table, gene=genes[field.table.gene]), prior, molecule_clusters=0)
    assert np.mean(one.cell == three.cell) > 0.99


def test_one_transcript_noise_and_duplicates_do_no_harm(kit):
    alone = run(kit, kit.table([1.0], [2.0], [0], 3))
    assert len(alone.cell) == 1
    field = kit.field(seed=6, side=3)
    twice = np.repeat(np.arange(len(field.cell)), 2)
    t = field.table
    doubled = kit.table(t.x[twice], t.y[twice], t.gene[twice], 20)
    found = run(kit, doubled)
    assert kit.share_right(field.cell[twice], found.cell) > 0.7
    nowhere = kit.table(np.full(50, 3.0), np.full(50, 4.0), np.zeros(50), 2)
    assert len(run(kit, nowhere).cell) == 50
    line = kit.table(np.arange(200.0) / 10, np.zeros(200), np.zeros(200), 2)
    flat = run(kit, line)
    add_outlines(flat, line, kit.compute())
    assert len(flat.rings.cell) == len(flat.cells.x)


def test_cells_larger_than_any_are_noise_or_few(kit):
    field = kit.field(seed=6, side=3)
    found = run(kit, field.table, min_transcripts_per_cell=10_000)
    add_outlines(found, field.table, kit.compute())
    assert len(found.rings.cell) == len(found.cells.x)


def test_compartments_are_reported_and_colours_can_be_added(kit):
    field = kit.field(seed=6, side=3)
    found = run(kit, field.table, nuclei_genes=("g1", "g2"), cyto_genes=("g3", "nope"))
    assert set(np.unique(found.compartment)) <= {0, 1, 2}
    assert found.nuclei_probs.min() >= 0
    assert any("nope" in note for note in found.notes)
    found.row, found.confidence = found.row[:80], found.confidence[:80]
    few = kit.table(field.table.x[:80], field.table.y[:80], field.table.gene[:80], 20)
    add_colours(found, few, kit.compute())
    assert found.colour.shape == (80, 3)


def test_what_cannot_be_done_is_refused(kit):
    field = kit.field(seed=6, side=2)
    with pytest.raises(SettingsError, match="cell_scale"):
        run(kit, field.table, cell_scale=None)
    field.table.status[:] = 1
    with pytest.raises(InputError, match="no transcript is left"):
        run(kit, field.table)
    for values in (
        {"nuclei_genes": "a"},
        {"cell_scale_std": "much"},
        {"compat": "0.6"},
        {"cell_scale_std": "0%"},
    ):
        with pytest.raises(SettingsError):
            kit.settings(**values)


def test_cells_that_are_not_told_apart_are_trusted_less(kit):
    """Cells with profiles of their own and gaps between them, and even tissue of one kind of cell."""
    field = kit.field(seed=3)
    clear = fit(field.table, kit.no_prior(field.table), kit.settings(), kit.compute(), kit.silent)
    rng = np.random.default_rng(4)
    even = kit.table(*rng.uniform(0, 60, (2, 2000)), rng.integers(0, 20, 2000), 20)
    blurred = fit(even, kit.no_prior(even), kit.settings(), kit.compute(), kit.silent)
    assert clear.distinctness > 2 * blurred.distinctness
    known = fit(field.table, kit.nuclei(field.cell, field.core), kit.settings(), kit.compute(), kit.silent)
    assert known.distinctness is None
