"""Kernels against the same rules written plainly, transcript by transcript or with NumPy, SciPy and shapely."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import shapely
from scipy.sparse import csr_matrix
from scipy.spatial.distance import cdist

from cellcarve.mixture.border import carve_in, walk
from cellcarve.mixture.change import move
from cellcarve.mixture.clusters import _Work
from cellcarve.mixture.compartments import compartments, weakened
from cellcarve.mixture.compositions import blend
from cellcarve.mixture.earlier import main_segments
from cellcarve.mixture.graph import FULL
from cellcarve.mixture.merge import _members, touching
from cellcarve.mixture.method import mark
from cellcarve.mixture.model import build, rules_of
from cellcarve.mixture.noise import confidence
from cellcarve.mixture.outlines import capsule, outline
from cellcarve.mixture.pieces import loose_pieces
from cellcarve.mixture.prepare import prepare
from cellcarve.mixture.reach import STEP, anchors_of, reach
from cellcarve.mixture.tally import count_of
from cellcarve.mixture.triangles import triangulate
from cellcarve.mixture.ways import Ways


@pytest.fixture(scope="module")
def field(kit):
    """A prepared field of nine cells with noise, and its graph as a matrix of weights."""
    made = kit.field(seed=9, side=3, per_cell=40, noise=0.15)
    chosen, prior = kit.settings(), kit.no_prior(made.table)
    ready = prepare(made.table, prior, chosen, 1)
    return SimpleNamespace(kit=kit, made=made, ready=ready, weight=matrix(ready.graph), settings=chosen)


def matrix(graph, near=False):
    """(N, N) weights of all edges, or of the near ones."""
    n = len(graph.start) - 1
    first = graph.start[:-1]
    last = first + graph.near if near else graph.start[1:]
    edges = np.concatenate([np.arange(a, b) for a, b in zip(first, last, strict=True)])
    start = np.append(0, np.cumsum(last - first))
    return csr_matrix((graph.weight[edges] / FULL, graph.neighbour[edges], start), shape=(n, n))


def rows_of(weight):
    """Neighbours and weights of each row of a matrix."""
    spans = zip(weight.indptr[:-1], weight.indptr[1:], strict=True)
    return [(weight.indices[a:b], weight.data[a:b]) for a, b in spans]


def chain(kit, compat="", with_prior=False, labels=9):
    """A state whose transcripts are dealt to components by place, with strays."""
    made = kit.field(seed=4, side=3, per_cell=40)
    prior = kit.nuclei(made.cell, made.core, 0.6) if with_prior else kit.no_prior(made.table)
    chosen = kit.settings(compat=compat, cells_init=labels)
    ready = prepare(made.table, prior, chosen, 1)
    state = build(
        ready,
        mark(ready, made.table.genes, chosen, kit.compute(), []),
        rules_of(ready, prior, chosen),
        chosen,
    )
    rng = np.random.default_rng(1)
    who = np.flatnonzero(rng.random(len(ready.molecules)) < 0.2).astype(np.int32)
    move(state, who, rng.integers(0, len(state.cells.n), len(who)).astype(np.int32))
    return state


def slow_confidence(distance, weight, least):
    """Baysor's two normals with a neighbourhood term, one transcript after the other."""
    low, high = np.quantile(distance, [0.1, 0.9])
    s = (high - low) / 4
    mean, std, cut = [low, high], [s, s], high + 3 * s

    def density(e, kind):
        return math.exp(-0.5 * ((e - mean[kind]) / std[kind]) ** 2) / std[kind]

    rows = rows_of(weight)
    p = np.array([density(e, 0) / (density(e, 0) + density(e, 1)) if e <= cut else 0.0 for e in distance])
    change = 1.0
    while change >= 0.005:
        n = p.sum(), len(p) - p.sum()
        for i in np.flatnonzero(distance <= cut):
            who, held = rows[i]
            inside = held @ p[who]
            a = n[0] * math.exp(inside) * density(distance[i], 0)
            b = n[1] * math.exp(held.sum() - inside) * density(distance[i], 1)
            p[i] = least[i] + (1 - least[i]) * a / max(a + b, 1e-20)
        before = np.array([*mean, *std])
        for kind, share in enumerate((p, 1 - p)):
            mean[kind] = np.average(distance, weights=share)
            std[kind] = math.sqrt(np.average((distance - mean[kind]) ** 2, weights=share))
        change = np.max(np.abs(np.array([*mean, *std]) - before) / np.abs(before))
    a, b = (np.array([n * density(e, k) for e in distance]) for k, n in enumerate((p.sum(), (1 - p).sum())))
    value = np.where(distance > cut, 0, a / np.maximum(a + b, 1e-300))
    return least + (1 - least) * value


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_confidence_is_that_of_the_plain_rule(field, share):
    ready = field.ready
    distance = ready.molecules.from_input(ready.noise.distance)
    least = np.where(np.arange(len(distance)) % 3 == 0, share, 0).astype(np.float32)
    found, fit = confidence(distance, ready.graph, least, ready.noise.neighbour, False)
    assert fit.mean[0] < fit.mean[1]
    assert found == pytest.approx(slow_confidence(distance.astype(float), field.weight, least), abs=2e-3)


