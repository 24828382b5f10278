"""Plain arrays as columns of Arrow and back, without a copy.

Arrow's own ways do the same for anything, but load pandas to ask whether it is one of its own, which takes more memory
than a small run.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

# Bytes of text that one column of strings can hold.
MOST_TEXT = 2**31 - 1


def as_column(values: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """A column of numbers or truth values.

    Parameters
    ----------
    values
        (N,) numbers or bool.
    missing
        (N,) bool: which are null; none by default.
    """
    held = None if missing is None else pa.py_buffer(np.packbits(~missing, bitorder="little"))
    kind = pa.from_numpy_dtype(values.dtype)
    whole = np.ascontiguousarray(values)
    data = np.packbits(whole, bitorder="little") if values.dtype == bool else whole
    return pa.Array.from_buffers(kind, len(values), [held, pa.py_buffer(data)])


def as_text(values: Sequence[str] | Sequence[bytes]) -> pa.Array:
    """A column of text, or of bytes, none of it missing."""
    coded = [v.encode() if isinstance(v, str) else v for v in values]
    kind = pa.binary() if len(values) and isinstance(values[0], bytes) else pa.string()
    ends = np.zeros(len(coded) + 1, np.int64)
    np.cumsum([len(v) for v in coded], out=ends[1:])
    if ends[-1] > MOST_TEXT:
        return pa.array(values, kind)
    parts = [None, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(b"".join(coded))]
    return pa.Array.from_buffers(kind, len(coded), parts)


def plain(column: pa.Array) -> np.ndarray:
    """Values of a column, which may not be written to; those of numbers are NaN where missing."""
    kind = column.type
    numbers = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    if column.null_count or not (numbers or pa.types.is_boolean(kind)):
        return column.to_numpy(zero_copy_only=False)
    data, first = column.buffers()[1], column.offset
    if len(column) == 0:
        return np.empty(0, kind.to_pandas_dtype())
    if numbers:
        dtype = np.dtype(kind.to_pandas_dtype())
        return np.frombuffer(data, dtype, len(column), first * dtype.itemsize)
    bits = np.unpackbits(np.frombuffer(data, np.uint8), count=first + len(column), bitorder="little")
    return bits[first:].view(bool)
