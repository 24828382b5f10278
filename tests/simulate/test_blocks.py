import numpy as np
import pytest

from cellcarve.simulate.bodies import locate, shelve
from cellcarve.simulate.fields import unwarp, warp
from cellcarve.simulate.hashing import keys, uniforms
from cellcarve.simulate.nuclei import in_nucleus
from cellcarve.simulate.plan import make_plan
from cellcarve.simulate.prior import nearest_outline
from cellcarve.simulate.programmes import PROGRAMMES, draw_genes, make_panel, mixtures
from cellcarve.simulate.settings import SimulateSettings
from cellcarve.simulate.window import Windows


@pytest.fixture(scope="module")
def plan():
    return make_plan(SimulateSettings(transcripts=350_000, seed=11), PROGRAMMES)


@pytest.fixture(scope="module")
def windows(plan):
    return Windows(plan)


def test_neighbouring_blocks_see_the_same_cells(windows):
    left, right = windows.at(0, 1), windows.at(1, 1)
    border = left.box[2]
    a, b = ({n: i for i, n in enumerate(w.cells.number)} for w in (left, right))
    shared = [n for n in a if abs(left.cells.x[a[n]] - border) < 30 and 150 < left.cells.y[a[n]] < 450]
    assert len(shared) > 100
    assert set(shared) <= set(b)
    i, j = np.array([a[n] for n in shared]), np.array([b[n] for n in shared])
    assert np.array_equal(left.cells.body[i], right.cells.body[j])
    assert np.array_equal(left.nuclei.shape[i], right.nuclei.shape[j])
    assert np.array_equal(left.drawn.fault[i], right.drawn.fault[j])


def test_neighbouring_blocks_draw_the_same_outlines(windows):
    left, right = windows.at(0, 1), windows.at(1, 1)
    border = left.box[2]
    y = np.linspace(left.box[1], left.box[3], 4000)
    x = border + 10 * np.sin(np.arange(len(y)))
    seen = []
    for window in (left, right):
        outline, gap = nearest_outline(window.drawn, x, y)
        number = window.cells.number[window.drawn.cell[outline]] * 2 + window.drawn.half[outline]
        seen.append((np.where(outline >= 0, number, -1), gap))
    assert np.array_equal(seen[0][0], seen[1][0])
    assert np.allclose(seen[0][1], seen[1][1])


def test_each_cell_belongs_to_one_block(plan, windows):
    numbers = np.concatenate(
        [windows.at(*place).cells.number[windows.at(*place).own] for place in plan.places(rim=1)]
    )
    assert len(np.unique(numbers)) == len(numbers)


def test_faults_are_as_frequent_as_asked_for(plan, windows):
    faults = [windows.at(*place) for place in plan.places()]
    fault = np.concatenate([window.drawn.fault[window.own] for window in faults])
    seen = fault[np.isin(fault, (0, 3, 4, 5))]
    assert len(seen) > 1500
    for code, share in ((3, 0.06), (4, 0.04), (5, 0.03)):
        assert abs((seen == code).mean() - share) < 0.015, code


def test_locate_finds_the_nearest_surface(plan, windows):
    window = windows.at(1, 1)
    rng = np.random.default_rng(0)
    x, y = (rng.uniform(low, low + 200, 300) for low in window.box[:2])
    z = rng.uniform(0, 8, 300)
    found = locate(plan.warp, shelve(window.cells), x, y, z)
    for t in range(300):
        u, v = warp(plan.warp, x[t], y[t], z[t])
        d = np.array([u, v, z[t]]) - window.cells.body[:, :3]
        xx, xy, yy, zz, size, reach = window.cells.body[:, 3:].T
        gap = (
            np.sqrt(xx * d[:, 0] ** 2 + 2 * xy * d[:, 0] * d[:, 1] + yy * d[:, 1] ** 2 + zz * d[:, 2] ** 2)
            - size
        )
        gap[gap >= reach] = np.inf
        assert found[t] == (gap.argmin() if np.isfinite(gap.min()) else -1)


def test_nearest_outline_agrees_with_polygons(windows):
    shapely = pytest.importorskip("shapely")
    drawn = windows.at(1, 1).drawn
    polygons = [shapely.Polygon(np.column_stack(c)) for c in zip(*drawn.corners(), strict=True)]
    rng = np.random.default_rng(1)
    x, y = rng.uniform(200, 400, 2000), rng.uniform(200, 400, 2000)
    outline, gap = nearest_outline(drawn, x, y)
    tree = shapely.STRtree(polygons)
    held = np.unique(tree.query(shapely.points(x, y), predicate="within")[0])
    assert np.array_equal(np.flatnonzero(gap < 0), held)
    assert all(polygons[outline[t]].contains(shapely.Point(x[t], y[t])) for t in held)
    # The distance along the line to the centre is at least the distance to the outline.
    away = np.flatnonzero((outline >= 0) & (gap > 0))
    true = np.array([polygons[outline[t]].distance(shapely.Point(x[t], y[t])) for t in away])
    assert (true <= gap[away] + 1e-9).all()
    assert np.median(gap[away] / true) < 1.2


