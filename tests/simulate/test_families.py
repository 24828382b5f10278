import json
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import cKDTree

from cellcarve.evaluate import read_assignment, rules
from cellcarve.priors import lay
from cellcarve.read import read
from cellcarve.settings import PriorSettings, ReadSettings
from cellcarve.simulate import SimulateSettings, simulate
from cellcarve.simulate.families.expression import _colours, make_repertoire
from cellcarve.simulate.families.kinds import FAMILIES, Name
from cellcarve.simulate.families.layout import NUCLEUS, lay_cells
from cellcarve.simulate.families.molecules import how_many
from cellcarve.simulate.programmes import PROGRAMMES, draw_genes, make_panel, taste

OTHERS = [name for name in FAMILIES if name != "tissue"]


def made(folder, **settings):
    """Transcripts beside their truth, and the true cells by number."""
    simulate(SimulateSettings(image=False, **settings), folder)
    rows = pd.read_parquet(folder / "transcripts.parquet").merge(pd.read_parquet(folder / "truth.parquet"))
    return rows, pd.read_parquet(folder / "true_cells.parquet").set_index("cell")


@pytest.fixture(scope="module", params=OTHERS)
def family(request, tmp_path_factory):
    """Name, transcripts with truth, and cells of a small field without faults."""
    folder = tmp_path_factory.mktemp(request.param) / "field"
    rows, cells = made(folder, family=request.param, transcripts=15_000, seed=4, perfect=True)
    return request.param, rows, cells, json.loads((folder / "simulation.json").read_text())


def test_every_name_is_a_family():
    assert set(get_args(Name)) == set(FAMILIES)


def test_shares_are_the_familys(family):
    name, rows, _, record = family
    known = rows[rows.true_cell >= 0]
    assert 0.85 * 15_000 < len(rows) < 1.15 * 15_000
    assert record["transcripts"] == len(rows)
    assert rows.transcript_id.is_unique
    assert abs((known.true_cell == 0).mean() - FAMILIES[name].background) < 0.04
    assert record["settings"]["background"] == FAMILIES[name].background
    inside = rows[["x_location", "y_location"]]
    assert inside.min().min() >= 0
    assert inside.max().max() <= record["side_um"]
    depth = FAMILIES[name].depth
    assert rows.z_location.between(0, depth).all()
    assert rows.z_location.nunique() > 1000 or depth == 0


def test_cells_hold_fifty_to_three_hundred_molecules(family):
    _, rows, cells, _ = family
    number = rows.true_cell[rows.true_cell > 0].value_counts()
    # Low quality, controls and drift out of the field take a few.
    assert number.max() <= 300
    assert (number >= 40).mean() > 0.95
    assert abs(number.mean() - 116) < 12
    assert set(number.index) <= set(cells.index)


def test_molecules_lie_around_their_cell(family):
    name, rows, cells, _ = family
    kin = rows[rows.true_cell > 0]
    away = np.hypot(
        kin.x_location - cells.x_centroid.reindex(kin.true_cell).to_numpy(),
        kin.y_location - cells.y_centroid.reindex(kin.true_cell).to_numpy(),
    )
    assert np.median(away) < 5
    outside = (kin.true_cell != kin.inside_cell).mean()
    assert outside < (0.08 if not FAMILIES[name].blur else 0.4)
    assert (kin.leaked == (kin.true_cell != kin.inside_cell)).all()


def test_nuclei_are_what_lies_within_three_micrometres(family):
    name, rows, cells, _ = family
    shape = FAMILIES[name]
    body = lay_cells(shape, len(cells), 4, shape.depth, None)
    axes = 3 if shape.layers else 2
    centre = np.column_stack([body.x, body.y, body.z])[:, :axes]
    away, near = cKDTree(centre).query(rows[["x_location", "y_location", "z_location"]].to_numpy()[:, :axes])
    nuclear = rows.overlaps_nucleus.to_numpy() == 1
    assert (nuclear == (away < NUCLEUS))[np.abs(away - NUCLEUS) > 0.03].all()
    assert (rows.cell_id[nuclear] == "cell-" + pd.Series(near[nuclear] + 1).astype(str).to_numpy()).all()


@pytest.mark.parametrize("name", ["packed", "volume"])
def test_same_seed_gives_the_same_bytes(name, tmp_path):
    for folder in ("a", "b"):
        made(tmp_path / folder, family=name, transcripts=3_000, seed=9)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert {"transcripts.parquet", "truth.parquet", "true_cells.parquet"} <= set(files)
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file
    rows, _ = made(tmp_path / "c", family=name, transcripts=3_000, seed=10)
    assert not np.isin(
        rows.x_location, pd.read_parquet(tmp_path / "a" / "transcripts.parquet").x_location
    ).any()


