import numpy as np
import pyarrow as pa
import pytest

from cellcarve.data.arrow import as_column, as_text, plain


@pytest.mark.parametrize("dtype", [np.int8, np.uint32, np.int64, np.float32, np.float64, bool])
def test_columns_are_those_of_arrow_and_come_back(dtype):
    values = (np.random.default_rng(0).random(37) * 3).astype(dtype)
    missing = np.arange(37) % 5 == 0
    assert as_column(values).equals(pa.array(values))
    assert as_column(values[::2]).equals(pa.array(values[::2]))
    assert as_column(values, missing).equals(pa.array(values, mask=missing))
    for part in (pa.array(values), pa.array(values)[11:], pa.array(values)[:0]):
        assert plain(part).dtype == dtype
        assert np.array_equal(plain(part), part.to_numpy(zero_copy_only=False))


def test_missing_numbers_are_nan_and_text_comes_back():
    assert np.isnan(plain(pa.array([1.5, None]))[1])
    assert plain(pa.array(["a", None])).tolist() == ["a", None]


def test_text_and_bytes():
    assert as_text(["a", "", "λ_bg"]).equals(pa.array(["a", "", "λ_bg"]))
    assert as_text([b"a", b"\0"]).equals(pa.array([b"a", b"\0"], pa.binary()))
    assert as_text([]).type == pa.string()
