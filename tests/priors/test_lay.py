"""Priors of every kind, laid over transcripts."""

import json

import numpy as np
import pytest
import tifffile

from cellcarve.errors import InputError, SettingsError
from cellcarve.priors import lay
from cellcarve.priors.core import inner
from cellcarve.priors.inside import polygon_of
from cellcarve.read import read
from cellcarve.settings import PriorSettings, ReadSettings


@pytest.fixture
def table():
    """Two discs of transcripts around (20, 20) and (60, 20) in a field."""
    import pandas as pd

    rng = np.random.default_rng(3)
    x, y = rng.uniform(0, 80, 4000), rng.uniform(0, 40, 4000)
    return read(pd.DataFrame({"x": x, "y": y, "gene": rng.choice(["A", "B"], 4000)}), ReadSettings())


def discs(table):
    near = [np.hypot(table.x - cx, table.y - 20) < 8 for cx in (20, 60)]
    return np.select(near, [1, 2], 0)


def label_image(flip=False):
    y, x = np.mgrid[0:80, 0:160] / 2 + 0.25
    image = np.select([np.hypot(x - cx, y - 20) < 8 for cx in (20, 60)], [5, 9], 0).astype(np.uint16)
    return image[::-1] if flip else image


def test_label_image_with_scale(table, tmp_path):
    tifffile.imwrite(tmp_path / "nuclei.tif", label_image())
    prior = lay(table, PriorSettings(prior=str(tmp_path / "nuclei.tif"), prior_scale=0.5))
    assert prior.names == ["5", "9"]
    assert prior.kind == "nuclei"
    assert (prior.cell == discs(table)).mean() > 0.98
    assert (prior.core == (prior.cell > 0)).all()


def test_affine_replaces_scale_and_offset(table, tmp_path):
    np.save(tmp_path / "nuclei.npy", label_image().T.copy())
    # Columns and rows are swapped: x = 0.5 row, y = 0.5 column.
    settings = PriorSettings(prior=str(tmp_path / "nuclei.npy"), prior_affine="0,0.5,0,0.5,0,0")
    assert (lay(table, settings).cell == discs(table)).mean() > 0.98


def test_pickled_array_is_refused(table, tmp_path):
    np.save(tmp_path / "labels.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="pickled"):
        lay(table, PriorSettings(prior=str(tmp_path / "labels.npy")))


def test_prior_elsewhere_names_both_extents(table, tmp_path):
    np.save(tmp_path / "labels.npy", label_image())
    with pytest.raises(InputError, match=r"5000\.0 to.*0\.0 to 80\.0|x 5000") as error:
        lay(table, PriorSettings(prior=str(tmp_path / "labels.npy"), prior_offset="5000,5000"))
    assert "80.0" in str(error.value)


@pytest.mark.parametrize("offset", ["1", "a,b", "1,2,3"])
def test_offset_that_is_none(table, tmp_path, offset):
    np.save(tmp_path / "labels.npy", label_image())
    with pytest.raises(SettingsError, match="prior_offset"):
        lay(table, PriorSettings(prior=str(tmp_path / "labels.npy"), prior_offset=offset))


def test_geojson(table, tmp_path):
    angle = np.append(np.linspace(0, 2 * np.pi, 59, endpoint=False), 0)
    features = [
        {
            "type": "Feature",
            "properties": {"cell_id": name},
            "geometry": {
                "type": "Polygon",
                "coordinates": [np.column_stack([cx + 8 * np.cos(angle), 20 + 8 * np.sin(angle)]).tolist()],
            },
        }
        for name, cx in (("left", 20), ("right", 60))
    ]
    path = tmp_path / "nuclei.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    prior = lay(table, PriorSettings(prior=str(path)))
    assert prior.names == ["left", "right"]
    assert (prior.cell == discs(table)).mean() > 0.98
    assert np.diff(prior.outline_start).tolist() == [60, 60]


def test_none_on_request(table):
    prior = lay(table, PriorSettings(prior="none"))
    assert prior.kind == "none"
    assert not prior.core.any()


def test_points_in_polygons_as_shapely_sees_them():
    import shapely

    rng = np.random.default_rng(5)
    x, y = rng.uniform(0, 100, 3000).astype(np.float32), rng.uniform(0, 100, 3000).astype(np.float32)
    rings, start = [], [0]
    for _ in range(40):
        angle = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 20)))
        radius = rng.uniform(2, 15, len(angle))
        centre = rng.uniform(0, 100, 2)
        rings.append(
            np.column_stack([centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)])
        )
        start.append(start[-1] + len(angle))
    ring = np.concatenate(rings)
    found = polygon_of(x, y, ring[:, 0].copy(), ring[:, 1].copy(), np.array(start, np.int64))
    shapes = [shapely.Polygon(r) for r in rings]
    area = np.array([s.area for s in shapes])
    expected = np.full(len(x), -1)
    for p in np.argsort(-area, kind="stable"):
        if shapes[p].is_valid:
            expected[shapely.contains_xy(shapes[p], x.astype(float), y.astype(float))] = p
    valid = np.array([s.is_valid for s in shapes])
    judged = (found < 0) | valid[found]
    assert (found[judged] == expected[judged]).mean() > 0.999


def test_inner_part_is_central():
    rng = np.random.default_rng(2)
    x, y = rng.uniform(-5, 5, 2000).astype(np.float32), rng.uniform(-15, 15, 2000).astype(np.float32)
    cell = np.ones(2000, np.int32)
    core = inner(cell, x, y, 1)
    assert core.mean() == pytest.approx(0.4, abs=0.01)
    reach = np.hypot(x / 5, y / 15)
    assert reach[core].max() < np.median(reach) * 1.15


def test_independent_labels_agree_with_the_instrument(data_folder):
    folder = data_folder / "xenium_breast"
    table = read(folder, ReadSettings())
    own = lay(table, PriorSettings())
    image = str(folder / "nuclei_labels_1um.tif")
    other = lay(table, PriorSettings(prior=image, prior_offset="1062,212"))
    flipped = lay(table, PriorSettings(prior=image, prior_offset="1062,212", prior_flip_y=True))
    hit = [float((own.core & p.core).sum() / p.core.sum()) for p in (other, flipped)]
    assert hit[0] > 0.75
    assert hit[1] < 0.5


def test_nucleus_polygons_agree_with_the_flags(data_folder):
    folder = data_folder / "xenium_lung" / "10x_preview_non-diseased_human_lung_15k_transcripts"
    table = read(folder, ReadSettings())
    flags = lay(table, PriorSettings())
    table.nucleus = None
    polygons = lay(table, PriorSettings())
    assert polygons.kind == "nuclei"
    assert (flags.core == polygons.core).mean() > 0.94


def test_merscope_polygons_are_turned(data_folder):
    table = read(data_folder / "merscope_brain" / "small_with_images", ReadSettings())
    prior = lay(table, PriorSettings())
    assert prior.kind == "cells"
    assert any("negated" in note for note in prior.notes)
    assert 0.3 < (prior.cell > 0).mean() < 0.7
    assert all(len(name) > 30 for name in prior.names)
