"""While the chain runs: a checkpoint now and then, and outlines where they were asked for."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from cellcarve import __version__
from cellcarve.chain.keeper import Keeper, beside
from cellcarve.compat.proseg.options import Options, OutputOptions
from cellcarve.compat.proseg.outputs.columns import consensus, union
from cellcarve.compat.proseg.outputs.geojson import write_features
from cellcarve.compat.proseg.outputs.polygons import column_polygons
from cellcarve.progress import Progress
from cellcarve.staged import staged
from cellcarve.voxels.kept import Kept
from cellcarve.voxels.result import VoxelRun
from cellcarve.voxels.watch import Progressed


class LookOn(Kept):
    """Keeps checkpoints beside the store and writes outlines.

    Parameters
    ----------
    options
        Settled.
    progress
        Told where the chain goes on.
    """

    def __init__(self, options: Options, progress: Progress) -> None:
        keeper = Keeper(checkpoint_of(options.output), key_of(options), options.model.resume, progress)
        super().__init__(keeper, options.model.best)
        self._options = options
        self.end = keeper.end

    def swept(self, state: Progressed, finish: Callable[[], VoxelRun]) -> None:
        """Save the state when it is time, and write outlines when it is their turn."""
        output = self._options.output
        if (
            output.monitor_cell_polygons
            and state.chain.sweep % max(output.monitor_cell_polygons_freq, 1) == 0
        ):
            self._draw(output.path(output.monitor_cell_polygons), finish())
        super().swept(state, finish)

    def _draw(self, path: Path, run: VoxelRun) -> None:
        polygons = column_polygons(run, consensus(run, union(run)))
        with staged() as stage:
            write_features(stage.place(path), {"cell": np.arange(len(run.names))}, polygons)


def checkpoint_of(output: OutputOptions) -> Path:
    """Where the checkpoint of a run lies: hidden, beside its store."""
    return beside(output.path(output.output_spatialdata))


def key_of(options: Options) -> str:
    """What a chain depends on: version, model and input, but neither threads nor what is written."""
    inputs = options.inputs
    model = replace(options.model, nthreads=None, resume=False)
    files = (
        options.source,
        inputs.cellpose_masks,
        inputs.cellpose_masks_fixed,
        inputs.cellpose_cellprobs,
        inputs.spaceranger_barcode_mappings,
    )
    stamps = [f"{path}:{path.stat().st_size}:{path.stat().st_mtime_ns}" for path in files if path is not None]
    return hashlib.sha256("\0".join([__version__, repr(inputs), repr(model), *stamps]).encode()).hexdigest()
