"""While the mixture's chain runs: a checkpoint now and then."""

from functools import partial

from cellcarve.chain.keeper import Keeper
from cellcarve.mixture.checkpoint import load, save
from cellcarve.mixture.sampler import Course
from cellcarve.mixture.state import State


class Kept:
    """Keeps checkpoints of a chain.

    Parameters
    ----------
    keeper
        Of the run.
    """

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    def begin(self, state: State, course: Course) -> Course:
        """Where an interrupted run was, if it is to go on and there is one."""
        if not self._keeper.found():
            return course
        course = load(state, course, self._keeper.path, self._keeper.key)
        self._keeper.resumed(f"round {state.sweep}")
        return course

    def went(self, state: State, course: Course) -> None:
        """Save the state when it is time."""
        self._keeper.save(partial(save, state, course))
