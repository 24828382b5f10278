"""A chain on a handful of voxels, in which everything can be worked out by hand."""

import numpy as np

from cellcarve.voxels.drift import link
from cellcarve.voxels.lattice import Frame, block, measure_cells
from cellcarve.voxels.start import ODDS
from cellcarve.voxels.state import Cells, Grid, Labels, Plan, Rates, Sizes, Spots


class Toy:
    """State on an nx by ny by nl lattice with `cells` cells; genes with a cell without counts get a lazy rate."""

    def __init__(self, shape=(6, 6, 2), cells=3, transcripts=60, genes=5, seed=0, tile=16):
        random = np.random.default_rng(seed)
        nx, ny, nl = shape
        self.grid = Grid(nx, ny, nl, tile, -(-nx // tile), -(-ny // tile))
        self.frame = Frame(0.0, 0.0, 1.0, self.grid)
        size = (ny + 2) * (nx + 2) * nl
        label = np.zeros(size, np.int32)
        block(self.grid, label)[1:-1, 1:-1] = random.integers(0, cells + 1, (ny, nx, nl))
        prior, level = np.zeros(size, np.int32), np.full(size, 128, np.uint8)
        block(self.grid, prior)[1:-1, 1:-1] = random.integers(0, cells + 1, (ny, nx, nl))
        level[:] = random.integers(100, 170, size)
        opened = np.ones(self.grid.across * self.grid.down, np.uint8)
        self.labels = Labels(label, prior, level, ODDS, opened)
        at = random.choice(self.inside(), transcripts).astype(np.int32)
        self.spots = Spots(
            random.integers(0, genes, transcripts).astype(np.int32),
            at.copy(),
            at,
            random.integers(0, nl, transcripts).astype(np.int32),
            np.ones(transcripts, np.uint8),
            np.empty(size, np.int32),
            np.empty(transcripts, np.int32),
        )
        link(self.spots.head, self.spots.after, self.spots.at)
        self.cells = Cells(
            np.zeros(cells + 1, np.int32),
            np.zeros((cells + 1, nl), np.int32),
            np.zeros((cells + 1, nl), np.int32),
            random.integers(0, 2, cells + 1).astype(np.int32),
            random.uniform(0.5, 3, cells + 1).astype(np.float32),
            random.uniform(0.8, 1.2, cells + 1).astype(np.float32),
            random.uniform(5, 20, cells + 1).astype(np.float32),
            np.full((cells + 1, 2), nx // 2, np.int32),
            np.zeros(cells + 1, np.uint8),
        )
        self.measure()
        self.rates = self._rates(random, cells, genes, nl)
        self.sizes = Sizes(np.array([1.0, 2.0]), np.array([0.7, 1.5]))
        self.plan = Plan(3, 1, 1, 0, 0.1, 0, 1.0, 1.0 / nl, 2.0, 0.8)

    def _rates(self, random, cells, genes, places):
        known = genes - 1  # the last gene has counts in no cell
        start = np.concatenate([[0, 0], 8 * np.arange(1, cells + 1)]).astype(np.int64)
        key = np.full(8 * cells, -1, np.int32)
        value = np.zeros(8 * cells, np.float32)
        for cell in range(cells):
            from cellcarve.voxels.rates import slot_of

            for gene in range(known):
                slot = -slot_of(start, key, cell + 1, gene) - 1
                key[slot], value[slot] = gene, random.gamma(1.0, 0.5)
        return Rates(
            start,
            key,
            (key >= 0).astype(np.int32),
            value,
            random.uniform(0.5, 2, (genes, 2)).astype(np.float32),
            random.uniform(0.1, 1, (genes, 2)).astype(np.float32),
            random.uniform(0.05, 0.3, (genes, places)).astype(np.float32),
            np.zeros((cells + 1, 0), np.float32),
            np.zeros((0, 0), np.float32),
            np.array([3, 1], np.int64),
        )

    def inside(self):
        """Numbers of the voxels of the lattice, without its frame."""
        number = np.arange(len(self.labels.label) if hasattr(self, "labels") else 0)
        return block(self.grid, number)[1:-1, 1:-1].ravel()

    def measure(self):
        measure_cells(self.frame, self.labels.label, self.cells)

    def state(self):
        return self.grid, self.labels, self.cells, self.spots, self.rates, self.sizes
