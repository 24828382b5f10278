"""Columns of every type and generation mean what their instrument means by them."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cellcarve.read import read
from cellcarve.settings import ReadSettings


def cells_of(table):
    """Name of the cell of every row, None where there is none."""
    names = [None, *table.cell_names]
    return [names[c] for c in table.cell.tolist()]


@pytest.mark.parametrize("as_csv", [False, True], ids=["parquet", "csv"])
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("is_gene", [True, False]),
        ("is_gene", [1, 0]),
        ("codeword_category", ["predesigned_gene", "unassigned_codeword"]),
        ("codeword_category", ["custom_gene", "genomic_control_probe"]),
    ],
)
def test_what_is_no_gene_is_a_control(spots, tmp_path, as_csv, name, values):
    spots = spots.assign(gene="A", qv=40, **{name: [values[0]] * 300 + [values[1]] * 200})
    path = tmp_path / ("a.csv" if as_csv else "a.parquet")
    (spots.to_csv if as_csv else spots.to_parquet)(path, index=False)
    table = read(path, ReadSettings())
    assert table.losses()["control probe"] == 200
    assert (table.status[300:] == 1).all()


def test_missing_category_leaves_it_to_the_name(spots):
    category = pd.array([None] * 500, dtype="string")
    table = read(spots.assign(codeword_category=category, qv=40), ReadSettings())
    assert table.losses()["control probe"] == (spots.gene == "NegControlProbe_1").sum()


@pytest.mark.parametrize(
    "name",
    [
        "NegControlProbe_00042",
        "NegControlCodeword_0500",
        "antisense_PROKR2",
        "BLANK_0006",
        "Blank-12",
        "UnassignedCodeword_0001",
        "DeprecatedCodeword_0321",
        "Intergenic_Region_3",
        "SystemControl26",
        "NegPrb3",
        "Negative5",
        "FalseCode9",
    ],
)
def test_control_names(spots, name):
    assert read(spots.assign(gene=name), ReadSettings()).losses()["control probe"] == 500


@pytest.mark.parametrize("gene", ["NEGR1", "BLNK", "ANTXR1", "SYNE1", "FALZ", "NELL2"])
def test_genes_with_names_like_controls_are_genes(spots, gene):
    assert read(spots.assign(gene=gene, qv=40), ReadSettings()).losses()["kept"] == 500


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([True, False], [True, False]),
        ([1, 0], [True, False]),
        ([1.0, np.nan], [True, False]),
        (["Nuclear", "Cytoplasm"], [True, False]),
        (["TRUE", None], [True, False]),
    ],
)
def test_nucleus_flags(spots, flags, expected):
    table = read(spots.assign(overlaps_nucleus=flags * 250), ReadSettings())
    assert table.nucleus.tolist() == expected * 250


@pytest.mark.parametrize("none", ["UNASSIGNED", "", "-1", "nan", None])
def test_words_for_no_cell(spots, none):
    table = read(spots.assign(cell=[none, "aaachba-1"] * 250), ReadSettings())
    assert cells_of(table) == [None, "aaachba-1"] * 250


def test_cells_written_as_floats_keep_their_numbers(spots, tmp_path):
    spots = spots.assign(cell=[np.nan, 7, 12, 7] * 125)
    spots.to_csv(tmp_path / "a.csv", index=False)
    spots.to_parquet(tmp_path / "a.parquet")
    for path in ("a.csv", "a.parquet"):
        assert cells_of(read(tmp_path / path, ReadSettings())) == [None, "7", "12", "7"] * 125


def test_names_that_end_in_decimals_are_left_alone(spots):
    assert read(spots.assign(cell=["v1.0", "v2.0"] * 250), ReadSettings()).cell_names == ["v1.0", "v2.0"]


def test_nan_that_is_not_null_is_no_cell(spots):
    table = pa.Table.from_pandas(spots.head(2).drop(columns="cell"))
    table = table.append_column("cell", pa.array([float("nan"), 3.0], from_pandas=False))
    assert cells_of(read(table, ReadSettings())) == [None, "3"]


@pytest.mark.parametrize("none", [0, None, -1])
def test_cells_of_fields_are_told_apart(spots, tmp_path, none):
    cell = pd.array([none, 1, 2, 1], dtype="Int64").repeat(125)
    fov = np.repeat([1, 1, 1, 2], 125)
    names = {"x": "x_global_px", "y": "y_global_px", "gene": "target"}
    spots.drop(columns="cell").rename(columns=names).assign(cell_ID=cell, fov=fov).to_csv(
        tmp_path / "a_tx_file.csv", index=False
    )
    table = read(tmp_path, ReadSettings())
    assert table.platform == "cosmx"
    assert cells_of(table) == [name for name in [None, "1_1", "1_2", "2_1"] for _ in range(125)]


@pytest.mark.parametrize(
    ("ids", "kind"),
    [
        (np.arange(500).astype(np.uint64) + 2**63, pa.uint64()),
        (np.arange(500)[::-1] - 250, pa.int64()),
        (np.arange(500, dtype=np.uint16), pa.uint64()),
        ([f"{i:04d}" for i in range(500)], pa.string()),
        ([str(i) for i in range(500)], pa.uint64()),
        ([f"t{i}" for i in range(500)], pa.string()),
    ],
)
def test_ids_stay_as_they_are(spots, ids, kind):
    table = read(spots.assign(transcript_id=ids), ReadSettings())
    assert table.ids.type == kind
    assert [str(i) for i in table.ids.to_pylist()] == [str(i) for i in list(ids)]


def test_rows_are_numbered_where_there_are_no_ids(spots):
    table = read(spots.drop(columns="transcript_id"), ReadSettings())
    assert table.ids.to_pylist() == list(range(500))


def test_codes_are_the_same_in_any_batches(spots, tmp_path, monkeypatch):
    """Dictionaries of batches differ; their union must not depend on how the rows are cut."""
    spots = spots.assign(gene=[f"g{i % 37:02d}" for i in range(500)], fov_name=["b", "a"] * 250)
    pq.write_table(pa.Table.from_pandas(spots), tmp_path / "a.parquet", row_group_size=90)
    whole = read(tmp_path / "a.parquet", ReadSettings())
    monkeypatch.setattr("cellcarve.read.stream._ROWS", 7)
    monkeypatch.setattr("cellcarve.read.stream._BLOCK", 600)
    spots.to_csv(tmp_path / "a.csv", index=False)
    for path in ("a.parquet", "a.csv"):
        table = read(tmp_path / path, ReadSettings())
        assert [table.genes[g] for g in table.gene.tolist()] == spots.gene.tolist()
        assert (table.cell == whole.cell).all()
        assert table.cell_names == whole.cell_names
        assert table.fovs == ["a", "b"]
        assert table.ids.equals(whole.ids) or table.ids.to_pylist() == whole.ids.to_pylist()
        np.testing.assert_allclose(table.quality, whole.quality, rtol=1e-6)


def test_dictionaries_and_odd_number_types(spots):
    table = pa.table(
        {
            "x": pa.array([1, 2, 3], pa.int16()),
            "y": pa.array(["1.5", " 2.5", "3.5"]),
            "z": pa.array([1, 2, 3], pa.decimal128(5, 1)),
            "gene": pa.array(["A", "B", "A"]).dictionary_encode(),
            "qv": pa.array([30.0, None, float("nan")], from_pandas=False),
        }
    )
    got = read(table, ReadSettings())
    assert got.x.tolist() == [1, 2, 3]
    assert got.y.tolist() == [1.5, 2.5, 3.5]
    assert got.z.tolist() == [1, 2, 3]
    assert got.losses() == {
        "kept": 1,
        "control probe": 0,
        "excluded gene": 0,
        "low quality": 2,
        "outside": 0,
    }


def test_scale_replaces_the_platforms_own(spots, tmp_path):
    named = spots.rename(columns={"x": "x_global_px", "y": "y_global_px", "gene": "target"}).assign(fov=1)
    named.to_csv(tmp_path / "a_tx_file.csv", index=False)
    np.testing.assert_allclose(read(tmp_path, ReadSettings(scale=0.18)).x, spots.x * 0.18, rtol=1e-5)
    np.testing.assert_allclose(read(tmp_path, ReadSettings()).x, spots.x * 0.12028, rtol=1e-5)


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_separators(spots, tmp_path, separator):
    spots.to_csv(tmp_path / "spots.txt", index=False, sep=separator)
    assert len(read(tmp_path / "spots.txt", ReadSettings())) == 500


def test_one_transcript_and_one_gene(spots):
    assert len(read(spots.head(1), ReadSettings())) == 1
    assert read(spots.assign(gene="A"), ReadSettings()).genes == ["A"]
