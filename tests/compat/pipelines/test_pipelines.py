"""Pipelines that know of proseg run its stand-in: sopa's own code, and the command lines of nf-core."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import scipy.io
import spatialdata

from cellcarve.compat.shims import write_shims

HERE = Path(__file__).parent
INPUT = HERE.parent / "reference" / "transcripts.csv.gz"
# Enough to run through every phase.
SHORT = "--burnin-samples 10 --samples 10 --recorded-samples 5 --hillclimb 3"

NFCORE = """
proseg \\
    --xenium \\
    {short} \\
    --output-spatialdata P.zarr \\
    --output-transcript-metadata P_transcript-metadata.{ending} \\
    --output-cell-polygons P_cell-polygons.geojson.gz \\
    --output-cell-metadata P_cell-metadata.{ending} \\
    --output-expected-counts P_expected-counts.csv.gz \\
    --output-cell-polygon-layers P_cell-polygons-layers.geojson.gz \\
    --output-union-cell-polygons P_cell-polygons-union.geojson.gz \\
    --nthreads 2 \\
    {input}
proseg-to-baysor \\
    --output-transcript-metadata P_transcript-metadata.csv \\
    --output-cell-polygons P_cell-polygons.geojson \\
    P.zarr \\

proseg --version | sed 's/proseg //'
"""
SPATIALAXE = """
mkdir -p P
proseg \\
    --xenium \\
    {short} \\
    --output-expected-counts P/expected-counts.csv.gz \\
    --output-cell-metadata P/cell-metadata.csv.gz \\
    --output-transcript-metadata P/transcript-metadata.csv.gz \\
    --output-gene-metadata P/gene-metadata.csv.gz \\
    --output-rates P/rates.csv.gz \\
    --output-cell-polygons P/cell-polygons.geojson.gz \\
    --output-cell-polygon-layers P/cell-polygons-layers.geojson.gz \\
    --output-union-cell-polygons P/union-cell-polygons.geojson.gz \\
    --output-spatialdata P/proseg-output.zarr \\
    {input}
proseg-to-baysor \\
    P/transcript-metadata.csv.gz \\
    P/cell-polygons.geojson.gz \\
    --output-transcript-metadata P/transcript-metadata.csv \\
    --output-cell-polygons P/cell-polygons.geojson
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """What a shell sees where the shims come first."""
    folder = tmp_path_factory.mktemp("shims")
    write_shims(folder)
    # sopa keeps its cache at home.
    return os.environ | {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "HOME": str(tmp_path_factory.mktemp("home")),
    }


@pytest.fixture(scope="module")
def sopa():
    """A Python that has sopa: this one, or the one that CELLCARVE_SOPA_PYTHON names."""
    named = os.environ.get("CELLCARVE_SOPA_PYTHON")
    if named:
        return named
    if importlib.util.find_spec("sopa") is None:
        pytest.skip("sopa absent: pip install sopa, or name a Python that has it in CELLCARVE_SOPA_PYTHON")
    return sys.executable


def shell(script, folder, environment):
    done = subprocess.run(
        ["sh", "-e", "-c", script], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def segmented(python, words, folder, environment):
    command = [python, str(HERE / "sopa_case.py"), *words, *SHORT.split()]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def good(told):
    assert told["valid"]
    assert told["same"]
    assert len(told["areas"]) == told["cells"]
    assert min(told["areas"]) > 0


def test_sopa_on_its_toy_data(sopa, tmp_path, environment):
    told = segmented(sopa, ["toy"], tmp_path, environment)
    good(told)
    assert 80 <= told["cells"] <= 100
    assert told["counts"] > 0.6 * told["transcripts"]


def test_sopa_on_a_crop_of_xenium(sopa, tmp_path, environment, data_folder):
    rows = pd.read_parquet(data_folder / "xenium_breast" / "transcripts.parquet")
    x, y = rows["x_location"].median(), rows["y_location"].median()
    crop = rows[((rows["x_location"] - x).abs() < 40) & ((rows["y_location"] - y).abs() < 40)]
    crop.to_parquet(tmp_path / "crop.parquet", index=False)
    told = segmented(sopa, [str(tmp_path / "crop.parquet")], tmp_path, environment)
    good(told)
    labelled = crop[(crop["cell_id"] >= 0) & (crop["qv"] >= 20) & (crop["overlaps_nucleus"] == 1)]
    assert 0.7 * labelled["cell_id"].nunique() <= told["cells"] <= labelled["cell_id"].nunique()
    assert 0.3 * len(crop) < told["counts"] <= len(crop)


def test_sopa_on_bins(sopa, tmp_path, environment):
    told = segmented(sopa, ["bins"], tmp_path, environment)
    good(told)
    assert (told["cells"], told["genes"]) == (12, 12)
    assert 0.6 * told["transcripts"] < told["counts"] <= told["transcripts"]


@pytest.mark.parametrize("ending", ["csv.gz", "parquet"])
def test_nfcore_modules(tmp_path, environment, ending):
    shown = shell(NFCORE.format(short=SHORT, ending=ending, input=INPUT), tmp_path, environment)
    assert tuple(map(int, shown.splitlines()[-1].split("."))) >= (3, 1, 1)
    assert scipy.io.mmread(tmp_path / "P_expected-counts.csv.gz").shape[0] > 5
    reader = pd.read_parquet if ending == "parquet" else pd.read_csv
    rows = reader(tmp_path / f"P_transcript-metadata.{ending}")
    moved = pd.read_csv(tmp_path / "P_transcript-metadata.csv")
    assert len(rows) == len(moved)
    assert moved.columns.tolist() == ["transcript_id", "cell", "is_noise", "x", "y", "z", "qv"]
    assert spatialdata.read_zarr(tmp_path / "P.zarr").tables["table"].n_obs == len(
        reader(tmp_path / f"P_cell-metadata.{ending}")
    )
    for name in ("cell-polygons", "cell-polygons-layers", "cell-polygons-union"):
        assert (tmp_path / f"P_{name}.geojson.gz").stat().st_size > 100


def test_spatialaxe_modules(tmp_path, environment):
    shell(SPATIALAXE.format(short=SHORT, input=INPUT), tmp_path, environment)
    rates = pd.read_csv(tmp_path / "P/rates.csv.gz")
    assert len(rates) == len(pd.read_csv(tmp_path / "P/cell-metadata.csv.gz"))
    assert rates.columns.tolist() == pd.read_csv(tmp_path / "P/gene-metadata.csv.gz")["gene"].tolist()
    assert (rates.to_numpy() >= 0).all()
    told = json.loads((tmp_path / "P/cell-polygons.geojson").read_text())
    assert told["type"] == "GeometryCollection"
