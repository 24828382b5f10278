"""Sections far apart on one slide cost no more than sections that lie close, and end the same."""

import gzip
import json

import numpy as np
import pandas as pd
import shapely
import tifffile

from cellcarve import cli

QUICK = (
    "--xenium --ignore-z-coord --burnin-samples 3 --samples 4 --recorded-samples 2 --hillclimb 2 --nthreads 1 --overwrite "
    "--output-cell-metadata c.csv --output-transcript-metadata t.csv --output-cell-polygons p.geojson.gz "
    "--output-voxel-counts v.csv.gz"
)
# Multiples of what stays empty around a piece.
NEAR, FAR = 1_200, 90_000


def section(corner):
    """Nine cells; sixteenths of a µm are the same number wherever they lie."""
    rng = np.random.default_rng(3)
    number = np.repeat(np.arange(9), 30)
    away = np.round(rng.normal(0, 2.0, (len(number), 2)) * 16) / 16
    return pd.DataFrame(
        {
            "cell_id": [f"{corner}-{n}" for n in number],
            "overlaps_nucleus": (np.hypot(*away.T) < 2).astype(int),
            "feature_name": rng.choice(["A", "B", "C"], len(number)),
            "x_location": corner + 12.0 * (number % 3) + away[:, 0],
            "y_location": corner + 12.0 * (number // 3) + away[:, 1],
            "z_location": 0.0,
        }
    )


def run(distance, more=""):
    pd.concat([section(20), section(20 + distance)]).to_csv("in.csv", index=False)
    assert cli.status(["proseg", *QUICK.split(), *more.split(), "in.csv"]) == 0
    with gzip.open("p.geojson.gz") as file:
        shapes = [shapely.geometry.shape(item["geometry"]) for item in json.load(file)["features"]]
    return pd.read_csv("t.csv"), pd.read_csv("c.csv"), np.array(shapes), pd.read_csv("v.csv.gz")


def test_the_distance_between_sections_changes_nothing(empty_folder):
    near, far = run(NEAR), run(FAR)
    gap = FAR - NEAR
    assert near[0].assignment.equals(far[0].assignment)
    for a, b, names in ((near[0], far[0], ("x", "y")), (near[1], far[1], ("centroid_x", "centroid_y"))):
        for name in names:
            np.testing.assert_allclose(b[name], a[name] + np.where(a[name] > NEAR, gap, 0), atol=0.01)
    moved = [shapely.transform(shape, lambda at: at + np.where(at > NEAR, gap, 0)) for shape in near[2]]
    assert shapely.equals_exact(far[2], moved, 0.01).all()
    seen = [np.sort(got[3].x - np.where(got[3].x > NEAR, by, 0)) for got, by in ((near, 0), (far, gap))]
    np.testing.assert_allclose(*seen, atol=0.01)


def test_the_label_image_lies_in_the_tissue(empty_folder):
    rows, cells, shapes, _ = run(3_000, "--output-cell-masks m.tif")
    image = tifffile.imread("m.tif")
    low = rows[["observed_x", "observed_y"]].min()
    assert min(image.shape) > 3_000
    for cell, shape in zip(cells.cell, shapes, strict=True):
        place = shape.representative_point()
        assert image[int(place.y - low.observed_y), int(place.x - low.observed_x)] == cell + 1
