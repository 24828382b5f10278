"""Whole runs by command line: files appear together, agree with each other and with the input, or do not appear."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy.io import mmread

from cellcarve import cli
from cellcarve.compat.proseg.look_on import LookOn

QUICK = (
    *("--burnin-samples", "3", "--samples", "4", "--recorded-samples", "2", "--hillclimb", "2"),
    *("--nthreads", "2", "--voxel-layers", "2"),
)


@pytest.fixture
def tissue():
    """A Xenium table of 16 round cells of two kinds."""
    rng = np.random.default_rng(5)
    number = np.repeat(np.arange(16), 40)
    centre = np.column_stack([number % 4, number // 4]) * 12.0 + 8
    away = rng.normal(0, 2.5, (len(number), 2))
    x, y = (centre + away).T
    kind = number % 2
    genes = np.array([["A", "B", "C"], ["D", "E", "C"]])[kind, rng.integers(0, 3, len(number))]
    near = np.hypot(*away.T)
    frame = pd.DataFrame(
        {
            "transcript_id": np.arange(len(number), dtype=np.uint64) + 2**48,
            "cell_id": np.where(near < 5, [f"cell-{n}" for n in number], "UNASSIGNED"),
            "overlaps_nucleus": (near < 3).astype(np.uint8),
            "feature_name": genes,
            "x_location": x.astype(np.float32),
            "y_location": y.astype(np.float32),
            "z_location": rng.uniform(0, 8, len(number)).astype(np.float32),
            "qv": np.where(rng.uniform(size=len(number)) < 0.1, 10, 40).astype(np.float32),
            "fov_name": "A1",
        }
    )
    frame.to_parquet("transcripts.parquet")
    return frame


def run(*words):
    return cli.status(["proseg", *QUICK, *words])


def test_a_pipeline_finds_its_files(tissue, capsys):
    """The command line of nf-core's module, as it stands."""
    names = {
        "--output-spatialdata": "s.zarr",
        "--output-transcript-metadata": "s_transcript-metadata.csv.gz",
        "--output-cell-polygons": "s_cell-polygons.geojson.gz",
        "--output-cell-metadata": "s_cell-metadata.csv.gz",
        "--output-counts": "s_counts.mtx.gz",
        "--output-expected-counts": "s_expected-counts.mtx.gz",
        "--output-gene-metadata": "s_gene-metadata.csv",
        "--output-rates": "s_rates.csv.gz",
        "--output-cell-polygon-layers": "s_layers.geojson.gz",
        "--output-union-cell-polygons": "s_union.geojson.gz",
    }
    assert run("--xenium", *[w for pair in names.items() for w in pair], "transcripts.parquet") == 0
    assert [name for name in names.values() if not Path(name).exists()] == []
    transcripts = pd.read_csv("s_transcript-metadata.csv.gz")
    cells = pd.read_csv("s_cell-metadata.csv.gz")
    kept = tissue[tissue.qv >= 20].reset_index(drop=True)
    assert transcripts.transcript_id.tolist() == kept.transcript_id.tolist()
    assert transcripts.gene.tolist() == kept.feature_name.tolist()
    np.testing.assert_allclose(transcripts.observed_x, kept.x_location, rtol=1e-5)
    assert set(cells.original_cell_id) <= set(tissue.cell_id)
    counts = mmread("s_counts.mtx.gz").toarray()
    genes = pd.read_csv("s_gene-metadata.csv").gene.tolist()
    tally = transcripts.dropna(subset="assignment").groupby(["assignment", "gene"]).size()
    assert counts.sum() == len(transcripts.dropna(subset="assignment")) > 300
    assert all(counts[int(cell), genes.index(gene)] == n for (cell, gene), n in tally.items())
    for name in ("s_cell-polygons", "s_layers", "s_union"):
        with gzip.open(f"{name}.geojson.gz") as file:
            assert len(json.load(file)["features"]) >= len(cells)
    home = kept.cell_id[transcripts.assignment.notna()]
    own = cells.original_cell_id[transcripts.assignment.dropna().astype(int)].to_numpy()
    assert (home.to_numpy() == own)[home != "UNASSIGNED"].mean() > 0.8


def everything():
    return {path: path.read_bytes() for path in sorted(Path().rglob("*")) if path.is_file()}


