"""Images and polygons beside a table are found, and lie where the transcripts do."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import tifffile

from cellcarve.errors import CellcarveError, InputError
from cellcarve.priors import lay
from cellcarve.read import read
from cellcarve.settings import PriorSettings, ReadSettings

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


def drawn(table):
    return [note for note in table.notes if "is not drawn" in note]


def test_cut_cosmx_pictures_are_not_drawn(data_folder):
    """Their fields' corners are those of the whole fields, so that they would lie where no transcript is."""
    table = read(data_folder / "cosmx_lung12", ReadSettings())
    assert table.images == ()
    assert ["CellComposite_F002.jpg" in note for note in drawn(table)] == [True, False]


def test_merscope_picture_without_its_matrix_is_told(merscope):
    table = read(merscope, ReadSettings())
    assert table.images == ()
    assert "images/mosaic_DAPI_z3.tif" in drawn(table)[0]


def test_loose_picture_is_told_and_drawn_where_the_user_says(spots, tmp_path):
    named = spots.rename(columns={"x": "x_location", "y": "y_location", "gene": "feature_name"})
    named.to_parquet(tmp_path / "transcripts.parquet")
    tifffile.imwrite(tmp_path / "dapi.tif", np.zeros((5, 5), np.uint8))
    table = read(tmp_path, ReadSettings())
    assert table.images == ()
    assert "dapi.tif" in drawn(table)[0]
    file = str(tmp_path / "dapi.tif")
    settings = ReadSettings(image=file, image_pixel=0.5, image_offset="-3,4.5", image_flip_y=True)
    table = read(tmp_path, settings)
    assert drawn(table) == []
    (image,) = table.images
    assert (image.path.name, image.pixel, image.x0, image.y0, image.flip_y) == (
        "dapi.tif",
        0.5,
        -3,
        4.5,
        True,
    )


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"image": "missing.tif", "image_pixel": 1}, "missing.tif does not exist"),
        ({"image": "{here}"}, "--image-pixel"),
        ({"image": "{here}", "image_pixel": 1, "image_offset": "left"}, "image-offset 'left'"),
    ],
)
def test_picture_that_cannot_be_placed_is_refused(spots, tmp_path, settings, error):
    spots.to_csv(tmp_path / "table.csv")
    (tmp_path / "dapi.tif").touch()
    settings = {k: str(tmp_path / "dapi.tif") if v == "{here}" else v for k, v in settings.items()}
    with pytest.raises(CellcarveError, match=error):
        read(tmp_path / "table.csv", ReadSettings(**settings))


def test_cosmx_label_images_as_prior(cosmx, data_folder):
    table = read(cosmx, ReadSettings())
    prior = lay(table, PriorSettings(prior="labels"))
    assert prior.kind == "nuclei"
    names = np.array(["", *prior.names])[prior.cell]
    instrument = np.array(["", *table.cell_names])[table.cell]
    kept = (table.status == 0) & (names != "") & (instrument != "")
    assert kept.sum() > 10_000
    assert (names == instrument)[kept].mean() > 0.95
    with pytest.raises(InputError, match=r"no transcript lies on a label.*crops"):
        lay(read(data_folder / "cosmx_lung12", ReadSettings()), PriorSettings(prior="labels"))


def test_label_images_that_did_not_come(spots, tmp_path):
    spots.to_csv(tmp_path / "table.csv")
    with pytest.raises(InputError, match="no label images came"):
        lay(read(tmp_path / "table.csv", ReadSettings()), PriorSettings(prior="labels"))
