"""Where large flat arrays live: in memory while there is room, beyond that in unnamed files on disk.

A file has no name, so that it is gone when its array is, or when the run is killed. The system keeps its pages in
memory as long as nobody else needs them; `relax` hands back what this process holds of them.
"""

import math
import mmap
import os
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from cellcarve.errors import MemoryBudgetError

# Smaller arrays (bytes) are not worth a file, nor to be counted.
LEAST = 1 << 16
# Rows that are worked on at once where all of them would need as much memory again.
PIECE = 1 << 20


class _Room:
    """What may be held in memory, and where the rest goes."""

    def __init__(self, allowed: float, folder: Path) -> None:
        self.allowed, self.folder = allowed, folder
        self.held = 0
        self.mapped = 0
        self.files: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()
        self._lock = threading.RLock()

    def take(self, size: int) -> bool:
        """Whether `size` more bytes fit; they count as held then."""
        with self._lock:
            fits = self.held + size <= self.allowed
            self.held += size if fits else 0
        return fits

    def give(self, size: int) -> None:
        """Bytes that are held no longer."""
        with self._lock:
            self.held -= size

    def file(self, size: int) -> mmap.mmap:
        """A mapped file of `size` bytes, reserved on disk: what is written later finds its place."""
        try:
            with tempfile.TemporaryFile(dir=self.folder) as file:
                _reserve(file.fileno(), size)
                made = mmap.mmap(file.fileno(), size)
        except OSError as error:
            raise MemoryBudgetError(
                f"the run needs {size / 2**20:.0f} MB of room on disk in '{self.folder}' beside the memory it may use "
                f"({error.strerror}); free space there, or allow more with --memory"
            ) from error
        with self._lock:
            self.files.add(made)
            self.mapped += size
        return made

    def maps(self) -> list[mmap.mmap]:
        """Files that are in use."""
        with self._lock:
            return list(self.files)


def _reserve(file: int, size: int) -> None:
    """Take the room on disk now, where the system knows how: writing into a full disk would end the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:
        os.truncate(file, size)


_current = _Room(math.inf, Path(tempfile.gettempdir()))


@contextmanager
def room(allowed: float, folder: Path) -> Iterator[None]:
    """Within, flat arrays beyond `allowed` bytes in all are kept in files in `folder`."""
    global _current
    before, _current = _current, _Room(allowed, folder)
    try:
        yield
    finally:
        _current = before


def empty(length: int, dtype: "np.typing.DTypeLike") -> np.ndarray:
    """(length,) array with anything in it, in memory or in a file: who works with it cannot tell.

    Raises
    ------
    MemoryBudgetError
        There is no room for it on disk.
    """
    return _make(length, np.dtype(dtype), np.empty)


def zeros(length: int, dtype: "np.typing.DTypeLike") -> np.ndarray:
    """(length,) zeros, in memory or in a file; raises what `empty` raises."""
    return _make(length, np.dtype(dtype), np.zeros)


def keep(array: np.ndarray) -> np.ndarray:
    """A flat array that was made elsewhere: itself where there is room, else its copy in a file."""
    place = _current
    if array.nbytes < LEAST or place.take(array.nbytes):
        if array.nbytes >= LEAST:
            weakref.finalize(array, place.give, array.nbytes)
        return array
    return _copied(array, place.file(array.nbytes))


def aside(array: np.ndarray) -> np.ndarray:
    """A flat array that nobody needs for a while: its copy in a file, whatever room there is in memory.

    Itself where it is small or in a file already, or where there is no room on disk: then memory holds it.
    """
    if array.nbytes < LEAST or _in_file(array):
        return array
    try:
        file = _current.file(array.nbytes)
    except MemoryBudgetError:
        return array
    return _copied(array, file)


def _copied(array: np.ndarray, file: mmap.mmap) -> np.ndarray:
    """The copy of an array in a file, made piece by piece so that it takes no memory beside it."""
    moved = np.frombuffer(file, array.dtype, len(array))
    for first in range(0, len(array), PIECE):
        moved[first : first + PIECE] = array[first : first + PIECE]
        _release(file)
    return moved


def recode(code: np.ndarray, table: np.ndarray) -> np.ndarray:
    """``table[code]``, written over `code` piece by piece; returns it."""
    for first in range(0, len(code), PIECE):
        code[first : first + PIECE] = table[code[first : first + PIECE]]
    return code


def take(values: np.ndarray, place: np.ndarray) -> np.ndarray:
    """``values[place]`` as a flat array, made piece by piece."""
    out = empty(len(place), values.dtype)
    for first in range(0, len(place), PIECE):
        out[first : first + PIECE] = values[place[first : first + PIECE]]
    return out


def _make(length: int, kind: np.dtype, make: Callable[[int, np.dtype], np.ndarray]) -> np.ndarray:
    place, size = _current, length * kind.itemsize
    if size < LEAST:
        return make(length, kind)
    if not place.take(size):
        # A new file is all zeros.
        return np.frombuffer(place.file(size), kind, length)
    array = make(length, kind)
    weakref.finalize(array, place.give, size)
    return array


def relax() -> None:
    """Hand back the memory of mapped files; what they hold stays, and is read again where it is needed."""
    for file in _current.maps():
        _release(file)


def _release(file: mmap.mmap) -> None:
    if hasattr(mmap, "MADV_DONTNEED"):
        file.madvise(mmap.MADV_DONTNEED)


def _in_file(array: Any) -> bool:
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(getattr(array, "obj", array), mmap.mmap)


def mapped() -> int:
    """Bytes that were put into files so far."""
    return _current.mapped
