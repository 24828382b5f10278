"""Nuclei found in pictures whose nuclei are known."""

import gzip
import sys
from types import ModuleType

import numpy as np
import pytest
import tifffile

from cellcarve import cli
from cellcarve.errors import InputError, OutputError, SettingsError
from cellcarve.nuclei import NucleiSettings, find_nuclei
from cellcarve.nuclei.classical import shrunk
from cellcarve.priors.labels import load_image
from cellcarve.progress import Silent


def picture(pixel=0.5, side=120.0, seed=0):
    """Round nuclei, some of which touch, of uneven brightness under uneven light; and their labels."""
    rng = np.random.default_rng(seed)
    n = int(side / pixel)
    y, x = (np.mgrid[:n, :n] + 0.5) * pixel
    truth = np.zeros((n, n), np.int32)
    image = 100 + 2 * x
    centres = [
        (i + rng.uniform(-1, 1), j + rng.uniform(-1, 1))
        for i in np.arange(8, side, 11)
        for j in np.arange(8, side, 11)
    ]
    for number, (cy, cx) in enumerate(centres, 1):
        inside = (y - cy) ** 2 + (x - cx) ** 2 < rng.uniform(3.5, 5) ** 2
        truth[inside & (truth == 0)] = number
        image[inside] += rng.uniform(400, 1200)
    return rng.poisson(image).astype(np.uint16), truth


def matched(label, truth):
    """Share of nuclei of either that share more than half of their area with one of the other."""
    pairs, size = np.unique(np.stack([label.ravel(), truth.ravel()]), axis=1, return_counts=True)
    both = (pairs > 0).all(0)
    a, b = np.bincount(label.ravel()), np.bincount(truth.ravel())
    overlap = size[both] / (a[pairs[0, both]] + b[pairs[1, both]] - size[both])
    return 2 * (overlap > 0.5).sum() / ((a[1:] > 0).sum() + (b[1:] > 0).sum())


@pytest.fixture
def found(tmp_path):
    def run(image, name="m.npy", **settings):
        source = tmp_path / "dapi.tif"
        tifffile.imwrite(source, image)
        settings = NucleiSettings(**{"pixel": 0.5, **settings})
        number = find_nuclei(source, tmp_path / name, settings, Silent(), tmp_path / "p.npy")
        label = load_image(tmp_path / name, [])
        assert number == len(np.unique(label)) - 1 == label.max()
        return label

    return run


@pytest.mark.parametrize("pixel", [0.25, 0.5, 1.0])
def test_known_nuclei_are_found(found, pixel):
    image, truth = picture(pixel)
    label = found(image, pixel=pixel)
    assert label.shape == image.shape
    assert label.dtype == np.uint32
    assert matched(label, truth) > 0.93


def test_tiles_and_threads_do_not_matter(found):
    image, _ = picture()
    whole = found(image, threads=1)
    tiled, threaded = found(image, tile=100, threads=1), found(image, tile=100, threads=3)
    np.testing.assert_array_equal(tiled, threaded)
    assert (tiled.max(), (tiled > 0).sum()) == (whole.max(), (whole > 0).sum())
    np.testing.assert_array_equal(tiled > 0, whole > 0)
    assert matched(tiled, whole) == 1


def test_probabilities_are_those_of_the_pixels(found, tmp_path):
    image, truth = picture()
    label = found(image, tile=100)
    logit = np.load(tmp_path / "p.npy")
    assert (logit.shape, logit.dtype) == (image.shape, np.float32)
    assert logit[label > 0].min() > 0
    assert logit[truth > 0].mean() > 1 > -5 > logit[truth == 0].mean()


@pytest.mark.parametrize("name", ["m.npy", "m.npy.gz", "m.tif"])
def test_every_form_of_the_result_holds_the_same(found, name):
    image, _ = picture(side=60)
    np.testing.assert_array_equal(found(image, name), found(image, "other.npy"))


def test_a_picture_without_nuclei_gives_none(tmp_path):
    tifffile.imwrite(tmp_path / "d.tif", np.full((80, 90), 7, np.uint16))
    settings = NucleiSettings(pixel=0.5)
    assert find_nuclei(tmp_path / "d.tif", tmp_path / "m.npy", settings, Silent()) == 0
    assert not np.load(tmp_path / "m.npy").any()


def test_small_nuclei_are_left_out(found):
    image, _ = picture()
    assert found(image, least_area=60.0).max() < found(image).max() / 2


