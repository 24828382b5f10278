"""Rows, cells and nuclei by proseg's rules, from every kind of table."""

import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cellcarve.data.table import Status
from cellcarve.errors import InputError


def cell_of(run):
    return [run.prior.names[c - 1] if c else None for c in run.prior.cell]


def test_xenium_rows_by_hand(xenium, follow):
    xenium.to_csv("t.csv.gz", index=False)
    run = follow("--xenium t.csv.gz")
    low = xenium.qv < 20
    control = xenium.feature_name == "NegControlProbe_1"
    assert ((run.table.status == Status.LOW_QUALITY) == low).all()
    assert ((run.table.status == Status.EXCLUDED_GENE) == control).all()
    assert (run.table.quality[~low] >= 20).all(), "20 itself is kept"
    kept = ~low & ~control & (xenium.cell_id != "UNASSIGNED")
    assert cell_of(run) == [c if k else None for c, k in zip(xenium.cell_id, kept, strict=True)]
    assert (run.prior.core == (kept & (xenium.overlaps_nucleus == 1))).all()
    assert run.table.ids.to_pylist() == xenium.transcript_id.tolist()


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet", "tsv"])
def test_every_form_of_a_table_reads_alike(xenium, follow, ending):
    if ending == "parquet":
        xenium.to_parquet("t.parquet")
    else:
        xenium.to_csv(f"t.{ending}", index=False, sep="\t" if ending == "tsv" else ",")
    run, other = follow(f"--xenium t.{ending}"), None
    xenium.to_csv("other.csv", index=False)
    other = follow("--xenium other.csv")
    np.testing.assert_array_equal(run.table.x, other.table.x)
    np.testing.assert_array_equal(run.table.status, other.table.status)
    assert cell_of(run) == cell_of(other)


def test_gzip_of_several_members(xenium, follow):
    text = xenium.to_csv(index=False).encode()
    cut = text.index(b"\n", 300) + 1
    with open("t.csv.gz", "wb") as file:
        file.write(gzip.compress(text[:cut]) + gzip.compress(text[cut:]))
    assert len(follow("--xenium t.csv.gz").table) == len(xenium)


def test_a_folder_of_xenium(xenium, follow, empty_folder):
    (empty_folder / "outs").mkdir()
    xenium.to_parquet("outs/transcripts.parquet")
    assert len(follow("--xenium outs").table) == 12


STRANGE = {
    "dictionaries": {
        "feature_name": pa.dictionary(pa.int8(), pa.string()),
        "cell_id": pa.dictionary(pa.int32(), pa.string()),
    },
    "large text": {"feature_name": pa.large_string(), "cell_id": pa.large_string(), "fov_name": pa.string()},
    "doubles": {"x_location": pa.float64(), "qv": pa.float64()},
    "truth": {"overlaps_nucleus": pa.bool_()},
    "bytes": {"feature_name": pa.binary()},
    "signed ids": {"transcript_id": pa.int64(), "overlaps_nucleus": pa.int64()},
}


@pytest.mark.parametrize("kind", STRANGE)
def test_parquet_of_any_types(xenium, follow, kind):
    """All of these stop proseg."""
    xenium.to_csv("t.csv", index=False)
    table = pa.Table.from_pandas(xenium)
    for name, to in STRANGE[kind].items():
        table = table.set_column(table.column_names.index(name), name, table[name].cast(to))
    pq.write_table(table, "t.parquet")
    run, plain = follow("--xenium t.parquet"), follow("--xenium t.csv")
    assert cell_of(run) == cell_of(plain)
    np.testing.assert_array_equal(run.prior.core, plain.prior.core)
    np.testing.assert_allclose(run.table.x, plain.table.x)


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize(
    "ids",
    [[7] * 12, [*range(11), 0], [None, 3, 3, None, *range(2**60, 2**60 + 8)], [*range(9), None, None, None]],
    ids=["one for all", "twice", "missing and twice", "missing"],
)
def test_ids_are_handed_through(xenium, follow, form, ids, monkeypatch):
    """Ids may stand twice, as in proseg, and may be missing, where proseg stops."""
    monkeypatch.setattr("cellcarve.read.stream._ROWS", 5)
    monkeypatch.setattr("cellcarve.read.stream._BLOCK", 400)
    xenium["transcript_id"] = pd.array(ids, "UInt64")
    xenium.to_csv("t.csv", index=False) if form == "csv" else xenium.to_parquet("t.parquet")
    assert follow(f"--xenium t.{form}").table.ids.to_pylist() == ids


