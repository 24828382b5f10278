"""What is set aside reads the same from files, and stays in memory where the disk has no room for it."""

import errno
import os

import numpy as np
import pyarrow as pa
import pytest

from cellcarve.data import flat
from cellcarve.data.aside import set_aside
from cellcarve.data.table import Table

N = 100_000


def table_with(ids):
    x, y = np.random.default_rng(0).normal(size=(2, N)).astype(np.float32)
    code, status = np.arange(N, dtype=np.int32) % 7, np.zeros(N, np.uint8)
    genes = [f"g{k}" for k in range(7)]
    return Table("table", (), ids, x, y, None, code, genes, None, None, [], code.copy(), genes, None, status)


@pytest.mark.parametrize(
    "ids",
    [
        pa.array(np.arange(N, dtype=np.uint64) + 2**60),
        pa.array([None if k % 3 == 0 else f"t{k}" for k in range(N)]),
        pa.array(np.arange(N + 5))[5:],
    ],
)
def test_columns_and_ids_read_the_same(in_file, tmp_path, ids):
    table, given = table_with(ids), table_with(ids)
    with flat.room(np.inf, tmp_path):
        set_aside(table)
        text = sum(part.size for part in ids.buffers() if part is not None and part.size >= flat.LEAST)
        assert flat.mapped() == 17 * N + text
    assert table.ids.equals(ids)
    for name in ("x", "y", "gene", "cell", "status"):
        assert in_file(getattr(table, name)), name
        np.testing.assert_array_equal(getattr(table, name), getattr(given, name))


def test_once_is_enough(tmp_path):
    with flat.room(np.inf, tmp_path):
        first = flat.aside(np.arange(N))
        assert np.shares_memory(flat.aside(first[3:]), first)
        assert flat.mapped() == first.nbytes


def test_what_the_disk_has_no_room_for_stays_in_memory(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(flat, "_reserve", full)
    with flat.room(np.inf, tmp_path):
        array = np.arange(N)
        assert flat.aside(array) is array
