"""Label images, barcode mappings and shapes as priors: where they lie, how far they are trusted, what is refused."""

import gzip

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
import tifffile

from cellcarve.errors import InputError

COLUMNS = "--gene-column g -x x -y y --ignore-z-coord"


@pytest.fixture
def spots():
    """A row in the middle of every pixel of a 4 x 6 image of 2 µm pixels, row by row."""
    row, column = np.divmod(np.arange(24), 6)
    frame = pd.DataFrame({"x": 2.0 * column + 1, "y": 2.0 * row + 1, "g": "A"})
    frame.to_csv("t.csv", index=False)
    return frame


@pytest.fixture
def mask():
    image = np.zeros((4, 6), np.uint32)
    image[0, :3], image[1:3, 4], image[3, 0] = 70_000, 3, 2**31 + 5
    return image


def save(image, name):
    if name.endswith(".tif"):
        tifffile.imwrite(name, image)
    elif name.endswith(".gz"):
        with gzip.open(name, "wb") as file:
            np.save(file, image)
    else:
        np.save(name, image)


def named(run):
    return [run.prior.names[c - 1] if c else "0" for c in run.prior.cell]


@pytest.mark.parametrize("name", ["m.npy", "m.npy.gz", "m.tif"])
def test_masks_of_every_form(spots, mask, follow, name):
    save(mask, name)
    run = follow(f"{COLUMNS} --cellpose-masks {name} --cellpose-scale 2 t.csv")
    assert named(run) == [str(v) for v in mask.ravel()]
    raster = run.prior.raster
    assert run.prior.names == ["3", "70000", str(2**31 + 5)]
    np.testing.assert_array_equal(raster.label > 0, mask > 0)
    assert raster.affine == (2.0, 0.0, 0.0, 0.0, 2.0, 0.0)
    assert (raster.weight, raster.probability, raster.nuclear) == (0.5, None, False)


def test_trust_in_masks(spots, mask, follow):
    np.save("m.npy", mask)
    line = f"{COLUMNS} --cellpose-masks m.npy --cellpose-scale 2 --prior-seg-reassignment-prob 0.2 t.csv"
    assert follow(line).prior.raster.weight == pytest.approx(0.8)


def test_transforms_turn_and_mirror(mask, follow):
    """A mask turned by 90 degrees and mirrored: x = -2 row + 30, y = 2 column - 7."""
    np.save("m.npy", mask)
    row, column = np.divmod(np.arange(24), 6)
    frame = pd.DataFrame({"x": -2.0 * (row + 0.5) + 30, "y": 2.0 * (column + 0.5) - 7, "g": "A"})
    frame.to_csv("t.csv", index=False)
    run = follow(
        f"{COLUMNS} --cellpose-masks m.npy --cellpose-x-transform 0 -2 30 --cellpose-y-transform 2 0 -7 t.csv"
    )
    assert named(run) == [str(v) for v in mask.ravel()]
    assert run.prior.raster.affine == (0.0, -2.0, 30.0, 2.0, 0.0, -7.0)


def test_probabilities(spots, mask, follow):
    np.save("m.npy", mask)
    logits = np.linspace(-6, 6, 24, dtype=np.float32).reshape(4, 6)
    save(logits, "p.npy.gz")
    line = f"{COLUMNS} --cellpose-masks m.npy --cellpose-cellprobs p.npy.gz --cellpose-scale 2 t.csv"
    expected = 0.5 + 0.5 * 0.85 / (1 + np.exp(-logits.astype(float)))
    np.testing.assert_allclose(follow(line).prior.raster.probability, expected, rtol=1e-5)
    full = follow(f"{line} --cellpose-cellprob-discount 1").prior.raster.probability
    assert full.max() > 0.99


def test_fixed_cells_come_second_and_are_certain(spots, mask, follow):
    fixed = np.zeros_like(mask)
    fixed[0], fixed[3, 5] = 3, 9
    np.save("m.npy", mask)
    np.save("f.npy", fixed)
    run = follow(f"{COLUMNS} --cellpose-masks m.npy --cellpose-masks-fixed f.npy --cellpose-scale 2 t.csv")
    assert run.prior.names[3:] == ["3-fixed", "9-fixed"]
    assert run.prior.fixed.tolist() == [False] * 3 + [True] * 2
    expected = [
        str(v) if v else (f"{f}-fixed" if f else "0")
        for v, f in zip(mask.ravel(), fixed.ravel(), strict=True)
    ]
    assert named(run) == expected
    weight = run.prior.raster.probability
    assert (weight[(mask == 0) & (fixed > 0)] == 1).all()
    assert (weight[mask > 0] == 0.5).all()


def test_masks_need_no_column_of_cells(xenium, follow):
    xenium.drop(columns=["cell_id", "overlaps_nucleus"]).to_csv("t.csv", index=False)
    np.save("m.npy", np.kron(np.arange(1, 401, dtype=np.uint32).reshape(20, 20), np.ones((5, 5), np.uint32)))
    assert follow("--xenium --cellpose-masks m.npy t.csv").prior.cell.any()


