"""How much memory a run needs, how much there is, and the refusal when the two do not fit."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from cellcarve.errors import MemoryBudgetError, SettingsError

if TYPE_CHECKING:
    from cellcarve.data.prior import Prior
    from cellcarve.data.table import Table

_UNIT = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
# Reading and assigning took 220 bytes a row over 450 MB on tissues of 0.1 to 1.6 million transcripts; the
# tables, counts and outlines that are written come on top.
_BASE = 700 * 2**20
_PER_ROW = 200
_PER_KEPT = 200
_PER_CELL = 16_000


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


def estimate(table: "Table", prior: "Prior") -> int:
    """Bytes that segmenting this table is expected to take at its peak, reading and writing included."""
    kept = int((table.status == 0).sum())
    return _BASE + _PER_ROW * len(table) + _PER_KEPT * kept + _PER_CELL * len(prior.names)


def check(needed: int, allowed: str | None) -> str:
    """Compare what a run needs with what it may have.

    Parameters
    ----------
    needed
        Bytes, from `estimate`.
    allowed
        The setting ``memory``; None takes what the machine has.

    Returns
    -------
    str
        A sentence for the user.

    Raises
    ------
    MemoryBudgetError
        It does not fit; the message says what to do.
    """
    budget = parse(allowed) if allowed else available()
    if needed > budget:
        remedy = "allow more with --memory or " if allowed else "take a machine with more memory or "
        raise MemoryBudgetError(
            f"the run needs about {show(needed)} of memory and may use {show(budget)}; "
            f"{remedy}segment part of the tissue with --roi"
        )
    return f"about {show(needed)} of memory needed, {show(budget)} allowed"