def test_no_run_loads_pandas(tissue):
    """It would take a tenth of the memory of a small run."""
    words = ["proseg", *QUICK, "--xenium", "transcripts.parquet", "--output-counts", "counts.csv.gz"]
    code = f"import sys; from cellcarve.cli import status; sys.exit(status({words}) or 3 * ('pandas' in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_same_seed_same_bytes(tissue):
    line = ["--xenium", "--overwrite", "--output-counts", "c.mtx.gz", "transcripts.parquet"]
    line += ["--output-transcript-metadata", "t.csv"]
    assert run(*line, "--nthreads", "1") == 0
    first = everything()
    assert run(*line, "--nthreads", "3") == 0
    again = everything()
    assert first.keys() == again.keys()
    told = {path for path in first if first[path] != again[path]}
    assert all("proseg_run" in path.parts for path in told), "only the record of the run may differ"
    assert run(*line, "--seed", "9") == 0
    assert everything()[Path("t.csv")] != first[Path("t.csv")]


def test_an_existing_store_is_not_touched(tissue, capsys):
    assert run("--xenium", "transcripts.parquet") == 0
    before = everything()
    assert run("--xenium", "transcripts.parquet") == 2
    assert "--overwrite" in capsys.readouterr().err
    assert everything() == before
    tissue.assign(cell_id="UNASSIGNED").to_csv("bad.csv", index=False)
    before = everything()
    assert run("--xenium", "--overwrite", "bad.csv") == 2, "it stands until a new one is whole"
    assert everything() == before


def test_options_of_proseg_2_are_said_to_do_nothing(tissue, capsys):
    assert run("--xenium", "--schedule", "150", "150", "--nbglayers", "2", "transcripts.parquet") == 0
    shown = capsys.readouterr().err
    assert "--schedule is an option of proseg 2" in shown
    assert "--nbglayers is an option of proseg 2" in shown


def test_a_label_image_as_prior(tissue):
    y, x = np.mgrid[:120, :120] * 0.5
    number = np.rint((x - 8) / 12).clip(0, 3) + 4 * np.rint((y - 8) / 12).clip(0, 3)
    near = np.hypot((x - 8 + 6) % 12 - 6, (y - 8 + 6) % 12 - 6) < 3
    np.save("m.npy", np.where(near, number + 1, 0).astype(np.uint32))
    line = "--xenium --cellpose-masks m.npy --cellpose-scale 0.5 --output-cell-metadata c.csv transcripts.parquet"
    assert run(*line.split(" ")) == 0
    assert sorted(pd.read_csv("c.csv").original_cell_id) == list(range(1, 17))


def test_cells_that_never_change(tissue):
    """A fixed cell keeps its pixels to the end."""
    free, fixed = np.zeros((2, 60, 60), np.uint32)
    free[30:36, 30:36], fixed[5:11, 5:11] = 1, 1
    np.save("m.npy", free)
    np.save("f.npy", fixed)
    line = "--xenium --cellpose-masks m.npy --cellpose-masks-fixed f.npy --cellpose-scale 1 --output-cell-metadata c.csv"
    line += " --ignore-z-coord --burnin-voxel-size 1 --overwrite transcripts.parquet"
    assert run(*line.split(" ")) == 0
    cells = pd.read_csv("c.csv").set_index("original_cell_id")
    assert cells.volume["1-fixed"] == pytest.approx(36, abs=7), "as many voxels as hold its pixels"
    assert run(*line.split(" "), "--samples", "9", "--expand-initialized-cells", "3", "--seed", "3") == 0
    later = pd.read_csv("c.csv").set_index("original_cell_id")
    assert later.volume["1-fixed"] == cells.volume["1-fixed"]
    assert later.volume["1"] > cells.volume["1-fixed"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.assign(z_location=3.0), ""),
        (lambda f: f.assign(feature_name="G"), ""),
        (lambda f: f[f.cell_id == "cell-3"], ""),
        (lambda f: f.assign(overlaps_nucleus=0), "--use-cell-initialization"),
        (lambda f: f.assign(transcript_id=f.transcript_id + 2**62), "--no-diffusion --no-factorization"),
    ],
    ids=["zero span of z", "one gene", "one cell", "no nuclei", "large ids"],
)
def test_poor_tissues_are_segmented_all_the_same(tissue, change, words):
    change(tissue).to_csv("t.csv", index=False)
    assert run("--xenium", *words.split(), "--output-transcript-metadata", "o.csv", "t.csv") == 0
    got = pd.read_csv("o.csv", dtype={"transcript_id": "uint64"})
    assert got.assignment.notna().any()
    wanted = change(tissue)
    assert got.transcript_id.tolist() == wanted.transcript_id[wanted.qv >= 20].tolist()