def test_discs_leave_gaps_and_tiles_do_not(tmp_path):
    # A regular grid of test places: how much of the middle of the field do true cells cover?
    cover = {}
    for name in ("gaps", "packed"):
        rows, _ = made(tmp_path / name, family=name, transcripts=40_000, background=0.5)
        middle = rows.x_location.between(40, rows.x_location.max() - 40) & rows.y_location.between(
            40, rows.y_location.max() - 40
        )
        haze = rows[middle & (rows.true_cell == 0)]
        cover[name] = (haze.inside_cell > 0).mean()
    # Discs of 5 um, 13 um apart on a hexagonal lattice: pi 25 / (169 sqrt(3) / 2).
    assert abs(cover["gaps"] - 0.537) < 0.03
    assert cover["packed"] > 0.98


@pytest.mark.parametrize("angle", [-45.0, 30.0])
def test_elongated_cells_lie_as_asked_for(angle, tmp_path):
    rows, cells = made(tmp_path / "a", family="elongated", transcripts=40_000, angle=angle)
    kin = rows[(rows.true_cell > 0) & (rows.true_cell == rows.inside_cell)]
    place = kin[["x_location", "y_location"]] - cells[["x_centroid", "y_centroid"]].reindex(
        kin.true_cell
    ).set_axis(kin.index).set_axis(["x_location", "y_location"], axis=1)
    values, vectors = np.linalg.eigh(np.cov(place.to_numpy().T))
    assert abs(np.sqrt(values[1] / values[0]) - 3.0) < 0.2
    direction = np.rad2deg(np.arctan2(vectors[1, 1], vectors[0, 1]))
    assert min(abs(direction - angle), abs(abs(direction - angle) - 180)) < 2


def test_angles_are_all_directions_where_none_is_given():
    body = lay_cells(FAMILIES["elongated"], 3_000, 1, 0.0, None).body
    assert abs(body[:, 4].mean()) < 0.05
    assert abs((body[:, 3] - body[:, 5]).mean()) < 0.1
    assert np.allclose(body[:, 3] * body[:, 5] - body[:, 4] ** 2, 1)


def test_mixed_sizes_differ():
    size = lay_cells(FAMILIES["mixed"], 3_000, 1, 0.0, None).body[:, 7]
    assert abs(np.log(size).std() - 0.35) < 0.02
    assert abs(np.exp(np.log(size).mean()) - 4.8) < 0.15


def test_neighbours_in_packed_tissue_share_no_gene(tmp_path):
    rows, cells = made(tmp_path / "a", family="packed", transcripts=30_000, genes=1000)
    kin = rows[rows.true_cell > 0]
    gene, kind = kin.feature_name.astype("category").cat.codes, cells.type.reindex(kin.true_cell).to_numpy()
    assert (pd.DataFrame({"gene": gene.to_numpy(), "kind": kind}).groupby("gene").kind.nunique() == 1).all()
    pairs = cKDTree(cells[["x_centroid", "y_centroid"]]).query_pairs(13.0, output_type="ndarray")
    assert len(pairs) > len(cells)
    assert (cells.type.to_numpy()[pairs[:, 0]] != cells.type.to_numpy()[pairs[:, 1]]).all()


def test_colours_agree_with_a_plain_twin():
    cells = lay_cells(FAMILIES["packed"], 200, 3, 0.0, None)
    place = np.column_stack([cells.x, cells.y])
    colour = []
    for c in range(len(cells)):
        near = [d for d in range(c) if np.hypot(*(place[c] - place[d])) <= 16.5]
        colour.append(next(k for k in range(99) if k not in {colour[d] for d in near}))
    assert _colours(cells, 16.5).tolist() == colour


