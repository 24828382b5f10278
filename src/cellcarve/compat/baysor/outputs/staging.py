"""Files that belong together, put in place together once all of them are whole."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

from cellcarve.errors import OutputError


class Staging:
    """Gives temporary names to files, and puts them in place at the end of a block that went well."""

    def __init__(self) -> None:
        self._moves: list[tuple[Path, Path]] = []
        self._stale: list[Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        try:
            if kind is None:
                self._commit()
        finally:
            for temporary, _target in self._moves:
                with suppress(OSError):
                    temporary.unlink()
        if isinstance(error, OSError):
            where = error.filename or self._moves[-1][1]
            raise OutputError(
                f"cannot write '{where}': {error.strerror or error}; free space there or name another folder"
            ) from error

    def name(self, target: Path) -> Path:
        """A temporary name beside a file that is to be written."""
        temporary = target.with_name(f".{target.name}.partial-{os.getpid()}")
        self._moves.append((temporary, target))
        return temporary

    def replaces(self, stale: Iterable[Path]) -> None:
        """Files of an earlier run that would not fit the new ones; they go when these are put in place."""
        self._stale += stale

    def _commit(self) -> None:
        kept = {target for _, target in self._moves}
        for path in self._stale:
            if path not in kept:
                path.unlink(missing_ok=True)
        for temporary, target in self._moves:
            temporary.replace(target)
