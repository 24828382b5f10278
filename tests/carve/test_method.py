"""The whole method on a small tissue with truth: what it keeps, what it does not depend on, what it finds."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix

from cellcarve.data.segmentation import Origin


def matched(found, true, cells):
    """True cell that each found cell is matched to, one to one by common transcripts; 0 = none."""
    both = (found > 0) & (true > 0)
    common = coo_matrix((np.ones(both.sum()), (found[both], true[both])), shape=(cells + 1, true.max() + 1))
    left, right = linear_sum_assignment(-common.toarray())
    partner = np.zeros(cells + 1, np.int64)
    partner[left] = right
    return partner


def accuracy(s, tissue):
    """Share of the assigned transcripts whose cell is matched to their true one."""
    partner = matched(s.cell, tissue.true, len(s.names))
    assigned = (s.cell > 0) & (tissue.true >= 0)
    return (partner[s.cell] == tissue.true)[assigned].mean()


def test_answer_is_consistent(tissue, answer, consistent):
    consistent(tissue.table, tissue.prior, answer)
    kept = tissue.table.status == 0
    # Whatever has no best cell is either background or too divided; every kept row is accounted for.
    assert ((answer.best > 0) | answer.background)[kept].all()
    assert not (answer.background & (answer.best > 0)).any()


def test_expected_counts_add_up(tissue, answer):
    """A cell's expected counts hold at least its own transcripts' probabilities, and in all no more than the rows."""
    cells = len(answer.names)
    own = np.bincount(answer.best, answer.probability, cells + 1)[1:]
    expected = np.asarray(answer.expected.sum(1)).ravel()
    assert (expected >= own - 1e-2).all()
    kept = (tissue.table.status == 0).sum()
    assert answer.probability.sum() <= answer.expected.sum() <= kept
    assert answer.expected.sum() == pytest.approx(answer.probability.sum(), rel=0.25)
    genes = len(tissue.table.genes)
    by_gene = np.bincount(tissue.table.gene, answer.probability, genes)
    assert (np.asarray(answer.expected.sum(0)).ravel() >= by_gene - 1e-2).all()


def test_probabilities_are_calibrated(tissue, answer):
    partner = matched(answer.best, tissue.true, len(answer.names))
    scored = (answer.best > 0) & (tissue.true >= 0)
    right = (partner[answer.best] == tissue.true)[scored]
    assert answer.probability[scored].mean() == pytest.approx(right.mean(), abs=0.05)
    low, high = np.quantile(answer.probability[scored], [0.2, 0.8])
    p = answer.probability[scored]
    assert right[p >= high].mean() > right[p <= low].mean() + 0.2


def test_most_transcripts_go_to_their_cell(tissue, answer):
    assert accuracy(answer, tissue) > 0.75
    assert (answer.cell > 0)[tissue.table.status == 0].mean() > 0.85


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_same_bytes_whatever_the_threads(tissue, answer, run, same_bytes, threads):
    same_bytes(answer, run(tissue.table, tissue.prior, threads=threads))


def test_same_bytes_with_many_tiles_and_threads(tissue, run, take, same_bytes):
    part = take(tissue.table, tissue.prior, np.arange(0, len(tissue.table), 3))
    same_bytes(run(*part, tile=50.0), run(*part, tile=50.0, threads=4))


def test_same_bytes_without_a_prior_with_many_tiles_and_threads(tissue, run, take, same_bytes):
    table, prior = take(tissue.table, tissue.prior, np.arange(0, len(tissue.table), 3))
    n = len(table)
    nothing = replace(prior, cell=np.zeros(n, np.int32), core=np.zeros(n, bool), names=[], kind="none")
    same_bytes(run(table, nothing, tile=50.0, threads=1), run(table, nothing, tile=50.0, threads=4))


def alike(agreement, tissue, a, b):
    kept = tissue.table.status == 0
    return agreement(a.cell[kept], b.cell[kept])


def test_moved_tissue(tissue, answer, run, agreement):
    table = tissue.table
    moved = replace(table, x=table.x + np.float32(1234.5), y=table.y - np.float32(987.25))
    assert alike(agreement, tissue, answer, run(moved, tissue.prior)) >= 0.99


def test_turned_tissue(tissue, answer, run, agreement):
    turned = replace(tissue.table, x=-tissue.table.y, y=tissue.table.x.copy())
    assert alike(agreement, tissue, answer, run(turned, tissue.prior)) >= 0.97


def test_shuffled_rows(tissue, answer, run, take, agreement):
    order = np.random.default_rng(0).permutation(len(tissue.table))
    shuffled = run(*take(tissue.table, tissue.prior, order))
    cell = np.empty_like(shuffled.cell)
    cell[order] = shuffled.cell
    kept = tissue.table.status == 0
    assert agreement(answer.cell[kept], cell[kept]) >= 0.999


# Numbers of genes and cells only decide in which order sums are rounded.
RENUMBERED = 0.9999


def test_renumbered_genes(tissue, answer, run, agreement):
    table = tissue.table
    number = np.random.default_rng(1).permutation(len(table.genes)).astype(np.int32)
    names = [table.genes[i] for i in np.argsort(number)]
    other = run(replace(table, gene=number[table.gene], genes=names), tissue.prior)
    assert alike(agreement, tissue, answer, other) >= RENUMBERED


def test_renumbered_cells(tissue, answer, run, agreement):
    prior = tissue.prior
    number = 1 + np.random.default_rng(2).permutation(len(prior.names))
    names = [prior.names[i] for i in np.argsort(number)]
    cell = np.concatenate([[0], number]).astype(np.int32)[prior.cell]
    other = run(tissue.table, replace(prior, cell=cell, names=names))
    assert alike(agreement, tissue, answer, other) >= RENUMBERED


def test_tiles_leave_no_trace(wide, run, agreement):
    """80 000 transcripts, 270 µm wide: one tile of 800 or 400 µm, four of 200, nine of 100."""
    whole = run(wide.table, wide.prior, tile=800.0)
    for side in (200.0, 100.0):
        cut = run(wide.table, wide.prior, tile=side)
        assert alike(agreement, wide, whole, cut) >= 0.985, side
        assert abs(len(cut.names) - len(whole.names)) <= 0.01 * len(whole.names)


def test_purity_trades_transcripts_for_accuracy(tissue, answer, run):
    runs = [
        run(tissue.table, tissue.prior, purity="complete"),
        answer,
        run(tissue.table, tissue.prior, purity="pure"),
    ]
    share = [(s.cell > 0).mean() for s in runs]
    right = [accuracy(s, tissue) for s in runs]
    assert share[0] > share[1] > share[2]
    assert right[0] < right[1] < right[2]
    # What is best does not depend on how sure an assignment must be.
    complete, balanced = runs[:2]
    np.testing.assert_array_equal(complete.probability, balanced.probability)
    assert (complete.cell[balanced.cell > 0] > 0).all()


def missing_nuclei(tissue, number, seed):
    """The prior without some nuclei of at least 40 transcripts, and the true cells they belonged to."""
    prior, rng = tissue.prior, np.random.default_rng(seed)
    rich = np.flatnonzero(np.bincount(prior.cell[prior.core], minlength=len(prior.names) + 1) >= 40)
    gone = rng.choice(rich[rich > 0], number, replace=False)
    rows = np.isin(prior.cell, gone)
    true = []
    for cell in gone:
        own = tissue.true[(prior.cell == cell) & prior.core]
        true.append(np.bincount(own[own > 0]).argmax())
    without = replace(prior, cell=np.where(rows, 0, prior.cell), core=prior.core & ~rows)
    return without, true


def test_missed_nuclei_come_back_as_new_cells(perfect, run):
    prior, true = missing_nuclei(perfect, 15, seed=1)
    found = run(perfect.table, prior)
    new = np.flatnonzero(found.origin == Origin.NEW) + 1
    partner = matched(found.cell, perfect.true, len(found.names))
    back = np.isin(true, partner[new])
    assert back.sum() >= 8
    for cell in new:
        assert found.names[cell - 1] not in prior.names
    without = run(perfect.table, prior, new_cells=False)
    assert not (without.origin == Origin.NEW).any()
    assert len(without.names) < len(found.names)


def test_no_prior_finds_about_the_true_number_of_cells(tissue, run, consistent):
    n = len(tissue.table)
    nothing = replace(tissue.prior, cell=np.zeros(n, np.int32), core=np.zeros(n, bool), names=[], kind="none")
    found = run(tissue.table, nothing)
    consistent(tissue.table, nothing, found)
    assert (found.origin == Origin.NEW).all()
    true = len(np.unique(tissue.true[tissue.true > 0]))
    assert true / 2 <= len(found.names) <= 2 * true
    assert accuracy(found, tissue) > 0.55
