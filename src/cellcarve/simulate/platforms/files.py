"""What every platform's folder takes in."""

from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from cellcarve.simulate.block import Molecules
from cellcarve.simulate.picture import Picture
from cellcarve.simulate.plan import Plan
from cellcarve.simulate.programmes import Panel
from cellcarve.simulate.rows import cell_rows
from cellcarve.simulate.sink import Sink
from cellcarve.simulate.window import Window


class Files(ABC):
    """A folder that is filled window by window; inside ``with``, its tables are open.

    Parameters
    ----------
    out
        An empty folder.

    Attributes
    ----------
    rows
        Transcripts taken in so far.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.rows = 0
        self._stack = ExitStack()

    def __enter__(self) -> "Files":
        self._cells = self._sink("true_cells")
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _sink(self, name: str) -> Sink:
        return self._stack.enter_context(Sink(self.out / f"{name}.parquet"))

    def add_cells(self, plan: Plan, window: Window, mixture: np.ndarray) -> None:
        """Take in the window's own cells; `mixture` (n, K) is the share of each programme in each of its cells."""
        self._cells.add(cell_rows(plan, window, mixture))

    @abstractmethod
    def add_transcripts(
        self, plan: Plan, panel: Panel, window: Window, molecules: Molecules, rng: np.random.Generator
    ) -> None:
        """Take in molecules that were made in the window."""

    @abstractmethod
    def finish(self, plan: Plan, panel: Panel, picture: Picture | None) -> None:
        """Write what waits for all transcripts, and the nuclear stain where there is one."""
