"""The soft answer: masses, pairs, programmes and chances against plain twins."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from toy import Toy

from cellcarve.voxels.around import Around, around, window_of
from cellcarve.voxels.candidates import LEAST, Candidates, candidates
from cellcarve.voxels.chances import Law, ask, listen
from cellcarve.voxels.drift import drift_of, link, step_at, weight_of
from cellcarve.voxels.lattice import columns_of
from cellcarve.voxels.masses import LOOKS, SLOTS, add_place, no_masses
from cellcarve.voxels.pairs import add_up, pair_up
from cellcarve.voxels.programmes import LENT_GENES, LENT_MIX, Programmes, learn
from cellcarve.voxels.record import Record
from cellcarve.voxels.soft import PULL, Ranked, rank
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


def drawn(seed=0, transcripts=400, cells=7, genes=9):
    """Candidates at random, some transcripts without any; each entry's transcript, and genes."""
    random = np.random.default_rng(seed)
    held = random.integers(0, SLOTS + 1, transcripts)
    start = np.concatenate([[0], np.cumsum(held)]).astype(np.int32)
    who = np.concatenate([random.choice(np.arange(1, cells), number, replace=False) for number in held])
    mass, share = random.random((2, len(who))).astype(np.float32)
    state = Candidates(
        start, who.astype(np.int32), mass, mass.copy(), share, np.zeros(transcripts, np.float32)
    )
    spot = np.repeat(np.arange(transcripts), held)
    return random, state, spot, random.integers(0, genes, transcripts).astype(np.int32)


@pytest.mark.parametrize("overlap", [0.0, 0.5])
def test_candidates_hold_enough_of_the_surroundings(overlap):
    random = np.random.default_rng(4)
    masses = no_masses(300)
    masses.who[:] = np.argsort(random.random((300, 9)), axis=1)[:, :SLOTS]
    masses.mass[:] = random.integers(0, 7, masses.mass.shape) ** 2
    masses.looks = 100
    part = (masses.mass[:, :, 0] * (1 - overlap) + masses.mass[:, :, 1] * overlap) / 100
    kept = (masses.who > 0) & (part >= LEAST)
    who = masses.who.copy()
    state = candidates(masses, overlap)
    assert not len(masses.who)
    assert np.array_equal(np.diff(state.start), kept.sum(1))
    assert np.array_equal(state.who, who[kept])
    np.testing.assert_allclose(state.mass, part[kept], rtol=1e-6)
    whole = np.where(kept, part, 0).sum(1, keepdims=True)
    np.testing.assert_allclose(state.share, (part / np.maximum(whole, 1e-9))[kept], rtol=1e-6)
    assert np.array_equal(state.near, state.mass)


@pytest.mark.parametrize("threads", [1, 3])
def test_pairs_add_up(threads):
    _, state, spot, gene = drawn()
    pairs = pair_up(state.start, state.who, gene, 7, Threads(threads))
    table = np.zeros((7, 9))
    np.add.at(table, (state.who, gene[spot]), state.share)
    counts, size = np.zeros(len(pairs.gene)), np.zeros(7)
    add_up(pairs, state.share, counts, size, (0, 7))
    cell = np.repeat(np.arange(7), np.diff(pairs.start))
    np.testing.assert_allclose(counts, table[cell, pairs.gene])
    np.testing.assert_allclose(size, table.sum(1))
    assert np.array_equal(cell[pairs.of], state.who)
    assert np.array_equal(pairs.gene[pairs.of], gene[spot])
    assert len(np.unique(cell * 9 + pairs.gene)) == len(cell)
    assert sorted(pairs.order) == list(range(len(spot)))


