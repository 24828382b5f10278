"""The draw of a component against the densities written out."""

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from cellcarve.chain.philox import unit, words
from cellcarve.chain.streams import MIXTURE_ASSIGN
from cellcarve.mixture.assign import LEAST_DOUBT, MOST, draw_all, log_places
from cellcarve.mixture.change import move, regather
from cellcarve.mixture.earlier import main_segments
from cellcarve.mixture.graph import FULL
from cellcarve.mixture.method import mark
from cellcarve.mixture.model import build, rules_of
from cellcarve.mixture.prepare import prepare
from cellcarve.mixture.rates import rates
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


def slow_gap(state, i, k):
    """Distance to the nucleus of k; beyond the third nearest nucleus distances are cut off."""
    scene = state.scene
    if k not in scene.beside[i]:
        return scene.gap[i, 2] * STEP * state.rules.scale + state.rules.scale
    own = np.flatnonzero(state.counts.owner[scene.segment] == k)
    return np.hypot(state.at.x[own] - state.at.x[i], state.at.y[own] - state.at.y[i]).min()


def slow_place(state, i, k):
    """Log density of a component at a transcript, its weight included."""
    rules, cells = state.rules, state.cells
    weight = rules.power * math.log(cells.n[k]) + (1 - rules.power) * rules.typical
    upper = cells.covariance[k]
    cov = np.array([[upper[0], upper[1]], [upper[1], upper[3]]])
    away = np.array([state.at.x[i], state.at.y[i]], float) - cells.form[k, :2]
    own = -0.5 * (away @ np.linalg.solve(cov, away) + np.log(np.linalg.det(2 * math.pi * cov)))
    if rules.classic:
        own -= 0.5 * math.log(2 * math.pi)
    if not cells.anchor[k]:
        return own + weight
    sigma = rules.width * rules.scale
    first, far = ((slow_gap(state, i, c) + rules.rim) / sigma for c in (state.scene.beside[i, 0], k))
    near = -0.5 * (first**2 + (rules.width / rules.near) ** 2 * (far**2 - first**2))
    near -= math.log(2 * math.pi * sigma**2)
    doubt = (1 - rules.trust) ** 2
    return (1 - doubt) * near + doubt * own + weight


def slow_weights(state, i, more=()):
    """Unnormalised densities of the candidates of a transcript, in the order of its neighbours, and of noise.

    `more` are candidates wherever they lie.
    """
    scene, graph, rules, cells = state.scene, state.graph, state.rules, state.cells
    edges = range(graph.start[i], graph.start[i] + graph.near[i])
    beside = {}
    for e in edges:
        k = int(scene.label[graph.neighbour[e]])
        beside[k] = beside.get(k, 0.0) + graph.weight[e] / FULL
    noise = beside.pop(0, 0.0)
    s, anchored = int(scene.segment[i]), len(scene.beside) > 0
    owner = int(state.counts.owner[s]) if s and rules.bonus > 0 else 0
    for k in (int(scene.beside[i, 0]) if anchored else 0, owner, *more):
        if k:
            beside.setdefault(k, 0.0)
    place, rate = {}, {}
    for k, w in beside.items():
        place[k] = math.exp(slow_place(state, i, k) + rules.field * w)
        last = np.flatnonzero(cells.n)[-1]
        if scene.cluster[i] and cells.cluster[k] != scene.cluster[i] and not (rules.classic and k == last):
            place[k] *= math.exp(rules.unlike)
        rate[k] = slow_gene(state, k, scene.gene[i], int(k == scene.label[i] and not rules.classic))
    usual = np.mean(list(rate.values())) if rate else 0.0
    all_places = sum(place.values()) if anchored else 1.0
    out = {}
    for k, d in place.items():
        gene = ((1 - rules.blur) * rate[k] + rules.blur * usual) ** rules.temper
        out[k] = scene.confidence[i] * d / all_places * gene
        out[k] *= math.exp(rules.bonus) if owner and k == owner else 1
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
    doubt = max(1 - scene.confidence[i], 0 if rules.classic or s else LEAST_DOUBT)
    still = doubt * gene**rules.temper
    return out, still * (
        1 if anchored else math.exp(rules.noise + (0 if rules.placed else rules.field * noise))
    )


