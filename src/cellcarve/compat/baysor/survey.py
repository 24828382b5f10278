"""What can be said of molecules before cells are looked for: noise, neighbours and compositions."""

from dataclasses import dataclass

import numpy as np

from cellcarve.compat.baysor.config import Config
from cellcarve.compat.baysor.options import Options
from cellcarve.data.table import Table
from cellcarve.mixture.compositions import Compositions, compositions
from cellcarve.mixture.graph import Graph, build_graph
from cellcarve.mixture.molecules import Molecules, Points
from cellcarve.mixture.near import Grid, lay_grid
from cellcarve.mixture.prepare import tell_noise
from cellcarve.mixture.result import NoiseFit


@dataclass
class Survey:
    """Molecules in the order of the input, with their neighbours; K molecules.

    Attributes
    ----------
    molecules, grid, graph
        As the method sees them, but not sorted along a curve.
    confidence
        (K,) float32, 0 .. 1: that a molecule is no noise.
    noise
        How that was found.
    """

    molecules: Molecules
    grid: Grid
    graph: Graph
    confidence: np.ndarray
    noise: NoiseFit


def survey(table: Table, config: Config, options: Options) -> Survey:
    """Tell noise from the distance to a near neighbour, without a prior.

    Parameters
    ----------
    table
        K molecules.
    config
        In force.
    options
        Threads, and which rules.
    """
    rank = np.arange(len(table), dtype=np.int32)
    axes = [_centred(table.x), _centred(table.y), np.zeros(len(table), np.float32)]
    if table.z is not None:
        axes[2] = _centred(table.z)
    molecules = Molecules(
        Points(*axes), table.gene, rank, rank.astype(np.int64), len(table.genes), table.z is not None
    )
    grid = lay_grid(molecules.at)
    graph = build_graph(molecules, grid, options.threads)
    how = (config.data.confidence_nn_id, options.threads, not options.compat)
    confidence, noise = tell_noise(molecules, grid, graph, how, np.empty(0, np.float32))
    return Survey(molecules, grid, graph, confidence, noise)


def compositions_of(found: Survey, neighbours: int, options: Options) -> Compositions:
    """Gene compositions of so many neighbours around each molecule, itself included."""
    return compositions(found.molecules, found.grid, neighbours, options.threads)


def _centred(values: np.ndarray) -> np.ndarray:
    """Positions from the middle, where single precision is finest."""
    middle = (float(values.min()) + float(values.max())) / 2
    return np.ascontiguousarray(values - np.float64(middle), np.float32)
