"""The parts of the report against slow twins."""

import re

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from cellcarve.data.result import Outlines
from cellcarve.data.segmentation import Origin
from cellcarve.report.before import before_of, flow_of
from cellcarve.report.charts import Steps, histogram, ticks
from cellcarve.report.closeup import touching, view_of
from cellcarve.report.colours import palette, unlike_neighbours
from cellcarve.report.numbers import numbers_of
from cellcarve.report.sections import distributions
from cellcarve.report.sections.distributions import _contents, areas
from cellcarve.report.sections.genes import genes
from cellcarve.report.sections.losses import losses
from cellcarve.report.sections.model import model
from cellcarve.report.sections.tissue import _markers
from cellcarve.report.svg import Frame, dots, rings, scale_bar, tag
from cellcarve.report.windows import SIDE, windows_of
from cellcarve.report.words import count, decimal, percent, shorten


def polygons(number, seed=0):
    rng = np.random.default_rng(seed)
    shapes = [
        shapely.Point(*rng.uniform(0, 100, 2)).buffer(rng.uniform(2, 9), quad_segs=3) for _ in range(number)
    ]
    rings_ = [shapely.get_coordinates(s.exterior) for s in shapes]
    start = np.concatenate([[0], np.cumsum([len(r) for r in rings_])]).astype(np.int64)
    flat = np.concatenate(rings_).astype(np.float32)
    return shapes, Outlines(np.arange(1, number + 1, dtype=np.int32), flat[:, 0], flat[:, 1], start)


def drawn(data):
    """Vertices of each subpath of relative path data, followed as a browser does."""
    at, paths = np.zeros(2), []
    for ring in re.findall(r"m([^mz]*)z", data):
        steps = np.array(ring.split(), float).reshape(-1, 2)
        points = at + np.cumsum(steps, axis=0)
        paths.append(points)
        at = points[0]
    return paths


def test_ring_paths_follow_the_chosen_outlines():
    _, outlines = polygons(12)
    chosen = np.arange(12) % 3 != 1
    frame = Frame((-10.0, -20.0, 110.0, 100.0), 0.1)
    paths = drawn(rings(outlines, chosen, frame))
    assert len(paths) == chosen.sum()
    for path, k in zip(paths, np.flatnonzero(chosen), strict=True):
        part = slice(outlines.start[k], outlines.start[k + 1])
        expected = np.column_stack([outlines.x[part] + 10, outlines.y[part] + 20]) / 0.1
        assert np.abs(path - expected).max() <= 0.51


def test_nothing_chosen_draws_nothing():
    _, outlines = polygons(3)
    assert rings(outlines, np.zeros(3, bool), Frame((0, 0, 1, 1), 0.1)) == ""


@given(st.lists(st.tuples(st.floats(0, 500, width=32), st.floats(0, 500, width=32)), max_size=30))
def test_dots_lie_where_the_transcripts_are(points):
    x, y = (np.array([p[k] for p in points], np.float32) for k in (0, 1))
    data = dots(x, y, Frame((0, 0, 500, 500), 0.5))
    steps = np.array(re.findall(r"m(-?\d+) (-?\d+)h0", data), float).reshape(-1, 2)
    np.testing.assert_allclose(np.cumsum(steps, axis=0) * 0.5, np.column_stack([x, y]), atol=0.2501)


def test_areas_equal_shapely_far_from_the_origin():
    shapes, outlines = polygons(20)
    np.testing.assert_allclose(areas(outlines), [s.area for s in shapes], rtol=1e-4)
    far = Outlines(outlines.cell, outlines.x + 8192, outlines.y + 8192, outlines.start)
    np.testing.assert_allclose(areas(far), [s.area for s in shapes], rtol=5e-3)


def test_areas_leave_out_outlines_without_vertices():
    _, outlines = polygons(4)
    start = np.insert(outlines.start, 2, outlines.start[2])
    with_empty = Outlines(np.arange(1, 6, dtype=np.int32), outlines.x, outlines.y, start)
    np.testing.assert_array_equal(areas(with_empty), areas(outlines))
    assert touching(with_empty, (-1e3, -1e3, 1e3, 1e3)).tolist() == [True, True, False, True, True]


