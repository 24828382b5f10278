"""The draw of a component against the densities written out."""

import math

import numpy as np
import pytest

from cellcarve.chain.philox import unit, words
from cellcarve.chain.streams import MIXTURE_ASSIGN
from cellcarve.mixture.assign import draw_all
from cellcarve.mixture.change import move, regather
from cellcarve.mixture.earlier import main_segments
from cellcarve.mixture.graph import FULL
from cellcarve.mixture.method import mark
from cellcarve.mixture.model import build, rules_of
from cellcarve.mixture.prepare import prepare
from cellcarve.mixture.reach import STEP
from cellcarve.mixture.sampler import refresh
from cellcarve.mixture.tally import count_of

SEED = 5


def chain(kit, with_prior, **values):
    field = kit.field(seed=3, side=3, per_cell=25)
    prior = kit.nuclei(field.cell, field.core, 0.6) if with_prior else kit.no_prior(field.table)
    chosen = kit.settings(**values)
    ready = prepare(field.table, prior, chosen, 1)
    marked = mark(ready, field.table.genes, chosen, kit.compute(), [])
    state = build(ready, marked, rules_of(ready, prior, chosen), chosen)
    refresh(state)
    if len(state.counts.size) > 1:
        main_segments(state.counts.segments, state.counts.size, state.cells.main)
    state.sweep = 7
    return state


def slow_gene(state, k, g, own):
    count, n, rules = count_of(state.counts.genes, k, g), state.cells.n[k], state.rules
    if rules.alpha <= 0:
        return max(count, 1) / (n + 1)
    return (count - own + rules.alpha * state.profile[state.cells.kind[k], g]) / (n - own + rules.alpha)


def slow_prior(state, s, k, anchor):
    """Factor of Baysor's correction on a candidate k of a transcript in segment s."""
    p, size = state.rules.trust, state.counts.size[s]
    held = {c: min(count_of(state.counts.segments, c, s) + 1, size) for c in (k, anchor)}
    if state.cells.main[k] in (s, 0):
        return math.sqrt(1 - p) * (held[k] / held[anchor]) ** p
    return math.sqrt(1 - p) * (1 - held[k] / size) ** (p * math.exp(3 * p))


def slow_weights(state, i):
    """Unnormalised densities of the candidates of a transcript, in the order of its neighbours, and of noise."""
    scene, graph, rules, cells = state.scene, state.graph, state.rules, state.cells
    edges = range(graph.start[i], graph.start[i] + graph.near[i])
    beside = {}
    for e in edges:
        k = int(scene.label[graph.neighbour[e]])
        beside[k] = beside.get(k, 0.0) + graph.weight[e] / FULL
    noise = beside.pop(0, 0.0)
    s, at = int(scene.segment[i]), [float(axis[i]) for axis in state.at][: rules.dims]
    owner = int(state.counts.owner[s]) if s and rules.bonus > 0 else 0
    if owner:
        beside.setdefault(owner, 0.0)
    out = {}
    for k, w in beside.items():
        upper = cells.covariance[k]
        cov = np.array([[upper[0], upper[1]], [upper[1], upper[3]]])
        away = np.array(at) - cells.form[k, :2]
        reach = math.sqrt(away @ np.linalg.solve(cov, away))
        if cells.anchor[k]:
            # The nearest transcript of the nucleus; beyond the third nearest nucleus distances are cut off.
            own = np.flatnonzero(state.counts.owner[scene.segment] == k)
            gaps = np.hypot(state.at.x[own] - at[0], state.at.y[own] - at[1])
            known = k in scene.beside[i]
            gap = gaps.min() if known else scene.gap[i, 2] * STEP * rules.scale + rules.scale
            sigma = rules.width * rules.scale
            cov, reach = sigma**2 * np.eye(2), (gap + rules.rim) / sigma
        d = cells.n[k] ** rules.power * math.exp((1 - rules.power) * rules.typical)
        d *= math.exp(-0.5 * reach**2) / math.sqrt(np.linalg.det(2 * math.pi * cov))
        if rules.classic:
            d /= math.sqrt(2 * math.pi)
        d *= scene.confidence[i] * math.exp(rules.field * w)
        own = int(k == scene.label[i] and not rules.classic)
        d *= slow_gene(state, k, scene.gene[i], own) ** rules.temper
        if scene.cluster[i] and cells.cluster[k] != scene.cluster[i]:
            d *= math.exp(rules.unlike)
        out[k] = d * (math.exp(rules.bonus) if owner and k == owner else 1)
    if s and rules.bonus == 0:
        able = [k for k in out if cells.main[k] in (s, 0)]
        if able:
            key = {
                k: (min(count_of(state.counts.segments, k, s) + 1, state.counts.size[s]), cells.n[k])
                for k in able
            }
            anchor = max(able, key=lambda k: key[k])
            out = {k: d * (1 if k == anchor else slow_prior(state, s, k, anchor)) for k, d in out.items()}
    gene = state.profile[0, scene.gene[i]] if rules.alpha > 0 else 1
    still = (1 - scene.confidence[i]) * math.exp(rules.field * noise + rules.noise) * gene**rules.temper
    return out, still


@pytest.mark.parametrize(
    ("prior", "values"),
    [
        (False, {"compat": "0.7"}),
        (True, {"compat": "0.7"}),
        (False, {}),
        (True, {}),
        (True, {"anchors": False, "composition": "classic"}),
    ],
)
def test_draws_follow_the_densities(kit, prior, values):
    state = chain(kit, prior, **values)
    who, to = draw_all(state, SEED, 1)
    drawn = state.scene.label.copy()
    drawn[who] = to
    ties = 0
    for i in range(len(drawn)):
        weight, noise = slow_weights(state, i)
        total = sum(weight.values()) + noise
        chance = unit(words(np.uint64(SEED), MIXTURE_ASSIGN, np.uint32(7), state.scene.place[i], 0)[0])
        left, expected, nearest = chance * total, 0, 1.0
        for k, d in weight.items():
            nearest = min(nearest, abs(left - d) / total)
            left -= d
            if left < 0:
                expected = k
                break
        # float32 forms against float64 ones: only draws on the very border may differ.
        ties += nearest < 1e-3
        assert drawn[i] == expected or nearest < 1e-3
    assert ties < 9


def test_the_prior_beyond_doubt_leaves_no_choice(kit):
    state = chain(kit, True)
    state.rules = state.rules._replace(bonus=math.inf)
    who, to = draw_all(state, SEED, 1)
    inside = state.scene.segment[who] > 0
    assert np.array_equal(to[inside], state.counts.owner[state.scene.segment[who[inside]]])


def test_moving_keeps_sums_and_counts_as_if_made_anew(kit):
    state = chain(kit, True)
    rng = np.random.default_rng(0)
    for _ in range(20):
        who = rng.permutation(len(state.scene.label))[:100].astype(np.int32)
        move(state, who, rng.integers(0, len(state.cells.n), 100).astype(np.int32))
    n, sums = state.cells.n.copy(), state.cells.sums.copy()
    genes = [[count_of(state.counts.genes, k, g) for g in range(20)] for k in range(len(n))]
    regather(state)
    assert np.array_equal(n, state.cells.n)
    assert np.allclose(sums, state.cells.sums, atol=1e-6)
    assert genes == [[count_of(state.counts.genes, k, g) for g in range(20)] for k in range(len(n))]
    assert np.array_equal(n[1:], np.bincount(state.scene.label, minlength=len(n))[1:])
