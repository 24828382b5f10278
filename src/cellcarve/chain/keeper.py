"""When a checkpoint is written, and whether a run goes on from one."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from cellcarve.progress import Progress

# Seconds between checkpoints; CELLCARVE_CHECKPOINT sets others.
_SECONDS = 300.0


def beside(output: Path) -> Path:
    """Where the checkpoint of a run lies: hidden, beside what it writes."""
    return output.with_name(f".{output.name}.checkpoint")


class Keeper:
    """Keeps one checkpoint.

    Parameters
    ----------
    path
        File of the checkpoint.
    key
        What the chain depends on: version, input and options.
    resume
        The run is to go on from an earlier one's.
    progress
        Told what becomes of it.
    """

    def __init__(self, path: Path, key: str, resume: bool, progress: Progress) -> None:
        self.path, self.key = path, key
        self._resume, self._progress = resume, progress
        self._seconds = float(os.environ.get("CELLCARVE_CHECKPOINT", _SECONDS))
        self._saved = time.monotonic()

    def found(self) -> bool:
        """Whether there is a checkpoint to go on from, and it is wanted."""
        if self._resume and not self.path.is_file():
            self._progress.note(f"there is no checkpoint '{self.path}' to go on from; the run starts anew")
        return self._resume and self.path.is_file()

    def resumed(self, after: str) -> None:
        """Tell where the chain goes on."""
        self._progress.note(f"goes on after {after}")

    def save(self, write: Callable[[Path, str], None]) -> None:
        """Call ``write(path, key)`` when it is time."""
        if time.monotonic() - self._saved < self._seconds:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write(self.path, self.key)
        except OSError as error:
            # The run is worth more than its checkpoint.
            self._progress.note(f"no checkpoint could be written to '{self.path}' ({error.strerror})")
        self._saved = time.monotonic()

    def end(self) -> None:
        """All is written: the checkpoint goes."""
        self.path.unlink(missing_ok=True)
