"""The chain of the voxel method in a file, to go on from it to the same bytes."""

from pathlib import Path

from cellcarve.chain import checkpoint
from cellcarve.voxels.record import Record
from cellcarve.voxels.watch import Progressed


def save(state: Progressed, path: Path, key: str) -> None:
    """Write the state of a chain; an earlier file stands until the new one is whole.

    Parameters
    ----------
    state
        How far the chain is.
    path
        File to write.
    key
        What the chain depends on: input and settings.

    Raises
    ------
    OSError
        It cannot be written.
    """
    checkpoint.write({"chain": state.chain, **_recorded(state.record)}, state.log, path, key)


def load(state: Progressed, path: Path, key: str) -> Progressed:
    """State from a file.

    Parameters
    ----------
    state
        Of the same chain at its beginning.
    path, key
        As given to `save`.

    Raises
    ------
    InputError
        The file is damaged, or of a chain with another input or other settings.
    """
    parts, log = checkpoint.read({"chain": state.chain, **_recorded(state.record)}, path, key)
    record = Record(0, False)
    for name in vars(state.record):
        setattr(record, name, parts[f"record.{name}"])
    return Progressed(parts["chain"], record, log)


def _recorded(record: Record) -> dict[str, object]:
    return {f"record.{name}": value for name, value in vars(record).items()}