def test_unwarp_undoes_warp(plan):
    u, v, z = (np.random.default_rng(2).uniform(0, 8 if axis == 2 else 500, 500) for axis in range(3))
    x, y = unwarp(plan.warp, u, v, z)
    back = np.array([warp(plan.warp, *place) for place in zip(x, y, z, strict=True)])
    assert np.abs(back - np.column_stack([u, v])).max() < 0.05
    assert np.hypot(x - u, y - v).max() > 3


def test_nuclei_lie_in_their_cells(plan, windows):
    window = windows.at(1, 1)
    rng = np.random.default_rng(3)
    shown = np.flatnonzero(window.own & (window.nuclei.shown > 0))
    cell = rng.choice(shown, 4000)
    shape = window.nuclei.shape[cell]
    # Places in the ellipsoids, drawn in their own axes.
    ball = rng.normal(size=(3, 4000))
    ball *= rng.uniform(0, 1, 4000) ** (1 / 3) / np.sqrt((ball**2).sum(axis=0))
    a, b, c = ball * shape[:, 3:6].T
    x = shape[:, 0] + shape[:, 6] * a - shape[:, 7] * b
    y = shape[:, 1] + shape[:, 7] * a + shape[:, 6] * b
    z = shape[:, 2] + c
    assert in_nucleus(window.nuclei.shape, cell, x, y, z).all()
    held = locate(plan.warp, shelve(window.cells), x, y, z) == cell
    assert held.mean() > 0.93


def test_genes_follow_programmes_and_compartments():
    panel = make_panel(5, 40)
    number = 200_000
    mixture = np.zeros((1, PROGRAMMES))
    mixture[0, 2:4] = 0.3, 0.7
    key = keys(1, np.array([9]))
    state = np.random.default_rng(0).integers(0, 2**64, number, np.uint64)
    zero, nuclear = np.zeros(number, np.int64), np.ones(number, bool)
    gene = draw_genes(state, zero, nuclear, key, np.cumsum(mixture, axis=1), panel.heap, panel.ease)
    profile = np.diff(panel.heap, axis=1, prepend=0)
    seen = np.bincount(gene, minlength=40) / number
    expected = (mixture[0] @ profile) * panel.ease[1]
    # What is left is the cell's own taste for each gene, between 0.2 and 1 times a common factor.
    taste = seen[expected > 1e-3] / expected[expected > 1e-3]
    assert taste.max() / taste.min() < 6
    assert np.corrcoef(seen, expected / expected.sum())[0, 1] > 0.8
    swapped = draw_genes(state, zero, ~nuclear, key, np.cumsum(mixture, axis=1), panel.heap, panel.ease)
    ratio = (np.bincount(gene, minlength=40) + 1) / (np.bincount(swapped, minlength=40) + 1)
    assert np.corrcoef(np.log(ratio), np.log(panel.ease[1] / panel.ease[0]))[0, 1] > 0.95


def test_cells_are_mixtures_that_vary_along_the_tissue(plan, windows):
    panel = make_panel(11, 300)
    window = windows.at(1, 1)
    share = mixtures(plan, panel, window.cells)
    assert np.allclose(share.sum(axis=1), 1)
    assert 0.4 < share.max(axis=1).mean() < 0.8


def test_addressed_numbers_are_uniform_and_independent():
    i, j = (grid.ravel() for grid in np.meshgrid(np.arange(-100, 100), np.arange(-100, 100)))
    number = uniforms(keys(3, 17, i, j), 2)
    assert abs(number.mean() - 0.5) < 0.01
    assert np.abs(np.histogram(number[0], 20, (0, 1))[0] - 2000).max() < 220
    assert abs(np.corrcoef(number)[0, 1]) < 0.02
    assert abs(np.corrcoef(number[0][:-1], number[0][1:])[0, 1]) < 0.02
    assert len(np.unique(keys(3, 17, i, j))) == len(i)
    assert not np.array_equal(keys(3, 17, i, j), keys(4, 17, i, j))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_tissue(tmp_path):
    import subprocess
    import sys

    code = (
        "import sys, resource; from pathlib import Path; from cellcarve.simulate import *;"
        "simulate(SimulateSettings(transcripts=int(sys.argv[1])), Path(sys.argv[2]));"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peak = [
        int(
            subprocess.run(
                [sys.executable, "-c", code, str(n), str(tmp_path / str(n))], capture_output=True, check=True
            ).stdout
        )
        for n in (1_000_000, 4_000_000)
    ]
    assert peak[1] < peak[0] + 250_000
