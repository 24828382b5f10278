"""Outlines by depth, for tissue that is deep enough to have layers."""

import numpy as np

from cellcarve.data.result import Outlines
from cellcarve.summarise.outlines import outline

MOST_LAYERS = 5
# Thinner tissue (µm) is flat.
LEAST_DEPTH = 3.0
# Beyond this many transcripts a second round of outlines costs more than layers are worth.
MOST_TRANSCRIPTS = 2_000_000


def outline_layers(
    x: np.ndarray, y: np.ndarray, z: np.ndarray | None, cell: np.ndarray, cells: int
) -> tuple[dict[int, Outlines], tuple[float, ...]]:
    """Cut the depth into up to five layers of equal content and outline the cells in each.

    Parameters
    ----------
    x, y, z
        (T,) positions in µm of the transcripts that are in a cell; z None where unknown.
    cell
        (T,) int32 cells 1 .. `cells`.
    cells
        Number of cells.

    Returns
    -------
    layers
        ``{layer: Outlines}``, counted from 0 at the smallest z; empty where there are fewer than 3 different z,
        less than 3 µm of depth, or more than 2 million transcripts.
    edges
        The layers' borders in µm, one more than layers; empty without layers.
    """
    if z is None or not 0 < len(z) <= MOST_TRANSCRIPTS:
        return {}, ()
    distinct = np.unique(z)
    if len(distinct) < 3 or distinct[-1] - distinct[0] <= LEAST_DEPTH:
        return {}, ()
    number = min(MOST_LAYERS, len(distinct))
    # Instruments that give few planes repeat z: equal edges fall together.
    edges = np.unique(np.quantile(z, np.linspace(0, 1, number + 1)).astype(np.float32))
    layer = np.clip(np.searchsorted(edges, z, "right") - 1, 0, len(edges) - 2)
    layers = {}
    for k in range(len(edges) - 1):
        own = layer == k
        layers[k] = outline(x[own], y[own], cell[own], cells)
    return layers, tuple(float(edge) for edge in edges)
