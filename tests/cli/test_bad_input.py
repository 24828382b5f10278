"""Mistakes as a user meets them: one sentence that says what and where, exit code 2, and nothing written."""

import numpy as np
import pyarrow.parquet as pq
import pytest
import tifffile

from cellcarve import cli


@pytest.fixture
def refused(tmp_path, capsys, columns):
    """Run ``segment`` on something faulty; its one sentence."""

    def run(source, *flags):
        out = tmp_path / "out"
        code = cli.status(["segment", str(source), "-o", str(out), *columns, "--quiet", *flags])
        shown = capsys.readouterr()
        assert code == 2, shown.err
        assert shown.err.startswith("cellcarve: ")
        assert shown.err.count("\n") == 1
        assert shown.out == ""
        assert not out.exists()
        assert not [path for path in tmp_path.iterdir() if path.name.startswith((".out", "out"))]
        return shown.err

    return run


@pytest.fixture
def csv(tissue, tmp_path):
    """Write a changed copy of the tissue; its path."""

    def write(**changed):
        path = tmp_path / "spots.csv"
        tissue.assign(**changed).to_csv(path, index=False)
        return path

    return write


def test_missing_file(refused, tmp_path):
    assert "nowhere.csv" in refused(tmp_path / "nowhere.csv")


def test_folder_without_transcripts(refused, tmp_path):
    folder = tmp_path / "empty_folder"
    folder.mkdir()
    assert "empty_folder" in refused(folder)


def test_wrong_column(refused, csv):
    message = refused(csv(), "--gene-column", "genes")
    assert "genes" in message
    assert "gene" in message.replace("genes", "")


def test_empty_table(refused, tissue, tmp_path):
    path = tmp_path / "spots.csv"
    tissue.iloc[:0].to_csv(path, index=False)
    assert "spots.csv" in refused(path)


def test_truncated_parquet(refused, tissue, tmp_path):
    path = tmp_path / "spots.parquet"
    tissue.to_parquet(path)
    path.write_bytes(path.read_bytes()[:-2000])
    assert "spots.parquet" in refused(path)


def test_text_in_a_number_column(refused, csv, tissue):
    x = tissue.x.astype(object)
    x[77] = "far left"
    message = refused(csv(x=x))
    assert "'x'" in message or "x_column" in message or "column x" in message


def test_position_that_is_no_number(refused, csv, tissue):
    x = tissue.x.copy()
    x[77] = np.nan
    assert "x" in refused(csv(x=x))


def test_region_without_transcripts(refused, csv):
    told = refused(csv(), "--roi", "-500,-500,-400,-400")
    assert "no transcript lies in roi" in told
    assert "go from x" in told


def test_region_that_is_no_rectangle(refused, csv):
    assert "roi" in refused(csv(), "--roi", "1,2,3").lower()


def test_prior_that_does_not_overlap(refused, csv, tmp_path):
    labels = np.zeros((80, 80), np.int32)
    labels[20:30, 20:30] = 1
    path = tmp_path / "nuclei.tif"
    tifffile.imwrite(path, labels)
    assert "nuclei.tif" in refused(
        csv(), "--prior", str(path), "--prior-scale", "1", "--prior-offset", "100000,100000"
    )


def test_prior_file_that_is_missing(refused, csv, tmp_path):
    assert "absent.tif" in refused(csv(), "--prior", str(tmp_path / "absent.tif"))


def test_pickled_array_is_never_opened(refused, csv, tmp_path):
    path = tmp_path / "labels.npy"
    np.save(path, np.array([[{"a": 1}, None]], object), allow_pickle=True)
    assert "labels.npy" in refused(csv(), "--prior", str(path))


def test_duplicate_ids(refused, csv):
    assert "transcript_id" in refused(csv(transcript_id=7))


def test_too_little_memory(refused, csv):
    assert "--roi" in refused(csv(), "--memory", "50M")


def test_output_inside_a_file(refused, csv, tmp_path, capsys):
    blocked = tmp_path / "a_file"
    blocked.write_text("mine")
    assert cli.status(["segment", str(csv()), "-o", str(blocked / "out"), "--quiet"]) == 2
    assert "a_file" in capsys.readouterr().err
    assert blocked.read_text() == "mine"


def test_output_that_exists_is_refused_and_kept(csv, tmp_path, columns, capsys):
    out = tmp_path / "out"
    assert cli.status(["segment", str(csv()), "-o", str(out), *columns, "--quiet"]) == 0
    before = {path.name: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert cli.status(["segment", str(csv()), "-o", str(out), *columns, "--quiet"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert {path.name: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_failure_while_overwriting_keeps_the_earlier_result(csv, tmp_path, columns, capsys, monkeypatch):
    out = tmp_path / "out"
    command = ["segment", str(csv()), "-o", str(out), *columns, "--quiet"]
    assert cli.status(command) == 0
    before = (out / "run.json").read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("anndata.AnnData.write_h5ad", full)
    assert cli.status([*command, "--overwrite"]) == 2
    assert "space" in capsys.readouterr().err.lower()
    assert (out / "run.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "spots.csv"]


@pytest.mark.parametrize("kept", [slice(0, 1), slice(0, 5)], ids=["one transcript", "five transcripts"])
def test_next_to_nothing_is_refused_or_done_but_never_a_bug(tissue, tmp_path, columns, kept, capsys):
    path = tmp_path / "spots.csv"
    tissue.iloc[kept].to_csv(path, index=False)
    code = cli.status(["segment", str(path), "-o", str(tmp_path / "out"), *columns, "--quiet"])
    assert code in (0, 2), capsys.readouterr().err


@pytest.mark.parametrize(
    "changed",
    [{"gene": "only"}, {"cell": 1}, {"overlaps_nucleus": 0}],
    ids=["one gene", "one cell", "no nuclei flagged"],
)
def test_poor_tissue_is_segmented_or_refused(csv, tmp_path, columns, changed, capsys):
    code = cli.status(["segment", str(csv(**changed)), "-o", str(tmp_path / "out"), *columns, "--quiet"])
    assert code in (0, 2), capsys.readouterr().err


def test_pixels_taken_for_microns_are_noticed(csv, tissue, tmp_path, columns, capsys):
    path = csv(x=tissue.x * 9.4, y=tissue.y * 9.4)
    code = cli.status(["segment", str(path), "-o", str(tmp_path / "out"), *columns])
    assert code in (0, 2)
    assert "--scale" in capsys.readouterr().err


def test_ids_beyond_32_bits_survive(csv, tissue, tmp_path, columns):
    ids = tissue.transcript_id + 2**40
    assert (
        cli.status(["segment", str(csv(transcript_id=ids)), "-o", str(tmp_path / "out"), *columns, "--quiet"])
        == 0
    )
    written = pq.read_table(tmp_path / "out" / "transcripts.parquet")["transcript_id"]
    assert written.to_pylist() == ids.tolist()
