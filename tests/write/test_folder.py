"""The folder: whole or not there, and nothing of anybody else's is ever lost."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellcarve.errors import InputError, OutputError
from cellcarve.progress import Silent
from cellcarve.write import check_output, load_run, write_run

STEPS = (
    "cellcarve.write.files.write_transcripts",
    "cellcarve.write.files.write_boundaries",
    "anndata.AnnData.write_h5ad",
    "cellcarve.write.files.write_store",
    "cellcarve.write.folder.put_in_place",
)


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def write(run, folder, overwrite=False, report=False):
    write_run(run, folder, overwrite, report, Silent())


def full(*_, **__):
    raise OSError(28, "No space left on device")


def stopped(*_, **__):
    raise KeyboardInterrupt


def test_folder_and_its_parents_are_made(made, tmp_path):
    write(made(), tmp_path / "a" / "b", report=True)
    assert names(tmp_path)[:2] == ["a", "a/b"]
    assert {path.name for path in (tmp_path / "a" / "b").iterdir()} == {
        "transcripts.parquet", "cells.parquet", "counts.h5ad", "boundaries.parquet", "boundaries_layers.parquet",
        "prior_boundaries.parquet", "segmentation.zarr", "report.html", "run.json",
    }  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_full_disk_leaves_nothing(made, tmp_path, monkeypatch, step):
    monkeypatch.setattr(step, full)
    with pytest.raises(OutputError, match=r"deep.*No space left on device.*free space") as caught:
        write(made(rich=False), tmp_path / "deep" / "out")
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == []


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("failure", [full, stopped])
def test_failure_keeps_the_earlier_result(made, tmp_path, monkeypatch, step, failure):
    out = tmp_path / "out"
    out.mkdir()
    (out / "run.json").write_text("earlier")
    monkeypatch.setattr(step, failure)
    with pytest.raises((OutputError, KeyboardInterrupt)):
        write(made(rich=False), out, overwrite=True)
    assert names(tmp_path) == ["out", "out/run.json"]
    assert (out / "run.json").read_text() == "earlier"


def test_failure_between_the_two_names_keeps_the_earlier_result(made, tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    (out / "run.json").write_text("earlier")
    rename = Path.rename

    def refuse(self, target):
        if ".partial-" in self.name:
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OutputError, match="Input/output error"):
        write(made(rich=False), out, overwrite=True)
    assert names(tmp_path) == ["out", "out/run.json"]
    assert (out / "run.json").read_text() == "earlier"


def test_mistakes_of_the_program_are_not_taken_for_the_disks(made, tmp_path, monkeypatch):
    def wrong(*_):
        raise RuntimeError("unexpected")

    monkeypatch.setattr(STEPS[0], wrong)
    with pytest.raises(RuntimeError, match="unexpected"):
        write(made(rich=False), tmp_path / "out")
    assert names(tmp_path) == []


def test_earlier_result_is_replaced_as_a_whole(made, tmp_path):
    out = tmp_path / "out"
    write(made(), out)
    (out / "leftover").write_text("of the first")
    write(made(rich=False), out, overwrite=True)
    assert not (out / "leftover").exists()
    assert not (out / "prior_boundaries.parquet").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_link_is_followed(made, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    write(made(rich=False), tmp_path / "out")
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "disk" / "run.json").exists()


def test_folder_may_be_the_current_one(made, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    write(made(rich=False), Path("."))
    assert (tmp_path / "here" / "run.json").exists()


def test_check_refuses_an_earlier_result_unless_told(tmp_path):
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(OutputError, match="--overwrite"):
        check_output(tmp_path, False)
    check_output(tmp_path, True)
    assert names(tmp_path) == ["run.json"]


@pytest.mark.parametrize("overwrite", [True, False])
def test_check_never_gives_away_what_is_no_result(made, tmp_path, overwrite):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(OutputError, match="holds no earlier result; name another"):
        check_output(tmp_path, overwrite)
    with pytest.raises(OutputError):
        write(made(rich=False), tmp_path, overwrite)
    assert names(tmp_path) == ["thesis.tex"]


def test_check_names_the_file_in_the_way(tmp_path):
    (tmp_path / "a_file").write_text("mine")
    with pytest.raises(OutputError, match="a_file' is a file"):
        check_output(tmp_path / "a_file", True)
    with pytest.raises(OutputError, match="a_file' is a file"):
        check_output(tmp_path / "a_file" / "b" / "c", True)


def test_check_makes_nothing(tmp_path):
    check_output(tmp_path / "a" / "b", False)
    assert names(tmp_path) == []


def test_check_finds_a_place_that_cannot_be_written(tmp_path, monkeypatch):
    def refuse(**_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(OutputError, match=r"out': Read-only file system"):
        check_output(tmp_path / "out", False)


@pytest.mark.skipif(os.name != "posix", reason="limits on file sizes are set the POSIX way")
def test_file_that_cannot_grow_is_one_sentence(tmp_path):
    """The system itself refuses: what the libraries make of that must end in one sentence."""
    script = (
        "import resource, sys, importlib.util; from pathlib import Path; from cellcarve.errors import OutputError\n"
        f"spec = importlib.util.spec_from_file_location('runs', {str(Path(__file__).with_name('conftest.py'))!r})\n"
        "runs = importlib.util.module_from_spec(spec); spec.loader.exec_module(runs)\n"
        "run = runs.make_run(rows=4000)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))\n"
        "try: runs.write_run(run, Path(sys.argv[1]), False, False, runs.Silent())\n"
        "except OutputError as error: print(error)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") == 1
    assert "File too large" in done.stdout
    assert names(tmp_path) == []


def same(a, b):
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if hasattr(a, "tocsr"):
        return a.dtype == b.dtype and a.shape == b.shape and abs(a - b).sum() == 0
    return a == b


def test_loaded_run_is_the_written_one(written):
    run, again = written.run, load_run(written.folder)
    for part in ("table", "prior", "segmentation"):
        for name, value in vars(getattr(run, part)).items():
            assert same(value, getattr(getattr(again, part), name)), (part, name)
    for name, value in vars(run.summary.outlines).items():
        assert same(value, getattr(again.summary.outlines, name)), name
    assert same(run.summary.counts, again.summary.counts)
    # Which of the marks for "missing" is used depends on the version of pandas.
    cells = [part.summary.cells.fillna({"prior_id": ""}) for part in (run, again)]
    pd.testing.assert_frame_equal(*cells, check_dtype=False)
    assert again.record["timings"] == run.record["timings"]


def test_report_of_a_loaded_run_is_that_of_the_run(made, tmp_path):
    from cellcarve.report.page import page_of

    run = made()
    write(run, tmp_path / "out")
    assert page_of(load_run(tmp_path / "out")) == page_of(run)


def test_folder_that_is_no_run(tmp_path, written):
    with pytest.raises(InputError, match=r"run\.json"):
        load_run(tmp_path)
    for path in written.folder.glob("*.*"):
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "transcripts.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="damaged"):
        load_run(tmp_path)
