"""Crops of images against plain slices, and still pictures."""

import tracemalloc

import numpy as np
import pytest
import tifffile
from PIL import Image as Picture

from cellcarve.data.table import Image
from cellcarve.errors import OutputError
from cellcarve.report.crop import _stretch, crop_of
from cellcarve.report.picture import picture

pytestmark = pytest.mark.filterwarnings("error")
BOX = (1030.0, 540.0, 1060.0, 580.0)  # with corner (1000, 500) and 0.5 µm: columns 60..120, rows 80..160


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 4000, (256, 320)).astype(np.uint16)


def image_at(path, **options):
    return Image(path, "DAPI", 0.5, 1000.0, 500.0, **options)


@pytest.mark.parametrize(
    "options", [{}, {"tile": (64, 64), "compression": "zlib"}, {"rowsperstrip": 16, "compression": "zlib"}]
)
def test_tiff_crop_is_the_slice(pixels, options, tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, **options)
    crop = crop_of(image_at(path), BOX)
    np.testing.assert_array_equal(crop.pixels, _stretch(pixels[80:160, 60:120]))
    assert crop.box == BOX


def test_flipped_rows_count_from_the_last(pixels, tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels)
    crop = crop_of(image_at(path, flip_y=True), BOX)
    np.testing.assert_array_equal(crop.pixels, _stretch(pixels[::-1][80:160, 60:120]))
    assert crop.box == BOX


@pytest.mark.parametrize(("axes", "plane"), [("ZYX", 1), ("CYX", 0)])
def test_of_a_z_stack_the_middle_plane_of_channels_the_first(pixels, axes, plane, tmp_path):
    path = tmp_path / "a.ome.tif"
    stack = np.stack([pixels, pixels[::-1], pixels[:, ::-1]])
    tifffile.imwrite(path, stack, metadata={"axes": axes}, ome=True, tile=(64, 64), compression="zlib")
    crop = crop_of(image_at(path), BOX)
    np.testing.assert_array_equal(crop.pixels, _stretch(stack[plane, 80:160, 60:120]))


def test_box_beyond_the_image_is_cut(pixels, tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels)
    crop = crop_of(image_at(path), (900.0, 480.0, 1010.0, 510.0))
    assert crop.box == (1000.0, 500.0, 1010.0, 510.0)
    assert crop.pixels.shape == (20, 20)
    assert crop_of(image_at(path), (0.0, 0.0, 10.0, 10.0)) is None


def test_png_in_colour_becomes_grey(tmp_path):
    path = tmp_path / "a.png"
    colour = np.random.default_rng(1).integers(0, 255, (256, 320, 3)).astype(np.uint8)
    Picture.fromarray(colour).save(path)
    crop = crop_of(image_at(path), BOX)
    np.testing.assert_array_equal(crop.pixels, _stretch(colour[80:160, 60:120]))


def test_unreadable_images_are_left_out(tmp_path):
    for name in ("a.tif", "a.jpg", "absent.tif"):
        if name[0] == "a" and name != "absent.tif":
            (tmp_path / name).write_bytes(b"not an image")
        assert crop_of(image_at(tmp_path / name), BOX) is None


def test_large_images_are_read_in_pieces(tmp_path):
    plain, tiled = tmp_path / "plain.tif", tmp_path / "tiled.tif"
    tifffile.memmap(plain, shape=(20_000, 20_000), dtype=np.uint16, bigtiff=True).flush()
    tifffile.imwrite(tiled, np.zeros((4096, 4096), np.uint16), tile=(256, 256), compression="zlib")
    for path in (plain, tiled):
        tracemalloc.start()
        assert crop_of(image_at(path), BOX).pixels.shape == (80, 60)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 12e6


@pytest.mark.parametrize("transcripts", [True, False])
def test_picture_has_the_shape_of_its_box(scattered, pixels, transcripts, tmp_path):
    stain = tmp_path / "a.tif"
    tifffile.imwrite(stain, pixels)
    run = scattered(3000, 30)
    picture(run, (0.0, 0.0, 100.0, 50.0), tmp_path / "p.png", Image(stain, "DAPI", 0.5), transcripts)
    with Picture.open(tmp_path / "p.png") as made:
        assert made.size == (1600, 800)
        assert len(made.convert("RGB").getcolors(1 << 24)) > 100


def test_picture_of_an_empty_region_without_image(scattered, tmp_path):
    picture(scattered(0, 0), (0.0, 0.0, 10.0, 10.0), tmp_path / "p.png")
    assert (tmp_path / "p.png").exists()


def test_picture_names_the_file_it_cannot_write(scattered, tmp_path):
    with pytest.raises(OutputError, match=r"p\.png"):
        picture(scattered(10, 1), (0.0, 0.0, 10.0, 10.0), tmp_path / "absent" / "p.png")
