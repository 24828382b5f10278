"""The pages: whole in themselves, with every outline where it belongs."""

import base64
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.sparse import csr_matrix

from cellcarve.compat.baysor.config import resolve
from cellcarve.compat.baysor.loading import load
from cellcarve.compat.baysor.outputs.naming import numbered
from cellcarve.compat.baysor.plots.borders import borders_page
from cellcarve.compat.baysor.plots.diagnostics import diagnostics_page
from cellcarve.compat.baysor.plots.earlier import prior_rings
from cellcarve.compat.baysor.plots.frame import Frame, frame_for
from cellcarve.compat.baysor.plots.genes import gene_distance, gene_structure
from cellcarve.compat.baysor.plots.map import HERE, data_block
from cellcarve.compat.baysor.plots.preview import Look, preview_page
from cellcarve.compat.baysor.plots.raster import _disc, picture
from cellcarve.compat.baysor.prior import Laid
from cellcarve.compat.baysor.scale import Scale
from cellcarve.mixture.result import Rings

CONFIG = resolve([("here", {"data.min_molecules_per_cell": 20, "plotting.max_plot_size": 400})])


@pytest.fixture
def table(table_file, ask, log):
    return load(ask(table_file), log).table


def check_whole(page: str) -> None:
    """Nothing is fetched: every address is data."""
    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    for address in re.findall(r'(?:src|href)="([^"]*)"', page):
        assert address.startswith(("data:", "#")), address[:60]
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert "https://" not in page
    assert "@import" not in page


def block(page: str, key: str) -> dict:
    return json.loads(re.search(rf'<script type="application/json" id="{key}">(.*?)</script>', page)[1])


def unpacked(raw: dict) -> tuple[np.ndarray, np.ndarray]:
    vertices = np.frombuffer(base64.b64decode(raw["vertices"]), "<u2").reshape(-1, 2) * raw["unit"]
    return vertices, np.frombuffer(base64.b64decode(raw["starts"]), "<u4")


def test_borders_hold_every_outline_and_two_maps(table, finished, molecules):
    run = finished(table, molecules.truth.to_numpy())
    names = numbered("CRx", 30)
    page = borders_page(table, run, names, None, CONFIG)
    check_whole(page)
    frame = frame_for(table.x, table.y, CONFIG)
    vertices, starts = unpacked(block(page, "cell-rings"))
    assert np.array_equal(starts, run.rings.start)
    expected = np.column_stack(frame.place(run.rings.x, run.rings.y))
    assert vertices == pytest.approx(expected, abs=max(frame.width, frame.height) / 65535)
    assert block(page, "cell-rings")["names"][4].startswith("CRx-5: ")
    assert page.count('class="molecule-map"') == 2
    assert page.count("data:image/png") == 2


