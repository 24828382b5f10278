"""What cannot be used is refused in one sentence that says what, where and what to do."""

import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cellcarve.errors import InputError
from cellcarve.read import read
from cellcarve.settings import ReadSettings


def refusal(source, **settings):
    """The sentence with which a source is refused."""
    with pytest.raises(InputError) as error:
        read(source, ReadSettings(**settings))
    message = str(error.value)
    assert "\n" not in message
    return message


def test_missing_file(tmp_path):
    assert "nowhere.csv does not exist" in refusal(tmp_path / "nowhere.csv")


def test_folder_without_transcripts_names_what_was_looked_for(tmp_path):
    message = refusal(tmp_path)
    for name in ("transcripts.parquet", "_tx_file.csv", "detected_transcripts.csv"):
        assert name in message


def test_platform_that_it_is_not(spots, tmp_path):
    spots.to_csv(tmp_path / "spots.csv")
    assert "xenium" in refusal(tmp_path / "spots.csv", platform="xenium")


def test_tables_of_several_slides(spots, tmp_path):
    named = spots.rename(columns={"x": "x_global_px", "y": "y_global_px", "gene": "target"}).assign(fov=1)
    for slide in ("one", "two"):
        named.to_csv(tmp_path / f"{slide}_tx_file.csv")
    assert "one, two" in refusal(tmp_path)
    assert len(read(tmp_path / "two_tx_file.csv", ReadSettings())) == 500


@pytest.mark.parametrize("content", ["", "x,y,gene\n"], ids=["no bytes", "header only"])
def test_empty_table(tmp_path, content):
    (tmp_path / "spots.csv").write_text(content)
    assert "spots.csv" in refusal(tmp_path / "spots.csv")


@pytest.mark.parametrize("cut", [4, 2000])
def test_truncated_parquet(spots, tmp_path, cut):
    path = tmp_path / "spots.parquet"
    spots.to_parquet(path)
    path.write_bytes(path.read_bytes()[:-cut])
    assert "spots.parquet cannot be read as parquet" in refusal(path)


def test_parquet_damaged_in_the_middle(tmp_path):
    n = 50_000
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.random(n), "y": rng.random(n), "gene": "A"})
    path = tmp_path / "spots.parquet"
    frame.to_parquet(path)
    content = bytearray(path.read_bytes())
    content[1000:200_000] = bytes(199_000)
    path.write_bytes(content)
    assert "spots.parquet breaks off or is damaged" in refusal(path)


def test_line_with_a_column_too_many(spots, tmp_path):
    path = tmp_path / "spots.csv"
    lines = spots.to_csv(index=False).splitlines()
    lines[20] += ",7"
    path.write_text("\n".join(lines))
    assert "spots.csv" in refusal(path)


def test_text_in_a_number_column_is_counted_in_the_file(spots, tmp_path, monkeypatch):
    monkeypatch.setattr("cellcarve.read.stream._BLOCK", 1000)
    spots["y"] = spots.y.astype(object)
    spots.loc[321, "y"] = "far"
    spots.to_csv(tmp_path / "spots.csv", index=False)
    message = refusal(tmp_path / "spots.csv")
    assert "column 'y', row 322: 'far' is not a number" in message


@pytest.mark.parametrize(
    ("value", "word"), [(np.nan, "missing"), (np.inf, "infinite"), (-np.inf, "infinite")]
)
@pytest.mark.parametrize("axis", ["x", "y"])
def test_position_that_is_not_finite(spots, axis, value, word):
    spots.loc[77, axis] = value
    message = refusal(spots)
    assert f"column '{axis}', row 78" in message
    assert word in message


@pytest.mark.parametrize("as_text", [False, True])
def test_two_rows_with_one_id(spots, as_text):
    spots.loc[[400, 450], "transcript_id"] = [spots.transcript_id[33], spots.transcript_id[2]]
    if as_text:
        spots["transcript_id"] = "t" + spots.transcript_id.astype(str)
    assert f"{spots.transcript_id[33]} stands in rows 34 and 401" in refusal(spots)


def test_empty_id(spots):
    ids = spots.transcript_id.astype("Int64")
    ids[9] = None
    assert "row 10: the id is empty" in refusal(spots.assign(transcript_id=ids))


@pytest.mark.parametrize("gene", [None, ""])
def test_empty_gene(spots, gene):
    spots.loc[4, "gene"] = gene
    assert "column 'gene', row 5" in refusal(spots)


@pytest.mark.parametrize(
    ("column", "wanted"), [("x", "numbers"), ("gene", "names"), ("transcript_id", "ids")]
)
def test_column_of_a_type_that_cannot_be_meant(spots, column, wanted):
    table = pa.Table.from_pandas(spots)
    lists = pa.array([[1.0]] * 500)
    table = table.set_column(table.column_names.index(column), column, lists)
    assert f"column '{column}' holds list" in refusal(table)
    assert f"not {wanted}" in refusal(table)


def test_fractions_as_cells(spots):
    assert "column 'cell' holds" in refusal(spots.assign(cell=1.5))


def test_column_that_stands_twice(spots, tmp_path):
    (tmp_path / "spots.csv").write_text("x,y,gene,x\n1,2,A,3\n")
    assert "more than one column 'x'" in refusal(tmp_path / "spots.csv")


def test_bytes_that_are_no_text(spots):
    table = pa.Table.from_pandas(spots)
    column = pa.array([b"\xff\xfe"] * 500)
    assert "UTF-8" in refusal(table.set_column(table.column_names.index("gene"), "gene", column))


@pytest.mark.parametrize("kept", [0.2, 0.9])
def test_gzip_that_breaks_off(spots, tmp_path, kept):
    content = gzip.compress(spots.to_csv(index=False).encode())
    path = tmp_path / "spots.csv.gz"
    path.write_bytes(content[: int(kept * len(content))])
    assert "spots.csv.gz" in refusal(path)


@pytest.mark.parametrize("flag", ["x", "y", "z", "gene", "cell", "nucleus", "id", "quality"])
def test_named_column_that_is_not_there(spots, flag):
    message = refusal(spots, **{f"{flag}_column": "wrong"})
    assert "no column 'wrong'" in message
    assert f"--{flag}-column" in message


def test_qualities_asked_of_a_table_without(spots):
    table = read(spots.drop(columns="qv"), ReadSettings(min_qv=30))
    assert any("--min-qv 30 does nothing" in note for note in table.notes)


def test_pattern_that_matches_no_gene(spots):
    table = read(spots.assign(gene="EPCAM"), ReadSettings(genes_exclude=("EPCAN", "E*")))
    assert [note for note in table.notes if "EPCAN" in note and "did you mean 'EPCAM'" in note]
    assert not [note for note in table.notes if "'E*'" in note]
    assert table.losses()["excluded gene"] == 500