@pytest.mark.parametrize("genes", [100, 1000, 5000])
def test_markers_hold_half_of_a_cells_molecules(genes):
    cells = lay_cells(FAMILIES["gaps"], 400, 3, 0.0, None)
    repertoire = make_repertoire("markers", cells, 13.0, 3, genes)
    profile = np.diff(repertoire.panel.heap, axis=1, prepend=0)
    others = np.array([np.delete(profile, k, axis=0).min(axis=0) for k in range(len(profile))])
    top = np.sort(profile - others, axis=1)[:, ::-1]
    each = min(8, genes // 16)
    assert np.allclose(top[:, :each].sum(axis=1), 0.5, atol=0.02)
    assert np.abs(top[:, each:]).sum() < 1e-6
    assert np.allclose(repertoire.mixture.sum(axis=1), 1)


def test_genes_follow_the_profiles(tmp_path):
    rows, cells = made(tmp_path / "a", family="gaps", transcripts=60_000, genes=50)
    folder_cells = lay_cells(FAMILIES["gaps"], round(60_000 * 0.98 / 120), 0, 0.0, None)
    repertoire = make_repertoire("markers", folder_cells, 13.0, 0, 50)
    profile = np.diff(repertoire.panel.heap, axis=1, prepend=0)
    kin = rows[rows.true_cell > 0]
    kind = cells.type.reindex(kin.true_cell).str[1:].astype(int).to_numpy() - 1
    gene = kin.feature_name.str[4:].astype(int).to_numpy() - 1
    seen = np.zeros_like(profile)
    np.add.at(seen, (kind, gene), 1)
    expected = profile * seen.sum(axis=1, keepdims=True)
    chi = ((seen - expected) ** 2 / expected.clip(1e-9))[expected > 5]
    assert abs(chi.mean() - 1) < 0.3


def test_programmes_overlap(tmp_path):
    _, cells = made(tmp_path / "a", family="dense", transcripts=20_000)
    assert 0.4 < cells.type_share.mean() < 0.85
    assert cells.type.nunique() > 8


def test_another_expression_may_be_asked_for(tmp_path):
    _, cells = made(tmp_path / "a", family="packed", transcripts=5_000, expression="one")
    assert cells.type.nunique() == 1


def test_layers_lie_above_each_other(tmp_path):
    rows, cells = made(tmp_path / "a", family="volume", transcripts=30_000, perfect=True)
    kin = rows[rows.true_cell > 0]
    z = kin.groupby("true_cell").z_location.agg(["mean", "std"])
    assert z["mean"].max() - z["mean"].min() > 20
    # A ball of 4.4 um that tiles flatten has a standard deviation of about 2 um in depth.
    assert 1.2 < z["std"].median() < 2.6
    nuclear = rows[(rows.overlaps_nucleus == 1) & (rows.true_cell > 0)]
    assert (nuclear.cell_id == "cell-" + nuclear.true_cell.astype(str)).mean() > 0.9
    assert not (tmp_path / "a" / "nucleus_boundaries.parquet").exists()
    assert set(cells.fault) == {"none"}


def test_columns_are_as_thick_as_asked_for(tmp_path):
    rows, _ = made(tmp_path / "a", family="gaps", transcripts=5_000, thickness=10.0)
    inside = rows[rows.true_cell > 0].z_location
    assert abs(inside.mean() - 5) < 0.3
    assert inside.max() <= 10


def test_faults_are_as_frequent_as_asked_for(tmp_path):
    faults = {"missed": 0.2, "merged": 0.1, "split": 0.1, "shifted": 0.0}
    for name in ("packed", "volume"):
        rows, cells = made(tmp_path / name, family=name, transcripts=120_000, **faults)
        share = cells.fault.value_counts(normalize=True)
        assert abs(share["missed"] - 0.2) < 0.05
        assert abs(share["merged"] - 0.1) < 0.05
        assert abs(share["split"] - 0.1) < 0.05
        missed = set("cell-" + cells.index[cells.fault == "missed"].astype(str))
        assert not missed & set(rows.cell_id)


def test_no_prior_is_left_where_all_nuclei_are_missed(tmp_path):
    rows, _ = made(tmp_path / "a", family="gaps", transcripts=5_000, missed=1.0)
    assert (rows.overlaps_nucleus == 0).all()
    assert (rows.cell_id == "UNASSIGNED").all()
    assert lay(read(tmp_path / "a", ReadSettings()), PriorSettings()).kind == "none"


def test_numbers_per_cell_are_lognormal_between_bounds():
    cells = lay_cells(FAMILIES["gaps"], 20_000, 2, 0.0, None)
    number = how_many(cells, 120.0)
    assert number.min() == 50
    assert number.max() == 300
    assert abs(number.mean() - 120) < 2
    middle = np.log(number[(number > 50) & (number < 300)])
    assert abs(middle.std() - 0.4) < 0.05


@pytest.mark.parametrize(("name", "right"), [("dense", 0.63), ("dense-xenium", 0.64), ("loose", 0.83)])
def test_the_nearest_nucleus_is_right_as_often_as_it_should_be(name, right, tmp_path):
    rows, _ = made(tmp_path / "a", family=name, transcripts=40_000, perfect=True)
    cell = rules(read_assignment(tmp_path / "a"))["nearest nucleus centre"]
    known = rows.true_cell >= 0
    first = rows.cell_id[cell > 0].groupby(cell[cell > 0]).agg(lambda ids: ids.mode()[0])
    named = np.where(cell > 0, first.reindex(cell).to_numpy(), "")
    hit = named == "cell-" + rows.true_cell.astype(str).to_numpy()
    assert abs(hit[known].mean() - right) < 0.03


def test_cells_like_genes_as_their_tastes_say():
    key = lay_cells(FAMILIES["dense"], 4, 6, 0.0, None).key
    panel = make_panel(6, 40)
    table = taste(key, 40)
    assert table.min() >= 0.2
    assert table.max() <= 1
    bits = np.random.default_rng(0).integers(0, 2**64, 100_000, np.uint64)
    one, outside = np.zeros(len(bits), np.int64), np.zeros(len(bits), bool)
    mixture = np.cumsum(np.eye(PROGRAMMES)[:1], axis=1)
    gene = draw_genes(bits, one, outside, key, mixture, panel.heap, panel.ease)
    share = np.diff(panel.heap[0], prepend=0) * panel.ease[0] * table[0]
    share /= share.sum()
    assert np.abs(np.bincount(gene, minlength=40) / len(gene) - share).max() < 0.006
