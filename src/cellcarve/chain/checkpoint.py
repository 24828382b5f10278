"""A chain's state in a file, to go on from it to the same bytes."""

import json
import os
import zipfile
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cellcarve.errors import InputError

_TOLD = "told"


class Scratch:
    """Memory without content: it is left out of checkpoints."""


def write(parts: dict[str, Any], told: Any, path: Path, key: str) -> None:
    """Write the state of a chain; an earlier file stands until the new one is whole.

    Parameters
    ----------
    parts
        Arrays and numbers, in named tuples, tuples and dataclasses of any depth.
    told
        What goes with them, JSON-ready.
    path
        File to write.
    key
        What the chain depends on: input and settings.

    Raises
    ------
    OSError
        It cannot be written.
    """
    arrays: dict[str, np.ndarray] = {}
    for name, value in parts.items():
        _flatten(name, value, arrays)
    head = np.frombuffer(json.dumps({"key": key, _TOLD: told}).encode(), np.uint8)
    partial = path.with_name(f"{path.name}.partial-{os.getpid()}")
    try:
        with partial.open("wb") as file:
            np.savez(file, **{_TOLD: head}, **arrays)  # type: ignore[arg-type]
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read(like: dict[str, Any], path: Path, key: str) -> tuple[dict[str, Any], Any]:
    """The parts and what goes with them, from a file.

    Parameters
    ----------
    like
        Parts of the same chain at its beginning.
    path, key
        As given to `write`.

    Raises
    ------
    InputError
        The file is damaged, or of a chain with another input or other settings.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        head = json.loads(arrays.pop(_TOLD).tobytes())
        if head["key"] != key:
            raise InputError(
                f"{path} was left by a run of another input, version or with other options; delete it, or run that again"
            )
        return {name: _rebuilt(name, value, arrays) for name, value in like.items()}, head[_TOLD]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is damaged ({error}); delete it and run without --resume") from error


def _parts(value: Any) -> dict[str, Any] | None:
    """What a composite consists of, by name; None for a leaf."""
    if hasattr(value, "_asdict"):
        return value._asdict()
    if is_dataclass(value):
        return {item.name: getattr(value, item.name) for item in fields(value)}
    if isinstance(value, tuple):
        return {str(place): part for place, part in enumerate(value)}
    return None


def _flatten(name: str, value: Any, arrays: dict[str, np.ndarray]) -> None:
    """Collect the leaves of a composite by their names."""
    if isinstance(value, Scratch):
        return
    parts = _parts(value)
    if parts is None:
        arrays[name] = np.asarray(value)
        return
    for part, inner in parts.items():
        _flatten(f"{name}.{part}", inner, arrays)


def _rebuilt(name: str, like: Any, arrays: dict[str, np.ndarray]) -> Any:
    """A composite of the same types with the leaves of a file."""
    if isinstance(like, Scratch):
        return like
    parts = _parts(like)
    if parts is None:
        leaf = arrays[name]
        return leaf if isinstance(like, np.ndarray) else leaf.item()
    made = {part: _rebuilt(f"{name}.{part}", inner, arrays) for part, inner in parts.items()}
    if hasattr(like, "_replace"):
        return like._replace(**made)
    return tuple(made.values()) if isinstance(like, tuple) else replace(like, **made)
