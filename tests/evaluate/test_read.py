import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cellcarve.errors import InputError
from cellcarve.evaluate import Columns, evaluate, read_assignment
from cellcarve.evaluate.assignment import cell_codes


def write(path, **columns):
    frame = pd.DataFrame(columns)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.csv.gz"])
def test_proseg_metadata(tmp_path, name):
    """Cells are counted from 0, the column is called assignment, background rows may keep a cell."""
    path = write(
        tmp_path / name,
        transcript_id=[5, 6, 7, 8],
        x=[0.0, 1, 2, 3],
        observed_x=[9.0, 9, 9, 9],
        gene=["a", "b", "a", "b"],
        assignment=pd.array([0, 1, 4294967295, 1], dtype="UInt32"),
        probability=[0.9, 0.8, 0.1, 0.7],
        background=[False, False, True, True],
    )
    found = read_assignment(path)
    assert found.cell.tolist() == [1, 2, 0, 0]
    assert found.x.tolist() == [9, 9, 9, 9]
    assert [found.genes[g] for g in found.gene] == ["a", "b", "a", "b"]
    assert found.probability.tolist() == pytest.approx([0.9, 0.8, 0.1, 0.7])


def test_baysor_table(tmp_path):
    """The program's own column goes before the instrument's; an empty cell is noise."""
    path = write(
        tmp_path / "segmentation.csv",
        transcript_id=[1, 2, 3],
        cell_id=["x", "x", "y"],
        gene=["a", "b", "c"],
        cell=["CR-1", "", "CR-2"],
        assignment_confidence=[1.0, 0.2, 0.6],
    )
    found = read_assignment(path)
    assert found.cell.tolist() == [1, 0, 2]
    assert found.probability.tolist() == pytest.approx([1, 0.2, 0.6])


def test_instrument_tables(tmp_path):
    folder = tmp_path / "outs"
    folder.mkdir()
    write(
        folder / "transcripts.parquet",
        transcript_id=np.array([1, 2, 3], np.uint64),
        cell_id=["aaab-1", "UNASSIGNED", "aaab-1"],
        overlaps_nucleus=[1, 0, 0],
        feature_name=["a", "b", "c"],
        x_location=[0.0, 1, 2],
        y_location=[0.0, 1, 2],
    )
    found = read_assignment(folder)
    assert found.cell.tolist() == [1, 0, 1]
    assert found.nucleus.tolist() == [True, False, False]
    older = write(tmp_path / "old.csv", transcript_id=[1, 2], cell_id=[-1, 12])
    assert read_assignment(older).cell.tolist() == [0, 1]


def test_own_run_folder(tmp_path):
    write(
        tmp_path / "transcripts.parquet",
        transcript_id=["a", "b", "c"],
        gene=["g", "g", "h"],
        cell_id=["n1", None, "n1"],
        probability=[0.9, 0.0, 0.7],
        background=[False, True, False],
        status=["kept", "kept", "low quality"],
    )
    assert read_assignment(tmp_path).cell.tolist() == [1, 0, 1]


def test_columns_can_be_named(tmp_path):
    path = write(tmp_path / "t.parquet", number=[1, 2, 3], mine=["A", "none", "B"], sure=[1.0, 0, 1])
    columns = Columns(id="number", cell="mine", probability="sure", none=("none",))
    found = read_assignment(path, columns)
    assert found.cell.tolist() == [1, 0, 2]
    assert found.ids.to_pylist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["b", "a", None, "b", ""], [1, 2, 0, 1, 0]),
        ([3, 0, -1, 3, 9], [1, 0, 0, 1, 2]),
        ([3.0, float("nan"), 0.0, 3.0, 9.0], [1, 0, 0, 1, 2]),
    ],
)
def test_no_cell_has_many_spellings(values, expected):
    column = pa.array(values, from_pandas=False)
    none = {"", "-1", "nan", "0", "0.0"}
    assert cell_codes(column, none).tolist() == expected
    assert cell_codes(column.dictionary_encode(), none).tolist() == expected


def test_ids_of_different_types_are_compared_as_text(case, tmp_path):
    folder, frame = case
    path = write(tmp_path / "t.parquet", transcript_id=frame.transcript_id.astype(str), cell=frame.guess)
    assert evaluate(path, truth=folder)["truth"]["f1"] > 0.5


def test_without_ids_rows_correspond(case, tmp_path):
    folder, frame = case
    path = write(tmp_path / "t.parquet", cell=frame.guess)
    one, two = (evaluate(p, truth=folder)["truth"] for p in (path, folder / "guess.parquet"))
    assert one["f1"] == two["f1"]
    assert one["profile_cor"] == two["profile_cor"]
    with pytest.raises(InputError, match=r"no transcript ids and 100 rows instead of 6,000"):
        evaluate(write(tmp_path / "short.parquet", cell=frame.guess[:100]), truth=folder)


def test_bad_input_is_named(case, tmp_path):
    folder, _ = case
    with pytest.raises(InputError, match="no file"):
        evaluate(tmp_path / "nothing.parquet")
    with pytest.raises(InputError, match="holds none of"):
        evaluate(tmp_path)
    with pytest.raises(InputError, match="no column with cells"):
        evaluate(write(tmp_path / "a.parquet", transcript_id=[1]))
    with pytest.raises(InputError, match="no column 'cel'; did you mean 'cell'"):
        read_assignment(write(tmp_path / "b.parquet", cell=[1]), Columns(cell="cel"))
    with pytest.raises(InputError, match="shares no transcript id"):
        evaluate(write(tmp_path / "c.parquet", transcript_id=[1, 2], cell=[1, 1]), truth=folder)
    with pytest.raises(InputError, match="no column 'true_cell'"):
        evaluate(folder / "guess.parquet", truth=folder / "transcripts.parquet")
    (tmp_path / "d.parquet").write_text("not a table")
    with pytest.raises(InputError, match=r"cannot read .*d\.parquet"):
        evaluate(tmp_path / "d.parquet")
