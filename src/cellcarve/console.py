"""What a run shows while it works: bars on a terminal, one JSON line per stage elsewhere, or nothing."""

import json
import sys
import time
from typing import Any, Self, TextIO

from cellcarve.progress import Silent


class Lines:
    """One JSON line per finished stage and per note: for logs and pipelines.

    Parameters
    ----------
    stream
        Where the lines go; the standard error stream by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._stage: dict[str, Any] | None = None
        self._began = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._end(whole=kind is None)

    def stage(self, name: str, total: int = 0, unit: str = "") -> None:
        """Report the stage before, if any, and begin the next."""
        self._end(whole=True)
        self._stage = {"stage": name} | ({"total": total, "unit": unit} if total else {})
        self._began = time.perf_counter()

    def advance(self, amount: int) -> None:
        """Nothing: a line per step would drown a log."""

    def stand(self, text: str) -> None:
        """Keep the text for the line of the stage."""
        if self._stage is not None:
            self._stage["stands"] = text

    def note(self, text: str) -> None:
        """Write the note as a line of its own."""
        self._write({"note": text})

    def _end(self, whole: bool) -> None:
        if self._stage is not None and whole:
            self._write(self._stage | {"seconds": round(time.perf_counter() - self._began, 3)})
        self._stage = None

    def _write(self, record: dict[str, Any]) -> None:
        self._stream.write(json.dumps(record, ensure_ascii=False) + "\n")
        self._stream.flush()


class Bars:
    """A bar with rate and time left per stage, and the notes above it: for a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

        rate, stands = TextColumn("{task.fields[rate]}"), TextColumn("{task.fields[stands]}", style="dim")
        words = TextColumn("{task.description}")
        columns = SpinnerColumn(), words, BarColumn(), rate, TimeRemainingColumn(), stands
        self._bars = Progress(*columns, console=Console(stderr=True, highlight=False), transient=True)
        self._task: Any = None
        self._began = 0.0
        self._unit = ""
        self._stands = ""

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._end(whole=kind is None)
        self._bars.stop()

    def stage(self, name: str, total: int = 0, unit: str = "") -> None:
        """Close the bar of the stage before, if any, and open the next."""
        self._end(whole=True)
        self._unit, self._stands = unit, ""
        self._began = time.perf_counter()
        self._task = self._bars.add_task(name, total=total or None, rate="", stands="")

    def advance(self, amount: int) -> None:
        """Move the bar; thread-safe."""
        if self._task is None:
            return
        self._bars.advance(self._task, amount)
        speed = self._bars.tasks[-1].speed or 0.0
        self._bars.update(self._task, rate=f"{speed:,.0f} {self._unit}/s" if speed else "")

    def stand(self, text: str) -> None:
        """Show the text beside the bar, and keep it for the line of the stage."""
        self._stands = text
        if self._task is not None:
            self._bars.update(self._task, stands=text)

    def note(self, text: str) -> None:
        """Print the note above the bar."""
        self._bars.console.print(text, markup=False, style="dim")

    def _end(self, whole: bool) -> None:
        if self._task is None:
            return
        name = self._bars.tasks[-1].description
        self._bars.remove_task(self._task)
        self._task = None
        if whole:
            stands = f"; {self._stands}" if self._stands else ""
            self._bars.console.print(
                f"{name}: {time.perf_counter() - self._began:.1f} s{stands}", markup=False
            )


class Quiet(Silent):
    """Shows nothing; errors still appear."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""


def console(quiet: bool) -> "Bars | Lines | Quiet":
    """The display that suits: none if `quiet`, bars on a terminal, JSON lines elsewhere."""
    if quiet:
        return Quiet()
    return Bars() if sys.stderr.isatty() else Lines()


def plural(count: int, noun: str) -> str:
    """A count with its noun, for example ``"1,234 cells"``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