def test_missing_ids_are_missing_in_what_is_written(tissue):
    ids = tissue.transcript_id.astype("UInt64")
    ids[ids.index[::3]], ids.iloc[1] = pd.NA, ids.iloc[2]
    tissue.assign(transcript_id=ids).to_parquet("t.parquet")
    assert run("--xenium", "--output-transcript-metadata", "o.csv", "t.parquet") == 0
    wanted = ids[tissue.qv >= 20].tolist()
    assert pd.read_csv("o.csv", dtype={"transcript_id": "UInt64"}).transcript_id.tolist() == wanted
    points = pq.read_table("proseg-output.zarr/points/transcripts/points.parquet")
    assert points["transcript_id"].to_pylist() == [None if i is pd.NA else i for i in wanted]


LINE = (
    "--xenium",
    "--output-transcript-metadata",
    "t.csv",
    "--output-counts",
    "c.mtx.gz",
    "transcripts.parquet",
)


@pytest.mark.parametrize("stop", [1, 3, 4, 6, 8, 9])
def test_an_interrupted_run_goes_on_to_the_same_bytes(tissue, monkeypatch, capsys, stop):
    """Stopped in the burn-in, at its end, in sampling, while recording, in the hill-climb and at its end."""
    assert run(*LINE) == 0
    whole = {name: Path(name).read_bytes() for name in ("t.csv", "c.mtx.gz")}
    monkeypatch.setenv("CELLCARVE_CHECKPOINT", "0")
    swept, count = LookOn.swept, []

    def stopping(self, state, finish):
        swept(self, state, finish)
        count.append(state.chain.sweep)
        if len(count) == stop:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LookOn, "swept", stopping)
        assert run(*LINE, "--overwrite") == 130
    assert {name: Path(name).read_bytes() for name in whole} == whole, "an earlier result stands"
    assert Path(".proseg-output.zarr.checkpoint").is_file()
    capsys.readouterr()
    # Other threads, and more that is to be written.
    assert run(*LINE, "--overwrite", "--resume", "-t1", "--output-rates", "r.csv") == 0
    assert f"goes on after sweep {count[-1]}" in capsys.readouterr().err
    assert {name: Path(name).read_bytes() for name in whole} == whole
    assert not Path(".proseg-output.zarr.checkpoint").exists()


def test_checkpoints_of_other_runs_and_damaged_ones_are_refused(tissue, monkeypatch, capsys):
    monkeypatch.setenv("CELLCARVE_CHECKPOINT", "0")
    with monkeypatch.context() as patch:
        patch.setattr("cellcarve.compat.proseg.outputs.write", lambda *_: 1 / 0)
        assert run(*LINE) == 1
    checkpoint = Path(".proseg-output.zarr.checkpoint")
    assert checkpoint.is_file()
    capsys.readouterr()
    assert run(*LINE, "--resume", "--seed", "4") == 2
    assert "other options" in capsys.readouterr().err
    checkpoint.write_bytes(checkpoint.read_bytes()[:3000])
    assert run(*LINE, "--resume") == 2
    assert "damaged" in capsys.readouterr().err
    checkpoint.unlink()
    assert run(*LINE, "--resume") == 0
    assert "starts anew" in capsys.readouterr().err


def test_outlines_are_written_while_the_chain_runs(tissue, monkeypatch):
    seen, swept = [], LookOn.swept

    def looking(self, state, finish):
        swept(self, state, finish)
        path = Path("m.geojson.gz")
        seen.append((state.chain.sweep, path.stat().st_mtime_ns if path.exists() else None))

    monkeypatch.setattr(LookOn, "swept", looking)
    line = (
        "--xenium",
        "--monitor-cell-polygons",
        "m.geojson.gz",
        "--monitor-cell-polygons-freq",
        "4",
        "transcripts.parquet",
    )
    assert run(*line) == 0
    turns = [sweep for (sweep, now), (_, before) in zip(seen[1:], seen, strict=False) if now != before]
    assert turns == [sweep for sweep, _ in seen[1:] if sweep % 4 == 0]
    with gzip.open("m.geojson.gz") as file:
        assert len(json.load(file)["features"]) > 10


def test_help_lists_the_stand_in(capsys):
    assert cli.status(["--help"]) == 0
    assert "proseg" in capsys.readouterr().out
