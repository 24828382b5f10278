"""Flat files of AtoMx, joined; read back as --cosmx-micron."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellcarve import cli

PIXEL = 0.12


@pytest.fixture
def export(tmp_path):
    """Three fields of 100 pixels, the eleventh of which lies beside the second; and their rows."""
    summary = tmp_path / "flat" / "S0" / "run" / "RunSummary"
    summary.mkdir(parents=True)
    (summary / "Run_1_ExptConfig.txt").write_text("Image Rows: 100\nImage Cols: 100\nImPixel_nm: 120\n")
    corners = {2: (-1.0, 2.0), 11: (-1.012, 2.0), 3: (-1.0, 2.012)}
    lines = [f"1,{x},{y},0.1,0,0,{fov},7" for fov, (x, y) in corners.items()]
    (summary / "latest.fovs.csv").write_text("\n".join(lines) + "\n")
    rng = np.random.default_rng(0)
    frames = []
    for fov in corners:
        folder = tmp_path / "flat" / "S0" / "run" / "AnalysisResults" / "k" / f"FOV{fov:03d}"
        folder.mkdir(parents=True)
        frame = pd.DataFrame(
            {
                "fov": fov,
                "CellId": rng.integers(0, 4, 50),
                "x": rng.uniform(0, 100, 50),
                "y": rng.uniform(0, 100, 50),
                "z": rng.integers(0, 9, 50),
                "target": rng.choice(["A", "B,C", "Negative1"], 50),
                "CellComp": rng.choice(["Nuclear", "Cytoplasm"], 50),
                "extra": 1,
            }
        )
        frame.to_csv(folder / f"R_F{fov}_complete_code_cell_target_call_coord.csv", index=False)
        x, y = corners[fov]
        frames.append(frame.assign(gx=frame.x * PIXEL - x * 1000, gy=-frame.y * PIXEL - y * 1000))
    return tmp_path / "flat", pd.concat([frames[0], frames[2], frames[1]], ignore_index=True)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.parquet"])
def test_fields_are_joined_by_number(export, name, capsys):
    folder, expected = export
    assert cli.status(["stitch-cosmx", str(folder), name]) == 0
    assert "150 transcripts of 3 fields" in capsys.readouterr().out
    got = pd.read_parquet(name) if name.endswith("parquet") else pd.read_csv(name)
    assert list(got.columns) == [
        "fov",
        "cell_ID",
        "x_local_px",
        "y_local_px",
        "z",
        "target",
        "CellComp",
        "x",
        "y",
    ]
    np.testing.assert_allclose(got.x, expected.gx, rtol=1e-6)
    np.testing.assert_allclose(got.y, expected.gy, rtol=1e-6)
    assert got.cell_ID.tolist() == expected.CellId.tolist()
    assert got.target.tolist() == expected.target.tolist()


def test_only_what_needs_it_is_quoted(export):
    """Shell scripts look columns up by the first line."""
    folder, expected = export
    cli.status(["stitch-cosmx", str(folder), "t.csv"])
    head, *rows = Path("t.csv").read_text().splitlines()
    assert head == "fov,cell_ID,x_local_px,y_local_px,z,target,CellComp,x,y"
    assert [row.count('"') for row in rows] == [2 * (target == "B,C") for target in expected.target]
    assert all(len(row.split(",")[2]) < 12 for row in rows)


def test_the_table_is_what_the_preset_reads(export, follow):
    folder, expected = export
    cli.status(["stitch-cosmx", str(folder), "t.csv.gz"])
    run = follow("--cosmx-micron t.csv.gz")
    cell = [run.table.cell_names[c - 1] if c else None for c in run.table.cell]
    assert cell == [f"{f}_{c}" if c else None for f, c in zip(expected.fov, expected.CellId, strict=True)]
    assert (run.table.nucleus == (expected.CellComp == "Nuclear")).all()
    np.testing.assert_allclose(run.table.x, expected.gx, rtol=1e-5)


def test_y_can_be_turned(export):
    folder, expected = export
    cli.status(["stitch-cosmx", str(folder), "t.csv", "--flip-y"])
    np.testing.assert_allclose(pd.read_csv("t.csv").y, -expected.gy, rtol=1e-6)


def spoil_config(folder):
    next(folder.glob("**/*_ExptConfig.txt")).write_text("nothing")


def spoil_position(folder):
    next(folder.glob("**/latest.fovs.csv")).write_text("1,0,0,0,0,0,2\n")


def spoil_column(folder):
    file = next(folder.glob("**/FOV003/*.csv"))
    file.write_text(file.read_text().replace("CellId", "Cell"))


def spoil_number(folder):
    file = next(folder.glob("**/FOV003/*.csv"))
    file.write_text(file.read_text().replace("Nuclear", "Nuclear").replace("\n3,", "\nx,", 1))


def spoil_all(folder):
    for file in folder.glob("**/FOV*/*.csv"):
        file.unlink()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (spoil_config, "ImPixel_nm"),
        (spoil_position, "not in latest.fovs.csv"),
        (spoil_column, "no column 'CellId'"),
        (spoil_number, "column 'fov'"),
        (spoil_all, "AnalysisResults"),
    ],
)
def test_damaged_exports_leave_nothing(export, spoil, sentence, capsys):
    folder, _ = export
    Path("t.csv").write_text("earlier")
    spoil(folder)
    assert cli.status(["stitch-cosmx", str(folder), "t.csv"]) == 2
    shown = capsys.readouterr().err
    assert sentence in shown
    assert shown.count("\n") == 1
    assert Path("t.csv").read_text() == "earlier"
    assert sorted(path.name for path in Path().iterdir()) == ["flat", "t.csv"]


@pytest.mark.parametrize("words", [[], ["absent", "t.csv"], ["flat", "t.xlsx"], ["flat", "no/t.csv"]])
def test_mistakes(export, words, capsys):
    assert cli.status(["stitch-cosmx", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1
