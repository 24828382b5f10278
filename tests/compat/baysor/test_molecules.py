"""``segmentation.csv``: the columns of the input as they were, and those that were found."""

import numpy as np
import pandas as pd
import pytest

from cellcarve.compat.baysor import method
from cellcarve.errors import InputError

NEW = ["molecule_id", "prior_segmentation", "confidence", "cluster", "cell", "assignment_confidence", "is_noise",
       "ncv_color"]  # fmt: skip


def test_the_table_keeps_the_input_and_adds_columns_in_order(run, read, molecules):
    found = read(run())
    assert list(found.columns) == [*molecules.columns, *NEW]
    pd.testing.assert_frame_equal(found[list(molecules.columns)], molecules)
    assert found.molecule_id.tolist() == list(range(1, len(molecules) + 1))
    assert ((found.cell == "") == found.is_noise).all()
    assert (found.is_noise == (molecules.truth == 0)).all()
    assert found.cell[~found.is_noise].str.fullmatch(r"CR[0-9a-f]{9}-\d+").all()
    assert (found.ncv_color == "#FF0010").all()
    assert found.confidence.equals(found.confidence.round(5))


def test_the_table_keeps_the_text_of_a_csv(run, read, table_file, tmp_path):
    """Numbers are not read and written again: 1.50 stays 1.50."""
    lines = table_file.read_text().splitlines()
    lines[1] = 'a "b", c,10.500,11.0000,1.50,G00,020.1,1,1'.replace('a "b", c', '"a ""b"", c"')
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    out = run(table=tmp_path / "t.csv")
    written = (out / "segmentation.csv").read_text().splitlines()
    assert written[2].startswith(lines[2])
    assert "10.500" in written[1]
    assert "020.1" in written[1]
    assert read(out).transcript_id[0] == 'a "b", c'


def test_words_that_mean_nothing_elsewhere_are_kept(run, read, molecules, tmp_path):
    """As in Baysor, only empty fields are missing; a gene may be called nan. Those without a name get one, as in counts."""
    words = ["NA", "nan", "NULL", ""] * 300
    molecules.assign(note=words, gene=words).to_csv(tmp_path / "t.csv", index=False)
    out = run("--count-matrix-format=tsv", table=tmp_path / "t.csv")
    found = read(out)
    assert found.note.tolist() == words
    assert found.gene.tolist() == [word or "missing" for word in words]
    counts = pd.read_csv(out / "segmentation_counts.tsv", sep="\t", keep_default_na=False)
    assert counts.gene.tolist() == ["NA", "NULL", "missing", "nan"]


def test_whole_numbers_among_others_keep_their_point(run, molecules, tmp_path):
    """So that a reader who looks at the first rows does not take the column for one of integers."""
    frame = molecules.assign(far=np.where(molecules.index == 700, 1.25, 2.0), huge=1e12, gap=np.nan)
    frame["narrow"] = frame.far.astype(np.float32)
    frame.to_parquet(tmp_path / "t.parquet")
    found = pd.read_csv(run(table=tmp_path / "t.parquet") / "segmentation.csv", dtype=str)
    for name in ("far", "narrow"):
        assert found[name].value_counts().to_dict() == {"2.0": 1199, "1.25": 1}
    assert set(found.huge.astype(float)) == {1e12}
    assert found.gap.isna().all()
    for name in ("x", "qv", "confidence", "assignment_confidence"):
        assert found[name].str.contains(r"\.|e", regex=True).all()


def test_names_are_plain_text_without_quotes(run):
    assert '"' not in (run() / "segmentation.csv").read_text()


def test_a_column_that_was_there_is_replaced_in_place(run, read, tmp_path, molecules):
    molecules.insert(1, "cell", "old")
    molecules["confidence"] = 7
    molecules["ncv_color"] = "#000000"
    molecules.to_csv(tmp_path / "t.csv", index=False)
    found = read(run(table=tmp_path / "t.csv"))
    assert list(found.columns)[:3] == ["transcript_id", "cell", "x"]
    assert found.columns.is_unique
    assert not (found.cell == "old").any()
    assert found.confidence.max() <= 1
    assert (found.ncv_color == "#FF0010").all()


def test_parquet_goes_in_with_all_of_its_columns(run, read, tmp_path, molecules):
    frame = molecules.assign(
        transcript_id=molecules.transcript_id.str.encode("utf8"), flag=molecules.qv > 30, gap=np.nan
    )
    frame["kind"] = pd.Categorical(np.where(frame.flag, "a", "b"))
    frame.to_parquet(tmp_path / "t.parquet")
    found = read(run(table=tmp_path / "t.parquet"))
    assert found.transcript_id.tolist() == molecules.transcript_id.tolist()
    assert found.flag.tolist() == frame.flag.tolist()
    assert found.kind.tolist() == frame.kind.tolist()
    assert (found.gap.astype(str).isin(["", "nan"])).all()


def test_rows_left_out_with_their_genes_are_not_written(run, read, molecules):
    found = read(run("--config.data.exclude-genes=G00"))
    assert found.transcript_id.tolist() == molecules.transcript_id[molecules.gene != "G00"].tolist()


def test_an_input_that_changes_meanwhile_is_found_out(run, truth_as_method, monkeypatch, table_file):
    known = method.segment

    def segment(molecules, *rest):
        done = known(molecules, *rest)
        table_file.write_text("\n".join(table_file.read_text().splitlines()[:-5]) + "\n")
        return done

    monkeypatch.setattr(method, "segment", segment)
    with pytest.raises(InputError, match="had 1200 rows when the run began and has 1195 now"):
        run()
