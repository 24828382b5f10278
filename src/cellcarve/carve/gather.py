"""Put the tiles' answers together: one numbering of cells, one segmentation in input order."""

from dataclasses import asdict, dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from cellcarve.carve.model import Model
from cellcarve.carve.repair import Repaired
from cellcarve.data.prior import Prior
from cellcarve.data.segmentation import Origin, Segmentation
from cellcarve.data.table import Table
from cellcarve.data.tissue import Tissue

_FEWEST = 5


@dataclass
class TileAnswer:
    """What one tile says of its own transcripts; n transcripts, S new cells.

    Attributes
    ----------
    index
        (n,) int64 position in `Transcripts`.
    best, second
        (n,) int64: 0 = none, cells with a nucleus by number, new cells by a large number plus their place in `seeds`.
    probability
        (n,) float32.
    sure
        (n,) bool, given to `best`.
    seeds
        (S, 2) float64 where the tile's new cells lie, µm.
    expected
        Cells (int64), genes (int32) and summed probabilities (float32).
    cluster
        Cells (int64), their likeliest types (int32), and how many of their anchors lie in the tile.
    """

    index: np.ndarray
    best: np.ndarray
    second: np.ndarray
    probability: np.ndarray
    sure: np.ndarray
    seeds: np.ndarray
    expected: tuple[np.ndarray, np.ndarray, np.ndarray]
    cluster: tuple[np.ndarray, np.ndarray, np.ndarray]


def gather(
    table: Table, prior: Prior, tissue: Tissue, repaired: Repaired, model: Model, answers: list[TileAnswer]
) -> Segmentation:
    """One segmentation of the whole table; cells keep their prior order, new cells follow by position."""
    first_new = tissue.cells + 1
    seeds, moves = _agree_on_seeds(answers, model.scale.radius)
    for a, move in zip(answers, moves, strict=True):
        for number in (a.best, a.second, a.expected[0], a.cluster[0]):
            new = number > tissue.cells
            number[new] = first_new + move[number[new] - (1 << 40)]
    total = tissue.cells + len(seeds)
    live = _living(tissue, answers, total)
    number = np.zeros(total + 1, np.int32)
    number[live] = np.arange(1, len(live) + 1)
    rows = _rows(table, tissue, answers, number)
    names, origin, parent = _who(prior, repaired, live, tissue.cells)
    expected = _expected(answers, number, len(live), len(table.genes))
    return Segmentation(
        **rows,
        names=names,
        origin=origin,
        prior=parent,
        existence=_existence(expected, origin, prior.confidence),
        cluster=_clusters(answers, number, len(live)),
        expected=expected,
        model=_learned(model),
    )


