"""What Baysor says while it works, to the terminal and to its log file."""

import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Self, TextIO

from cellcarve import interrupt
from cellcarve.errors import OutputError

# Seconds between two lines on how far a stage is.
PAUSE = 10.0


class Log:
    """Lines ``[HH:MM:SS] Info: text``, to the standard error stream and, once it is begun, to a file.

    Parameters
    ----------
    path
        The log file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None
        self._early: list[str] = []
        self.warnings: list[str] = []
        self._name, self._unit, self._total, self._done = "", "", 0, 0
        self._began = self._told = time.perf_counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if kind is not None:
            self._write("Error", "interrupted" if kind is KeyboardInterrupt else str(error))
        if self._file is not None:
            self._file.close()

    def begin(self) -> None:
        """Replace the log file of an earlier run: what was asked for can be done.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        try:
            self._file = self._path.open("w", encoding="utf-8")
        except OSError as error:
            raise OutputError(
                f"cannot write '{self._path}': {error.strerror}; name another with --output"
            ) from error
        self._file.writelines(self._early)

    def stage(self, name: str, total: int = 0, unit: str = "") -> None:
        """Say what begins."""
        interrupt.check()
        self._name, self._unit, self._total, self._done = name, unit, total, 0
        self._began = self._told = time.perf_counter()
        self._write("Info", f"{name[:1].upper()}{name[1:]}")

    def advance(self, amount: int) -> None:
        """Say now and then how far the stage is and how long the rest will take."""
        interrupt.check()
        self._done += amount
        now = time.perf_counter()
        if now - self._told < PAUSE or not self._total or not self._done:
            return
        self._told = now
        left = (now - self._began) * max(self._total - self._done, 0) / self._done
        share = min(self._done / self._total, 1.0)
        self._write("Info", f"{self._name}: {share:.0%}, about {left:.0f} s left")

    def stand(self, text: str) -> None:
        """Nothing: the log says how far a stage is, not how well it stands."""

    def note(self, text: str) -> None:
        """Say something that was found or worked out."""
        self._write("Info", text)

    def warn(self, text: str) -> None:
        """Say something that the user should look at."""
        self.warnings.append(text)
        self._write("Warning", text)

    def _write(self, kind: str, text: str) -> None:
        line = f"[{datetime.now():%H:%M:%S}] {kind}: {text}\n"
        if self._file is None:
            self._early.append(line)
        else:
            self._file.write(line)
            self._file.flush()
        sys.stderr.write(line)
        sys.stderr.flush()
