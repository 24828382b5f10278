"""While the voxel method's chain runs: a checkpoint now and then."""

from collections.abc import Callable
from functools import partial

from cellcarve.chain.keeper import Keeper
from cellcarve.voxels.checkpoint import load, save
from cellcarve.voxels.result import VoxelRun
from cellcarve.voxels.watch import Progressed


class Kept:
    """Keeps checkpoints of a chain.

    Parameters
    ----------
    keeper
        Of the run.
    asks
        The answer over the recorded sweeps is wanted beside the last state.
    """

    def __init__(self, keeper: Keeper, asks: bool = True) -> None:
        self._keeper, self.asks = keeper, asks

    def begin(self, state: Progressed) -> Progressed:
        """The state of an interrupted run, if it is to go on and there is one."""
        if not self._keeper.found():
            return state
        state = load(state, self._keeper.path, self._keeper.key)
        self._keeper.resumed(f"sweep {state.chain.sweep}")
        return state

    def swept(self, state: Progressed, finish: Callable[[], VoxelRun]) -> None:
        """Save the state when it is time."""
        self._keeper.save(partial(save, state))