def test_a_round_of_clusters_is_a_product_of_matrices(field):
    ready, many = field.ready, 3
    m, n = ready.molecules, len(ready.molecules)
    rng = np.random.default_rng(2)
    profile, belief = (
        rng.dirichlet(np.ones(m.genes), many),
        rng.dirichlet(np.ones(many), n).astype(np.float32),
    )
    fresh = np.empty_like(belief)
    work = _Work(m, ready.graph, ready.confidence, 1)
    learned, (largest, switched, _) = work._round(profile, belief, fresh, np.arange(1))
    sure = ready.confidence.astype(float)
    expected = profile[:, m.gene].T * np.exp(field.weight @ (sure[:, None] * belief))
    expected /= expected.sum(1, keepdims=True)
    assert fresh == pytest.approx(expected, abs=1e-5)
    assert largest == pytest.approx((sure * np.abs(expected - belief).max(1)).max(), abs=1e-5)
    assert switched == pytest.approx(np.mean(expected.argmax(1) != belief.argmax(1)))
    gained = np.zeros((many, m.genes))
    np.add.at(gained.T, m.gene, sure[:, None] * expected)
    assert learned == pytest.approx((gained + 1) / (gained.sum(1, keepdims=True) + 1), rel=1e-4)


def slow_compartments(m, weight, sure, markers, scale):
    at = np.column_stack([m.at.x, m.at.y]).astype(float)
    marked = [np.isin(m.gene, codes) for codes in markers]
    second = [np.sort(cdist(at, at[flags]), axis=1)[:, 1] for flags in marked]
    inside = 1 - np.clip((np.maximum(*second) / scale - 1) / 2, 0, 1)
    belief = np.column_stack([0.5 * inside, 0.5 * inside, 1 - inside])
    for kind, flags in enumerate(marked):
        belief[flags] = 0
        belief[flags, kind], belief[flags, 2] = inside[flags], 1 - inside[flags]
    free = np.flatnonzero(~(((marked[0] | marked[1]) & (inside > 0.99)) | (inside < 0.01)))
    calm, rows = 0, rows_of(weight)
    while calm < 20:
        before = belief.copy()
        for i in free:
            who, held = rows[i]
            field = (held * sure[who]) @ belief[who]
            belief[i] = np.exp(field - field.max())
            belief[i] /= belief[i].sum()
        calm = calm + 1 if (sure * np.abs(belief - before).max(1)).max() < 0.01 else 0
    return belief


def test_compartments_are_those_of_the_plain_rule(field):
    ready = field.ready
    markers = np.array([0, 1, 2], np.int32), np.array([3, 4, 5], np.int32)
    belief, _ = compartments(ready.molecules, ready.graph, ready.confidence, markers, ready.scale)
    expected = slow_compartments(
        ready.molecules, field.weight, ready.confidence.astype(float), markers, ready.scale
    )
    assert belief == pytest.approx(expected, abs=1e-6)
    weaker = matrix(weakened(ready.graph, belief)).toarray()
    factor = np.where(belief[:, [0]] > 0.25, 1 - belief[:, 1] * belief[:, [0]], 1)
    product = field.weight.toarray() * factor
    product[(factor < 1) & (product <= 0.01)] = 0
    assert weaker == pytest.approx(product, abs=2 / FULL)


EVEN = Ways(np.ones((1, 1), np.float32), 0.0, 0.0, np.inf)


