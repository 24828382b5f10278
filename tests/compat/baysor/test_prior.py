"""Priors from columns and images, and the scale measured from them."""

import gzip

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tifffile
from PIL import Image
from scipy.io import savemat
from scipy.sparse import csc_matrix

from cellcarve.compat.baysor.loading import load
from cellcarve.compat.baysor.prior import lay_prior
from cellcarve.compat.baysor.prior_column import drop_small, segments
from cellcarve.compat.baysor.prior_image import labels_under, load_labels
from cellcarve.compat.baysor.scale import MAD, measured
from cellcarve.errors import InputError

M = {"data__min_molecules_per_cell": "8"}


def laid(ask, log, path, prior, *dotted, **given):
    options = ask(path, *dotted, prior_segmentation=prior, **(M | given))
    return lay_prior(load(options, log), options, log)


def mask():
    """A disc of radius 4 on each of the 30 cells."""
    row, column = np.mgrid[:75, :85]
    image = np.zeros(row.shape, np.uint16)
    for cell in range(30):
        near = (column - 12 * (cell % 6) - 10) ** 2 + (row - 12 * (cell // 6) - 10) ** 2 <= 16
        image[near] = cell + 1
    return image


def test_a_column_gives_segments_and_the_scale(table_file, ask, log, molecules):
    found = laid(ask, log, table_file, ":nucleus")
    size = molecules.nucleus.value_counts()
    kept = size[(size >= 2) & (size.index > 0)].index
    assert np.array_equal(found.segment > 0, molecules.nucleus.isin(kept))
    assert found.scale.value == pytest.approx(6, rel=0.1)
    assert found.prior.cell.max() == len(kept) == len(found.prior.names)
    assert found.prior.confidence == 0.2


def test_scale_is_half_the_distance_of_centres_and_its_spread_their_mad(table_file, ask, log, molecules):
    found = laid(ask, log, table_file, ":nucleus")
    size = molecules.groupby("nucleus").size()
    centre = molecules.groupby("nucleus")[["x", "y", "z"]].mean()[size >= 8].drop(index=0).to_numpy()
    apart = np.linalg.norm(centre[:, None] - centre[None], axis=2)
    radius = np.sort(apart, axis=1)[:, 1] / 2
    assert found.scale.value == pytest.approx(np.median(radius), rel=1e-4)
    mad = MAD * np.median(np.abs(radius - np.median(radius)))
    assert found.scale.spread == pytest.approx(max(mad, 0.05 * found.scale.value), rel=1e-3)


def test_a_given_scale_or_spread_wins(table_file, ask, log):
    given = laid(ask, log, table_file, ":nucleus", segmentation__scale="3", segmentation__scale_std="50%")
    assert (given.scale.value, given.scale.spread) == (3.0, 1.5)
    half = laid(ask, log, table_file, ":nucleus", segmentation__scale_std="50%")
    assert half.scale.spread == pytest.approx(half.scale.value / 2)


@pytest.mark.parametrize(
    ("radii", "compat", "spread"),
    [
        ([5, 6, 6.1, 6.2, 9], "", 3.05),
        ([5, 6, 6.1, 6.2, 9], "0.7", MAD * 0.1),
        ([6, 6, 6], "0.7", 0.3),
    ],
)
def test_by_the_old_rules_the_spread_is_measured_whatever_is_asked_for(ask, log, radii, compat, spread):
    """But for no spread at all, which would break the run."""
    config = ask("a.csv", segmentation__scale_std="50%", compat=compat).config
    assert measured(np.array(radii), config, compat, log).spread == pytest.approx(spread)


def test_few_segments_still_give_a_scale_and_none_is_refused(tmp_path, ask, log, molecules):
    few = molecules.assign(nucleus=np.where(molecules.truth.isin([1, 2]), molecules.truth, 0))
    few.to_csv(tmp_path / "few.csv", index=False)
    found = laid(ask, log, tmp_path / "few.csv", ":nucleus")
    assert found.scale.value == pytest.approx(4, rel=0.2)
    assert any("only 2 prior segments" in text for text in log.warnings)
    few.assign(nucleus=0).to_csv(tmp_path / "none.csv", index=False)
    with pytest.raises(InputError, match="give --scale"):
        laid(ask, log, tmp_path / "none.csv", ":nucleus")
    assert laid(ask, log, tmp_path / "none.csv", ":nucleus", segmentation__scale="3").prior.kind == "none"


@pytest.mark.parametrize(
    ("values", "label", "expected"),
    [
        (["0", "7", "12", "7"], "0", [0, 1, 2, 1]),
        (["0.0", "7.0", "12.0", "7.0"], "0", [0, 1, 2, 1]),
        (["UNASSIGNED", "bb", "a", "bb"], "UNASSIGNED", [0, 2, 1, 2]),
        (["-1", "99999999999999999999", "3", "nan"], "-1", [0, 2, 1, 0]),
    ],
)
def test_values_of_a_column(log, values, label, expected):
    words = sorted(set(values))
    code = np.array([words.index(v) for v in values], np.int32)
    assert segments(code, words, (label,), "", log).tolist() == expected


def test_missing_values_are_in_no_segment(log):
    assert segments(np.array([-1, 0, 1], np.int32), ["a", "b"], ("0",), "", log).tolist() == [0, 1, 2]


def test_floats_with_gaps_are_read_as_whole_numbers(tmp_path, ask, log, molecules):
    frame = molecules.assign(nucleus=molecules.nucleus.where(molecules.nucleus > 0).astype(float))
    frame.to_parquet(tmp_path / "m.parquet")
    molecules.to_csv(tmp_path / "m.csv", index=False)
    one, other = (laid(ask, log, tmp_path / name, ":nucleus").segment for name in ("m.parquet", "m.csv"))
    assert np.array_equal(one, other)


@pytest.mark.parametrize("name", ["m.csv", "m.parquet"])
@pytest.mark.parametrize("compat", ["", "0.7"])
def test_what_is_not_a_number_is_one_segment_by_the_old_rules(tmp_path, ask, log, molecules, name, compat):
    value = molecules.nucleus.to_numpy(float)
    value[::7] = np.nan
    if name == "m.csv":
        molecules.assign(nucleus=value).to_csv(tmp_path / name, index=False, na_rep="NaN")
    else:
        # Pandas would write them as missing.
        table = pa.Table.from_pandas(molecules.drop(columns="nucleus"))
        pq.write_table(table.append_column("nucleus", pa.array(value)), tmp_path / name)
    found = laid(ask, log, tmp_path / name, ":nucleus", compat=compat, segmentation__scale="4").segment
    giant = np.unique(found[::7])
    assert giant.tolist() == ([found.max()] if compat else [0])
    assert (found == giant[0])[np.isfinite(value) & (value > 0)].mean() < 0.1


@pytest.mark.parametrize(("compat", "expected"), [("", [0, 1, 0, 2, 0]), ("0.7", [0, 2, 1, 3, 0])])
def test_words_for_missing_values_are_segments_by_the_old_rules(log, compat, expected):
    words = ["0", "NA", "a", "b"]
    code = np.array([0, 2, 1, 3, -1], np.int32)
    assert segments(code, words, ("0",), compat, log).tolist() == expected


def test_all_assigned_warns_of_the_commonest_label(log):
    segments(np.array([0, 0, 1], np.int32), ["none_here", "b"], ("0",), "", log)
    assert "'none_here'" in log.warnings[0]


@pytest.mark.parametrize("least", range(5))
def test_small_segments_go_and_numbers_stay(least):
    segment = np.array([0, 1, 2, 2, 3, 3, 3], np.int32)
    size = np.bincount(segment)
    expected = [s if size[s] >= least else 0 for s in segment]
    assert drop_small(segment, least).tolist() == expected


def save(folder, name, image):
    path = folder / name
    if name.endswith(".tif"):
        tifffile.imwrite(path, image)
    elif name.endswith(".npy"):
        np.save(path, image)
    elif name.endswith(".gz"):
        with gzip.open(path, "wb") as file:
            np.save(file, image)
    elif name == "new.mat":
        with h5py.File(path, "w") as file:
            file["labels"] = image.T
    elif name == "sparse.mat":
        savemat(path, {"labels": csc_matrix(image.astype(float))})
    elif name.endswith(".mat"):
        savemat(path, {"labels": image})
    else:
        Image.fromarray(image).save(path)
    return path


@pytest.mark.parametrize("name", ["a.tif", "a.npy", "a.npy.gz", "a.mat", "new.mat", "sparse.mat", "a.png"])
def test_every_form_of_image_holds_the_same_labels(tmp_path, name):
    assert np.array_equal(load_labels(save(tmp_path, name, mask())), mask())


def test_a_mask_is_numbered_by_its_pieces(tmp_path):
    image = np.zeros((6, 6), np.uint8)
    image[1, 1] = image[2, 2] = image[4, 4:] = 255
    labels = load_labels(save(tmp_path, "a.tif", image))
    # Touching corners do not connect.
    assert labels.max() == 3
    assert (labels > 0).sum() == 4


def test_an_image_gives_segments_and_its_own_scale(tmp_path, table_file, ask, log, molecules):
    found = laid(ask, log, table_file, str(save(tmp_path, "a.tif", mask())))
    pixel = mask()[np.rint(molecules.y).astype(int), np.rint(molecules.x).astype(int)]
    assert np.array_equal(found.segment > 0, pixel > 0)
    assert len(set(zip(found.segment.tolist(), pixel.tolist(), strict=True))) == 31
    assert found.scale.value == pytest.approx(np.sqrt(np.median(np.bincount(mask().ravel())[1:]) / np.pi))
    assert found.scale.spread == pytest.approx(0.05 * found.scale.value)


def test_positions_are_looked_up_from_zero_and_the_old_rule_from_one():
    image = np.arange(12).reshape(3, 4)
    x, y = np.array([0.0, 1.4, 3.0, 3.6]), np.array([0.0, 1.4, 2.0, 0.0])
    assert labels_under(image, (x, y), 1.0, (0, 0), "")[0].tolist() == [0, 5, 11, 0]
    assert labels_under(image, (x, y), 1.0, (0, 0), "0.7")[0].tolist() == [0, 0, 6, 0]


@pytest.mark.parametrize("unit", [1.0, 0.5])
def test_every_pixel_is_as_wide_and_the_old_rule_takes_even_ones(unit):
    image = np.arange(1, 6)[None, :]
    x = unit * np.array([-0.5, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5]) + 3
    found = [
        labels_under(image, (x, np.full(7, 3 + y)), unit, (3, 3), compat)[0].tolist()
        for y, compat in ((0, ""), (unit, "0.7"))
    ]
    assert found == [[1, 2, 3, 4, 5, 0, 0], [0, 0, 2, 2, 4, 4, 0]]


def test_pixel_size_and_offset_place_an_image(tmp_path, table_file, ask, log):
    whole = laid(ask, log, table_file, str(save(tmp_path, "a.tif", mask())))
    fine = np.repeat(np.repeat(mask(), 2, axis=0), 2, axis=1)
    half = laid(
        ask,
        log,
        table_file,
        str(save(tmp_path, "b.tif", fine)),
        prior_pixel_size=0.5,
        prior_offset="-0.25,-0.25",
    )
    assert np.mean(whole.segment == half.segment) > 0.999
    assert half.scale.value == pytest.approx(whole.scale.value)
    assert not any("--prior-pixel-size" in text for text in log.warnings)


def test_an_image_far_wider_than_the_molecules_is_remarked_in_pixels(
    tmp_path, table_file, ask, log, molecules
):
    wide = np.pad(mask(), ((0, 300), (0, 300)))
    laid(ask, log, table_file, str(save(tmp_path, "a.tif", wide)))
    span = f"{np.ptp(molecules.x):.0f} x {np.ptp(molecules.y):.0f} pixels of an image of 385 x 375"
    assert any(span in text for text in log.warnings)


def test_a_mask_smaller_than_the_data_is_used_where_it_is(tmp_path, table_file, ask, log, molecules):
    found = laid(ask, log, table_file, str(save(tmp_path, "a.tif", mask()[:40, :30])))
    outside = (np.rint(molecules.x) >= 30) | (np.rint(molecules.y) >= 40)
    assert not found.segment[outside].any()
    assert found.segment[~outside].any()
    assert any(f"{outside.sum()} of 1200 molecules lie outside of a.tif" in text for text in log.warnings)


def test_an_image_elsewhere_is_refused_with_both_extents(tmp_path, table_file, ask, log):
    path = save(tmp_path, "a.tif", mask())
    with pytest.raises(
        InputError, match=r"85 x 75 pixels.*no molecule lies on a segment.*--prior-pixel-size"
    ):
        laid(ask, log, table_file, str(path), prior_offset="1000,1000")


@pytest.mark.parametrize(
    ("image", "what"),
    [
        (np.zeros((4, 4), np.uint8), "no labels"),
        (np.ones((4, 4, 4), np.uint8), "2-D"),
        (np.full((4, 4), 0.5), "fractions"),
        (np.full((4, 4), -1), "below 0"),
    ],
)
def test_what_is_no_image_of_labels_is_refused(tmp_path, image, what):
    with pytest.raises(InputError, match=what):
        load_labels(save(tmp_path, "a.npy", image))


def test_missing_and_damaged_images_are_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        load_labels(tmp_path / "no.tif")
    (tmp_path / "bad.tif").write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read as an image"):
        load_labels(tmp_path / "bad.tif")
