"""What is not needed for a while is put out of the way: input while a method works, its answer while that is written."""

from typing import Any

import numpy as np
import pyarrow as pa

from cellcarve.data import flat


def set_aside(held: Any) -> None:
    """Move flat arrays to files; who reads them cannot tell, but for the time it takes.

    Parameters
    ----------
    held
        Input, prior cells or a result, changed in place: its flat arrays, and the ids of a table.
    """
    for name, value in vars(held).items():
        if isinstance(value, np.ndarray) and value.ndim == 1:
            setattr(held, name, flat.aside(value))
        elif isinstance(value, pa.Array):
            setattr(held, name, _ids_aside(value))


def _ids_aside(ids: pa.Array) -> pa.Array:
    """An Arrow array whose buffers lie in files."""
    parts = [
        None if part is None else pa.py_buffer(flat.aside(np.frombuffer(part, np.uint8)))
        for part in ids.buffers()
    ]
    return pa.Array.from_buffers(ids.type, len(ids), parts, offset=ids.offset)