@pytest.mark.parametrize(("deep", "furthest"), [(False, 1e9), (True, 1e9), (False, 3.0)])
def test_nearest_nuclei_are_found_by_measuring_them_all(kit, deep, furthest):
    rng = np.random.default_rng(3)
    at = kit.points(*rng.uniform(0, 40, (3 if deep else 2, 500)))
    component = np.where(rng.random(500) < 0.3, rng.integers(1, 25, 500), 0).astype(np.int32)
    inset = rng.uniform(0, 0.5, 25)
    owner, gap = reach(at, anchors_of(at, component), (inset, EVEN), 4.0, furthest, 2)
    place = np.column_stack(at).astype(float)
    apart = cdist(place, place[component > 0])
    each = np.full((500, 25), np.inf)
    for k, column in zip(component[component > 0], apart.T, strict=True):
        each[:, k] = np.minimum(each[:, k], column)
    order = np.argsort(each, axis=1)[:, :3]
    nearest = np.take_along_axis(each, order, axis=1)
    sought = nearest <= furthest
    assert sought.sum() > 200
    assert np.array_equal(owner[sought], order[sought])
    edge = np.maximum(nearest - inset[order], 0)
    assert gap[sought] * STEP * 4.0 == pytest.approx(edge[sought], abs=4.0 * STEP * 1.01)


def test_ways_across_a_ridge_are_longer(kit):
    """Two nuclei, a wall nearer to the second: what lies before the wall is the first's, though the second is nearer."""
    at = kit.points(np.array([0.0, 10.0, 5.6, 4.0]), np.zeros(4))
    component = np.array([1, 2, 0, 0], np.int32)
    cost = np.ones((1, 100), np.float32)
    cost[0, 60:70] = 4
    walled = Ways(cost, 0.0, 0.0, 0.1)
    left = float(at.x[0])
    walled = walled._replace(x0=left)
    plain, _ = reach(at, anchors_of(at, component), (np.zeros(3), EVEN), 4.0, 1e9, 1)
    owner, gap = reach(at, anchors_of(at, component), (np.zeros(3), walled), 4.0, 1e9, 1)
    assert plain[2, 0] == 2
    assert owner[2, :2].tolist() == [1, 2]
    assert gap[2, 0] * STEP * 4.0 == pytest.approx(5.6, abs=0.02)
    assert gap[2, 1] * STEP * 4.0 == pytest.approx(4.4 + 3.0, abs=0.4)
    assert owner[3, 0] == plain[3, 0] == 1


def test_contacts_are_edges_between_components(kit):
    state = chain(kit)
    label, weight = state.scene.label, matrix(state.graph, near=True)
    edges = {}
    for i, j in zip(*weight.nonzero(), strict=True):
        a, b = sorted((int(label[i]), int(label[j])))
        if i < j and 0 < a < b:
            edges[a, b] = edges.get((a, b), 0) + 1
    every = {k: sum(n for pair, n in edges.items() if k in pair) for k in range(len(state.cells.n))}
    enough = sorted(pair for pair, n in edges.items() if n >= 3)
    pairs, among = touching(state)
    assert [tuple(pair) for pair in pairs.tolist()] == enough
    apart = [edges[a, b] >= 0.5 * (every[a] + every[b] - 2 * edges[a, b]) for a, b in enough]
    assert among.tolist() == apart
    into = np.arange(len(state.cells.n), dtype=np.int32)
    into[3] = 1
    assert np.array_equal(_members(label, into), np.flatnonzero(label == 3))


@pytest.mark.parametrize("compat", ["", "0.7"])
def test_loose_pieces_go_to_what_they_touch_most(kit, compat):
    state = chain(kit, compat)
    label, rows = state.scene.label, rows_of(matrix(state.graph, near=True))
    seen, expected = set(), {}
    for k in range(1, len(state.cells.n)):
        pieces = []
        for i in np.flatnonzero(label == k):
            piece, front = set(), [i]
            while front:
                j = front.pop()
                if j not in seen:
                    seen.add(j)
                    piece.add(j)
                    front += [q for q in rows[j][0] if label[q] == k]
            if piece:
                pieces.append(piece)
        pieces.sort(key=lambda piece: (-len(piece), min(piece)))
        for piece in pieces[1:]:
            touch = {}
            for i in piece:
                for j, w in zip(*rows[i], strict=True):
                    if label[j] not in (0, k):
                        touch[label[j]] = touch.get(label[j], 0.0) + w
            best = max(touch.values(), default=0)
            goals = {to for to, w in touch.items() if w > best - 1e-9} if touch and not compat else {0}
            expected |= dict.fromkeys(piece, goals)
    who, to = loose_pieces(state, np.zeros(len(label), bool))
    assert sorted(who.tolist()) == sorted(expected)
    assert all(goal in expected[i] for i, goal in zip(who.tolist(), to.tolist(), strict=True))
    assert len(who) > 20


