"""Images and polygons beside a table are found, and lie where the transcripts do."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import tifffile

from cellcarve.errors import InputError
from cellcarve.read import read
from cellcarve.settings import ReadSettings

PIXEL = 0.12028


@pytest.fixture
def cosmx(data_folder, tmp_path):
    """The CosMx crop as a whole slide would be: its images were cut, so the fields' corners move along."""
    folder = tmp_path / "slide"
    shutil.copytree(data_folder / "cosmx_lung12", folder)
    corners = pd.read_csv(folder / "Lung12_fov_positions_file.csv")
    corners["x_global_px"] += corners.fov.map({2: 4800, 3: 0})
    corners["y_global_px"] += 3000
    corners.to_csv(folder / "Lung12_fov_positions_file.csv", index=False)
    return folder


def labels_under(table, image, rows, flip):
    """Label of the pixel under each of some rows."""
    labels = tifffile.imread(image.path)
    column = np.floor((table.x[rows] - image.x0) / image.pixel).astype(int).clip(0, labels.shape[1] - 1)
    up = np.floor((table.y[rows] - image.y0) / image.pixel).astype(int).clip(0, labels.shape[0] - 1)
    return labels[labels.shape[0] - 1 - up if flip else up, column].astype(int)


@pytest.mark.parametrize("fov", ["2", "3"])
def test_cosmx_labels_agree_with_the_table_when_flipped(cosmx, fov):
    table = read(cosmx, ReadSettings())
    image = table.label_images[fov]
    assert image.flip_y
    rows = np.flatnonzero(table.fov == table.fovs.index(fov))
    names = ["0_0", *table.cell_names]
    cell = np.array([int(names[c].split("_")[1]) for c in table.cell[rows].tolist()])
    agreement = [(labels_under(table, image, rows, flip) == cell).mean() for flip in (True, False)]
    assert agreement[0] > 0.95
    assert agreement[1] < 0.5


def test_cosmx_pictures_lie_at_their_fields(cosmx):
    images = read(cosmx, ReadSettings()).images
    assert [image.path.name for image in images] == ["CellComposite_F002.jpg", "CellComposite_F003.jpg"]
    assert images[0].x0 == pytest.approx((494.4444 + 4800) * PIXEL, abs=1e-2)
    assert images[1].y0 == pytest.approx((-160233.3333 + 3000) * PIXEL, abs=1e-1)


def test_cosmx_without_field_positions_has_no_images(cosmx):
    (cosmx / "Lung12_fov_positions_file.csv").unlink()
    table = read(cosmx, ReadSettings())
    assert table.images == ()
    assert table.label_images == {}
    assert len(table) == 25_825


def test_xenium_bundle(data_folder):
    folder = data_folder / "xenium_prime_tiny_bundle"
    table = read(folder, ReadSettings())
    (image,) = table.images
    assert image.path.parts[-2:] == ("morphology_focus", "morphology_focus_0000.ome.tif")
    assert image.pixel == 0.2125
    assert {what: paths[0].name for what, paths in table.boundaries.items()} == {
        "nucleus": "nucleus_boundaries.parquet",
        "cell": "cell_boundaries.parquet",
    }


def test_xenium_experiment_file_that_is_none(spots, tmp_path):
    named = spots.rename(columns={"x": "x_location", "y": "y_location", "gene": "feature_name"})
    named.to_parquet(tmp_path / "transcripts.parquet")
    (tmp_path / "experiment.xenium").write_text(json.dumps({"pixel": 1}))
    with pytest.raises(InputError, match=r"experiment\.xenium.*pixel_size"):
        read(tmp_path, ReadSettings())


@pytest.fixture
def merscope(spots, tmp_path):
    named = spots.rename(columns={"x": "global_x", "y": "global_y"}).drop(columns="cell").assign(global_z=2)
    named.to_csv(tmp_path / "detected_transcripts.csv")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "mosaic_DAPI_z3.tif").touch()
    return tmp_path


def test_merscope_mosaic_is_placed(merscope):
    matrix = merscope / "images" / "micron_to_mosaic_pixel_transform.csv"
    matrix.write_text("9.25 0 185\n0 9.25 -370\n0 0 1\n")
    table = read(merscope, ReadSettings())
    (image,) = table.images
    # Pixel = 9.25 µm + 185, so pixel 0 lies at -20 µm.
    assert (image.x0, image.y0) == pytest.approx((-20, 40))
    assert image.pixel == pytest.approx(1 / 9.25)
    assert (table.z == 3.0).all()
    assert any("z was multiplied by 1.5" in note for note in table.notes)


@pytest.mark.parametrize("text", ["far left", "0 0 0\n0 0 0\n0 0 1", "1"])
def test_merscope_matrix_that_is_none(merscope, text):
    (merscope / "images" / "micron_to_mosaic_pixel_transform.csv").write_text(text)
    with pytest.raises(InputError, match="micron_to_mosaic_pixel_transform"):
        read(merscope, ReadSettings())


@pytest.mark.parametrize(
    "crop", ["merscope_brain/small_with_images", "merscope_brain/large_no_images"], ids=["small", "large"]
)
def test_merscope_polygons_of_every_plane_are_noted(data_folder, crop):
    polygons = read(data_folder / crop, ReadSettings()).boundaries["cell"]
    assert [path.name for path in polygons] == ["z0_polygons.gz", "z1_polygons.gz"]
