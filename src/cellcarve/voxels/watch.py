"""Who looks on while the chain runs, and may have it go on from an earlier state."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from cellcarve.voxels.chain import Chain
from cellcarve.voxels.record import Record
from cellcarve.voxels.result import VoxelRun


@dataclass
class Progressed:
    """How far a chain is.

    Attributes
    ----------
    chain, record, log
        Its state, what was recorded, and the entries of `VoxelRun.log`.
    """

    chain: Chain
    record: Record
    log: list[dict[str, Any]]


class Watch(Protocol):
    """Looks on.

    Attributes
    ----------
    asks
        The answer over the recorded sweeps is wanted beside the last state.
    """

    asks: bool

    def begin(self, state: Progressed) -> Progressed:
        """State to begin with: the one given, or that of an earlier run of the same input and settings."""

    def swept(self, state: Progressed, finish: Callable[[], VoxelRun]) -> None:
        """After every sweep; `finish` makes a result of the present state."""


class Nobody:
    """Does not look on, and wants to know it all."""

    asks = True

    def begin(self, state: Progressed) -> Progressed:
        """The state given."""
        return state

    def swept(self, state: Progressed, finish: Callable[[], VoxelRun]) -> None:
        """Nothing."""
