"""Connected pieces against SciPy's."""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from cellcarve.mixture.graph import build_graph
from cellcarve.mixture.molecules import arrange
from cellcarve.mixture.near import lay_grid
from cellcarve.mixture.pieces import connect, largest


def test_pieces_are_those_of_the_graph_within_labels(kit):
    rng = np.random.default_rng(6)
    at = rng.uniform(0, 30, (400, 2))
    molecules = arrange(kit.table(at[:, 0], at[:, 1], np.zeros(400), 1))
    graph = build_graph(molecules, lay_grid(molecules.at), 1)
    label = rng.integers(0, 4, 400).astype(np.int32)
    i = np.repeat(np.arange(400), graph.near)
    j = np.concatenate([graph.neighbour[graph.start[k] : graph.start[k] + graph.near[k]] for k in range(400)])
    same = (label[i] == label[j]) & (label[i] > 0)
    _, piece = connected_components(
        coo_matrix((np.ones(same.sum()), (i[same], j[same])), shape=(400, 400)), False
    )
    found = connect(label, graph)
    assert len(np.unique(found)) == len(np.unique(piece))
    assert len(set(zip(found.tolist(), piece.tolist(), strict=True))) == len(np.unique(piece))
    kept = largest(label, found, np.zeros(400, bool), 4)
    for k in range(1, 4):
        size = np.bincount(found[label == k])
        assert size[kept[k]] == size.max()
        assert kept[k] == np.flatnonzero(size == size.max())[0]
    held = np.zeros(400, bool)
    lone = np.flatnonzero(label == 2)[-1]
    held[lone] = True
    assert largest(label, found, held, 4)[2] == found[lone]