def test_touching_equals_shapely_bounds():
    shapes, outlines = polygons(40)
    box = (20.0, 30.0, 60.0, 50.0)
    expected = [s.envelope.intersects(shapely.box(*box)) for s in shapes]
    assert touching(outlines, box).tolist() == expected


def test_flow_counts_every_kept_transcript_once(scattered):
    run = scattered(800, 9, seed=3)
    run.table.status[::7] = 3
    before = before_of(run)
    flow = flow_of(run, before)
    twin = dict.fromkeys(("same", "moved", "gained", "lost", "never"), 0)
    for row in np.flatnonzero(run.table.status == 0):
        was, now = run.prior.cell[row], run.segmentation.cell[row]
        if was and now:
            twin["same" if run.segmentation.prior[now - 1] == was else "moved"] += 1
        else:
            twin["gained" if now else "lost" if was else "never"] += 1
    assert vars(flow) == twin
    assert sum(twin.values()) == (run.table.status == 0).sum()


def test_instrument_cells_are_matched_by_name(scattered):
    run = scattered(100, 4)
    run.table.cell_names = ["c3", "other", "c0", "c1"]
    run.table.cell = np.ones(100, np.int32)
    before = before_of(run)
    assert before.label == "the instrument's cells"
    assert before.ours.tolist() == [3, 4, 0, 1]  # c0, c1, c2 (unknown), c3


def test_contents_before_equal_a_loop(scattered, monkeypatch):
    run = scattered(500, 6)
    before = before_of(run)
    transcripts, kinds = _contents(run, before)
    rows = {c: run.table.gene[run.prior.cell == c] for c in range(1, 7)}
    assert transcripts.tolist() == [len(g) for g in rows.values() if len(g)]
    assert kinds.tolist() == [len(set(g)) for g in rows.values() if len(g)]
    monkeypatch.setattr(distributions, "SAMPLE", 250)
    assert _contents(run, before)[1].tolist() == [len(set(rows[c])) for c in (2, 4, 6)]


def test_losses_add_up_to_the_rows(scattered):
    run = scattered(700, 5)
    run.table.status[:90] = np.arange(90) % 5
    run.segmentation.cell[run.table.status > 0] = 0
    table = losses(run, numbers_of(run)).pieces[1]
    numbers = [int(row[2].replace(",", "")) for row in table.rows]
    assert sum(numbers[:-1]) == numbers[-1] == 700


def test_genes_most_often_in_no_cell_come_first(scattered):
    run = scattered(4000, 8, genes=5)
    run.segmentation.cell[run.table.gene == 3] = 0
    rows = np.flatnonzero(run.segmentation.cell)
    counts = np.zeros((8, 5), np.int32)
    np.add.at(counts, (run.segmentation.cell[rows] - 1, run.table.gene[rows]), 1)
    run.summary.counts = type(run.summary.counts)(counts)
    frequent, homeless = genes(run, numbers_of(run)).pieces[0].pieces
    assert homeless.rows[0][0] == "gene003"
    assert homeless.rows[0][2].share == 1
    assert [row[0] for row in frequent.rows] == [
        f"gene{g:03d}" for g in np.argsort(-np.bincount(run.table.gene))
    ]


def test_markers_are_the_genes_that_stand_out(scattered):
    run = scattered(100, 4, genes=6)
    counts = np.full((4, 6), 5, np.int32)
    counts[:2, 4], counts[2:, 1] = 60, 60
    run.summary.counts = type(run.summary.counts)(counts)
    first, second = _markers(run, np.array([0, 0, 1, 1]), 2)
    assert first.startswith("gene004")
    assert second.startswith("gene001")


def test_windows_show_where_things_changed(scattered):
    run = scattered(20_000, 200, side=800.0)
    result = run.segmentation
    result.origin[:] = Origin.PRIOR
    there = np.argmin(np.hypot(run.table.x - 700, run.table.y - 120) + 1e6 * (result.cell == 0))
    result.origin[result.cell[there] - 1] = Origin.NEW
    windows = windows_of(run, numbers_of(run))
    assert windows[0].title == "Most new cells"
    left, top, right, bottom = windows[0].box
    assert left <= run.table.x[there] <= right
    assert top <= run.table.y[there] <= bottom
    assert right - left == pytest.approx(SIDE)
    assert [w.title for w in windows][-1] == "An ordinary place"
    assert windows == windows_of(run, numbers_of(run))


