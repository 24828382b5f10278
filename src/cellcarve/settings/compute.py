"""What a run may use, and where its result goes."""

from dataclasses import dataclass
from pathlib import Path

from cellcarve.memory import parse
from cellcarve.validate import Validated, bounded


@dataclass(frozen=True)
class ComputeSettings(Validated):
    """What the run may use.

    Parameters
    ----------
    threads
        CPU threads; 0 takes all there are. The result does not depend on it.
    seed
        Same inputs, settings, version and seed give the same bytes, whatever the number of threads.
    memory
        Memory the run may use, such as "8G"; where nothing is said, what the machine has. Where it is little, tiles
        are smaller, which changes a few assignments, and large arrays are kept in files, which changes none.
    """

    threads: int = bounded(0, 0)
    seed: int = bounded(0, 0, 2**63 - 1)
    memory: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.memory is not None:
            parse(self.memory)


@dataclass(frozen=True)
class OutputSettings(Validated):
    """Where the result goes.

    Parameters
    ----------
    output
        Folder to write; made at the end, under a temporary name until it is whole.
    overwrite
        Replace an earlier result; it is kept until the new one is complete.
    resume
        Go on from the checkpoint that an interrupted run left beside the folder. Methods mixture and voxel only.
    """

    output: Path
    overwrite: bool = False
    resume: bool = False
