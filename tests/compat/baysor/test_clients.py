"""What other programs ask of the stand-in: sopa itself where it is installed, and the written rules of the others."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import shapely
from packaging.version import Version


@pytest.fixture
def shim(tmp_path):
    """A folder with an executable ``baysor``."""
    folder = tmp_path / "bin"
    folder.mkdir()
    file = folder / "baysor"
    file.write_text(
        f'#!/bin/sh\nPYTHONPATH="{os.pathsep.join(sys.path)}" exec {sys.executable} -m cellcarve baysor "$@"\n'
    )
    file.chmod(0o755)
    return folder


def sopa_python():
    """An interpreter with sopa: that of CELLCARVE_SOPA, or this one."""
    named = os.environ.get("CELLCARVE_SOPA")
    if named is None and importlib.util.find_spec("sopa") is None:
        pytest.skip("sopa is not installed; name an interpreter that has it in CELLCARVE_SOPA")
    return named or sys.executable


@pytest.mark.slow
def test_sopa_segments_its_patches_and_joins_them(shim):
    case = Path(__file__).parent / "sopa_case.py"
    python = sopa_python()
    there = {"PATH": f"{shim}{os.pathsep}{os.environ['PATH']}", "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run([python, str(case)], capture_output=True, text=True, env=there, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    numbers = re.search(r"cells (\d+) true (\d+) counted (\d+) of (\d+)", done.stdout)
    found, true, counted, all_of_them = map(int, numbers.groups())
    assert 0.8 * true < found < 1.3 * true
    assert counted > 0.9 * all_of_them
    assert "valid True same True" in done.stdout


def test_the_version_is_what_sopa_parses(shim):
    done = subprocess.run([str(shim / "baysor"), "run", "--version"], capture_output=True, text=True)
    assert Version(done.stdout) >= Version("0.7.0")


def test_a_patch_reads_as_sopa_reads_it(truth_as_method, tmp_path, molecules, monkeypatch):
    """Sopa's rules: its command, its prior column, loom by ``Name`` with ``CellID`` and ``area``, polygons by cell."""
    monkeypatch.chdir(tmp_path)
    molecules.rename(columns={"gene": "genes", "nucleus": "sopa_prior"}).to_csv(
        "transcripts.csv", index=False
    )
    (tmp_path / "config.toml").write_text(
        '[data]\nx = "x"\ny = "y"\ngene = "genes"\nmin_molecules_per_gene = 10\nmin_molecules_per_cell = 20\n'
        "force_2d = true\n\n[segmentation]\nprior_segmentation_confidence = 0.8\n"
    )
    command = "run --polygon-format GeometryCollection -c config.toml transcripts.csv -o . :sopa_prior"
    truth_as_method(command.split())
    with h5py.File("segmentation_counts.loom") as file:
        names = file["col_attrs/Name"].asstr()[:]
        assert file["col_attrs/CellID"][:].astype(int).tolist() == list(range(1, len(names) + 1))
        assert "area" in file["col_attrs"]
        assert file["matrix"].shape == (len(file["row_attrs/Name"]), len(names))
    shapes = {
        c["cell"]: c for c in json.loads(Path("segmentation_polygons_2d.json").read_text())["geometries"]
    }
    assert set(shapes) == set(names)
    assert all(len(shape["coordinates"][0]) >= 4 for shape in shapes.values())


def check_import(table: Path, polygons: Path, source: pd.DataFrame) -> None:
    """The rules of Xenium Ranger's import-segmentation, by --transcript-assignment and --viz-polygons."""
    rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    assert {"transcript_id", "cell", "is_noise"} <= set(rows.columns)
    assert rows.transcript_id.is_unique
    assert set(rows.transcript_id) <= set(source.transcript_id.astype(str))
    assert set(rows.is_noise) <= {"true", "false"}
    assert ((rows.cell == "") == (rows.is_noise == "true")).all()
    assigned = rows.cell[rows.cell != ""]
    assert assigned.str.fullmatch(r".*[^\d]-\d+|.*-\d+").all()
    numbers = set(assigned.str.rsplit("-", n=1).str[1].astype(int))
    content = json.loads(polygons.read_text())
    if content["type"] == "GeometryCollection":
        shapes, marks = content["geometries"], [shape["cell"] for shape in content["geometries"]]
    else:
        shapes = [feature["geometry"] for feature in content["features"]]
        marks = [int(feature["id"].rsplit("-", 1)[1]) for feature in content["features"]]
    assert all(isinstance(mark, int) for mark in marks)
    assert len(marks) == len(set(marks))
    assert set(marks) == numbers
    extent = shapely.box(*(f(source[axis]) for f in (np.min, np.max) for axis in ("x", "y"))).buffer(5)
    for shape in shapes:
        assert shape["type"] == "Polygon"
        assert len(shape["coordinates"]) == 1
        assert len(shape["coordinates"][0]) >= 4
        assert shape["coordinates"][0][0] == shape["coordinates"][0][-1]
        assert extent.covers(shapely.geometry.shape(shape))


@pytest.mark.parametrize("form", ["GeometryCollectionLegacy", "FeatureCollection"])
def test_xenium_ranger_can_import(truth_as_method, tmp_path, table_file, molecules, form):
    truth_as_method(
        [
            "run",
            "-m",
            "8",
            "-s",
            "4",
            "-o",
            str(tmp_path),
            f"--polygon-format={form}",
            str(table_file),
            ":nucleus",
        ]
    )
    check_import(tmp_path / "segmentation.csv", tmp_path / "segmentation_polygons_2d.json", molecules)


def test_the_modules_of_nf_core_find_their_files(truth_as_method, tmp_path, molecules, monkeypatch):
    monkeypatch.chdir(tmp_path)
    molecules.to_parquet("transcripts.parquet")
    (tmp_path / "xenium.toml").write_text("[data]\nmin_molecules_per_cell = 8\n")
    command = (
        "run transcripts.parquet :nucleus --scale=4 --prior-segmentation-confidence=0.5 --output P_segmentation.csv "
        "--config=xenium.toml --polygon-format=GeometryCollectionLegacy --plot"
    )
    truth_as_method(command.split())
    for name in ("segmentation.csv", "segmentation_polygons_2d.json", "segmentation_cell_stats.csv",
                 "segmentation_counts.loom", "segmentation_params.dump.toml", "segmentation_log.log",
                 "segmentation_diagnostics.html", "segmentation_borders.html"):  # fmt: skip
        assert (tmp_path / f"P_{name}").is_file(), name
    check_import(tmp_path / "P_segmentation.csv", tmp_path / "P_segmentation_polygons_2d.json", molecules)
