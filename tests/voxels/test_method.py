"""The whole chain on a small simulated tissue."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from cellcarve.data.bins import BinArray
from cellcarve.data.prior import Prior, PriorRaster
from cellcarve.data.table import Status
from cellcarve.errors import InputError, SettingsError
from cellcarve.priors import lay
from cellcarve.progress import Silent
from cellcarve.read import read
from cellcarve.settings import ComputeSettings, PriorSettings, ReadSettings, VoxelSettings
from cellcarve.simulate import SimulateSettings, simulate
from cellcarve.voxels import VoxelRun, sample, voxel
from cellcarve.voxels.books import BooksError
from cellcarve.voxels.books import check_books as check_chain
from cellcarve.voxels.chain import begin
from cellcarve.voxels.finer import make_finer
from cellcarve.voxels.gibbs import draw_expression
from cellcarve.voxels.intake import take_in
from cellcarve.voxels.likelihood import log_likelihood
from cellcarve.voxels.rates import rate_of
from cellcarve.voxels.result import phi_rows, rate_rows
from cellcarve.voxels.terms.counts import counts_value
from cellcarve.voxels.threads import Threads
from cellcarve.voxels.watch import Nobody

SHORT = VoxelSettings(
    burnin_samples=6,
    samples=8,
    hillclimb=4,
    recorded_samples=5,
    quad_size=40.0,
    diffusion=True,
    nunfactored=300,
    dispersion=None,
)


@pytest.fixture(scope="module")
def tissue(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tissue")
    simulate(SimulateSettings(transcripts=6_000, genes=40, image=False, seed=3), folder)
    table = read(folder, ReadSettings())
    return table, lay(table, PriorSettings(), None)


class Unasked(Nobody):
    """Wants the last state alone."""

    asks = False


def run(tissue, settings=SHORT, threads=1, seed=0, watch=None) -> VoxelRun:
    return sample(*tissue, settings, ComputeSettings(threads=threads, seed=seed), Silent(), watch)


@pytest.fixture(scope="module")
def finished(tissue):
    return run(tissue)


@pytest.fixture(scope="module")
def settled(tissue):
    return run(tissue, watch=Unasked())


def arrays(result: VoxelRun):
    for name, value in vars(result).items():
        if isinstance(value, np.ndarray):
            yield name, value.tobytes()
        elif hasattr(value, "indptr"):
            yield name, value.data.tobytes() + value.indices.tobytes() + value.indptr.tobytes()


@pytest.mark.parametrize("threads", [2, 4])
def test_threads_do_not_change_a_byte(tissue, finished, threads):
    other = dict(arrays(run(tissue, threads=threads)))
    assert all(other[name] == value for name, value in arrays(finished))


def test_the_log_does_not_depend_on_threads_either(tissue, finished):
    assert run(tissue, threads=2).log == finished.log
    assert [entry["phase"] for entry in finished.log] == ["sampling"]


def test_likelihood_is_that_of_the_definition(tissue):
    chain, _ = begin(take_in(*tissue, SHORT), tissue[1], SHORT, 0)
    threads = Threads(1)
    for _ in range(3):
        chain.sweep += 1
        draw_expression(chain, SHORT, True, threads)
    found, genes, cells = log_likelihood(chain, threads), chain.spots.gene, range(len(chain.number))
    rate = np.array(
        [[rate_of(chain.rates, chain.cells, c, g) for g in range(genes.max() + 1)] for c in cells]
    )
    background = chain.rates.background[genes, chain.spots.place].astype(np.float64)
    expected = chain.cells.scale * chain.cells.total * chain.frame.voxel
    expected[0] = 0
    wanted = counts_value(chain.labels.label, chain.spots.at, rate[:, genes], background, expected)
    assert found == pytest.approx(wanted, rel=1e-6)
    chain.cells.total[1:] *= 2
    # Cells that expect twice as many transcripts explain those that came less well, by just so many.
    more = (expected * chain.cells.volume)[1:].sum()
    assert log_likelihood(chain, threads) == pytest.approx(found - more, rel=1e-6)


def test_seeds_do(tissue, finished):
    assert not np.array_equal(run(tissue, seed=1).cell, finished.cell)


def check_books(result: VoxelRun):
    cells, genes = len(result.names), len(result.genes)
    held = result.cell > 0
    assert np.array_equal(result.background, ~held)
    tally = np.zeros((cells, genes), int)
    np.add.at(tally, (result.cell[held] - 1, result.gene[held]), 1)
    assert np.array_equal(result.counts.toarray(), tally)
    count = np.bincount(result.voxel_cell, minlength=cells + 1)[1:]
    assert (count > 0).all()
    assert np.allclose(count * result.voxel_size**2 / result.layers, result.volume)
    key = (result.voxel_k.astype(int) * result.shape[0] + result.voxel_j) * result.shape[1] + result.voxel_i
    assert len(np.unique(key)) == len(key)
    assert len(set(result.names)) == cells
    assert ((result.probability >= 0) & (result.probability <= 1 + 1e-5)).all()
    assert (result.runner_up_probability <= result.probability + 1e-6).all()
    assert (result.runner_up[result.best > 0] != result.best[result.best > 0]).all()
    assert result.expected.sum() <= len(result.row)
    assert np.allclose(result.gene_expected, np.asarray(result.expected.sum(0)).ravel(), rtol=1e-4)
    assert result.gene_total.sum() == len(result.row)


def test_books_agree(finished):
    check_books(finished)


def test_the_chain_checks_itself(tissue, finished):
    checked = run(tissue, replace(SHORT, check_consistency=True), threads=2)
    assert np.array_equal(checked.cell, finished.cell)


@pytest.mark.parametrize(
    ("spoil", "book"),
    [
        (lambda chain: chain.cells.volume.__setitem__(1, 10**6), "volumes"),
        (lambda chain: chain.cells.edge.__setitem__((2, 0), -1), "edges of layers"),
        (lambda chain: chain.rates.tally.__setitem__(chain.rates.key >= 0, 99), "counts of cells and genes"),
        (lambda chain: chain.rates.value.__setitem__(slice(None), np.nan), "rates"),
        (lambda chain: chain.spots.after.__setitem__(0, 0), "transcripts of each voxel"),
        (lambda chain: chain.spots.made.__setitem__(slice(None), 1), "transcripts made by no cell"),
    ],
)
def test_wrong_books_are_noticed(tissue, spoil, book):
    table, prior = tissue
    chain, _ = begin(take_in(table, prior, SHORT), prior, SHORT, 0)
    draw_expression(chain, SHORT, True, Threads(1), warm=True)
    check_chain(chain)
    spoil(chain)
    with pytest.raises(BooksError, match=book):
        check_chain(chain)


@pytest.mark.parametrize("state", ["finished", "settled"])
def test_a_transcript_lies_in_the_cell_that_made_it(state, request):
    finished = request.getfixturevalue(state)
    i = np.clip(((finished.x - finished.x0) / finished.voxel_size).astype(int), 0, finished.shape[1] - 1)
    j = np.clip(((finished.y - finished.y0) / finished.voxel_size).astype(int), 0, finished.shape[0] - 1)
    cube = np.zeros((finished.layers, *finished.shape), int)
    cube[finished.voxel_k, finished.voxel_j, finished.voxel_i] = finished.voxel_cell
    k = finished.observed_layer + finished.moved[:, 2]
    here = cube[k, j + finished.moved[:, 1], i + finished.moved[:, 0]]
    held = finished.cell > 0
    assert np.array_equal(here[held], finished.cell[held])
    assert np.bincount(here, minlength=1)[1:].sum() == finished.voxel_count.sum()


@pytest.mark.parametrize(
    "change", [{}, {"diffusion": False}, {"hillclimb": 1}, {"nunfactored": 10, "nhidden": 4}]
)
def test_books_agree_where_transcripts_settle(tissue, change):
    checked = replace(SHORT, check_consistency=True, **change)
    check_books(run(tissue, checked, watch=Unasked()))


def test_threads_do_not_change_what_settles(tissue, settled):
    other = dict(arrays(run(tissue, threads=3, watch=Unasked())))
    assert all(other[name] == value for name, value in arrays(settled))


def test_a_climbed_state_gives_transcripts_the_cells_that_the_average_gives(tissue, finished, settled):
    """Where both give one; a single draw of where transcripts were made differs more often."""

    def differ(state):
        both = finished.kept & (state.cell > 0)
        assert both.mean() > 0.7
        return np.mean(finished.best[both] != state.cell[both])

    assert differ(settled) < 0.6 * differ(run(tissue, replace(SHORT, hillclimb=0), watch=Unasked()))


def test_rates_come_in_blocks(finished):
    whole = rate_rows(finished, 0, len(finished.names))
    assert whole.shape == (len(finished.names), len(finished.genes))
    assert np.array_equal(rate_rows(finished, 2, 5), whole[2:5])
    assert phi_rows(finished, 0, 3).shape[1] == finished.latent.shape[1]
    counted = np.asarray(finished.counts.sum(1)).ravel()
    big = counted > 30
    assert np.corrcoef(whole.sum(1)[big] * finished.volume[big], counted[big])[0, 1] > 0.9


@pytest.mark.parametrize(
    "change",
    [
        {"nunfactored": 10, "nhidden": 4},
        {"nunfactored": 0, "nhidden": 4, "dispersion": 2.0},
        {"factorization": False, "variable_burnin_dispersion": True},
        {"enforce_connectivity": True, "voxel_layers": 1},
        {"use_scaled_cells": True, "diffusion": False, "voxel_layers": 6},
        {"background_share": None, "start_growth": 0.0, "distance_pull": 0.0, "label_evidence": 1.0},
        {
            "voxel_size": 2.0,
            "burnin_voxel_size": 2.0,
            "expand_initialized_cells": 2,
            "transition_counts": True,
        },
    ],
)
def test_books_agree_with_other_settings(tissue, change):
    result = run(tissue, replace(SHORT, **change))
    check_books(result)
    assert (result.cell > 0).sum() > 0.05 * len(result.cell)
    if "transition_counts" in change:
        assert result.transitions.sum() > 0
        assert result.transitions.diagonal().sum() == 0


def test_without_effort_cells_stay_as_they_begin(tissue):
    still = replace(SHORT, morphology_steps_per_iter=0, start_growth=0.0)
    result = run(tissue, still)
    check_books(result)
    chain, _ = begin(take_in(*tissue, still), tissue[1], still, 0)
    assert 4 * np.count_nonzero(chain.labels.label) == np.count_nonzero(result.voxel_cell)
    assert {entry["changed"] for entry in result.log} == {0}


def test_bands_of_the_lattice_do_not_show(tissue, finished, monkeypatch):
    monkeypatch.setattr("cellcarve.voxels.lattice.BAND", 700)
    banded = dict(arrays(run(tissue)))
    assert all(banded[name] == value for name, value in arrays(finished))


def test_empty_columns_take_no_more_memory_at_the_start_than_later(tissue):
    table, prior = tissue
    x, y, far = table.x.copy(), table.y.copy(), np.flatnonzero(table.status == Status.KEPT)[-1]
    x[far], y[far] = x.min() + 1000, y.min() + 1000
    settings = replace(SHORT, max_transcript_nucleus_distance=1e4)
    intake = replace(take_in(replace(table, x=x, y=y), prior, settings), folds=None)
    tracemalloc.start()
    chain, ratio = begin(intake, prior, settings, 0)
    make_finer(chain, ratio, (intake, prior), settings)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    kept = sum(v.nbytes for v in (*chain.labels, chain.spots.head))
    assert kept > 50e6
    assert peak < 1.3 * kept


def test_an_assignment_for_every_row(tissue):
    table, prior = tissue
    found = voxel(table, prior, SHORT, ComputeSettings(threads=1), Silent())
    assert len(found.cell) == len(table)
    assert not found.cell[table.status != Status.KEPT].any()
    assert (found.cell[found.best == 0] == 0).all()
    assert 0 < np.count_nonzero(found.cell) < np.count_nonzero(found.best)
    np.testing.assert_allclose(found.expected.sum(), found.probability.sum(), rtol=0.3)
    assert found.expected.shape == (len(found.names), len(table.genes))
    core = prior.core & (found.best > 0)
    assert np.mean(found.prior[found.best[core] - 1] == prior.cell[core]) > 0.7


def test_cells_do_not_depend_on_how_a_slide_lies(tissue):
    table, prior = tissue
    settings = replace(SHORT, ignore_z_coord=True)
    straight = BinArray(2.0, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
    turned = BinArray(2.0, (-np.cos(0.3), np.sin(0.3), 900.0, np.sin(0.3), np.cos(0.3), -40.0))
    places = straight.middles(table.x, table.y)
    runs = []
    for bins in (straight, turned):
        x, y = (v.astype(np.float32) for v in bins.place(*places))
        runs.append(run((replace(table, x=x, y=y, bins=bins), prior), settings))
    one, other = runs
    for name in ("best", "cell", "voxel_cell", "voxel_i", "voxel_j", "voxel_count", "moved"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    every = slice(None)
    for was, is_ in (((one.x, one.y), (other.x, other.y)), (one.lies(every)[:2], other.lies(every)[:2])):
        np.testing.assert_allclose(is_, turned.place(*was), atol=1e-3)
    np.testing.assert_allclose(other.centroid[:, :2].T, turned.place(*one.centroid[:, :2].T), atol=1e-3)
    # Every bin lies in the middle of one voxel, which is as large as it unless told otherwise.
    assert one.voxel_size == 2.0
    for low, place in ((one.x0, one.x), (one.y0, one.y)):
        assert np.allclose((place - low) / one.voxel_size % 1, 0.5)


def square():
    """Two prior cells as a raster of 1 µm pixels."""
    label = np.zeros((40, 40), np.int32)
    label[10:30, 6:18], label[10:30, 23:34] = 1, 2
    return label


def test_rasters_and_fixed_cells(tissue):
    table, _ = tissue
    x0, y0 = float(table.x.min()), float(table.y.min())
    prior = Prior(
        np.zeros(len(table), np.int32),
        np.zeros(len(table), bool),
        ["one", "two"],
        "cells",
        "test",
        raster=PriorRaster(square(), (1.0, 0, x0, 0, 1.0, y0), weight=0.9),
        fixed=np.array([False, True]),
    )
    result = run((table, prior), replace(SHORT, start_growth=0.0, unmodeled_fixed_cells=True))
    check_books(result)
    assert sorted(result.names) == ["one", "two"]
    own = result.voxel_cell == result.names.index("two") + 1
    # An odd border: the cell is drawn on the fine lattice, not copied from coarse voxels of 2 µm.
    assert own.sum() == 20 * 11 * result.layers
    inside = (result.voxel_i[own] >= 23) & (result.voxel_i[own] < 34)
    assert inside.all()
    assert result.volume[result.names.index("one")] != pytest.approx(20 * 12)


def test_genes_apart_are_those_of_nuclei_in_a_raster_too(tmp_path):
    """Voxels lean to the nearest nucleus, but what lies near it does not tell which genes nuclei show."""
    simulate(SimulateSettings(transcripts=20_000, genes=40, image=False, seed=3), tmp_path)
    table = read(tmp_path, ReadSettings())
    prior = lay(table, PriorSettings(), None)
    x, y = (np.floor(v - v.min()).astype(int) for v in (table.x, table.y))
    label = np.zeros((y.max() + 1, x.max() + 1), np.int32)
    label[y[prior.core], x[prior.core]] = prior.cell[prior.core]
    raster = PriorRaster(label, (1.0, 0, float(table.x.min()), 0, 1.0, float(table.y.min())), weight=0.9)
    found, again = (
        begin(take_in(table, given, SHORT), given, SHORT, 0)[0].apart
        for given in (prior, replace(prior, raster=raster))
    )
    assert len(found.partner) > 0
    assert np.array_equal(found.start, again.start)
    assert np.array_equal(found.partner, again.partner)


def test_mistakes_are_refused(tissue):
    table, prior = tissue
    with pytest.raises(SettingsError, match="recorded_samples"):
        run(tissue, replace(SHORT, recorded_samples=9))
    nothing = replace(prior, cell=np.zeros_like(prior.cell), core=np.zeros_like(prior.core), names=[])
    with pytest.raises(InputError, match="starts from prior cells"):
        run((table, nothing))
    far = replace(prior, raster=PriorRaster(square(), (1.0, 0, 9e6, 0, 1.0, 9e6)))
    with pytest.raises(InputError, match="do not overlap"):
        run((table, far))