def test_ids_that_are_no_numbers_are_refused_beside_missing_ones(xenium, follow):
    xenium["transcript_id"] = [None, "a", *map(str, range(10))]
    xenium.to_csv("t.csv", index=False)
    with pytest.raises(InputError, match="whole numbers from 0 up"):
        follow("--xenium t.csv")


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_whole_numbers_as_xenium_cells(xenium, follow, form):
    """Earlier instruments number cells and write -1 for none; proseg stops there."""
    numbers = xenium.cell_id.map({"aa-1": 0, "bb-1": 2**40, "UNASSIGNED": -1})
    frame = xenium.assign(cell_id=numbers).drop(columns="fov_name")
    frame.to_csv("t.csv", index=False) if form == "csv" else frame.to_parquet("t.parquet")
    run = follow(f"--xenium t.{form}")
    assert run.prior.names == ["0", str(2**40)]
    assert run.prior.cell[10] == 0


def test_missing_cells_are_none(xenium, follow):
    xenium.loc[0, "cell_id"] = None
    xenium.to_parquet("t.parquet")
    assert follow("--xenium t.parquet").prior.cell[0] == 0


@pytest.mark.parametrize("word", ["NA", "nan", "null"])
def test_a_gene_may_be_called_what_elsewhere_means_missing(xenium, follow, word):
    """The fly has a gene nan; a cell of that name is none."""
    xenium.loc[[0, 3], "feature_name"] = word
    xenium.loc[1, "cell_id"] = word
    xenium.to_csv("t.csv", index=False)
    run = follow("--xenium t.csv")
    assert [run.table.genes[g] for g in run.table.gene] == xenium.feature_name.tolist()
    assert run.prior.cell[1] == 0
    assert run.prior.names == ["aa-1", "bb-1"]


def test_without_qualities_fields_and_ids(xenium, follow):
    xenium.drop(columns=["qv", "fov_name", "transcript_id"]).to_csv("t.csv", index=False)
    run = follow("--xenium t.csv")
    assert run.table.quality is None
    assert run.table.ids.to_pylist() == list(range(12))
    assert (run.table.status == Status.LOW_QUALITY).sum() == 0


def test_cell_initialisation_makes_every_assigned_row_nuclear(xenium, follow):
    xenium.drop(columns="overlaps_nucleus").to_csv("t.csv", index=False)
    run = follow("--xenium --use-cell-initialization t.csv")
    assert (run.prior.core == (run.prior.cell > 0)).all()
    with pytest.raises(InputError, match=r"overlaps_nucleus.*--use-cell-initialization"):
        follow("--xenium t.csv")


def test_genes_are_left_out_where_the_pattern_is_found_anywhere(xenium, follow):
    xenium.to_csv("t.csv", index=False)
    out = follow("--xenium --excluded-genes 2$ t.csv").table
    names = np.array(out.genes)[out.gene]
    high = xenium.qv >= 20
    assert set(names[(out.status == Status.EXCLUDED_GENE) & high]) == {"G2"}
    assert "NegControlProbe_1" in names[out.status == Status.KEPT], "the user's pattern replaces the preset's"


@pytest.mark.parametrize(
    ("pattern", "left_out"),
    [
        ("^[[:alpha:]]+$", {"BLANK"}),
        ("^\\pL+\\z", {"BLANK"}),
        ("^(?i)g[[:digit:]]", {"G1", "G2"}),
    ],
)
def test_patterns_have_the_syntax_of_proseg(xenium, follow, pattern, left_out):
    xenium.to_csv("t.csv", index=False)
    table = follow(f"--xenium --excluded-genes '{pattern}' t.csv").table
    found = {table.genes[g] for g in table.gene[table.status == Status.EXCLUDED_GENE]}
    assert found == left_out


