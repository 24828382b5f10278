"""The files of a run together: which there are, what they agree on, and that they are whole or left alone."""

import json

import anndata
import h5py
import pandas as pd
import pytest

from cellcarve.compat.baysor import method
from cellcarve.errors import InputError, Interrupted, OutputError, SettingsError
from cellcarve.staged import staged


def test_the_files_of_a_run(run):
    out = run("--count-matrix-format", "loom,tsv,h5ad", "-p")
    assert {path.name for path in out.iterdir()} == {
        "segmentation.csv",
        "segmentation_cell_stats.csv",
        "segmentation_counts.loom",
        "segmentation_counts.tsv",
        "segmentation_counts.h5ad",
        "segmentation_polygons_2d.json",
        "segmentation_polygons_3d.json",
        "segmentation_params.dump.toml",
        "segmentation_log.log",
        "segmentation_diagnostics.html",
        "segmentation_borders.html",
    }


def test_files_agree_on_the_cells(run, read):
    out = run("--count-matrix-format", "loom,tsv,h5ad")
    cells = set(read(out).cell) - {""}
    assert set(pd.read_csv(out / "segmentation_cell_stats.csv").cell) == cells
    with h5py.File(out / "segmentation_counts.loom") as file:
        assert set(file["col_attrs/Name"].asstr()[:]) == cells
    assert set(pd.read_csv(out / "segmentation_counts.tsv", sep="\t", index_col=0).columns) == cells
    assert set(anndata.read_h5ad(out / "segmentation_counts.h5ad").obs_names) == cells
    shapes = json.loads((out / "segmentation_polygons_2d.json").read_text())["features"]
    assert {shape["id"] for shape in shapes} == cells
    deep = json.loads((out / "segmentation_polygons_3d.json").read_text())
    assert list(deep) == ["0.0", "1.5", "3.0"]
    assert {shape["id"] for layer in deep.values() for shape in layer["features"]} <= cells


def test_the_same_run_gives_the_same_bytes_and_another_seed_other_names(run):
    first = (run() / "segmentation.csv").read_bytes()
    assert (run() / "segmentation.csv").read_bytes() == first
    assert (run("--seed", "2") / "segmentation.csv").read_bytes() != first


def test_all_noise_gives_empty_outputs_and_a_warning(run, read, tmp_path, molecules):
    molecules.assign(truth=0).to_csv(tmp_path / "t.csv", index=False)
    out = run("--count-matrix-format", "loom,tsv,h5ad", "-p", table=tmp_path / "t.csv")
    assert read(out).is_noise.all()
    assert len(pd.read_csv(out / "segmentation_cell_stats.csv")) == 0
    with h5py.File(out / "segmentation_counts.loom") as file:
        assert file["matrix"].shape == (12, 0)
    assert pd.read_csv(out / "segmentation_counts.tsv", sep="\t").gene.tolist() == sorted(
        molecules.gene.unique()
    )
    assert json.loads((out / "segmentation_polygons_2d.json").read_text())["features"] == []
    assert "Warning: every molecule is noise" in (out / "segmentation_log.log").read_text()


@pytest.mark.parametrize("stage", ["segment", "outline", "colour"])
def test_an_interrupted_run_leaves_whole_files_only(run, read, monkeypatch, stage):
    """Before the tables are saved nothing is touched; after, they are all of the new run, and whole."""
    out = run("-p", "--count-matrix-format=tsv")
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(method, stage, stop)
    with pytest.raises(KeyboardInterrupt if stage == "segment" else Interrupted):
        run("--seed", "2")
    after = {path.name: path.read_bytes() for path in out.iterdir()}
    assert "Error: interrupted" in after.pop("segmentation_log.log").decode()
    if stage == "segment":
        before.pop("segmentation_log.log")
        assert after == before
        return
    expected = {"segmentation.csv", "segmentation_cell_stats.csv", "segmentation_counts.loom"}
    expected |= {"segmentation_params.dump.toml"}
    if stage == "colour":
        expected |= {"segmentation_polygons_2d.json", "segmentation_polygons_3d.json"}
    assert set(after) == expected
    assert list(read(out).columns)[-1] == "is_noise"


@pytest.mark.parametrize(
    ("change", "words", "what"),
    [
        ({"gene": "genes"}, [], "no column 'gene'"),
        ({"nucleus": "nuclei"}, [], "no column 'nucleus'"),
        ({}, ["--config.data.exclude-genes=*"], "none of 1,200 molecules is left"),
        (
            {},
            ["--config.segmentation.nuclei-genes=Q", "--config.segmentation.cyto-genes=G01"],
            "none of nuclei_genes",
        ),
    ],
)
def test_what_cannot_be_done_leaves_an_earlier_run_as_it_was(run, molecules, tmp_path, change, words, what):
    out = run()
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    molecules.rename(columns=change).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises((InputError, SettingsError), match=what):
        run(*words, table=tmp_path / "t.csv")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path):
    target = tmp_path / "a.csv"
    target.write_text("old")

    def write():
        with staged() as stage:
            stage.place(target).write_text("new")
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match=r"cannot write .*a\.csv.*No space"):
        write()
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert target.read_text() == "old"