def test_mask_elsewhere_names_both_extents(spots, mask, follow):
    np.save("m.npy", mask)
    line = f"{COLUMNS} --cellpose-masks m.npy --cellpose-x-transform 1 0 100 --cellpose-y-transform 0 1 200 t.csv"
    with pytest.raises(InputError) as error:
        follow(line)
    for part in ("m.npy", "x 100.0 to 106.0 and y 200.0 to 204.0", "x 1.0 to 11.0 and y 1.0 to 7.0"):
        assert part in str(error.value)


def test_mask_without_a_transcript_on_a_label(spots, follow):
    image = np.zeros((50, 50), np.uint32)
    image[40:, 40:] = 1
    image[45:, 45:] = 2
    np.save("m.npy", image)
    with pytest.raises(InputError, match="none in a cell"):
        follow(f"{COLUMNS} --cellpose-masks m.npy --cellpose-scale 2 t.csv")


FAULTS = {
    "pickle": (np.array([{}], object), "pickled"),
    "three dimensions": (np.ones((2, 3, 4), np.uint32), "shape"),
    "fractions": (np.full((4, 6), 0.5), "fractions"),
    "empty": (np.zeros((4, 6), np.uint32), "no labels"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faulty_masks(spots, follow, fault):
    image, sentence = FAULTS[fault]
    np.save("m.npy", image)
    with pytest.raises(InputError, match=sentence):
        follow(f"{COLUMNS} --cellpose-masks m.npy --cellpose-scale 2 t.csv")


@pytest.mark.parametrize(
    ("option", "other", "sentence"),
    [
        ("--cellpose-cellprobs", np.zeros((4, 5), np.float32), "shape"),
        ("--cellpose-cellprobs", np.zeros((4, 6), np.int32), "real numbers"),
        ("--cellpose-cellprobs", np.full((4, 6), np.nan, np.float32), "no numbers"),
        ("--cellpose-masks-fixed", np.ones((4, 5), np.uint32), "shape"),
    ],
)
def test_companions_that_do_not_fit(spots, mask, follow, option, other, sentence):
    np.save("m.npy", mask)
    np.save("o.npy", other)
    with pytest.raises(InputError, match=sentence):
        follow(f"{COLUMNS} --cellpose-masks m.npy {option} o.npy --cellpose-scale 2 t.csv")


@pytest.fixture
def shapes(spots, empty_folder):
    """A store as others write it, with a square, one inside of it, and two pieces of one cell."""
    (empty_folder / "s.zarr" / "points" / "transcripts" / "points.parquet").mkdir(parents=True)
    spots.to_parquet("s.zarr/points/transcripts/points.parquet/part.0.parquet")
    (empty_folder / "s.zarr" / "shapes" / "nuclei").mkdir(parents=True)
    pieces = shapely.MultiPolygon([shapely.box(8, 4, 10, 8), shapely.box(10.2, 4.1, 11.9, 5.9)])
    geometry = [shapely.box(0, 0, 6, 6), shapely.box(2, 2, 4, 4), pieces]
    frame = geopandas.GeoDataFrame({"name": ["big", "small", "two"], "shape": geometry}, geometry="shape")
    frame.to_parquet("s.zarr/shapes/nuclei/shapes.parquet")
    return frame


SHAPES = "--zarr --zarr-shape nuclei --zarr-shape-geometry-column shape --zarr-shape-cell-id-column name"


def test_shapes_hold_their_transcripts(spots, shapes, follow):
    run = follow(f"{SHAPES} --gene-column g --prior-seg-reassignment-prob 0.1 s.zarr")
    held = [
        [n for n, s in zip(shapes.name, shapes["shape"], strict=True) if s.contains(p)]
        for p in shapely.points(spots.x, spots.y)
    ]
    assert named(run) == [names[-1] if names else "0" for names in held]
    assert run.prior.raster.weight == pytest.approx(0.9)


def test_shapes_are_painted_by_pixel_centres(shapes, spots, follow):
    raster = follow(f"{SHAPES} --gene-column g s.zarr").prior.raster
    a, _, c, _, e, f = raster.affine
    rows, columns = raster.label.shape
    x, y = np.meshgrid(a * (np.arange(columns) + 0.5) + c, e * (np.arange(rows) + 0.5) + f)
    names = ["big", "small", "two"]
    for number, name in enumerate(names, 1):
        inside = shapely.contains_xy(shapes["shape"][names.index(name)], x, y)
        if name == "big":
            inside &= ~shapely.contains_xy(shapes["shape"][1], x, y)
        np.testing.assert_array_equal(raster.label == number, inside)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (SHAPES.replace("nuclei", "nucleus"), "nuclei"),
        (SHAPES.replace("column shape", "column geometry"), "no column 'geometry'"),
        (SHAPES.replace("column name", "column cell"), "no column 'cell'"),
        (f"{SHAPES} --coordinate-scale 1", None),
    ],
)
def test_shapes_that_are_not_there(shapes, follow, line, sentence):
    if sentence is None:
        follow(f"{line} --gene-column g s.zarr")
        return
    with pytest.raises(InputError, match=sentence):
        follow(f"{line} --gene-column g s.zarr")


def test_shapes_elsewhere(spots, shapes, follow):
    shapes.set_geometry(shapes["shape"].translate(500, 0)).to_parquet("s.zarr/shapes/nuclei/shapes.parquet")
    with pytest.raises(InputError, match=r"x 500\.0 to 511\.9.*x 1\.0 to 11\.0"):
        follow(f"{SHAPES} --gene-column g s.zarr")
