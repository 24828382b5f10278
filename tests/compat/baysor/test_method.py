"""The commands with the method itself: what is found, how odd inputs fare, and what other programs read of it."""

import json
import os
import subprocess
import sys

import h5py
import numpy as np
import pandas as pd
import pytest

from cellcarve.compat.baysor.command import main
from cellcarve.errors import InputError, Interrupted, SettingsError
from cellcarve.mixture.kept import Kept


@pytest.fixture
def go(tmp_path):
    """Run on a table without colours; the folder."""

    def run(table, *words, out="out", prior=""):
        folder = tmp_path / out
        folder.mkdir(exist_ok=True)
        path = table
        if isinstance(table, pd.DataFrame):
            path = tmp_path / "in.csv"
            table.to_csv(path, index=False)
        few = ["--config.segmentation.iters=60", "--skip-ncv", "--threads=1"]
        main(["run", "-m", "8", *few, *words, "-o", f"{folder}/", str(path), *([prior] if prior else [])])
        return folder

    return run


def read(out):
    return pd.read_csv(out / "segmentation.csv", dtype={"cell": str}, keep_default_na=False)


def purity(found):
    """Share of molecules in cells that are of their cell's commonest true cell."""
    inside = found[found.cell != ""]
    return inside.groupby("cell").truth.agg(lambda t: t.value_counts().iloc[0]).sum() / len(inside)


def test_cells_are_found_without_a_prior(go, molecules):
    out = go(molecules, "-s", "4")
    found = read(out)
    stats = pd.read_csv(out / "segmentation_cell_stats.csv").set_index("cell")
    assert purity(found) > 0.85
    assert 20 <= (stats.n_transcripts >= 8).sum() <= 45
    means = found[found.cell != ""].groupby("cell")[["x", "y"]].mean()
    assert np.allclose(stats.loc[means.index, ["x", "y"]], means, atol=1e-3)
    shapes = json.loads((out / "segmentation_polygons_2d.json").read_text())["features"]
    assert {shape["id"] for shape in shapes} == set(stats.index) == set(found.cell) - {""}


def test_small_cells_can_be_left_out_of_every_file(go, molecules):
    whole = read(go(molecules, "-s", "4", "-m", "36"))
    out = go(molecules, "-s", "4", "-m", "36", "--drop-small-cells", "--count-matrix-format=tsv", out="b")
    found = read(out)
    size = whole.cell[whole.cell != ""].value_counts()
    assert (size < 36).any()
    kept = whole.cell.isin(size.index[size >= 36])
    assert np.array_equal(found.cell != "", kept)
    assert (found.groupby("cell").size()[lambda s: s.index != ""] >= 36).all()
    stats = pd.read_csv(out / "segmentation_cell_stats.csv").set_index("cell")
    assert stats.n_transcripts.to_dict() == found.cell[found.cell != ""].value_counts().to_dict()
    counts = pd.read_csv(out / "segmentation_counts.tsv", sep="\t", index_col=0)
    assert counts.sum().to_dict() == stats.n_transcripts.to_dict()
    shapes = json.loads((out / "segmentation_polygons_2d.json").read_text())["features"]
    assert {shape["id"] for shape in shapes} == set(stats.index)
    assert (found.assignment_confidence[(whole.cell != "") & (found.cell == "")] == 0).all()


def test_a_sure_prior_is_not_contradicted(go, molecules):
    found = read(go(molecules, "--prior-segmentation-confidence", "1", prior=":nucleus"))
    inside = found[found.prior_segmentation > 0]
    assert (inside.cell != "").mean() > 0.99
    assert (inside.groupby("prior_segmentation").cell.nunique() == 1).mean() > 0.95
    assert purity(found) > 0.9


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_change_nothing(go, molecules, threads):
    one = (go(molecules, "-s", "4") / "segmentation.csv").read_bytes()
    assert (
        go(molecules, "-s", "4", f"--threads={threads}", out="b") / "segmentation.csv"
    ).read_bytes() == one


def test_one_molecule(go, molecules):
    out = go(molecules.iloc[:1], "-s", "4", "-p")
    found = read(out)
    assert len(found) == 1
    assert len(pd.read_csv(out / "segmentation_cell_stats.csv")) == len(set(found.cell) - {""})


def test_duplicate_molecules(go, molecules):
    twice = pd.concat([molecules, molecules.iloc[:300]])
    out = go(twice, "-s", "4")
    assert len(read(out)) == 1500
    assert "300 molecules have the same position" in (out / "segmentation_log.log").read_text()


