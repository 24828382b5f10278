"""Put the tiles' answers together: one numbering of cells, one segmentation in input order."""

from dataclasses import asdict, dataclass

import numpy as np
from scipy.sparse import csr_matrix

from cellcarve.carve.model import Model
from cellcarve.carve.repair import Repaired
from cellcarve.carve.seeds import FEWEST, same_cells
from cellcarve.data import flat
from cellcarve.data.prior import Prior
from cellcarve.data.segmentation import Origin, Segmentation, existence_of
from cellcarve.data.table import Status, Table
from cellcarve.data.tissue import Tissue


@dataclass
class TileAnswer:
    """What one tile says of its own transcripts; n transcripts, S new cells.

    Cells with a nucleus go by their number, the tile's new cells by the numbers that follow.

    Attributes
    ----------
    tile
        Its number.
    best, second
        (n,) int32, 0 = none.
    probability
        (n,) float32.
    sure
        (n,) bool, given to `best`.
    seeds
        (S, 2) float64 where the tile's new cells lie, µm.
    expected
        Cells (int32), genes (int32) and summed probabilities (float32).
    cluster
        Cells (int32), their likeliest types (int32), and how many of their anchors lie in the tile.
    """

    tile: int
    best: np.ndarray
    second: np.ndarray
    probability: np.ndarray
    sure: np.ndarray
    seeds: np.ndarray
    expected: tuple[np.ndarray, np.ndarray, np.ndarray]
    cluster: tuple[np.ndarray, np.ndarray, np.ndarray]


class Answers:
    """The tiles' answers as they come in; what is said of transcripts is written where it will stay.

    Parameters
    ----------
    table
        N rows.
    tissue
        Its kept transcripts.
    """

    def __init__(self, table: Table, tissue: Tissue) -> None:
        n = len(table)
        self.tissue = tissue
        self.best, self.second = flat.zeros(n, np.int32), flat.zeros(n, np.int32)
        self.probability, self.sure = flat.zeros(n, np.float32), flat.zeros(n, bool)
        self.seeds: list[np.ndarray] = []
        self.expected: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.cluster: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.rows: list[np.ndarray] = []

    def add(self, answer: TileAnswer) -> None:
        """Take in a tile; tiles come in ascending order."""
        start = self.tissue.transcripts.start
        row = self.tissue.transcripts.row[start[answer.tile] : start[answer.tile + 1]]
        self.best[row], self.second[row] = answer.best, answer.second
        self.probability[row], self.sure[row] = answer.probability, answer.sure
        self.rows.append(row)
        self.seeds.append(answer.seeds)
        self.expected.append(answer.expected)
        self.cluster.append(answer.cluster)

    def given(self, cells: int) -> np.ndarray:
        """(cells + 1,) transcripts that are sure of each cell, by its present number."""
        total = np.zeros(cells + 1, np.int64)
        for row in self.rows:
            total += np.bincount(self.best[row][self.sure[row]], minlength=cells + 1)
        return total

    def renumber(self, numbers: list[np.ndarray]) -> None:
        """Put ``numbers[t][cell]`` in place of each cell that tile t speaks of."""
        for t, (row, number) in enumerate(zip(self.rows, numbers, strict=True)):
            self.best[row], self.second[row] = number[self.best[row]], number[self.second[row]]
            self.expected[t] = (number[self.expected[t][0]], *self.expected[t][1:])
            self.cluster[t] = (number[self.cluster[t][0]], *self.cluster[t][1:])


def gather(table: Table, prior: Prior, repaired: Repaired, model: Model, answers: Answers) -> Segmentation:
    """One segmentation of the whole table; cells keep their prior order, new cells follow by position."""
    tissue = answers.tissue
    # Neighbouring tiles find the same new cells; places closer than new cells of one tile can be are the same cell.
    seeds, moves = same_cells(answers.seeds, model.scale.radius)
    known, total = np.arange(tissue.cells + 1, dtype=np.int32), tissue.cells + len(seeds)
    answers.renumber([np.append(known, tissue.cells + 1 + move).astype(np.int32) for move in moves])
    live = _living(tissue, answers.given(total))
    number = np.zeros(total + 1, np.int32)
    number[live] = np.arange(1, len(live) + 1)
    answers.renumber([number] * len(answers.rows))
    names, origin, parent = named(prior, repaired, live, tissue.cells)
    expected = _expected(answers.expected, len(live), len(table.genes))
    return Segmentation(
        **_rows(table, answers),
        names=names,
        origin=origin,
        prior=parent,
        existence=_existence(expected, origin, prior.confidence),
        cluster=_clusters(answers.cluster, len(live)),
        expected=expected,
        model=_learned(model),
    )


def _living(tissue: Tissue, given: np.ndarray) -> np.ndarray:
    """Cells that exist: those with anchors, and new ones to which at least a handful of transcripts is given; int64."""
    t = tissue.transcripts
    anchors = np.bincount(t.cell[t.core], minlength=len(given))
    alive = (anchors > 0) | (given >= FEWEST)
    alive[0] = False
    return np.flatnonzero(alive)


def _rows(table: Table, answers: Answers) -> dict[str, np.ndarray]:
    """Cell, best, probability, runner-up and background of every input row."""
    best, probability = answers.best, answers.probability
    cell, background = flat.zeros(len(table), np.int32), flat.zeros(len(table), bool)
    for first in range(0, len(table), flat.PIECE):
        part = slice(first, first + flat.PIECE)
        cell[part] = np.where(answers.sure[part], best[part], 0)
        probability[part][best[part] == 0] = 0
        background[part] = (best[part] == 0) & (table.status[part] == Status.KEPT)
    return {
        "cell": cell,
        "best": best,
        "probability": probability,
        "runner_up": answers.second,
        "background": background,
    }


def named(
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


def _expected(pairs: list[tuple[np.ndarray, np.ndarray, np.ndarray]], cells: int, genes: int) -> csr_matrix:
    """Expected counts (cells, genes) float32, summed in the order of tiles."""
    if not pairs:
        return csr_matrix((cells, genes), dtype=np.float32)
    cell, gene, value = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    pairs.clear()
    there = cell > 0
    return csr_matrix((value[there], (cell[there] - 1, gene[there])), shape=(cells, genes), dtype=np.float32)


def _existence(expected: csr_matrix, origin: np.ndarray, confidence: float) -> np.ndarray:
    """Score 0 .. 1 that each cell exists: added ones stand by their transcripts alone."""
    doubt = np.where(origin == Origin.NEW, 1.0, 1 - confidence)
    return existence_of(np.asarray(expected.sum(1)).ravel(), doubt)


def _clusters(parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]], cells: int) -> np.ndarray:
    """Likeliest type of each cell, by the tile that holds most of its anchors; (cells,) int32."""
    cluster, seen = np.zeros(cells + 1, np.int32), np.full(cells + 1, -1, np.int64)
    for cell, kind, anchors in parts:
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
        "overlap": round(float(model.overlap), 4),
        "missing": round(float(model.missing), 4),
        "background": round(float(model.background.sum()), 5),
    }