COSMX = pd.DataFrame(
    {
        "fov": [1, 1, 2, 2, 2],
        "cell_ID": [1, 0, 1, 2, 0],
        "cell": ["c_1_1_1", "", "c_1_2_1", "c_1_2_2", ""],
        "x_global_px": [0.0, 10, 20, 30, 40],
        "y_global_px": [-5.0, 6, 7, 8, 9],
        "z": [0, 1, 2, 3, 4],
        "target": ["A", "A", "NegPrb3", "B", "B"],
        "CellComp": ["Nuclear", "0", "Nuclear", "Membrane", "None"],
    }
)


def test_cosmx_cells_with_and_without_their_column(follow):
    COSMX.to_csv("new_tx_file.csv", index=False)
    COSMX.drop(columns="cell").to_csv("old_tx_file.csv", index=False)
    new, old = (
        follow("--cosmx --include-neg-ctrls new_tx_file.csv"),
        follow("--cosmx --include-neg-ctrls old_tx_file.csv"),
    )
    assert cell_of(new) == ["c_1_1_1", None, "c_1_2_1", "c_1_2_2", None]
    assert cell_of(old) == ["1_1", None, "2_1", "2_2", None]
    for run in (new, old):
        assert run.prior.core.tolist() == [True, False, True, False, False]
        np.testing.assert_allclose(run.table.x, COSMX.x_global_px * 0.12028, rtol=1e-6)
        np.testing.assert_array_equal(run.table.z, COSMX.z)


def test_cosmx_in_microns(follow):
    frame = COSMX.drop(columns="cell").rename(columns={"x_global_px": "x", "y_global_px": "y"})
    frame.to_parquet("t.parquet")
    run = follow("--cosmx-micron t.parquet")
    assert cell_of(run) == ["1_1", None, None, "2_2", None], "control probes are left out"
    np.testing.assert_array_equal(run.table.x, COSMX.x_global_px.astype(np.float32))


MERSCOPE = pd.DataFrame(
    {
        "global_x": [1.0, 2, 3, 4],
        "global_y": [1.0, 2, 3, 4],
        "global_z": [0.0, 1, 2, 3],
        "gene": ["A", "Blank-1", "B", "A"],
        "fov": [0, 0, 1, 1],
        "cell_id": [-1, 110883424764611924, 110883424764611924, 5],
    }
)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_merscope(follow, form):
    MERSCOPE.to_csv("t.csv", index=False) if form == "csv" else MERSCOPE.to_parquet("t.parquet")
    assert cell_of(follow(f"--merscope t.{form}")) == [None, None, "110883424764611924", "5"]
    kept = follow(f"--merscope --include-neg-ctrls t.{form}").table.status == Status.KEPT
    assert kept.all()


def test_merfish(follow):
    frame = MERSCOPE.rename(columns={"global_x": "x", "global_y": "y", "global_z": "z"})
    frame.assign(cell=["NA", "7", "8", "7"]).to_csv("t.csv", index=False)
    assert cell_of(follow("--merfish t.csv")) == [None, "7", "8", "7"]


def test_merfish_as_another_word_for_merscope(follow):
    MERSCOPE.to_csv("t.csv", index=False)
    run = follow("--merfish t.csv")
    assert cell_of(run) == [None, "110883424764611924", "110883424764611924", "5"]
    np.testing.assert_array_equal(run.table.z, MERSCOPE.global_z)


def test_named_columns_as_a_pipeline_writes_them(follow):
    """The call of sopa, on the tables that it cuts."""
    pd.DataFrame(
        {
            "x": [1.5, 2, 3],
            "y": [1.0, 2, 3],
            "z": [0.0, 0, 1],
            "genes": ["A", "B", "A"],
            "sopa_prior": [0, 2, 1],
        }
    ).to_csv("transcripts.csv", index=False)
    run = follow(
        "transcripts.csv -x x -y y -z z --gene-column genes --cell-id-column sopa_prior --cell-id-unassigned 0 "
        "--exclude-spatialdata-transcripts out.zarr".removesuffix(" out.zarr")
    )
    assert cell_of(run) == [None, "2", "1"]
    assert run.prior.core.tolist() == [False, True, True]


