"""How much memory a run needs, how much there is, and the refusal when the two do not fit."""

import ctypes
import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cellcarve.errors import SettingsError

if TYPE_CHECKING:
    from cellcarve.data.prior import Prior
    from cellcarve.data.table import Table

_UNIT = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
# GNU's M_ARENA_MAX and M_MMAP_THRESHOLD.
_ARENAS, _MAPPED = -8, -3
# Arrays of so many bytes and more get pages of their own, which go back to the system with them.
_LARGE = 2**20
# What asking for the C library raises where it is another one, or where a library has to have a name.
_NO_LIBRARY = (OSError, AttributeError, TypeError)
# Libraries that are loaded while transcripts are assigned, and when results are written.
_WORKING, BASE = 340 * 2**20, 500 * 2**20
# Bytes of a row in arrays that may be kept in files, in arrays that may not, and of a cell in tables and outlines.
# Measured on simulated tissue of 1 and 3 million transcripts, 300 and 5,000 genes.
_FLAT, _LOOSE, _PER_CELL = 130, 60, 12_000


def parse(text: str) -> int:
    """Bytes meant by a text such as ``"8G"``, ``"500MB"`` or ``"2.5 GiB"``.

    Raises
    ------
    SettingsError
        The text is not an amount of memory above 0.
    """
    match = re.fullmatch(r"\s*([0-9]+\.?[0-9]*|\.[0-9]+)\s*([KMGT]?)(i?B)?\s*", text, re.IGNORECASE)
    amount = int(float(match[1]) * _UNIT[match[2].upper()]) if match else 0
    if amount < 1:
        raise SettingsError(f"memory '{text}' is not an amount of memory; write it like 8G or 500M")
    return amount


def show(amount: float) -> str:
    """An amount of bytes as people read it, for example ``"1.5 GB"``; units are powers of 1,024."""
    for unit in ("bytes", "KB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GB"


def available() -> int:
    """Bytes that this process may use: the machine's memory, or its control group's where that is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(limit).read_text().strip()
        except OSError:
            continue
        total = min(total, int(text)) if text.isdigit() else total
    return total


def processors() -> int:
    """CPUs of the machine."""
    return os.cpu_count() or 1


def budget(allowed: str | None) -> int:
    """Bytes that a run may take: the setting ``memory``, or what the machine has."""
    return parse(allowed) if allowed else available()


def room(bytes_: int) -> int:
    """Bytes of a budget that flat arrays may take in memory; the rest is for what is made of them."""
    return max(0, (bytes_ - BASE) // 2)


def one_heap() -> None:
    """Let threads that start from now on share one heap: what one of them frees, another can use.

    Only where the C library is GNU's, which else gives each thread a heap of its own and takes none back. It also raises
    the size from which arrays have pages of their own up to 32 MiB as larger ones are freed, which leaves holes.
    """
    with suppress(*_NO_LIBRARY):
        ctypes.CDLL(None).mallopt(_ARENAS, 1)
        ctypes.CDLL(None).mallopt(_MAPPED, _LARGE)


class _NoPandas:
    """Says that pandas is not there."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        """Nothing for all else, which leaves it to others."""
        if name == "pandas":
            raise ModuleNotFoundError(name)


def spare_pandas() -> None:
    """Have Arrow do without pandas, which takes 35 MB and half a second to load.

    Arrow looks for it once, when it makes its first array. Who asks for pandas afterwards gets it all the same, but Arrow
    does not know by then what pandas marks as missing: this is for a program, not for a function that others call.
    """
    import pyarrow as pa

    sys.meta_path.insert(0, _NoPandas)  # type: ignore[arg-type]
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(_NoPandas)  # type: ignore[arg-type]


def trim() -> None:
    """Give freed memory back to the system, which allocators keep otherwise, where they know how."""
    arrow = sys.modules.get("pyarrow")
    if arrow is not None:
        arrow.default_memory_pool().release_unused()
    with suppress(*_NO_LIBRARY):
        ctypes.CDLL(None).malloc_trim(0)


def estimate(table: "Table", prior: "Prior", bytes_: int, work: int) -> int:
    """Bytes that segmenting this table within a budget takes at its peak; `work` is what the method takes meanwhile."""
    rows = min(_FLAT * len(table), room(bytes_)) + _LOOSE * len(table)
    return rows + max(_WORKING + work, BASE + _PER_CELL * len(prior.names))


def refusal(needed: int, bytes_: int, asked: bool) -> str:
    """What the user is told where the least that a run takes is more than it may."""
    remedy = "allow more with --memory or " if asked else "take a machine with more memory or "
    return (
        f"the run needs about {show(needed)} of memory at the least and may use {show(bytes_)}; "
        f"{remedy}segment part of the tissue, as 'cellcarve segment --roi' does"
    )
