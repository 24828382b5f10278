"""Mistakes and poor data as a user of the command line meets them: one sentence and nothing touched, or a whole run."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellcarve import cli

QUICK = (
    *("--burnin-samples", "2", "--samples", "3", "--recorded-samples", "1", "--hillclimb", "1"),
    *("--nthreads", "1", "--voxel-layers", "2", "--overwrite"),
)
OUTPUTS = ("--output-counts", "c.mtx.gz", "--output-transcript-metadata", "t.csv.gz")


@pytest.fixture
def frame():
    """A Xenium table of nine cells with nuclei."""
    rng = np.random.default_rng(3)
    number = np.repeat(np.arange(9), 30)
    away = rng.normal(0, 2.0, (len(number), 2))
    return pd.DataFrame(
        {
            "transcript_id": np.arange(len(number), dtype=np.uint64) + 2**50,
            "cell_id": [f"cell-{n}" for n in number],
            "overlaps_nucleus": (np.hypot(*away.T) < 2).astype(np.uint8),
            "feature_name": rng.choice(["A", "B", "C"], len(number)),
            "x_location": (12.0 * (number % 3) + 20 + away[:, 0]).astype(np.float32),
            "y_location": (12.0 * (number // 3) + 20 + away[:, 1]).astype(np.float32),
            "z_location": rng.uniform(0, 8, len(number)).astype(np.float32),
            "qv": np.full(len(number), 40, np.float32),
            "fov_name": "A1",
        }
    )


def contents():
    """Every file of the working folder."""
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


@pytest.fixture
def refused(capsys):
    """Run on something faulty where the outputs of an earlier run lie; its one sentence."""

    def run(*words):
        Path("proseg-output.zarr").mkdir()
        for name in ("proseg-output.zarr/.zgroup", "c.mtx.gz", "t.csv.gz"):
            Path(name).write_text("earlier")
        before = contents()
        assert cli.status(["proseg", *QUICK, *OUTPUTS, "--xenium", *words]) == 2
        shown = capsys.readouterr()
        assert shown.err.splitlines()[-1].startswith("cellcarve: ")
        assert shown.err.count("cellcarve: ") == 1
        assert "Traceback" not in shown.err
        assert contents() == before
        return shown.err.splitlines()[-1]

    return run


def test_an_empty_file(refused):
    Path("in.csv").touch()
    assert "in.csv" in refused("in.csv")


def test_a_table_without_rows(frame, refused):
    frame.iloc[:0].to_parquet("in.parquet")
    assert "in.parquet" in refused("in.parquet")


def test_a_truncated_parquet(frame, refused):
    frame.to_parquet("in.parquet")
    whole = Path("in.parquet").read_bytes()
    Path("in.parquet").write_bytes(whole[: len(whole) // 2])
    assert "cannot be read as parquet" in refused("in.parquet")


@pytest.mark.parametrize("column", ["x_location", "y_location", "z_location"])
def test_a_coordinate_that_is_no_number(frame, refused, column):
    frame.loc[7, column] = np.nan
    frame.to_csv("in.csv", index=False)
    sentence = refused("in.csv")
    assert column in sentence
    assert "row 8" in sentence


def test_a_column_that_is_missing(frame, refused):
    frame.drop(columns="feature_name").to_csv("in.csv", index=False)
    assert "feature_name" in refused("in.csv")


def test_no_nuclei(frame, refused):
    frame.assign(cell_id="UNASSIGNED").to_csv("in.csv", index=False)
    assert "no transcript has a cell" in refused("in.csv")


def test_a_mask_elsewhere_is_refused_with_both_extents(frame, refused):
    frame.to_csv("in.csv", index=False)
    mask = np.zeros((30, 40), np.uint32)
    mask[5:25, 5:35] = 1
    np.save("mask.npy", mask)
    transform = ("--cellpose-x-transform", "1", "0", "5000", "--cellpose-y-transform", "0", "1", "0")
    sentence = refused("--cellpose-masks", "mask.npy", *transform, "in.csv")
    x, y = frame.x_location, frame.y_location
    assert "x 5000.0 to 5040.0 and y 0.0 to 30.0" in sentence
    assert f"x {x.min():.1f} to {x.max():.1f} and y {y.min():.1f} to {y.max():.1f}" in sentence


def test_a_damaged_mask(frame, refused):
    frame.to_csv("in.csv", index=False)
    Path("mask.npy").write_bytes(b"\x93NUMPY")
    assert "mask.npy" in refused("--cellpose-masks", "mask.npy", "--cellpose-scale", "1", "in.csv")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--voxel-layers", "257"], "--voxel-layers"),
        (["--cosmx"], "--cosmx"),
        (["--recorded-samples", "9"], "--recorded-samples 9"),
        (["--ncomponents", "0"], "--ncomponents"),
        (["--voxel-size", "1.5"], "no whole multiple"),
        (["--excluded-genes", "("], "no regular expression"),
        (["--cellpose-masks", "absent.npy"], "absent.npy"),
        (["--samples", "many"], "many"),
    ],
)
def test_options_that_cannot_be(frame, refused, words, sentence):
    frame.to_csv("in.csv", index=False)
    assert sentence in refused(*words, "in.csv")


def test_an_output_that_exists_is_kept_unless_it_may_go(frame, capsys):
    frame.to_csv("in.csv", index=False)
    Path("proseg-output.zarr").mkdir()
    Path("proseg-output.zarr/.zgroup").write_text("earlier")
    before = contents()
    words = [word for word in QUICK if word != "--overwrite"]
    assert cli.status(["proseg", *words, "--xenium", "in.csv"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert contents() == before


POOR = {
    "one cell only": {"cell_id": "only"},
    "one gene": {"feature_name": "A"},
    "no span of z": {"z_location": np.float32(3)},
    "all nuclear": {"overlaps_nucleus": np.uint8(1)},
    "none nuclear": {"overlaps_nucleus": np.uint8(0)},
    "one place": {"x_location": np.float32(3), "y_location": np.float32(4)},
}


@pytest.mark.parametrize("changed", POOR.values(), ids=POOR)
def test_poor_data_are_segmented_or_refused_but_never_a_bug(frame, capsys, changed):
    frame.assign(**changed).to_csv("in.csv", index=False)
    code = cli.status(["proseg", *QUICK, *OUTPUTS, "--xenium", "in.csv"])
    shown = capsys.readouterr().err
    assert code in (0, 2), shown
    if code == 2:
        assert shown.splitlines()[-1].startswith("cellcarve: ")
        assert set(contents()) == {"in.csv"}
    else:
        found = pd.read_csv("t.csv.gz")
        assert sorted(found.transcript_id) == sorted(frame.transcript_id)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_ids_beyond_32_bits_survive(frame, ending):
    frame = frame.assign(transcript_id=frame.transcript_id + np.uint64(2**62))
    if ending == "csv":
        frame.to_csv("in.csv", index=False)
    else:
        frame.to_parquet("in.parquet")
    assert cli.status(["proseg", *QUICK, *OUTPUTS, "--xenium", f"in.{ending}"]) == 0
    found = pd.read_csv("t.csv.gz", dtype={"transcript_id": np.uint64})
    assert sorted(found.transcript_id) == sorted(frame.transcript_id)
