"""How far a run is: the interface that every stage reports to."""

from typing import Protocol


class Progress(Protocol):
    """Receives what a run is doing; thread-safe."""

    def stage(self, name: str, total: int = 0, unit: str = "") -> None:
        """Begin a stage of `total` units; the one before it has ended."""

    def advance(self, amount: int) -> None:
        """Some more units of the current stage are done."""

    def stand(self, text: str) -> None:
        """Say how well the current stage stands; the text before it is out of date."""

    def note(self, text: str) -> None:
        """Tell the user something that was found or worked out."""


class Silent:
    """Tells nobody."""

    def stage(self, name: str, total: int = 0, unit: str = "") -> None:
        """Ignore."""

    def advance(self, amount: int) -> None:
        """Ignore."""

    def stand(self, text: str) -> None:
        """Ignore."""

    def note(self, text: str) -> None:
        """Ignore."""
