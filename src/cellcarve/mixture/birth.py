"""Begin components where transcripts that are hardly noise lie together without one."""

import numpy as np

from cellcarve.mixture.change import move
from cellcarve.mixture.pieces import connect
from cellcarve.mixture.split import begin, spares
from cellcarve.mixture.state import State

# Confidence from which on a transcript is hardly noise.
_SURE = 0.5


def births(state: State, fewest: int) -> int:
    """Make a component of every connected piece of noise that is not likely to be noise.

    The draws that follow let it go again where noise explains it better.

    Parameters
    ----------
    state
        The chain; changed in place.
    fewest
        Transcripts of the least piece.

    Returns
    -------
    int
        Components begun.
    """
    scene, cells = state.scene, state.cells
    loose = ((scene.label == 0) & (scene.confidence >= _SURE)).astype(np.int32)
    piece = connect(loose, state.graph)
    size = np.bincount(piece[loose > 0], minlength=1)
    found = np.flatnonzero(size >= fewest)
    new = spares(cells, len(found))
    if len(new) == 0:
        return 0
    into = np.zeros(len(loose), np.int32)
    into[found[: len(new)]] = new
    who = np.flatnonzero((loose > 0) & (into[piece] > 0)).astype(np.int32)
    begin(cells, new, np.zeros(len(new), np.int64))
    move(state, who, into[piece[who]])
    return len(new)