def test_programmes_learn_by_em():
    random, state, _, gene = drawn(1)
    pairs = pair_up(state.start, state.who, gene, 7, ONE)
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
    random, state, _, gene = drawn(2)
    pairs = pair_up(state.start, state.who, gene, 7, ONE)
    counts, size = np.zeros(len(pairs.gene)), np.zeros(7)
    add_up(pairs, state.share, counts, size, (0, 7))
    law = Law(
        counts, random.random(len(counts)), size, random.random(7), random.random(9) * 0.1, 40.0, voice, PULL
    )
    before = state.share.copy()
    ask(state, pairs, law, gene, (0, len(gene)))
    for t in range(len(gene)):
        rates = [law.background[gene[t]]]
        own = slice(state.start[t], state.start[t + 1])
        for n in range(own.start, own.stop):
            others = counts[pairs.of[n]] - before[n] + 40 * law.share[pairs.of[n]]
            of_gene = others / (size[state.who[n]] - before[n] + 40)
            rates.append(state.near[n] * law.density[state.who[n]] * of_gene**voice)
        np.testing.assert_allclose([state.none[t], *state.share[own]], rates / np.sum(rates), rtol=1e-4)


def test_neighbours_are_heard_by_distance():
    random, state, _, _ = drawn(3, transcripts=60)
    i, j = random.integers(0, 12, 60), random.integers(0, 10, 60)
    head, after = np.empty(120, np.int32), np.empty(60, np.int32)
    column = (j * 12 + i).astype(np.int32)
    link(head, after, column)
    window = window_of(2.5)
    listen(state, Around(head.reshape(10, 12), after, column, window), PULL, np.empty(SLOTS), (0, 60))
    weights = {(int(a), int(b)): w for a, b, w in window}
    own = [slice(state.start[t], state.start[t + 1]) for t in range(60)]
    for t in range(60):
        said, whole = np.zeros(own[t].stop - own[t].start), 0.0
        for u in range(60):
            weight = weights.get((int(i[u] - i[t]), int(j[u] - j[t])), 0.0) * (u != t)
            whole += weight
            same = state.who[own[t]][:, None] == state.who[own[u]]
            said += weight * (same * state.share[own[u]]).sum(1)
        near = state.mass[own[t]] * np.exp(PULL * said / (whole or 1.0))
        several = len(near) > 1
        expected = near * state.mass[own[t]].sum() / near.sum() if several else state.mass[own[t]]
        np.testing.assert_allclose(state.near[own[t]], expected, rtol=1e-4)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_two_likeliest_cells_are_named(seed):
    _, state, _, gene = drawn(seed)
    state.share[::5] = state.share[1]
    pairs = pair_up(state.start, state.who, gene, 7, ONE)
    counts, size = np.zeros(len(pairs.gene)), np.zeros(7)
    add_up(pairs, state.share, counts, size, (0, 7))
    law = Law(counts, np.full(len(counts), 0.05), size, size, np.zeros(9), 40.0, 1.0, PULL)
    lonely, strange = np.empty((2, len(gene)), np.float32)
    first, second = np.empty((2, len(gene)), np.int32)
    ranked = Ranked(state.start, state.who, state.share, state.none, first, second, lonely, strange)
    overall, rare = np.arange(1, 10) / 45, np.arange(len(counts), dtype=np.float32)
    rank(state, pairs, law, overall, gene, rare, ranked, (0, len(gene)))
    for t in range(len(gene)):
        own = state.share[state.start[t] : state.start[t + 1]]
        best = np.append(state.start[t] + np.argsort(-own, kind="stable"), [-1, -1])
        assert (first[t], second[t]) == tuple(best[:2] if len(own) > 1 else best[[0, -1]])
        if not len(own):
            assert (lonely[t], strange[t]) == (0, 0)
            continue
        n = best[0]
        others = max(counts[pairs.of[n]] - state.share[n], 0)
        expected = (others / max(size[state.who[n]] - state.share[n], 1) + 0.05) / 2
        surprise = max(0, 1 + np.log(overall[gene[t]] / expected))
        assert lonely[t] == pytest.approx(np.exp(-others) * surprise, rel=1e-3, abs=1e-5)
        assert strange[t] == pytest.approx(np.exp(-others) * rare[pairs.of[n]], rel=1e-3)


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
