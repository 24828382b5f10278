import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from cellcarve.errors import OutputError, SettingsError
from cellcarve.simulate import SimulateSettings, simulate

TABLES = ("transcripts", "truth", "nucleus_boundaries", "true_cells")


def test_same_seed_gives_the_same_bytes(tmp_path):
    settings = SimulateSettings(transcripts=15_000, seed=3)
    for name in ("a", "b"):
        simulate(settings, tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == sorted(
        [*(f"{t}.parquet" for t in TABLES), "experiment.xenium", "morphology.ome.tif", "simulation.json"]
    )
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_another_seed_gives_another_tissue(tmp_path, rows):
    simulate(SimulateSettings(transcripts=60_000, seed=8), tmp_path / "a")
    other = pd.read_parquet(tmp_path / "a" / "transcripts.parquet")
    assert not np.isin(other.x_location.to_numpy()[:1000], rows.x_location.to_numpy()).any()


def test_tables_look_like_the_instruments(tissue):
    schema = pq.read_schema(tissue / "transcripts.parquet")
    assert {field.name: str(field.type) for field in schema} == {
        "transcript_id": "uint64",
        "cell_id": "string",
        "overlaps_nucleus": "uint8",
        "feature_name": "string",
        "x_location": "float",
        "y_location": "float",
        "z_location": "float",
        "qv": "float",
        "fov_name": "string",
        "nucleus_distance": "float",
    }
    assert json.loads((tissue / "experiment.xenium").read_text())["images"]


def test_number_of_rows_is_about_what_was_asked_for(rows, tissue):
    assert 0.9 * 60_000 < len(rows) < 1.1 * 60_000
    assert rows.transcript_id.is_unique
    assert json.loads((tissue / "simulation.json").read_text())["transcripts"] == len(rows)
    side = json.loads((tissue / "simulation.json").read_text())["side_um"]
    assert rows[["x_location", "y_location"]].to_numpy().min() >= 0
    assert rows[["x_location", "y_location"]].to_numpy().max() <= side
    assert rows.z_location.between(0, 8).all()


def test_truth_is_unknown_exactly_where_a_row_says_nothing(rows):
    control = rows.feature_name.str.startswith(("NegControlProbe_", "BLANK_"))
    assert ((rows.true_cell == -1) == (control | (rows.qv < 20))).all()
    assert 0.02 < (rows.qv < 20).mean() < 0.04
    assert 0.001 < control.mean() < 0.006


def test_leaked_means_outside_the_maker(rows):
    made = rows.true_cell > 0
    assert (rows.leaked == (made & (rows.true_cell != rows.inside_cell))).all()
    assert 0.02 < rows.leaked[made].mean() < 0.15
    assert abs((rows.true_cell == 0).mean() - 0.04) < 0.01


def test_nuclear_rows_lie_in_the_outlines(tissue, rows):
    outlines = pd.read_parquet(tissue / "nucleus_boundaries.parquet")
    ring = {name: part.to_numpy() for name, part in outlines.groupby("cell_id")[["vertex_x", "vertex_y"]]}
    assert all((corners[0] == corners[-1]).all() for corners in ring.values())
    tree = shapely.STRtree([shapely.Polygon(corners) for corners in ring.values()])
    point, _ = tree.query(shapely.points(rows.x_location, rows.y_location), predicate="within")
    # Rounding of corners and places to float32 may move a row across a border.
    inside = np.isin(np.arange(len(rows)), point)
    middle = rows.x_location.between(10, 200) & rows.y_location.between(10, 200)
    assert (inside == (rows.overlaps_nucleus == 1))[middle].mean() > 0.9999
    near = rows.cell_id != "UNASSIGNED"
    assert (rows.nucleus_distance[near] < 5).all()
    assert set(rows.cell_id[near & middle]) <= set(ring)


def test_true_cells_fill_the_tissue(tissue, rows):
    cells = pd.read_parquet(tissue / "true_cells.parquet").set_index("cell")
    assert cells.index.is_unique
    counts = rows.true_cell[rows.true_cell > 0].value_counts()
    # A cell that holds transcripts is listed unless its body is too small for the places that measure it.
    assert counts[~counts.index.isin(cells.index)].sum() < 0.01 * counts.sum()
    side = json.loads((tissue / "simulation.json").read_text())["side_um"]
    assert 0.75 < cells.area.sum() / side**2 <= 1.001
    middle = rows[rows.true_cell > 0].groupby("true_cell")[["x_location", "y_location"]].mean()
    large = counts[counts > 80].index.intersection(cells.index)
    apart = np.hypot(
        *(middle.loc[large].to_numpy() - cells.loc[large, ["x_centroid", "y_centroid"]].to_numpy()).T
    )
    assert np.median(apart) < 1.5


def test_perfect_nuclei_have_no_faults(tmp_path):
    simulate(SimulateSettings(transcripts=15_000, perfect=True, image=False), tmp_path / "a")
    fault = pd.read_parquet(tmp_path / "a" / "true_cells.parquet").fault
    assert set(fault) <= {"none", "outside the section", "below another"}
    assert not (tmp_path / "a" / "morphology.ome.tif").exists()


def test_blur_moves_everything(tmp_path, rows):
    simulate(SimulateSettings(transcripts=60_000, seed=7, blur_um=3.0, image=False), tmp_path / "a")
    truth = pd.read_parquet(tmp_path / "a" / "truth.parquet")
    assert truth.leaked.mean() > rows.leaked.mean() + 0.2


def test_large_panels_work(tmp_path):
    simulate(SimulateSettings(transcripts=30_000, genes=5000, per_cell=530, image=False), tmp_path / "a")
    genes = pd.read_parquet(tmp_path / "a" / "transcripts.parquet").feature_name
    assert 2500 < genes.nunique() <= 5040


def test_image_shows_the_nuclei(tissue):
    tifffile = pytest.importorskip("tifffile")
    image = tifffile.imread(tissue / "morphology.ome.tif")
    cells = pd.read_parquet(tissue / "true_cells.parquet")
    cells = cells[(cells.fault == "none") & (cells.nucleus_area > 20)]
    column, row = (
        np.minimum(cells[axis].to_numpy() / 0.5, len(image) - 1).astype(int)
        for axis in ("x_centroid", "y_centroid")
    )
    assert np.median(image[row, column]) > 2 * np.median(image)


def test_a_used_folder_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(OutputError, match="not empty"):
        simulate(SimulateSettings(transcripts=1000), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("setting", [{"missed": 1.2}, {"genes": 2}, {"thickness": 0}, {"transcripts": 10}])
def test_settings_have_bounds(setting):
    with pytest.raises(SettingsError, match=next(iter(setting))):
        SimulateSettings(**setting)