@pytest.mark.parametrize("prior", [True, False])
def test_the_likeliest_is_taken_after_the_vote(kit, prior):
    state = chain(kit, prior)
    state.rules = state.rules._replace(blur=0.4, near=0.35, placed=True)
    who, to = draw_all(state, SEED, 1, sharp=True)
    taken = state.scene.label.copy()
    taken[who] = to
    for i in range(len(taken)):
        weight, noise = slow_weights(state, i)
        ranked = sorted([*weight.values(), noise])
        # float32 forms against float64 ones.
        if len(ranked) < 2 or ranked[-1] > 1.02 * ranked[-2]:
            best = max(weight, key=weight.get, default=0)
            assert taken[i] == (best if weight and weight[best] > noise else 0)


def test_rates_are_shares_of_the_densities_without_the_hold_of_nuclei(kit):
    state = chain(kit, True)
    state.rules = state.rules._replace(blur=0.3, near=0.2, fair=0.6)
    found, label, scene = rates(state, 1), state.scene.label, state.scene
    assert np.array_equal(found, rates(state, 2))
    free, bonus = chain(kit, True), math.exp(state.rules.bonus)
    free.rules = state.rules._replace(near=0.6)
    for i in range(len(label)):
        weight, noise = slow_weights(free, i, [int(label[i]), *scene.beside[i].tolist()])
        if scene.segment[i]:
            weight[int(state.counts.owner[scene.segment[i]])] /= bonus
        expected = weight[label[i]] / (sum(weight.values()) + noise) if label[i] else 0
        # Distances to the edges of nuclei against those to their transcripts.
        assert found[i] == pytest.approx(0.99 * expected, abs=0.015)
    assert (found[label > 0] > 0).all()


def test_borders_are_never_taken_to_be_blurrier_than_any_measured(kit):
    state = chain(kit, True)
    found = []
    for fair in (0.3, 0.8, 5.0):
        state.rules = state.rules._replace(fair=fair)
        found.append(rates(state, 1))
    assert np.array_equal(found[1], found[2])
    assert found[0].mean() > found[1].mean() + 1e-3


def test_a_prior_beyond_doubt_is_not_doubted(kit):
    state = chain(kit, True)
    state.rules = state.rules._replace(bonus=math.inf)
    held = state.counts.owner[state.scene.segment]
    held = (held > 0) & (held == state.scene.label)
    assert held.sum() > 50
    assert rates(state, 1)[held] == pytest.approx(0.99)


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


@pytest.mark.parametrize("compat", ["", "0.7"])
def test_by_classic_rules_compartments_only_weigh_the_middle_of_cells(kit, compat):
    """Their genes stay in compositions, and neighbours count as before."""
    genes = {"nuclei_genes": ("g1", "g2"), "cyto_genes": ("g3",), "molecule_clusters": 0}
    with_genes, plain = (chain(kit, False, compat=compat, **values) for values in (genes, {}))
    assert len(with_genes.scene.nuclear) == len(with_genes.scene.gene)
    same = np.array_equal(with_genes.graph.weight, plain.graph.weight)
    assert (same, bool((with_genes.scene.gene >= 0).all())) == ((True, True) if compat else (False, False))


@pytest.mark.parametrize("compat", ["", "0.7"])
def test_the_last_component_is_of_any_cluster_by_classic_rules(kit, compat):
    state = chain(kit, False, compat=compat, composition="classic", molecule_clusters=3)
    alive = np.flatnonzero(state.cells.n)[-2:].tolist()
    paid = []
    for k in alive:
        i = np.flatnonzero(state.scene.cluster != state.cells.cluster[k])[0]
        candidate, score = np.zeros(MOST + 1, np.int32), np.zeros(MOST)
        candidate[0], candidate[MOST] = k, 1
        log_places(i, state.at, state.scene, state.cells, state.rules, candidate, score)
        paid.append(score[0] - slow_place(state, i, k))
    free = 0.0 if compat else math.log(0.25)
    assert paid == pytest.approx([math.log(0.25), free], abs=1e-3)


def test_noise_is_as_dense_as_a_cell_three_scales_off_and_as_components_are_in_the_genes_they_hold(kit):
    state = chain(kit, False, compat="0.7")
    scale, label = state.rules.scale, state.scene.label
    place = multivariate_normal([0, 0], scale**2 * np.eye(2)).pdf([3 * scale, 3 * scale])
    genes = [len(np.unique(state.scene.gene[label == k])) for k in np.unique(label[label > 0])]
    assert math.exp(state.rules.noise) == pytest.approx(place * np.mean(1 / np.array(genes)))


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
