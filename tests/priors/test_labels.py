"""Label images laid over transcripts."""

import gzip
import io

import numpy as np
import pytest
import tifffile
from scipy.io import savemat

from cellcarve.errors import InputError, SettingsError
from cellcarve.priors import lay
from cellcarve.settings import PriorSettings


@pytest.fixture
def image():
    """160 x 80 pixels of half a µm: the left nucleus is 5, the right 300."""
    y, x = np.mgrid[0:80, 0:160] / 2 + 0.25
    return np.select([np.hypot(x - centre, y - 20) < 8 for centre in (20, 60)], [5, 300], 0).astype(np.uint16)


@pytest.fixture
def laid(table, tmp_path):
    """Save an image and lay it; the prior."""

    def run(image, name="nuclei.npy", **settings):
        path = tmp_path / name
        if name.endswith(".gz"):
            buffer = io.BytesIO()
            np.save(buffer, image)
            path.write_bytes(gzip.compress(buffer.getvalue()))
        elif name.lower().endswith(".npy"):
            np.save(path, image)
        elif name.endswith(".mat"):
            savemat(path, {"labels": image})
        else:
            tifffile.imwrite(path, image)
        return lay(table, PriorSettings(prior=str(path), **settings))

    return run


@pytest.mark.parametrize("name", ["nuclei.tif", "NUCLEI.TIFF", "nuclei.npy", "nuclei.npy.gz", "nuclei.mat"])
def test_every_format(laid, image, discs, name):
    prior = laid(image, name, prior_scale=0.5)
    assert prior.names == ["5", "300"]
    assert prior.kind == "nuclei"
    assert (prior.cell == discs).mean() > 0.98
    assert (prior.core == (prior.cell > 0)).all()
    assert len(prior.outline_x) == 0


def test_rows_left_out_are_in_no_cell(laid, image, table):
    prior = laid(image, prior_scale=0.5)
    assert not prior.cell[table.status > 0].any()
    assert not prior.core[table.status > 0].any()


def test_offset_moves_the_corner(laid, image, discs):
    cut = image[10:, 20:]
    assert (laid(cut, prior_scale=0.5, prior_offset="10,5").cell == discs).mean() > 0.98


def test_flipped_rows(laid, image, discs):
    slanted = image.copy()
    slanted[:40] = 0
    below = laid(slanted, prior_scale=0.5).cell
    again = laid(slanted[::-1], prior_scale=0.5, prior_flip_y=True).cell
    assert (below == again).all()
    assert (laid(slanted[::-1], prior_scale=0.5).cell != below).any()


def test_affine_turns_and_moves(laid, table, image, discs):
    # Columns and rows are swapped: x = 0.5 row - 3, y = 0.5 column + 2.
    table.x, table.y = table.x - 3, table.y + 2
    prior = laid(image.T, prior_affine="0,0.5,-3,0.5,0,2")
    assert (prior.cell == discs).mean() > 0.98


def test_every_pixel_comes_back(table, laid):
    """Transcripts in the middle of turned, sheared pixels get exactly the labels of these."""
    rng = np.random.default_rng(8)
    image = (rng.integers(1, 1000, (50, 80)) * rng.integers(0, 2, (50, 80))).astype(np.int32)
    row, column = np.divmod(np.arange(4000), 80)
    a, b, c, d, e, f = 0.3, -0.2, 900.0, 0.25, 0.4, -70.0
    table.x = (a * (column + 0.5) + b * (row + 0.5) + c).astype(np.float32)
    table.y = (d * (column + 0.5) + e * (row + 0.5) + f).astype(np.float32)
    prior = laid(image, prior_affine=f"{a},{b},{c},{d},{e},{f}")
    names = np.array(["0", *prior.names]).astype(int)
    assert (names[prior.cell] == np.where(table.status == 0, image.ravel(), 0)).all()


def test_share_covered_is_told(laid, image):
    prior = laid(image[:, :80], prior_scale=0.5)
    assert any("covers 50" in note or "covers 49" in note for note in prior.notes)


def test_area_tells_cells_from_nuclei(laid, image):
    assert laid(image, "masks.npy", prior_scale=0.5).kind == "cells"
    assert laid(image, "nuclei.npy", prior_scale=0.5).kind == "nuclei"
    told = laid(image, "masks.npy", prior_scale=0.5, prior_holds="nuclei")
    assert told.kind == "nuclei"
    assert not any("--prior-holds" in note for note in told.notes)


