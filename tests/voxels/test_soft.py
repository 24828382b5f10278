"""The soft answer: masses, pairs, programmes and chances against plain twins."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from toy import Toy

from cellcarve.voxels.around import Around, around, window_of
from cellcarve.voxels.drift import drift_of, link, step_at, weight_of
from cellcarve.voxels.lattice import columns_of
from cellcarve.voxels.masses import LOOKS, SLOTS, add_place, no_masses
from cellcarve.voxels.pairs import add_up, pair_up
from cellcarve.voxels.programmes import LENT_GENES, LENT_MIX, Programmes, learn
from cellcarve.voxels.record import Record
from cellcarve.voxels.soft import PULL, Law, State, ask, listen
from cellcarve.voxels.threads import Threads

ONE = Threads(1)


def test_steps_take_equal_parts_of_their_table():
    table = np.array([0.5, 0.9, 1.0])
    part = (np.arange(1000) + 0.5) / 1000
    step = np.array([step_at(table, p) for p in part])
    assert [np.mean(step == n) for n in range(-2, 3)] == pytest.approx([0.05, 0.2, 0.5, 0.2, 0.05])


def test_masses_are_the_kernel_summed_over_each_cell():
    toy = Toy(shape=(9, 8, 2), cells=3, transcripts=12, seed=4)
    drift = drift_of((1.0, 2.0, 0.3), (1.0, 0.2), 0.3, 1.0, 2)
    masses = no_masses(12)
    for sweep in range(800):
        masses.add((toy.grid, toy.labels, toy.spots), drift, (5, sweep), ONE)
    assert masses.looks == 800 * LOOKS
    inside = toy.inside()
    place = np.column_stack(columns_of(toy.frame, inside))
    for t, seen in enumerate(toy.spots.seen):
        step = place - np.column_stack(columns_of(toy.frame, np.array([seen])))
        for kind in (0, 1):
            only = drift._replace(share=float(kind))
            weight = np.array([weight_of(only, *s) for s in step])
            true = np.bincount(toy.labels.label[inside], weight, 4)
            found = np.bincount(masses.who[t], masses.mass[t, :, kind], 4) / masses.looks
            np.testing.assert_allclose(found[1:], true[1:], atol=0.02)


def test_the_rarest_cell_gives_way():
    who, mass = np.zeros((1, SLOTS), np.int32), np.zeros((1, SLOTS, 2), np.uint16)
    for cell in [1] * 9 + [2] * 5 + [3] * 4 + [4] + [5, 5, 5]:
        add_place(who, mass, 0, cell, cell % 2)
    assert set(who[0]) == {1, 2, 3, 5}
    assert mass[0].sum() == 9 + 5 + 4 + 2


def test_what_is_forgotten_takes_no_memory():
    tracemalloc.start()
    record = Record(100_000, True)
    full = tracemalloc.get_traced_memory()[0]
    record.close(np.zeros(100_000, np.int32), (10, 5))
    without = tracemalloc.get_traced_memory()[0]
    record.masses.forget()
    left = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert full > 6e6
    assert without < 0.6 * full
    assert left < 0.01 * full


def candidates(seed=0, transcripts=400, cells=7, genes=9):
    random = np.random.default_rng(seed)
    who = np.zeros((transcripts, SLOTS), np.int32)
    for t in range(transcripts):
        number = random.integers(0, SLOTS + 1)
        who[t, :number] = random.choice(np.arange(1, cells), number, replace=False)
    share = random.random(who.shape).astype(np.float32) * (who > 0)
    mass = random.random(who.shape).astype(np.float32) * (who > 0)
    state = State(who, mass, mass.copy(), share, np.zeros(transcripts, np.float32))
    return random, state, random.integers(0, genes, transcripts).astype(np.int32)


@pytest.mark.parametrize("threads", [1, 3])
def test_pairs_add_up(threads):
    _, state, gene = candidates()
    pairs = pair_up(state.who, gene, 7, Threads(threads))
    table = np.zeros((7, 9))
    np.add.at(table, (state.who, gene[:, None]), state.share)
    table[0] = 0
    counts, size = np.zeros(len(pairs.gene)), np.zeros(7)
    add_up(pairs, state.share, counts, size, (0, 7))
    cell = np.repeat(np.arange(7), np.diff(pairs.start))
    np.testing.assert_allclose(counts, table[cell, pairs.gene])
    np.testing.assert_allclose(size, table.sum(1))
    held = state.who > 0
    assert (cell[pairs.of[held]] == state.who[held]).all()
    assert (pairs.gene[pairs.of] == gene[:, None])[held].all()
    assert len(np.unique(cell * 9 + pairs.gene)) == len(cell)


def test_programmes_learn_by_em():
    random, state, gene = candidates(1)
    pairs = pair_up(state.who, gene, 7, ONE)
    counts, size = np.zeros(len(pairs.gene)), np.zeros(7)
    add_up(pairs, state.share, counts, size, (0, 7))
    given = Programmes(random.dirichlet(np.ones(9), 3).T, random.dirichlet(np.ones(3), 7), np.full(9, 1 / 9))
    cell = np.repeat(np.arange(7), np.diff(pairs.start))
    table = np.zeros((7, 9))
    table[cell, pairs.gene] = counts
    part = given.mix[:, None] * given.genes[None]
    part *= (table / part.sum(2))[:, :, None]
    mix = part.sum(1) + LENT_MIX * given.mix[1:].mean(0)
    genes = part.sum(0) + LENT_GENES
    share = np.zeros(len(counts))
    learn(given, pairs, counts, share, ONE)
    np.testing.assert_allclose(given.mix, mix / mix.sum(1, keepdims=True), rtol=1e-9)
    np.testing.assert_allclose(given.genes, genes / genes.sum(0), rtol=1e-3)
    np.testing.assert_allclose(share, (given.mix @ given.genes.T)[cell, pairs.gene])


@pytest.mark.parametrize("voice", [1.0, 0.3])
def test_chances_leave_the_transcript_itself_out(voice):
    random, state, gene = candidates(2)
    pairs = pair_up(state.who, gene, 7, ONE)
    counts, size = np.zeros(len(pairs.gene)), np.zeros(7)
    add_up(pairs, state.share, counts, size, (0, 7))
    law = Law(
        counts, random.random(len(counts)), size, random.random(7), random.random(9) * 0.1, 40.0, voice, PULL
    )
    before = state.share.copy()
    ask(state, pairs, law, gene, (0, len(gene)))
    for t in range(len(gene)):
        rates = [law.background[gene[t]]]
        for slot, cell in enumerate(state.who[t]):
            others = counts[pairs.of[t, slot]] - before[t, slot] + 40 * law.share[pairs.of[t, slot]]
            of_gene = others / (size[cell] - before[t, slot] + 40)
            rates.append(state.near[t, slot] * law.density[cell] * of_gene**voice if cell else 0.0)
        np.testing.assert_allclose([state.none[t], *state.share[t]], rates / np.sum(rates), rtol=1e-4)


def test_neighbours_are_heard_by_distance():
    random, state, _ = candidates(3, transcripts=60)
    i, j = random.integers(0, 12, 60), random.integers(0, 10, 60)
    head, after = np.empty(120, np.int32), np.empty(60, np.int32)
    column = (j * 12 + i).astype(np.int32)
    link(head, after, column)
    window = window_of(2.5)
    listen(state, Around(head.reshape(10, 12), after, column, window), PULL, (0, 60))
    weights = {(int(a), int(b)): w for a, b, w in window}
    for t in range(60):
        said, whole = np.zeros(SLOTS), 0.0
        for u in range(60):
            weight = weights.get((int(i[u] - i[t]), int(j[u] - j[t])), 0.0) * (u != t)
            whole += weight
            same = (state.who[t][:, None] == state.who[u]) & (state.who[t] > 0)[:, None]
            said += weight * (same * state.share[u]).sum(1)
        near = state.mass[t] * np.exp(PULL * said / (whole or 1.0))
        scale = state.mass[t].sum() / near.sum() if (state.who[t] > 0).sum() > 1 else 1.0
        expected = near * scale if scale != 1.0 else state.mass[t]
        np.testing.assert_allclose(state.near[t], expected, rtol=1e-4)


def test_all_transcripts_are_found_around():
    toy = Toy(shape=(8, 8, 2), transcripts=50, seed=2)
    near_by = around(SimpleNamespace(frame=toy.frame, spots=toy.spots), 0.5)
    seen = []
    for first in near_by.head.ravel():
        while first >= 0:
            seen.append(first)
            first = near_by.after[first]
    assert sorted(seen) == list(range(50))
    assert near_by.window[:, 2].max() == 1.0
