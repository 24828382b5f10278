"""Tissues so small or so odd that something might divide by nothing."""

import numpy as np
import pytest

from cellcarve.data.table import Status


def check(run, consistent, parts, **settings):
    table, prior = parts
    s = run(table, prior, **settings)
    consistent(table, prior, s)
    return s


@pytest.mark.parametrize("core", [True, False])
def test_one_transcript(made, run, consistent, core):
    s = check(run, consistent, made([5.0], [7.0], [0], [int(core)], [core]))
    assert s.cell.tolist() == ([1] if core else [0])


def test_two_transcripts_at_the_same_place(made, run, consistent):
    s = check(run, consistent, made([5.0, 5.0], [7.0, 7.0], [0, 1], [1, 0], [True, False]))
    assert s.best[0] == 1
    assert s.cell[0] == 1


def test_hundred_transcripts_at_the_same_place(made, run, consistent):
    cell = np.repeat([1, 2], 50)
    check(run, consistent, made(np.full(100, 3.0), np.full(100, 3.0), np.arange(100) % 7, cell, np.ones(100)))


@pytest.fixture
def blobs():
    """Three round cells 20 µm apart with nuclei in the middle: x, y, gene, cell, core, true cell."""
    rng = np.random.default_rng(5)
    true = np.repeat([1, 2, 3], 120)
    r, turn = 6 * np.sqrt(rng.random(360)), rng.uniform(0, 2 * np.pi, 360)
    x, y = 20 * true + r * np.cos(turn), r * np.sin(turn)
    gene = 4 * (true - 1) + rng.integers(0, 4, 360)
    core = r < 3.5
    return x, y, gene, np.where(core, true, 0), core, true


def test_three_cells(made, run, consistent, blobs):
    *arrays, true = blobs
    s = check(run, consistent, made(*arrays))
    assert s.names == ["n1", "n2", "n3"]
    assert (s.cell == true).mean() > 0.9


def test_one_cell(made, run, consistent, blobs):
    x, y, gene, cell, core, true = blobs
    own = true == 2
    s = check(run, consistent, made(x[own], y[own], gene[own] - 4, cell[own] // 2, core[own]))
    assert s.names == ["n1"]
    assert (s.cell == 1).mean() > 0.9


def test_one_gene(made, run, consistent, blobs):
    x, y, gene, cell, core, true = blobs
    s = check(run, consistent, made(x, y, 0 * gene, cell, core))
    assert (s.cell == true).mean() > 0.9


def test_every_transcript_in_a_nucleus(made, run, consistent, blobs):
    x, y, gene, _, core, true = blobs
    s = check(run, consistent, made(x, y, gene, true, np.ones_like(core)))
    assert (s.cell == true).mean() > 0.9


def test_no_nucleus_at_all(made, run, consistent, blobs):
    x, y, gene, cell, core, _ = blobs
    check(run, consistent, made(x, y, gene, 0 * cell, np.zeros_like(core)))


def test_core_rows_without_a_cell(made, run, consistent, blobs):
    x, y, gene, cell, core, _ = blobs
    check(run, consistent, made(x, y, gene, np.where(cell == 2, 0, cell), core))


def test_prior_cell_without_a_row(made, run, consistent, blobs):
    x, y, gene, cell, core, _ = blobs
    s = check(run, consistent, made(x, y, gene, np.where(cell == 2, 0, cell), core & (cell != 2)))
    assert "n2" not in s.names
    assert {"n1", "n3"} <= set(s.names)


def test_rows_not_kept_stay_out_and_change_nothing(made, run, consistent, take, blobs):
    *arrays, _ = blobs
    table, prior = made(*arrays)
    table.status[::5] = Status.LOW_QUALITY
    s = check(run, consistent, (table, prior))
    kept = np.flatnonzero(table.status == Status.KEPT)
    alone = run(*take(table, prior, kept))
    np.testing.assert_array_equal(s.cell[kept], alone.cell)
    np.testing.assert_array_equal(s.probability[kept], alone.probability)


@pytest.mark.parametrize("tile", [50.0, 400.0])
def test_far_apart_pieces_of_tissue(made, run, consistent, blobs, tile):
    x, y, gene, cell, core, true = blobs
    far = np.where(true == 3, 1500.0, 0)
    s = check(run, consistent, made(x + far, y + far, gene, cell, core), tile=tile)
    assert (s.cell == true).mean() > 0.9


def test_confidence_of_nought_and_of_one(made, run, consistent, blobs):
    *arrays, true = blobs
    for confidence in (0.0, 1.0):
        table, prior = made(*arrays)
        prior.confidence = confidence
        s = check(run, consistent, (table, prior))
        assert (s.cell == true).mean() > 0.9