def test_mask_is_numbered(laid, image, discs):
    prior = laid(image > 0, prior_scale=0.5)
    assert len(prior.names) == 2
    assert (prior.cell == discs).mean() > 0.98
    assert any("mask" in note for note in prior.notes)


def test_stack_uses_its_middle(laid, image):
    stack = np.stack([image * 0, image, image * 0])
    prior = laid(stack, "nuclei.tif", prior_scale=0.5)
    assert len(prior.names) == 2
    assert any("3 planes" in note for note in prior.notes)


@pytest.mark.parametrize(
    ("image", "what"),
    [
        (np.zeros((9, 9), np.int32), "no labels"),
        (np.zeros((0, 9), np.int32), "no labels"),
        (np.full((9, 9), 0.5), "fractions"),
        (np.full((9, 9), np.nan), "fractions"),
        (np.ones((9, 9, 3), np.uint8), "2-D"),
        (np.ones(9, np.uint8), "2-D"),
        (np.array([["a"]]), "2-D"),
    ],
)
def test_no_label_image(laid, image, what):
    with pytest.raises(InputError, match=rf"nuclei\.npy.*{what}"):
        laid(image)


@pytest.mark.parametrize("name", ["labels.npy", "labels.npy.gz"])
def test_pickled_array_is_never_opened(laid, name):
    with pytest.raises(InputError, match=rf"{name} is damaged, or a pickled"):
        laid(np.array([{"a": 1}], dtype=object), name)


@pytest.mark.parametrize("name", ["labels.npy", "labels.tif", "labels.npy.gz", "labels.mat"])
@pytest.mark.parametrize("share", [0.0, 0.6])
def test_truncated_file(laid, image, tmp_path, table, name, share):
    path = tmp_path / name
    laid(image, name, prior_scale=0.5)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match=name):
        lay(table, PriorSettings(prior=str(path)))


def test_elsewhere_names_both_extents(laid, image):
    with pytest.raises(InputError, match=r"x 5000\.0 to 5160\.0 .* x 0\.\d to (79\.9|80\.0).*--prior-offset"):
        laid(image, prior_scale=1.0, prior_offset="5000,5000")


def test_no_transcript_on_a_label(laid, image):
    lonely = np.zeros_like(image)
    lonely[0, 0] = 1
    with pytest.raises(InputError, match=r"none on a label.*--prior-flip-y"):
        laid(lonely, prior_scale=0.5, prior_offset="-0.4,-0.4")


def test_pixels_of_unknown_size_are_refused(laid, image):
    with pytest.raises(SettingsError, match=r"nuclei\.npy.*--prior-scale"):
        laid(image)


def test_picture_is_no_label_image(laid, image):
    light = np.random.default_rng(0).normal(500 + 300 * (image > 0), 40).astype(np.uint16)
    with pytest.raises(InputError, match=r"dapi\.tif is a picture.*cellcarve nuclei"):
        laid(light, "dapi.tif", prior_scale=0.5)


def test_tissue_without_gaps_is_no_picture(laid):
    packed = np.arange(80)[:, None] // 8 * 20 + np.arange(160) // 8 + 1
    assert len(laid(packed, prior_scale=0.5).names) == 200


@pytest.mark.parametrize("offset", ["1", "a,b", "1,2,3", "nan,1", ""])
def test_bad_offset(laid, image, offset):
    with pytest.raises(SettingsError, match="prior_offset"):
        laid(image, prior_offset=offset)


@pytest.mark.parametrize("affine", ["1,0,0,0,1", "1,2,0,2,4,0", "a,0,0,0,1,0", "inf,0,0,0,1,0"])
def test_bad_affine(laid, image, affine):
    with pytest.raises(SettingsError, match="prior_affine"):
        laid(image, prior_affine=affine)


def test_independent_labels_agree_with_the_instrument(data_folder):
    from cellcarve.read import read
    from cellcarve.settings import ReadSettings

    folder = data_folder / "xenium_breast"
    table = read(folder, ReadSettings())
    own = lay(table, PriorSettings())
    image = str(folder / "nuclei_labels_1um.tif")
    straight, flipped = (
        lay(table, PriorSettings(prior=image, prior_scale=1.0, prior_offset="1062,212", prior_flip_y=flip))
        for flip in (False, True)
    )
    chance = own.core[table.status == 0].mean()
    hit = [float(own.core[prior.core].mean()) for prior in (straight, flipped)]
    assert hit[0] > 0.75
    assert hit[1] < chance + 0.1
    assert hit[0] > chance + 0.3
