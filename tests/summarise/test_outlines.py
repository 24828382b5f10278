import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.spatial import cKDTree

from cellcarve.data.sorting import rows_of
from cellcarve.summarise import outlines as module
from cellcarve.summarise.outlines import outline
from cellcarve.summarise.votes import ENOUGH, vote


def same(a, b):
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("cell", "x", "y", "start"))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("per_cell", "leak"), [(4, 0.2), (25, 0.1), (120, 0.0)])
def test_valid_and_apart_at_any_density(tools, seed, per_cell, leak):
    x, y, cell = tools.leaky(80, per_cell, 100.0, leak, seed)
    tools.check(outline(x, y, cell, 80), cell)


def test_random_cells_are_valid_and_apart(tools):
    """Cells that are no places at all: nearly every one has to be planted among others."""
    rng = np.random.default_rng(5)
    x, y = rng.uniform(0, 40, (2, 900)).astype(np.float32)
    cell = rng.integers(1, 120, 900).astype(np.int32)
    tools.check(outline(x, y, cell, 119), cell)


def test_holds_transcripts(tools, tissue):
    x, y, cell = tools.leaky(60, 80, 90.0, 0.0, 3)
    outlines = outline(x, y, cell, 60)
    inside = tools.held(outlines, tools.check(outlines, cell), x, y, cell)
    assert inside.mean() > 0.95
    assert share_of_good_cells(cell, inside) >= 0.97


def share_of_good_cells(cell, inside):
    """Share of cells of at least 20 transcripts whose outline holds at least 95 % of them."""
    number = np.bincount(cell)
    held = np.bincount(cell, inside, len(number)) / np.maximum(number, 1)
    return (held >= 0.95)[number >= 20].mean()


def test_cells_reach_for_transcripts_among_their_neighbours(tools, monkeypatch):
    """A twentieth of each cell's transcripts lies anywhere in the cell beside it, which is more than tissue does."""
    x, y, cell = tools.leaky(80, 120, 100.0, 0.05, 7)
    share = []
    for each in (0.0, module.EACH):
        monkeypatch.setattr(module, "EACH", each)
        outlines = outline(x, y, cell, 80)
        inside = tools.held(outlines, tools.check(outlines, cell), x, y, cell)
        share.append(share_of_good_cells(cell, inside))
    assert share[1] >= share[0] + 0.2


def test_follows_the_cell(tools):
    """A lone disc of transcripts gets its own shape, not that of its box or of its neighbours' gaps."""
    rng = np.random.default_rng(0)
    radius, angle = 8 * np.sqrt(rng.random(400)), rng.uniform(0, 2 * np.pi, 400)
    x, y = (50 + radius * np.cos(angle)).astype(np.float32), (50 + radius * np.sin(angle)).astype(np.float32)
    cell = np.ones(400, np.int32)
    shape = tools.check(outline(x, y, cell, 1), cell)[0]
    assert shape.area == pytest.approx(np.pi * 8**2, rel=0.2)
    # Smooth: hardly longer than a circle of its area (stairs of pixels are 1.27 times as long).
    assert shape.length < 1.1 * 2 * np.sqrt(np.pi * shape.area)


def test_does_not_depend_on_tiles(tissue, monkeypatch):
    whole = outline(tissue.x, tissue.y, tissue.cell, tissue.cells)
    for side in (37, 90):
        monkeypatch.setattr(module, "TILE", side)
        assert same(whole, outline(tissue.x, tissue.y, tissue.cell, tissue.cells))


def test_enclosed_cell_stays_and_its_host_is_opened(tools):
    rng = np.random.default_rng(1)
    place = rng.uniform(-12, 12, (3000, 2)).astype(np.float32)
    distance = np.hypot(*place.T)
    place, distance = place[distance < 12], distance[distance < 12]
    cell = np.where(distance < 4, 1, 2).astype(np.int32)
    x, y = place.T.copy()
    inner, outer = tools.check(outline(x, y, cell, 2), cell)
    assert inner.area == pytest.approx(np.pi * 16, rel=0.25)
    assert outer.area == pytest.approx(np.pi * 128, rel=0.25)