def test_molecules_on_one_spot(go, molecules):
    out = go(molecules.assign(x=5.0, y=5.0, z=0.0), "-s", "4", "-p")
    assert len(read(out)) == len(molecules)


def test_scattered_molecules_are_noise(go):
    """However even their distances are: no two lie within a cell's radius of each other."""
    rng = np.random.default_rng(3)
    alone = pd.DataFrame({"x": rng.uniform(0, 1e5, 40), "y": rng.uniform(0, 1e5, 40), "gene": "A"})
    out = go(alone, "-s", "1", "-p")
    found = read(out)
    assert len(found) == 40
    assert found.is_noise.all()
    assert "every molecule is noise" in (out / "segmentation_log.log").read_text()


def test_a_least_size_above_every_cell(go, molecules):
    out = go(molecules, "-s", "4", "--min-molecules-per-cell=2000")
    assert "no cell has 2000 molecules" in (out / "segmentation_log.log").read_text()


def test_interrupted_after_the_tables_says_that_they_are_there(go, molecules, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("cellcarve.compat.baysor.method.outline", stop)
    with pytest.raises(Interrupted, match=r"the tables beside it are saved") as caught:
        go(molecules, "-s", "4")
    assert caught.value.code == 130
    assert next(tmp_path.rglob("segmentation.csv")).stat().st_size


def test_no_scale_and_no_prior_is_refused_before_reading(go, tmp_path):
    with pytest.raises(SettingsError, match="no scale is given and there is no prior"):
        go(tmp_path / "does-not-exist.csv")


def test_compartments_are_written(go, molecules):
    genes = ["--config.segmentation.nuclei-genes=G00,G04,G08", "--config.segmentation.cyto-genes=G01,G05,G09"]
    found = read(go(molecules, "-s", "4", "--n-clusters=1", *genes))
    assert set(found.compartment) <= {"Nuclei", "Cyto", "Unknown"}
    assert found.nuclei_probs.between(0, 1).all()
    assert "cluster" not in found.columns


def test_preview_and_segfree(tmp_path, molecules):
    few = molecules.iloc[:400]
    few.to_csv(tmp_path / "in.csv", index=False)
    main(["segfree", "-k", "12", "-o", str(tmp_path), str(tmp_path / "in.csv")])
    with h5py.File(tmp_path / "ncvs.loom") as file:
        matrix = file["matrix"][:]
        assert matrix.shape == (12, 400)
        assert matrix.dtype == np.float32
        assert matrix.sum(axis=0) == pytest.approx(1, abs=1e-5)
        assert set(file["col_attrs"]) == {"CellID", "Name", "ncv_color", "confidence"}
        assert file["row_attrs/Name"].asstr()[:].tolist() == sorted(few.gene.unique())
        assert (np.char.count(file["col_attrs/Name"].asstr()[:].astype(str), "VR") == 1).all()
    assert matrix == pytest.approx(plain_compositions(few, 12), abs=1e-4)
    main(["preview", "-m", "8", "-o", str(tmp_path), str(tmp_path / "in.csv")])
    page = (tmp_path / "preview.html").read_text()
    assert "expected noise level" in page
    assert all(f">{gene}<" in page for gene in few.gene.unique())
    assert "Minimal noise level=" in (tmp_path / "preview_preview_log.log").read_text()


def plain_compositions(frame, k):
    """The slow twin: shares of genes among the k nearest molecules, itself included, by inverse distance."""
    at = frame[["x", "y", "z"]].to_numpy()
    apart = np.linalg.norm(at[:, None] - at[None], axis=2)
    near = np.argsort(apart, axis=1, kind="stable")[:, :k]
    distance = np.take_along_axis(apart, near, axis=1)
    closest = np.median(np.sort(np.where(apart > 1e-15, apart, np.inf), axis=1)[:, 0])
    weight = 1 / np.maximum(distance, closest)
    genes = sorted(frame.gene.unique())
    code = np.array([genes.index(g) for g in frame.gene])
    out = np.zeros((len(genes), len(frame)))
    for i in range(len(frame)):
        np.add.at(out[:, i], code[near[i]], weight[i] / weight[i].sum())
    return out


def test_segfree_needs_one_of_both_numbers(tmp_path, molecules):
    molecules.to_csv(tmp_path / "in.csv", index=False)
    with pytest.raises(SettingsError, match=r"min_molecules_per_cell.*with -k"):
        main(["segfree", "-o", str(tmp_path), str(tmp_path / "in.csv")])


def test_the_command_says_one_sentence_and_no_more(tmp_path, molecules):
    molecules.drop(columns="gene").to_csv(tmp_path / "in.csv", index=False)
    words = [sys.executable, "-m", "cellcarve", "baysor", "run", "-m", "8", "-s", "4", "-o", str(tmp_path)]
    done = subprocess.run([*words, str(tmp_path / "in.csv")], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "has no column 'gene'" in done.stderr.splitlines()[-1]


def test_the_same_command_writes_the_same_bytes(tmp_path, molecules):
    """In processes of their own, whose sets have different orders."""
    molecules.to_csv(tmp_path / "in.csv", index=False)
    words = [sys.executable, "-m", "cellcarve", "baysor", "run", "-m", "8", "-s", "4", "--n-clusters=3"]
    words += ["--config.segmentation.iters=9", "--skip-ncv", str(tmp_path / "in.csv"), ":nucleus", "-o"]
    tables = []
    for order in "12":
        path = tmp_path / f"{order}.csv"
        subprocess.run([*words, str(path)], check=True, env=os.environ | {"PYTHONHASHSEED": order})
        tables.append(path.read_bytes())
    assert tables[0] == tables[1]


def test_xenium_folder_goes_in_whole(tmp_path, go, molecules):
    folder = tmp_path / "bundle"
    folder.mkdir()
    names = {
        "x": "x_location",
        "y": "y_location",
        "z": "z_location",
        "gene": "feature_name",
        "nucleus": "cell_id",
    }
    frame = molecules.rename(columns=names)
    frame["cell_id"] = np.where(frame.cell_id > 0, "c" + frame.cell_id.astype(str), "UNASSIGNED")
    frame.to_parquet(folder / "transcripts.parquet")
    (folder / "experiment.xenium").write_text("{}")
    found = read(go(folder / "experiment.xenium", prior=":cell_id"))
    assert len(found) == len(molecules)
    assert {"x", "y", "gene", "cell_id"} <= set(found.columns)
    assert (found.prior_segmentation > 0).mean() > 0.3


def test_missing_priors_are_refused(go, molecules):
    with pytest.raises(InputError, match="does not exist"):
        go(molecules, "-s", "4", prior="nuclei.tif")


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize(
    "command", ["run -m 5 -s 3 -p", "run -m 5 -s 3 --compat 0.7", "preview -m 5", "segfree -k 4"]
)
def test_a_handful_of_molecules_of_one_gene(tmp_path, molecules, number, command):
    molecules.iloc[:number].assign(gene="A").to_csv(tmp_path / "in.csv", index=False)
    main([*command.split(), "-o", f"{tmp_path}/", str(tmp_path / "in.csv")])
    assert "All done!" in next(tmp_path.glob("*.log")).read_text()


@pytest.mark.parametrize("stop", [14, 58])
def test_an_interrupted_run_goes_on_to_the_same_bytes(go, molecules, monkeypatch, capsys, stop):
    """Stopped before the history begins, and within it."""
    whole = go(molecules, "-s", "4", "--seed=3")
    went = Kept.went
    monkeypatch.setenv("CELLCARVE_CHECKPOINT", "0")

    def stopping(self, state, course):
        went(self, state, course)
        if state.sweep == stop:
            raise KeyboardInterrupt

    monkeypatch.setattr(Kept, "went", stopping)
    with pytest.raises(Interrupted, match="with --resume goes on"):
        go(molecules, "-s", "4", "--seed=3", out="again")
    monkeypatch.setattr(Kept, "went", went)
    checkpoint = whole.parent / "again" / ".segmentation.csv.checkpoint"
    assert checkpoint.is_file()
    with pytest.raises(InputError, match="other options"):
        go(molecules, "-s", "5", "--seed=3", "--resume", out="again")
    capsys.readouterr()
    again = go(molecules, "-s", "4", "--seed=3", "--resume", "--threads=2", out="again")
    assert f"goes on after round {stop}" in capsys.readouterr().err
    for name in ("segmentation.csv", "segmentation_cell_stats.csv", "segmentation_polygons_2d.json"):
        assert (again / name).read_bytes() == (whole / name).read_bytes()
    assert not checkpoint.exists()


def test_damaged_and_missing_checkpoints(go, molecules, capsys):
    go(molecules, "-s", "4", "--resume")
    assert "starts anew" in capsys.readouterr().err
    (go(molecules, "-s", "4") / ".segmentation.csv.checkpoint").write_bytes(b"PK")
    with pytest.raises(InputError, match="damaged"):
        go(molecules, "-s", "4", "--resume")