def _agree_on_seeds(answers: list[TileAnswer], radius: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """Places of all new cells, and for each tile the number of each of its new cells among them.

    Neighbouring tiles find the same new cells in the strip that both see; places closer than new cells of one tile can
    be are the same cell.
    """
    place = np.concatenate([a.seeds for a in answers]) if answers else np.empty((0, 2))
    split = np.cumsum([len(a.seeds) for a in answers])[:-1]
    if len(place) == 0:
        return place, [np.empty(0, np.int64) for _ in answers]
    order = np.lexsort((place[:, 0], place[:, 1]))
    group = np.arange(len(place))
    pairs = cKDTree(place[order]).query_pairs(0.6 * radius, output_type="ndarray")
    if len(pairs):
        low, high = np.sort(pairs, axis=1).T
        # Three tiles or four may see a place: two passes carry the lowest number to all of them.
        for _ in range(2):
            np.minimum.at(group, high, group[low])
            np.minimum.at(group, low, group[high])
    kept, compact = np.unique(group, return_inverse=True)
    number = np.empty(len(place), np.int64)
    number[order] = compact
    return place[order][kept], np.split(number, split)


def _living(tissue: Tissue, answers: list[TileAnswer], total: int) -> np.ndarray:
    """Cells that exist: those with anchors, and new ones with at least a handful of transcripts; int64."""
    t = tissue.transcripts
    anchors = np.bincount(t.cell[t.core], minlength=total + 1)
    given = np.zeros(total + 1, np.int64)
    for a in answers:
        given += np.bincount(a.best[a.sure], minlength=total + 1)
    alive = (anchors > 0) | (given >= _FEWEST)
    alive[0] = False
    return np.flatnonzero(alive)


def _rows(
    table: Table, tissue: Tissue, answers: list[TileAnswer], number: np.ndarray
) -> dict[str, np.ndarray]:
    """Cell, best, probability, runner-up and background of every input row."""
    n = len(table)
    cell, best, second = (np.zeros(n, np.int32) for _ in range(3))
    probability, background = np.zeros(n, np.float32), np.zeros(n, bool)
    for a in answers:
        row = tissue.transcripts.row[a.index]
        best[row] = number[a.best]
        cell[row] = np.where(a.sure, number[a.best], 0)
        second[row] = number[a.second]
        probability[row] = np.where(number[a.best] > 0, a.probability, 0)
        background[row] = a.best == 0
    return {
        "cell": cell,
        "best": best,
        "probability": probability,
        "runner_up": second,
        "background": background,
    }


def _who(
    prior: Prior, repaired: Repaired, live: np.ndarray, anchored: int
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names, origins and prior cells of the living cells."""
    origin = np.full(len(live), Origin.PRIOR, np.uint8)
    parent = np.zeros(len(live), np.int32)
    known = live <= anchored
    if prior.core.any():
        parent[known] = repaired.parent[live[known]]
    origin[known & repaired.joined[np.minimum(live, anchored)]] = Origin.MERGED
    origin[known & repaired.cut[np.minimum(live, anchored)]] = Origin.SPLIT
    origin[parent == 0] = Origin.NEW
    taken = set(prior.names)
    names, made = [], 0
    for cell, old in zip(live.tolist(), parent.tolist(), strict=True):
        if old and cell <= len(prior.names):
            names.append(prior.names[cell - 1])
            continue
        stem = f"{prior.names[old - 1]}-split" if old else f"new-{(made := made + 1)}"
        while stem in taken:
            stem += "-x"
        taken.add(stem)
        names.append(stem)
    return names, origin, parent


def _expected(answers: list[TileAnswer], number: np.ndarray, cells: int, genes: int) -> csr_matrix:
    """Expected counts (cells, genes) float32, summed in the order of tiles."""
    if not answers:
        return csr_matrix((cells, genes), dtype=np.float32)
    cell = np.concatenate([number[a.expected[0]] for a in answers])
    gene = np.concatenate([a.expected[1] for a in answers])
    value = np.concatenate([a.expected[2] for a in answers])
    there = cell > 0
    return csr_matrix((value[there], (cell[there] - 1, gene[there])), shape=(cells, genes), dtype=np.float32)


def _existence(expected: csr_matrix, origin: np.ndarray, confidence: float) -> np.ndarray:
    """Score 0 .. 1 that a cell exists: 1 - (1 - c) exp(-E / 10), E its expected transcripts and c the trust in its prior."""
    amount = np.asarray(expected.sum(1)).ravel()
    doubt = np.where(origin == Origin.NEW, 1.0, 1 - confidence)
    return (1 - doubt * np.exp(-amount / 10)).astype(np.float32)


def _clusters(answers: list[TileAnswer], number: np.ndarray, cells: int) -> np.ndarray:
    """Likeliest type of each cell, by the tile that holds most of its anchors; (cells,) int32."""
    cluster, seen = np.zeros(cells + 1, np.int32), np.full(cells + 1, -1, np.int64)
    for a in answers:
        cell, kind, anchors = number[a.cluster[0]], a.cluster[1], a.cluster[2]
        better = anchors > seen[cell]
        cluster[cell[better]] = kind[better]
        seen[cell[better]] = anchors[better]
    return cluster[1:]


def _learned(model: Model) -> dict[str, object]:
    return {
        **{k: round(float(v), 4) for k, v in asdict(model.geometry).items()},
        **{k: round(float(v), 4) for k, v in asdict(model.scale).items()},
        "types": int(model.types.profile.shape[1]),
        "density": round(float(np.exp(model.level)), 4),
        "missing": round(float(model.missing), 4),
        "background": round(float(model.background.sum()), 5),
    }