def test_cells_without_a_place_of_their_own_get_one(tools):
    """Single transcripts amid a dense cell, two of them at the same spot."""
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0, 10, (2, 500)).astype(np.float32)
    cell = np.ones(500, np.int32)
    x[:3], y[:3], cell[:3] = [5, 5, 2], [5, 5, 8], [2, 3, 4]
    shapes = tools.check(outline(x, y, cell, 4), cell)
    assert shapes[1].distance(shapely.Point(5, 5)) < 2
    assert shapes[3].distance(shapely.Point(2, 8)) < 2


def test_cells_of_one_transcript_and_lines(tools):
    x = np.array([1, 30, 30, 60, 61, 62, 63, 64], np.float32)
    y = np.array([1, 30, 30, 5, 5, 5, 5, 5], np.float32)
    cell = np.array([1, 2, 2, 4, 4, 4, 4, 4], np.int32)
    outlines = outline(x, y, cell, 5)
    tools.check(outlines, cell)


def test_far_transcripts_do_not_stretch_a_cell(tools, tissue):
    cell = tissue.cell.copy()
    x = np.append(tissue.x, np.float32(700))
    y = np.append(tissue.y, np.float32(700))
    shapes = tools.check(outline(x, y, np.append(cell, np.int32(1)), tissue.cells), cell)
    assert shapely.bounds(shapes)[:, 2:].max() < 150


def test_no_transcripts():
    nothing = np.empty(0, np.float32)
    outlines = outline(nothing, nothing, np.empty(0, np.int32), 3)
    assert len(outlines.cell) == 0
    np.testing.assert_array_equal(outlines.start, [0])


def test_progress_adds_up(tissue):
    told = []
    outline(tissue.x, tissue.y, tissue.cell, tissue.cells, told.append)
    assert sum(told) == len(tissue.x)


def test_votes_match_a_slow_count():
    """Kernel votes against all pixels times all transcripts."""
    rng = np.random.default_rng(4)
    u, v = rng.uniform(3, 17, (2, 60))
    code = rng.integers(1, 4, 60).astype(np.int32)
    reach = np.array([0, 2.0, 3.0, 4.5])
    label = np.zeros((20, 20), np.int32)
    vote((u + 100, v - 7), *rows_of(code, 4), reach, (100, -7), label)
    middle = np.arange(20) + 0.5
    square = (middle[None, :, None] - u) ** 2 + (middle[:, None, None] - v) ** 2
    weight = np.maximum(1 - square / reach[code] ** 2, 0) ** 2
    total = np.stack([weight[:, :, code == c].sum(2) for c in range(4)])
    expected = np.where(total.max(0) >= ENOUGH, total.argmax(0), 0)
    expected[[0, -1]] = 0
    expected[:, [0, -1]] = 0
    np.testing.assert_array_equal(label, expected)


def test_real_tissue(tools, data_folder):
    """Xenium breast: every transcript to its nearest nucleus, unless far away."""
    columns = ["x_location", "y_location", "cell_id", "overlaps_nucleus"]
    data = pd.read_parquet(data_folder / "xenium_breast" / "transcripts.parquet", columns=columns)
    x, y = (data[f"{axis}_location"].to_numpy(np.float32) for axis in "xy")
    core = ((data.overlaps_nucleus == 1) & (data.cell_id != -1)).to_numpy()
    code, ids = pd.factorize(data.cell_id[core])
    place = np.column_stack([x, y])
    distance, near = cKDTree(place[core]).query(place)
    cell = np.where(distance < 6, code[near] + 1, 0).astype(np.int32)
    x, y, cell = x[cell > 0], y[cell > 0], cell[cell > 0]
    outlines = outline(x, y, cell, len(ids))
    inside = tools.held(outlines, tools.check(outlines, cell), x, y, cell)
    assert inside.mean() > 0.95
    assert share_of_good_cells(cell, inside) >= 0.97