def test_stacks_channels_and_metadata(tmp_path, found):
    image, truth = picture()
    stack = np.stack([image // 3, image, image // 5])
    for name, values, axes, channel in (("z", stack, "ZYX", 0), ("c", stack, "CYX", 1)):
        file = tmp_path / f"{name}.ome.tif"
        tifffile.imwrite(
            file, values, metadata={"axes": axes, "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm"}
        )
        find_nuclei(file, tmp_path / "m.npy", NucleiSettings(channel=channel), Silent())
        assert matched(np.load(tmp_path / "m.npy"), truth) > 0.93


def test_shrinking_keeps_the_mean_and_fills_the_edges():
    image = np.arange(35, dtype=np.float32).reshape(5, 7)
    small = shrunk(image, 3)
    assert small.shape == (2, 3)
    assert small[0, 0] == image[:3, :3].mean()
    assert small[1, 2] == image[[3, 4, 4], 6].mean()


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"pixel": None}, InputError, "--pixel"),
        ({"channel": 3}, InputError, "no channel 3"),
        ({"output": "m.png"}, OutputError, "unknown ending"),
        ({"output": "absent/m.npy"}, OutputError, "no folder"),
        ({"image": "absent.tif"}, InputError, "does not exist"),
        ({"image": "text.tif"}, InputError, "cannot be read"),
        ({"image": "d.czi"}, InputError, "unknown ending"),
    ],
)
def test_refusals_leave_nothing(tmp_path, change, error, sentence):
    tifffile.imwrite(tmp_path / "d.tif", picture(side=30)[0])
    (tmp_path / "text.tif").write_text("here")
    (tmp_path / "d.czi").write_text("here")
    before = sorted(tmp_path.iterdir())
    settings = {"pixel": 0.5} | {k: v for k, v in change.items() if k in ("pixel", "channel")}
    image, output = change.get("image", "d.tif"), change.get("output", "m.npy")
    with pytest.raises(error, match=sentence):
        find_nuclei(tmp_path / image, tmp_path / output, NucleiSettings(**settings), Silent())
    assert sorted(tmp_path.iterdir()) == before


def test_a_failure_keeps_an_earlier_result(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "d.tif", picture(side=60)[0])
    (tmp_path / "m.npy").write_text("earlier")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cellcarve.nuclei.find.save", full)
    with pytest.raises(OutputError, match="No space left"):
        find_nuclei(tmp_path / "d.tif", tmp_path / "m.npy", NucleiSettings(pixel=0.5), Silent())
    assert (tmp_path / "m.npy").read_text() == "earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.tif", "m.npy"]


def test_cellpose_that_is_not_there(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "d.tif", picture(side=30)[0])
    monkeypatch.setitem(sys.modules, "cellpose", None)
    with pytest.raises(SettingsError, match="pip install cellpose"):
        find_nuclei(tmp_path / "d.tif", tmp_path / "m.npy", NucleiSettings("cellpose", 0.5), Silent())


def test_cellpose_is_asked_tile_by_tile(tmp_path, monkeypatch):
    """A stand-in that labels what is brighter than its surroundings, as the library's own calls are made."""
    from scipy.ndimage import label

    class Model:
        def __init__(self, gpu):
            assert gpu is False

        def eval(self, image, diameter, min_size):
            assert (diameter, min_size) == (16.0, 40)
            bright = image > 480
            return label(bright)[0], [None, None, np.where(bright, 3.0, -3.0)], None

    package, core, models = ModuleType("cellpose"), ModuleType("cellpose.core"), ModuleType("cellpose.models")
    core.use_gpu, models.CellposeModel = lambda: False, Model
    package.core, package.models = core, models
    for module in (package, core, models):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    image, truth = picture()
    tifffile.imwrite(tmp_path / "d.tif", image)
    settings = NucleiSettings("cellpose", 0.5, tile=100)
    find_nuclei(tmp_path / "d.tif", tmp_path / "m.npy", settings, Silent(), tmp_path / "p.npy")
    assert matched(np.load(tmp_path / "m.npy"), truth) > 0.8
    assert set(np.unique(np.load(tmp_path / "p.npy"))) == {-3, 3}


def test_command(tmp_path, capsys):
    tifffile.imwrite(tmp_path / "d.tif", picture(side=60)[0])
    line = ["nuclei", str(tmp_path / "d.tif"), "-o", str(tmp_path / "m.npy.gz"), "--pixel", "0.5"]
    assert cli.status(line) == 0
    assert "nuclei in" in capsys.readouterr().out
    with gzip.open(tmp_path / "m.npy.gz") as file:
        assert np.load(file).max() > 15


def test_nuclei_of_a_real_tissue(data_folder, tmp_path):
    """Against labels that others made of the same picture, at 1 µm per pixel."""
    folder = data_folder / "xenium_breast"
    find_nuclei(folder / "dapi.tif", tmp_path / "m.npy", NucleiSettings(pixel=0.2125), Silent())
    label, truth = np.load(tmp_path / "m.npy"), tifffile.imread(folder / "nuclei_labels_1um.tif")
    row, column = ((np.arange(n) + 0.5) / 0.2125 for n in truth.shape)
    row, column = row.astype(int).clip(0, len(label) - 1), column.astype(int).clip(0, label.shape[1] - 1)
    assert matched(label[np.ix_(row, column)].astype(np.int64), truth.astype(np.int64)) > 0.75
