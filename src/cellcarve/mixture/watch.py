"""Who looks on while the chain runs, and may have it go on from an earlier state."""

from typing import Protocol

from cellcarve.mixture.sampler import Course
from cellcarve.mixture.state import State


class Watch(Protocol):
    """Looks on."""

    def begin(self, state: State, course: Course) -> Course:
        """Course to begin with: the one given, or that of an earlier run, whose state goes to `state`."""

    def went(self, state: State, course: Course) -> None:
        """After every round."""


class Nobody:
    """Does not look on."""

    def begin(self, state: State, course: Course) -> Course:
        """The course given."""
        return course

    def went(self, state: State, course: Course) -> None:
        """Nothing."""
