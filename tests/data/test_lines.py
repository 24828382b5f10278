"""Lines of CSV: what readers make of them."""

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pytest

from cellcarve.data.lines import lines


def test_whole_numbers_that_may_have_decimals_have_a_point():
    column = pa.array([1.0, None, 2.5, -0.0, np.inf, 1e12, 3e-7], pa.float32())
    assert lines(pa.table({"a": column, "b": pa.array(range(7))})).decode().splitlines() == [
        *("1.0,0", ",1", "2.5,2", "-0.0,3", "inf,4", "1e+12,5", "3e-7,6"),
    ]


def test_a_reader_that_looks_at_the_first_rows_only_is_not_misled():
    """Arrow takes the type of a column from its first block."""
    values = np.append(np.full(500, 40, np.float32), np.float32(40.25))
    text = b"qv\n" + lines(pa.table({"qv": values}))
    options = pyarrow.csv.ReadOptions(block_size=1000)
    assert pyarrow.csv.read_csv(io.BytesIO(text), options)["qv"].to_pylist() == values.tolist()


@pytest.mark.parametrize("word", ["HLA-A,B", 'the "B"', "two\nlines"])
def test_only_what_needs_it_stands_in_quotes(word):
    table = pa.table(
        {"g": pa.array([word, "plain"]).dictionary_encode(), "x": [1.0, 2.5], "n": [None, True], "k": [1, 2]}
    )
    text = lines(table).decode()
    assert text.endswith("\nplain,2.5,true,2\n")
    back = pd.read_csv(io.StringIO(text), header=None)
    assert back[0].tolist() == [word, "plain"]
    assert back.dtypes.astype(str).tolist()[1:] == ["float64", "object", "int64"]
