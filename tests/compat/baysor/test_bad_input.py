"""Mistakes and poor data as a user of the command line meets them: one sentence and nothing touched, or a whole run."""

import numpy as np
import pandas as pd
import pytest
import tifffile

from cellcarve import cli
from cellcarve.errors import Interrupted

EARLIER = (
    "segmentation.csv",
    "segmentation_cell_stats.csv",
    "segmentation_counts.loom",
    "preview.html",
    "ncvs.loom",
)
SCALE = ("-s", "4")
QUICK = ("--config.segmentation.iters=30", "--skip-ncv", "--threads=1")


def contents(folder):
    """Every file below a folder but the logs."""
    return {
        str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".log"
    }


@pytest.fixture
def refused(tmp_path, capsys):
    """Run on a faulty table where the outputs of an earlier run lie; its one sentence."""

    def run(table, *words, command="run", prior=()):
        path = tmp_path / "in.csv"
        table.to_csv(path, index=False)
        out = tmp_path / "out"
        out.mkdir()
        for name in EARLIER:
            (out / name).write_text("earlier")
        before = contents(tmp_path)
        code = cli.status(["baysor", command, "-o", f"{out}/", *words, str(path), *prior])
        shown = capsys.readouterr().err
        assert code == 2, shown
        assert "Traceback" not in shown
        assert shown.splitlines()[-1].startswith("cellcarve: ")
        assert shown.count("cellcarve: ") == 1
        assert contents(tmp_path) == before
        return shown.splitlines()[-1]

    return run


@pytest.mark.parametrize("command", ["run", "preview", "segfree"])
def test_a_missing_column(refused, molecules, command):
    words = ("-m", "8", *(SCALE if command == "run" else ()))
    assert "no column 'gene'" in refused(molecules.drop(columns="gene"), *words, command=command)


@pytest.mark.parametrize("command", ["run", "preview", "segfree"])
@pytest.mark.parametrize("column", ["x", "y", "z"])
def test_a_position_that_is_no_number(refused, molecules, command, column):
    molecules.loc[17, column] = np.nan
    words = ("-m", "8", *(SCALE if command == "run" else ()))
    assert f"column '{column}', row 18" in refused(molecules, *words, command=command)


@pytest.mark.parametrize("command", ["run", "preview", "segfree"])
@pytest.mark.parametrize(
    ("table", "sentence"), [("nowhere.csv", "nowhere.csv does not exist"), ("", "is empty")]
)
def test_a_table_that_is_not_there(tmp_path, monkeypatch, capsys, molecules, command, table, sentence):
    """Not even where another lies in the folder, or where there is a result already."""
    monkeypatch.chdir(tmp_path)
    molecules.to_parquet("transcripts.parquet")
    for name in EARLIER:
        (tmp_path / name).write_text("earlier")
    before = contents(tmp_path)
    words = ["-m", "8", "-x", "x", "-y", "y", "-z", "z", "-g", "gene", *(SCALE if command == "run" else ())]
    assert cli.status(["baysor", command, *words, table]) == 2
    assert sentence in capsys.readouterr().err.splitlines()[-1]
    assert contents(tmp_path) == before


def test_a_wrong_prior_column(refused, molecules):
    assert "did you mean 'nucleus'" in refused(molecules, "-m", "8", prior=(":nuclei",))


def test_a_mask_that_no_molecule_lies_on(refused, molecules, tmp_path):
    mask = np.zeros((200, 300), np.uint16)
    mask[150:190, 200:290] = 1
    tifffile.imwrite(tmp_path / "mask.tif", mask)
    sentence = refused(molecules, "-m", "8", *SCALE, prior=(str(tmp_path / "mask.tif"),))
    assert "300 x 200 pixels" in sentence
    assert "no molecule lies on a segment" in sentence


def test_a_mask_that_is_none(refused, molecules, tmp_path):
    (tmp_path / "mask.tif").write_bytes(b"nothing")
    assert "mask.tif" in refused(molecules, "-m", "8", *SCALE, prior=(str(tmp_path / "mask.tif"),))


def test_a_mask_that_is_not_there(refused, molecules):
    assert "nowhere.tif" in refused(molecules, "-m", "8", *SCALE, prior=("nowhere.tif",))


def test_no_scale_and_no_prior(refused, molecules):
    assert "no scale is given and there is no prior" in refused(molecules, "-m", "8")


def test_no_least_size(refused, molecules):
    assert "min_molecules_per_cell" in refused(molecules, *SCALE)


def test_no_molecules(refused, molecules):
    assert "holds no molecules" in refused(molecules.iloc[:0], "-m", "8", *SCALE)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--config.segmentation.iter=3"], "did you mean 'segmentation.iters'"),
        (["--scal=3"], "--scal"),
        (["--polygon-format=Polygons"], "Polygons"),
        (["--count-matrix-format=xlsx"], "xlsx"),
        (["--prior-segmentation-confidence=2"], "2"),
        (["--config.data.exclude-genes=*"], "none of 1,200 molecules is left"),
        (["-c", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_options_that_cannot_be(refused, molecules, words, sentence):
    assert sentence in refused(molecules, "-m", "8", *SCALE, *words)


POOR = {
    "one molecule": lambda table: table.iloc[:1],
    "duplicates": lambda table: pd.concat([table.iloc[:200]] * 3),
    "one spot": lambda table: table.assign(x=1.0, y=2.0, z=0.0),
    "one gene": lambda table: table.assign(gene="A"),
    "scattered": lambda table: table.iloc[:60].assign(x=np.arange(60) ** 2.0 * 1e3, y=np.arange(60) * 1e4),
}


@pytest.mark.parametrize("least", ["8", "5000"])
@pytest.mark.parametrize("change", POOR.values(), ids=POOR)
def test_poor_data_are_segmented(molecules, tmp_path, change, least):
    """Molecules without company, on top of each other or in cells smaller than any allowed: the files are whole."""
    table = change(molecules)
    table.to_csv(tmp_path / "in.csv", index=False)
    words = ["-m", least, *SCALE, *QUICK, "-o", f"{tmp_path}/out.csv", str(tmp_path / "in.csv")]
    assert cli.status(["baysor", "run", *words]) == 0
    found = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert found.transcript_id.tolist() == table.transcript_id.tolist()
    cells = pd.read_csv(tmp_path / "out_cell_stats.csv")
    assert set(cells.cell) == set(found.cell) - {""}


def test_an_interrupted_run_has_its_own_exit_code(molecules, tmp_path, monkeypatch, capsys):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("cellcarve.compat.baysor.method.outline", stop)
    molecules.to_csv(tmp_path / "in.csv", index=False)
    words = ["-m", "8", *SCALE, *QUICK, "-o", f"{tmp_path}/out.csv", str(tmp_path / "in.csv")]
    assert cli.status(["baysor", "run", *words]) == Interrupted("").code == 130
    shown = capsys.readouterr().err.splitlines()
    assert "the tables beside it are saved" in shown[-1]
    assert len(pd.read_csv(tmp_path / "out.csv")) == len(molecules)
