import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from cellcarve.compat.baysor import method
from cellcarve.compat.baysor.command import main
from cellcarve.compat.baysor.log import Log
from cellcarve.compat.baysor.options import options_of
from cellcarve.compat.baysor.overrides import split
from cellcarve.mixture.result import CellTable, Convergence, MixtureRun, NoiseFit, Rings, Slice, Trace

GIVEN = {
    "config": None,
    "output": "segmentation.csv",
    "prior_segmentation": "",
    "polygon_format": "FeatureCollection",
    "count_matrix_format": "loom",
    "skip_ncv": False,
    "plot": False,
    "compat": "",
    "prior_pixel_size": 1.0,
    "prior_offset": "0,0",
    "threads": 1,
    "seed": 1,
}


@pytest.fixture
def ask():
    """Options of a run as the command line would make them."""

    def make(coordinates, *dotted, **given):
        overrides = split(list(dotted))[1]
        facts = {"coordinates": str(coordinates), "overrides": overrides, "words": ["run", str(coordinates)]}
        return options_of(GIVEN | facts | given)

    return make


@pytest.fixture
def log(tmp_path):
    with Log(tmp_path / "a_log.log") as open_log:
        open_log.begin()
        yield open_log


@pytest.fixture
def molecules():
    """1,200 molecules of 30 cells of radius 4 on a lattice 12 apart, with 60 of noise, and a nucleus in each cell."""
    rng = np.random.default_rng(1)
    n = 1200
    cell = rng.integers(1, 31, n)
    angle, radius = rng.uniform(0, 2 * np.pi, n), 4.0 * np.sqrt(rng.uniform(0, 1, n))
    x = 12.0 * ((cell - 1) % 6) + 10 + radius * np.cos(angle)
    y = 12.0 * ((cell - 1) // 6) + 10 + radius * np.sin(angle)
    noise = rng.random(n) < 0.05
    x[noise], y[noise] = rng.uniform(0, 80, noise.sum()), rng.uniform(0, 70, noise.sum())
    cell[noise] = 0
    gene = np.where(rng.random(n) < 0.8, (cell % 3) * 4 + rng.integers(0, 4, n), rng.integers(0, 12, n))
    return pd.DataFrame(
        {
            "transcript_id": [f"t{i}" for i in range(n)],
            "x": x.round(3),
            "y": y.round(3),
            "z": rng.choice([0.0, 1.5, 3.0], n),
            "gene": [f"G{g:02d}" for g in gene],
            "qv": rng.uniform(20, 40, n).round(2),
            "nucleus": np.where(radius < 2.5, cell, 0),
            "truth": cell,
        }
    )


@pytest.fixture
def table_file(tmp_path, molecules):
    path = tmp_path / "molecules.csv"
    molecules.to_csv(path, index=False)
    return path


def ring_of(points):
    """Hull of a cell's molecules, or a small square."""
    from shapely import MultiPoint

    hull = MultiPoint(points).convex_hull.buffer(0.05, quad_segs=1)
    return np.array(hull.exterior.coords)


def rings_of(x, y, cell):
    each = [(c, ring_of(np.column_stack([x[cell == c], y[cell == c]]))) for c in np.unique(cell[cell > 0])]
    start = np.cumsum([0, *(len(ring) for _, ring in each)])
    corners = np.concatenate([ring for _, ring in each]) if each else np.empty((0, 2))
    return Rings(
        np.array([c for c, _ in each], np.int32), corners[:, 0], corners[:, 1], start.astype(np.int64)
    )


def made_run(table, cell, coloured=True):
    """A run as the method would return it, for given cells."""
    k, c = len(table), int(cell.max(initial=0))
    rng = np.random.default_rng(0)
    count = np.bincount(cell, minlength=c + 1)[1:]
    inside = cell > 0
    counts = csr_matrix(
        (np.ones(inside.sum(), np.int32), (cell[inside] - 1, table.gene[inside])), (c, len(table.genes))
    )
    mean = {
        name: np.bincount(cell, values, minlength=c + 1)[1:] / count
        for name, values in (("x", table.x), ("y", table.y))
    }
    depth = None if table.z is None else np.bincount(cell, table.z, minlength=c + 1)[1:] / count
    third = np.full(c, 1 / 3)
    cells = CellTable(
        mean["x"], mean["y"], depth, np.ones(c, np.int32), count, third * 30, count / 10, third, third, third, third,
        np.full(c, 5), np.zeros(c, np.int32), np.ones(c, np.uint8),
    )  # fmt: skip
    slices = []
    if table.z is not None:
        for z in np.unique(table.z):
            own = np.where(table.z == z, cell, 0)
            slices.append(Slice(str(float(z)), float(z), float(z), rings_of(table.x, table.y, own)))
    half = np.linspace(1, 0.01, 20)
    return MixtureRun(
        row=np.arange(k),
        cell=cell.astype(np.int32),
        runner_up=np.zeros(k, np.int32),
        confidence=rng.random(k).astype(np.float32),
        assignment_confidence=rng.random(k).astype(np.float32),
        cluster=(1 + np.arange(k) % 3).astype(np.int32),
        prior=None,
        compartment=None,
        nuclei_probs=None,
        colour=rng.integers(0, 256, (k, 3)).astype(np.uint8) if coloured else None,
        cells=cells,
        counts=counts,
        rings=rings_of(table.x, table.y, cell),
        slices=slices,
        scale=4.0,
        scale_std=1.0,
        noise=NoiseFit(5, rng.random(k).astype(np.float32), (0.4, 2.0), (0.1, 1.0), (k * 0.9, k * 0.1), 5.0, 7),
        clustering=Convergence(half, half / 2),
        compartments=None,
        trace=Trace(
            np.array([1, 10]), np.stack([40 - np.arange(20), 32 - np.arange(20) // 5], axis=1), half, half / 10,
            np.zeros(20, np.int64), np.zeros(20, np.int64), np.zeros(20, np.int64), 5,
        ),
    )  # fmt: skip


@pytest.fixture
def finished():
    """Makes a run as the method would return it, for a table and the cells of its rows."""
    return made_run


@pytest.fixture
def truth_as_method(monkeypatch):
    """The commands with a method that knows the answer: the column ``truth`` of the input."""

    def segment(molecules, laid, config, options, log):
        read = pd.read_parquet if molecules.path.suffix == ".parquet" else pd.read_csv
        code = read(molecules.path)["truth"].to_numpy()[molecules.row]
        return made_run(molecules.table, np.unique(code, return_inverse=True)[1] * (code > 0), coloured=False)

    def colour(molecules, options, run):
        run.colour = np.tile(np.array([[255, 0, 16]], np.uint8), (len(run.row), 1))

    monkeypatch.setattr(method, "segment", segment)
    monkeypatch.setattr(method, "outline", lambda *_: None)
    monkeypatch.setattr(method, "colour", colour)
    return main


@pytest.fixture
def run(truth_as_method, table_file, tmp_path):
    """Run on the small table with more words; the folder."""

    def go(*more, prior=":nucleus", table=None):
        out = tmp_path / "out"
        out.mkdir(exist_ok=True)
        truth_as_method(
            ["run", "-m", "8", "-s", "4", "-o", f"{out}/", *more, str(table or table_file), prior]
        )
        return out

    return go


@pytest.fixture
def read():
    """Reads the molecules of a run's folder; cells are text, and what is empty stays so."""
    return lambda out: pd.read_csv(out / "segmentation.csv", dtype={"cell": str}, keep_default_na=False)
