"""Choose tiles and threads so that a run keeps to its memory, or say what it would take."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cellcarve import memory
from cellcarve.data import flat
from cellcarve.data.table import Status
from cellcarve.errors import MemoryBudgetError
from cellcarve.settings import Settings

if TYPE_CHECKING:
    from cellcarve.data.prior import Prior
    from cellcarve.data.table import Table

# Sides (µm) that are tried, and the strip around a tile that is worked on with it.
SIDES = (400.0, 300.0, 200.0, 150.0, 100.0)
HALO = 30.0
# A tile is made no larger than holds this many transcripts, its surroundings included, where nobody asks for more.
CROWD = 400_000
# Bytes a thread takes for each transcript of its tile, for each µm² of it, and whatever it works on.
_PER_TRANSCRIPT, _PER_AREA, _PER_THREAD = 300, 150, 20 * 2**20
# Bytes that methods which work on all transcripts at once take for each, measured at 0.3 to 2 million; the mixture's lie
# in files for the most part.
_AT_ONCE = {"voxel": 300, "mixture": 40}
# Bytes that the windows take from which the model is learned: they hold this many transcripts at most.
_SAMPLE, _PER_SAMPLED = 500_000, 250


@dataclass(frozen=True)
class Plan:
    """How a run is done; `settings` are those asked for, with tiles and threads put in.

    Attributes
    ----------
    settings
        Settings in force.
    needed
        Bytes of memory that the run is expected to take at its peak.
    sentence
        What the user is told.
    """

    settings: Settings
    needed: int
    sentence: str


def plan(table: "Table", prior: "Prior", settings: Settings) -> Plan:
    """Make a plan that fits the memory allowed: smaller tiles first, then fewer threads.

    Parameters
    ----------
    table, prior
        What was read.
    settings
        What was asked for. A side of tiles that the user named stays.

    Raises
    ------
    MemoryBudgetError
        Nothing fits; the message says what the least would take and what to do.
    """
    allowed = settings.compute.memory
    budget = memory.budget(allowed)
    threads = settings.compute.threads or memory.processors()
    if settings.method != "carve":
        return _whole(table, prior, settings, budget)
    crowd, least = _Crowd(table), None
    for side, number in _choices(crowd, settings, threads):
        needed = memory.estimate(table, prior, budget, _work(crowd, side, number))
        if needed <= budget:
            chosen = replace(settings, carve=replace(settings.carve, tile=side))
            if number < threads:
                chosen = replace(chosen, compute=replace(settings.compute, threads=number))
            return Plan(chosen, needed, _sentence(needed, budget, side, number))
        least = needed if least is None else min(least, needed)
    raise MemoryBudgetError(memory.refusal(least or budget, budget, bool(allowed)))


def _whole(table: "Table", prior: "Prior", settings: Settings, budget: int) -> Plan:
    """The plan of a method that works on all transcripts at once."""
    work = _AT_ONCE[settings.method] * int(np.count_nonzero(table.status == Status.KEPT))
    needed = memory.estimate(table, prior, budget, work)
    if needed > budget:
        raise MemoryBudgetError(memory.refusal(needed, budget, bool(settings.compute.memory)))
    sentence = f"about {memory.show(needed)} of memory needed, {memory.show(budget)} allowed"
    return Plan(settings, needed, sentence)


def _choices(crowd: "_Crowd", settings: Settings, threads: int) -> list[tuple[float, int]]:
    """Sides and threads in the order in which they are tried."""
    if settings.carve.tile is not None:
        sides = [settings.carve.tile]
    else:
        sides = [side for side in SIDES if crowd.most(side) <= CROWD] or [SIDES[-1]]
    fewer = [threads >> k for k in range(1, threads.bit_length())]
    return [(side, threads) for side in sides] + [(sides[-1], number) for number in fewer]


class _Crowd:
    """How many kept transcripts lie in a square of tissue at most."""

    def __init__(self, table: "Table") -> None:
        kept = np.flatnonzero(table.status == Status.KEPT)
        parts = [kept[first : first + flat.PIECE] for first in range(0, len(kept), flat.PIECE)]
        low = [min(float(v[part].min()) for part in parts) for v in (table.x, table.y)]
        wide = [
            max(float(v[part].max()) for part in parts) - a
            for v, a in zip((table.x, table.y), low, strict=True)
        ]
        self.step = max(20.0, (max(wide[0], 1.0) * max(wide[1], 1.0) / 4e6) ** 0.5)
        shape = [int(extent / self.step) + 1 for extent in wide]
        count = np.zeros(shape[0] * shape[1], np.int64)
        for part in parts:
            column, row = (
                ((v[part] - np.float32(a)) / np.float32(self.step)).astype(np.int64).clip(0, most - 1)
                for v, a, most in zip((table.x, table.y), low, shape, strict=True)
            )
            count += np.bincount(column * shape[1] + row, minlength=len(count))
        # Sums over rectangles from a corner: any square's is a difference of four of them.
        self.sums = np.pad(count.reshape(shape).cumsum(0).cumsum(1), ((1, 0), (1, 0)))

    def most(self, side: float) -> int:
        """Most transcripts in a tile of `side` µm with its surroundings, wherever it lies."""
        n = int(np.ceil((side + 2 * HALO) / self.step)) + 1
        a, b = (np.minimum(np.arange(length) + n, length - 1) for length in self.sums.shape)
        s = self.sums
        return int((s[a][:, b] - s[a] - s[:, b] + s).max())


def _work(crowd: "_Crowd", side: float, threads: int) -> int:
    """Bytes that tiles take while they are worked on, or the windows to learn from where these take more."""
    number = crowd.most(side)
    tile = _PER_THREAD + _PER_TRANSCRIPT * number + _PER_AREA * (side + 2 * HALO) ** 2
    return int(max(threads * tile, _PER_SAMPLED * min(int(crowd.sums[-1, -1]), _SAMPLE)))


def _sentence(needed: int, budget: int, side: float, threads: int) -> str:
    where = (
        f"; beyond that, arrays are kept in files: {memory.show(flat.mapped())} so far"
        if flat.mapped()
        else ""
    )
    worked = f"tiles of {side:g} um on {threads} thread{'s' if threads > 1 else ''}"
    return f"about {memory.show(needed)} of memory needed, {memory.show(budget)} allowed; {worked}{where}"