def test_main_segments_are_those_of_the_largest_share(kit):
    state = chain(kit, "0.7", with_prior=True)
    size = state.counts.size
    main = np.zeros(len(state.cells.n), np.int32)
    main_segments(state.counts.segments, size, main)
    for k in range(1, len(main)):
        share = {s: count_of(state.counts.segments, k, s) / size[s] for s in range(1, len(size)) if size[s]}
        share = {s: value for s, value in share.items() if value > 0}
        best = max(share, key=lambda s: (share[s], size[s], -s)) if share else 0
        assert main[k] == best


def slow_carving(x, y, corner, foreign):
    """Triangles that stay: of the ones with one open edge, those go that hold a foreign point and whose far corner is inside."""
    alive = {t: tuple(int(c) for c in row) for t, row in enumerate(corner)}
    points = shapely.points(foreign)

    def outer():
        edges = {}
        for t, c in alive.items():
            for s in range(3):
                edges.setdefault(frozenset((c[s], c[(s + 1) % 3])), []).append(t)
        return {edge: owners[0] for edge, owners in edges.items() if len(owners) == 1}

    gone = True
    while gone:
        gone = False
        for t in list(alive):
            rim = outer()
            own = [edge for edge, owner in rim.items() if owner == t]
            if len(own) != 1:
                continue
            (apex,) = set(alive[t]) - own[0]
            shape = shapely.Polygon(np.column_stack([x, y])[list(alive[t])])
            if any(apex in edge for edge in rim) or not shapely.covers(shape, points).any():
                continue
            del alive[t]
            gone = True
    return set(alive)


def test_carving_is_that_of_the_plain_rule_and_the_ring_its_border(kit):
    rng = np.random.default_rng(2)
    at = rng.uniform(-6, 6, (220, 2))
    inner = (np.abs(at[:, 0]) < 2.5) & (at[:, 1] > -2)
    own, foreign = at[~inner], at[inner]
    own = own[np.lexsort((own[:, 0], own[:, 1]))]
    x, y = own.T.copy()
    corner = triangulate(x, y)
    alive, next_to = carve_in(x, y, corner, *foreign.T.copy())
    assert set(np.flatnonzero(alive)) == slow_carving(x, y, corner, foreign)
    assert 5 < (~alive).sum() < len(corner)
    ring = shapely.Polygon(own[walk(corner, alive, next_to, len(x))])
    assert ring.is_valid
    whole = shapely.union_all(shapely.polygons(own[corner[alive]]))
    assert ring.symmetric_difference(whole).area < 1e-9
    cell = np.repeat([1, 0], [len(own), len(foreign)]).astype(np.int32)
    drawn = outline(kit.points(*np.vstack([own, foreign]).T), cell, 0.5)
    assert shapely.Polygon(np.column_stack([drawn.x, drawn.y])).symmetric_difference(ring).area < 1e-3


def test_a_capsule_is_a_line_with_a_square_rim():
    x, y = np.array([3.0, 1.0, 2.0, 5.0]), np.array([4.0, 2.0, 3.0, 6.0])
    found = shapely.Polygon(capsule(x, y, 0.1))
    assert found.exterior.is_ccw
    line = shapely.LineString([(1, 2), (5, 6)]).buffer(0.1, cap_style="square")
    assert found.symmetric_difference(line).area < 1e-9


def test_blending_is_a_weighted_mean():
    rng = np.random.default_rng(6)
    index, distance = rng.integers(0, 20, (50, 4)), rng.random((50, 4))
    distance[0, 0] = 0
    value, out = rng.random((20, 3)), np.empty((50, 3))
    blend(index, distance, value, out)
    weight = 1 / (distance + 1e-10)
    assert out == pytest.approx((weight[:, :, None] * value[index]).sum(1) / weight.sum(1, keepdims=True))