def test_a_kept_cell_has_one_colour_and_a_split_two(scattered):
    run = scattered(3000, 12, side=60.0)
    result = run.segmentation
    result.prior[1] = 1  # cells 1 and 2 both continue prior cell 1
    view = view_of(run, before_of(run), (0.0, 0.0, 60.0, 60.0))
    for cell in np.unique(view.now[view.now > 2]):
        now, was = (
            view.colour_now[view.now == cell],
            view.colour_before[view.before == result.prior[cell - 1]],
        )
        assert len(set(now) | set(was)) == 1
    assert (view.colour_now[view.now == 0] == -1).all()
    assert set(view.colour_now[view.now == 1]) == set(view.colour_before[view.before == 1])


def test_neighbours_on_a_lattice_differ():
    x, y = (v.ravel().astype(float) for v in np.meshgrid(np.arange(9), np.arange(9)))
    colour = unlike_neighbours(x, y).reshape(9, 9)
    assert (colour[1:] != colour[:-1]).all()
    assert (colour[:, 1:] != colour[:, :-1]).all()


def test_palette_is_distinct_before_it_repeats():
    assert len(set(palette(21))) == 21
    assert palette(22)[21] == palette(1)[0]


@given(st.floats(-1e3, 1e3), st.floats(1e-2, 1e7))
def test_ticks_are_few_and_inside(low, span):
    marks = ticks(low, low + span)
    assert len(marks) <= 12
    assert all(low - span * 1e-6 <= m <= low + span * (1 + 1e-6) for m in marks)


def test_histogram_heights_are_to_scale():
    chart = histogram(np.arange(4.0), [Steps(np.array([2.0, 4.0, 0.0]), "#000000", False)], ("a", "b"))
    points = re.search(r'd="M([^"]*)" fill="none"', chart).group(1).split("L")
    y = [float(p.split()[1]) for p in points]
    assert (y[0] - y[3]) == pytest.approx(2 * (y[0] - y[1]), abs=0.2)
    assert y[5] == y[0] == y[-1]


def test_learned_values_are_flattened_and_shortened(scattered):
    run = scattered(10, 1)
    run.segmentation.model = {
        "a": {"blur": 0.25, "on": True},
        "long": list(range(50)),
        "none": [],
        "bad": float("nan"),
    }
    rows = model(run, numbers_of(run)).pieces[1].rows
    values = {row[0]: row[1] for row in rows}
    assert values == {
        "a.blur": "0.25",
        "a.on": "yes",
        "long": "50 values from 0 to 49",
        "none": "none",
        "bad": "–",
    }
    assert rows[0][2]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (count(1234567), "1,234,567"),
        (count(123456789), "123.5 M"),
        (percent(1, 3), "33.3 %"),
        (percent(1, 0), "–"),
        (percent(1, 10_000), "0.01 %"),
        (decimal(float("nan")), "–"),
        (decimal(0.0), "0"),
        (decimal(12345.6), "12,346"),
        (shorten("abcdef", 4), "abc…"),
        (str(tag("a", "<b>", x_y='"')), '<a x-y="&#34;">&lt;b&gt;</a>'),
    ],
)
def test_words(made, expected):
    assert made == expected


@pytest.mark.parametrize(
    ("width", "shown"), [(80, "10 µm"), (509, "100 µm"), (12_000, "2 mm"), (4, "0.5 µm")]
)
def test_scale_bar_has_a_round_length(width, shown):
    frame = Frame((0.0, 0.0, float(width), 50.0), 0.1)
    bar = scale_bar(frame)
    assert shown in bar
    long = float(re.search(r'width="([\d.]+)"', bar).group(1)) * 0.1
    assert long == pytest.approx(float(shown.split()[0]) * (1000 if "mm" in shown else 1))