def test_a_person_can_move_and_zoom_the_maps(table, finished, molecules, tmp_path):
    """The page's own script, run on stand-ins of a browser's elements."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; the script of the maps is not run")
    run = finished(table, molecules.truth.to_numpy())
    (tmp_path / "page.html").write_text(borders_page(table, run, numbered("CRx", 30), None, CONFIG), "utf-8")
    frame = frame_for(table.x, table.y, CONFIG)
    across, down = frame.place(run.cells.x[4:5], run.cells.y[4:5])
    here = Path(__file__).parent / "map_case.js"
    words = [node, here, tmp_path / "page.html", HERE / "map.js", across[0], down[0]]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    whole, dragged, zoomed, back = told["looks"]
    assert all(look["other"] == look["image"] for look in told["looks"])
    x, y, wide, high = whole["image"]
    assert max(wide / 600, high / 400) == pytest.approx(1)
    assert whole["rings"] == 30
    assert dragged["image"] == pytest.approx([x + 50, y - 20, wide, high])
    by = 1.25**8
    # What lies under the pointer stays there.
    expected = [200 + (x + 50 - 200) * by, 150 + (y - 20 - 150) * by, wide * by, high * by]
    assert zoomed["image"] == pytest.approx(expected)
    # Rings outside of the view are not drawn.
    assert 0 < zoomed["rings"] < 15
    assert back["image"] == pytest.approx(whole["image"])
    assert told["name"].startswith("CRx-5: ")


def test_borders_without_colours_clusters_or_cells(table, finished, molecules):
    run = finished(table, np.zeros(len(molecules), np.int32), coloured=False)
    run.cluster = None
    page = borders_page(table, run, numbered("C", 0), None, CONFIG)
    check_whole(page)
    assert page.count('class="molecule-map"') == 1


def test_two_million_molecules_are_pixels_and_stay_small(monkeypatch):
    """A picture does not grow with the molecules; outlines take 4 bytes a vertex."""
    rng = np.random.default_rng(0)
    n = 2_000_000
    x, y = rng.uniform(0, 5000, n).astype(np.float32), rng.uniform(0, 2500, n).astype(np.float32)
    frame = frame_for(x, y, CONFIG)
    assert max(frame.width, frame.height) == 400
    assert len(picture(frame, x, y, np.full((n, 3), 90, np.uint8))) < 400_000
    corners = 10 * 20_000
    rings = Rings(np.arange(20_000), *rng.random((2, corners)), np.arange(0, corners + 1, 10))
    assert len(data_block("a", rings, frame)) < 1.4 * 4 * corners + 110_000


def test_pixels_show_the_molecules_where_they_are():
    frame = Frame(0.0, 0.0, 1.0, 30, 20, 1)
    uri = picture(
        frame,
        np.array([3.5, 29.5, 3.5]),
        np.array([7.5, 19.5, 7.5]),
        np.array([[255, 0, 0], [0, 0, 255], [255, 0, 0]]),
    )
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).convert("RGBA"))
    assert image.shape == (20, 30, 4)
    assert image[7, 3].tolist() == [255, 0, 0, 255]
    assert image[19, 29].tolist() == [0, 0, 255, 255]
    assert (image[:, :, 3] > 0).sum() == 2


@pytest.mark.parametrize("diameter", [1, 2, 3, 5, 8, 13])
def test_a_dot_is_round_and_adds_up(diameter):
    layer = np.zeros((40, 40), np.float32)
    layer[20, 20] = 3
    spread = _disc(layer, diameter)
    assert set(np.unique(spread)) <= {0.0, 3.0}
    assert spread[20, 20] == 3
    assert (spread > 0).sum() == pytest.approx(np.pi * diameter**2 / 4, rel=0.35)
    rows, columns = np.nonzero(spread)
    assert np.ptp(rows) == np.ptp(columns) == diameter - 1


@pytest.mark.parametrize(("wide", "high"), [(100.0, 100.0), (1000.0, 10.0), (0.0, 5.0), (0.0, 0.0)])
def test_frames_fit_any_extent(wide, high):
    x, y = np.array([7, 7 + wide]), np.array([-3, -3 + high])
    frame = frame_for(x, y, CONFIG)
    across, down = frame.place(x, y)
    assert (across >= 0).all()
    assert (across < frame.width).all()
    assert (down >= 0).all()
    assert (down < frame.height).all()
    assert max(frame.width, frame.height) <= 401


@pytest.mark.parametrize(("compat", "shift"), [("", 0), ("0.7", 1)])
def test_prior_rings_surround_their_pixels(table, ask, table_file, compat, shift):
    """Where the molecules were looked up: by the old rule, one pixel further."""
    image = np.zeros((75, 85), np.uint16)
    image[8:14, 8:14], image[30:40, 50:56] = 3, 9
    options = ask(table_file, prior_offset="2,1", compat=compat)
    segment = np.ones(len(table), np.int32)
    rings = prior_rings(table, Laid(segment, None, Scale(4.0, 1.0), image), options)
    assert len(rings.cell) == 2
    boxes = [
        (part.min(), part.max()) for axis in (rings.x, rings.y) for part in np.split(axis, rings.start[1:-1])
    ]
    expected = [(9.5, 15.5), (51.5, 57.5), (8.5, 14.5), (30.5, 40.5)]
    assert np.allclose(np.array(boxes) - shift, expected, atol=0.6)


def test_no_prior_no_rings(table, ask, table_file):
    assert prior_rings(table, Laid(None, None, Scale(4.0, 1.0)), ask(table_file)) is None


def test_diagnostics_name_what_happened(table, finished, molecules):
    run = finished(table, molecules.truth.to_numpy())
    run.compartments = run.clustering
    page = diagnostics_page(run, ["look at <this>"])
    check_whole(page)
    assert "look at &lt;this&gt;" in page
    for words in (
        "Cells by iteration",
        "Molecule clusters",
        "Compartments",
        "Assignment confidence",
        "Molecules per cell",
    ):
        assert words in page


def test_preview_shows_noise_and_genes(table, finished, molecules):
    run = finished(table, molecules.truth.to_numpy())
    place = np.random.default_rng(0).random((12, 2))
    page = preview_page(Look(table, run.confidence, run.noise, run.colour, place), CONFIG)
    check_whole(page)
    expected = f"{float(np.mean(1 - run.confidence)):.1%}"
    assert expected in page
    assert page.count("<circle") == 12


def test_genes_side_by_side_are_close():
    together = np.full((12, 12), 0.01)
    together[:6, :6] = together[6:, 6:] = 1.0
    distance = gene_distance(csr_matrix(together))
    assert np.array_equal(distance, distance.T)
    assert (np.diag(distance) == 0).all()
    place = gene_structure(csr_matrix(together), 1)
    apart = np.linalg.norm(place[:, None] - place[None], axis=2)
    assert apart[:6, :6].max() < apart[:6, 6:].min()