def test_ids_scoped_by_field_keep_their_names_where_these_are_unique(follow):
    frame = pd.DataFrame(
        {"x": [1.0, 2, 3], "y": [1.0, 2, 3], "g": "A", "c": ["7", "7", "8"], "f": ["a", "b", "b"]}
    )
    frame.to_csv("t.csv", index=False)
    line = "--gene-column g -x x -y y --ignore-z-coord --cell-id-column c --cell-id-unassigned 0 --fov-column f t.csv"
    assert follow(line).prior.names == ["7", "8"]
    assert follow(f"{line} --non-unique-cell-ids").prior.names == ["a_7", "b_7", "b_8"]
    frame.iloc[1:].to_csv("t.csv", index=False)
    assert follow(f"{line} --non-unique-cell-ids").prior.names == ["7", "8"]


def test_x_and_y_are_scaled_but_not_z(xenium, follow):
    xenium.to_csv("t.csv", index=False)
    run = follow("--xenium --coordinate-scale 2 t.csv")
    np.testing.assert_array_equal(run.table.x, xenium.x_location * 2)
    np.testing.assert_array_equal(run.table.z, xenium.z_location)
    assert follow("--xenium --ignore-z-coord t.csv").table.z is None


BAD = {
    "no rows": (lambda f: f.iloc[:0], "holds no transcripts"),
    "no number": (lambda f: f.assign(x_location=["1", "q", *["2"] * 10]), "x_location.*row 2"),
    "NaN": (lambda f: f.assign(y_location=[np.nan, *[1.0] * 11]), "y_location.*row 1"),
    "infinite": (lambda f: f.assign(z_location=[np.inf, *[1.0] * 11]), "z_location.*row 1"),
    "no gene": (lambda f: f.drop(columns="feature_name"), "--gene-column"),
    "no cells": (lambda f: f.drop(columns="cell_id"), "--cellpose-masks"),
    "nobody": (lambda f: f.assign(cell_id="UNASSIGNED"), "no transcript has a cell"),
    "no nuclei": (lambda f: f.assign(overlaps_nucleus=0), "--use-cell-initialization"),
    "ids of text": (lambda f: f.assign(transcript_id=[f"t{i}" for i in range(12)]), "whole numbers"),
    "ids below 0": (lambda f: f.assign(transcript_id=np.arange(-3, 9)), "whole numbers"),
}


@pytest.mark.parametrize("fault", BAD)
def test_faulty_tables(xenium, follow, fault):
    spoil, sentence = BAD[fault]
    spoil(xenium).to_csv("t.csv", index=False)
    with pytest.raises(InputError, match=sentence) as error:
        follow("--xenium t.csv")
    assert "\n" not in str(error.value)


def test_truncated_parquet(xenium, follow, empty_folder):
    xenium.to_parquet("t.parquet")
    whole = (empty_folder / "t.parquet").read_bytes()
    (empty_folder / "t.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"t\.parquet cannot be read as parquet"):
        follow("--xenium t.parquet")


def test_empty_file(follow, empty_folder):
    (empty_folder / "t.csv").touch()
    with pytest.raises(InputError, match=r"t\.csv"):
        follow("--xenium t.csv")


@pytest.mark.parametrize("name", ["t.xlsx", "t.h5ad"])
def test_unknown_ending(follow, empty_folder, name):
    (empty_folder / name).write_text("x")
    with pytest.raises(InputError, match="unknown ending"):
        follow(f"--xenium {name}")


def test_a_folder_without_a_table(follow, empty_folder):
    (empty_folder / "outs").mkdir()
    with pytest.raises(InputError, match="without a table"):
        follow("--xenium outs")


def test_a_store_without_its_flag(follow, empty_folder):
    (empty_folder / "s.zarr").mkdir()
    (empty_folder / "s.zarr" / ".zgroup").write_text("{}")
    with pytest.raises(InputError, match="--zarr"):
        follow("--xenium s.zarr")


def test_one_cell_one_gene(xenium, follow):
    xenium.assign(cell_id="only", feature_name="G", overlaps_nucleus=1).to_csv("t.csv", index=False)
    run = follow("--xenium t.csv")
    assert (run.prior.names, run.table.genes) == (["only"], ["G"])
