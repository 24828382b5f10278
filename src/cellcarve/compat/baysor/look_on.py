"""While the chain runs: a checkpoint now and then."""

import hashlib
from functools import partial

import numpy as np

from cellcarve import __version__
from cellcarve.chain.keeper import Keeper
from cellcarve.compat.baysor.loading import Molecules
from cellcarve.compat.baysor.options import Options
from cellcarve.compat.baysor.paths import paths_for
from cellcarve.data.prior import Prior
from cellcarve.mixture.checkpoint import load, save
from cellcarve.mixture.sampler import Course
from cellcarve.mixture.state import State
from cellcarve.progress import Progress
from cellcarve.settings import MixtureSettings


class LookOn:
    """Keeps checkpoints beside the table of molecules.

    Parameters
    ----------
    options
        Of the run.
    key
        What the chain depends on.
    progress
        Told where the chain goes on.
    """

    def __init__(self, options: Options, key: str, progress: Progress) -> None:
        self._progress = progress
        path = paths_for(options.output, "segmentation.csv").checkpoint
        self._keeper = Keeper(path, key, options.resume, progress)

    def begin(self, state: State, course: Course) -> Course:
        """Where an interrupted run was, if `--resume` asks for it and there is one."""
        if not self._keeper.found():
            return course
        course = load(state, course, self._keeper.path, self._keeper.key)
        self._progress.note(f"goes on after round {state.sweep}")
        return course

    def went(self, state: State, course: Course) -> None:
        """Save the state when it is time."""
        self._keeper.save(partial(save, state, course))


def key_of(molecules: Molecules, prior: Prior, settings: MixtureSettings, seed: int) -> str:
    """What a chain depends on: version, settings, molecules and prior."""
    table = molecules.table
    digest = hashlib.sha256(repr((__version__, settings, prior.confidence, prior.kind, seed)).encode())
    for array in (table.x, table.y, table.z, table.gene, table.status, prior.cell, prior.core):
        if array is not None:
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
