"""Arrays in files behave like arrays in memory, and leave nothing behind."""

import errno
import gc
import os

import numpy as np
import pytest

from cellcarve.data import flat
from cellcarve.errors import MemoryBudgetError

N = 100_000


def test_what_fits_stays_in_memory_and_the_rest_goes_to_files(in_file, tmp_path):
    with flat.room(2.5 * N, tmp_path):
        kept = [flat.empty(N, np.uint8), flat.empty(N, np.uint8)]
        more = flat.empty(N, np.uint8)
        assert [in_file(a) for a in (*kept, more)] == [False, False, True]
        assert flat.mapped() == N
        assert list(tmp_path.iterdir()) == []
        del kept[0]
        gc.collect()
        assert not in_file(flat.empty(N, np.uint8))


def test_small_arrays_never_go_to_files(in_file, tmp_path):
    with flat.room(0, tmp_path):
        assert not in_file(flat.zeros(10, np.float64))
        assert flat.mapped() == 0


def test_contents_survive_relaxing(in_file, tmp_path):
    value = np.random.default_rng(0).normal(size=N)
    with flat.room(0, tmp_path):
        array = flat.empty(N, np.float64)
        array[:] = value
        flat.relax()
        np.testing.assert_array_equal(array, value)
        moved = flat.keep(value)
        assert in_file(moved)
        flat.relax()
        np.testing.assert_array_equal(moved, value)
    flat.relax()
    # They live as long as somebody uses them, also after the room is left.
    np.testing.assert_array_equal(moved, value)


def test_zeros_are_zero(tmp_path):
    for allowed in (0, np.inf):
        with flat.room(allowed, tmp_path):
            assert not flat.zeros(N, np.int32).any()


@pytest.mark.parametrize("allowed", [0, np.inf])
def test_pieces_make_no_difference(tmp_path, monkeypatch, allowed):
    monkeypatch.setattr(flat, "PIECE", 999)
    rng = np.random.default_rng(1)
    value, place = rng.normal(size=50), rng.integers(-1, 49, N)
    with flat.room(allowed, tmp_path):
        np.testing.assert_array_equal(flat.take(value, place), value[place])
        code = rng.integers(-1, 49, N).astype(np.int32)
        table = rng.permutation(50).astype(np.int32)
        np.testing.assert_array_equal(flat.recode(code.copy(), table), table[code])


def test_no_room_on_disk_is_told(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(flat, "_reserve", full)
    with flat.room(0, tmp_path), pytest.raises(MemoryBudgetError, match=r"No space left.*--memory"):
        flat.empty(N, np.float64)
