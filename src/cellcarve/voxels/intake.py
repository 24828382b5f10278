"""Rows of the table and prior cells to what the chain works on: kept transcripts, gene order, prior by row."""

from dataclasses import dataclass

import numpy as np

from cellcarve.data.bins import BinArray
from cellcarve.data.prior import Prior
from cellcarve.data.table import Status, Table
from cellcarve.errors import InputError
from cellcarve.settings import VoxelSettings
from cellcarve.voxels.depth import DepthLaw, depth_of, law_of
from cellcarve.voxels.folds import Folds, fold
from cellcarve.voxels.lattice import sides_of

# Spreads of far drift from any transcript to the end of its piece.
DRIFT = 8.0


@dataclass
class Intake:
    """Transcripts that take part, T of them, in input order; columns are looked up in table and prior, not kept twice.

    Attributes
    ----------
    table, prior
        What was given.
    row
        (T,) int32 rows of the table, int64 where there are too many.
    gene_index
        (G,) int32 index of each gene into the table's.
    plain
        Genes modelled one by one, the first ones.
    z_of
        How z was normalised.
    notes
        For the user.
    folds
        How pieces of tissue that lie far apart were moved together, if there are such.
    """

    table: Table
    prior: Prior
    row: np.ndarray
    gene_index: np.ndarray
    plain: int
    z_of: DepthLaw
    notes: list[str]
    folds: Folds | None = None

    @property
    def bins(self) -> BinArray | None:
        """As in `Table`: the lattice lies along the array, so that every bin falls into one voxel."""
        return self.table.bins

    @property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """(T,) float32 x and y on the lattice: folded, or along the array where the table's rows were counted in bins."""
        x, y = self.table.x[self.row], self.table.y[self.row]
        if self.bins is not None:
            x, y = self.bins.middles(x, y)
        elif self.folds is not None:
            x, y = self.folds.along(x, y)
        return x.astype(np.float32, copy=False), y.astype(np.float32, copy=False)

    @property
    def z(self) -> np.ndarray:
        """(T,) float32 normalised depth."""
        z = None if self.table.z is None else self.table.z[self.row]
        return depth_of(self.table.x[self.row], self.table.y[self.row], z, self.z_of)

    @property
    def gene(self) -> np.ndarray:
        """(T,) int32 gene in chain order."""
        rank = np.zeros(len(self.table.genes), np.int32)
        rank[self.gene_index] = np.arange(len(self.gene_index), dtype=np.int32)
        return rank[self.table.gene[self.row]]

    @property
    def cell(self) -> np.ndarray:
        """(T,) int32 prior cell."""
        return self.prior.cell[self.row]

    @property
    def core(self) -> np.ndarray:
        """(T,) whether the transcript is nuclear."""
        return self.prior.core[self.row]


def near_cells(x: np.ndarray, y: np.ndarray, cell: np.ndarray, distance: float) -> np.ndarray:
    """(T,) bool: transcripts within a distance (µm) of the mean position of some prior cell's transcripts."""
    from scipy.spatial import cKDTree

    inside = cell > 0
    if not inside.any():
        return np.ones(len(x), bool)
    number = np.bincount(cell[inside])
    used = number > 0
    middle = [np.bincount(cell[inside], v[inside])[used] / number[used] for v in (x, y)]
    tree = cKDTree(np.column_stack(middle))
    # Transcripts share squares of a few µm: only those of squares near the limit are measured one by one.
    side = max(distance / 16, 0.5)
    key = np.floor(np.column_stack([x, y]) / side).astype(np.int64)
    square, which = np.unique(key[:, 0] * (1 << 31) + key[:, 1], return_inverse=True)
    centre = np.column_stack([square + (1 << 30) >> 31, (square + (1 << 30)) % (1 << 31) - (1 << 30)])
    far = tree.query((centre + 0.5) * side, distance_upper_bound=distance + side)[0]
    keep = (far <= distance - side)[which]
    unsure = np.flatnonzero(~keep & (far < np.inf)[which])
    exact = tree.query(np.column_stack([x[unsure], y[unsure]]), distance_upper_bound=distance)[0]
    keep[unsure] = exact <= distance
    return keep


def gene_order(gene: np.ndarray, genes: int, settings: VoxelSettings) -> tuple[np.ndarray, int]:
    """Table index of each gene that has transcripts, in chain order; how many are modelled one by one."""
    total = np.bincount(gene, minlength=genes)
    held = int((total > 0).sum())
    if settings.factorization and settings.nunfactored < held:
        return np.argsort(-total, kind="stable")[:held].astype(np.int32), settings.nunfactored
    _, first = np.unique(gene, return_index=True)
    return gene[np.sort(first)].astype(np.int32), held


def take_in(table: Table, prior: Prior, settings: VoxelSettings) -> Intake:
    """What the chain works on.

    Raises
    ------
    InputError
        The prior holds no cell, or no transcript is left.
    """
    if not prior.names or not (np.any(prior.cell) or prior.raster is not None):
        raise InputError(
            "the method voxel starts from prior cells and there are none; give nuclei or cells with --prior, or use "
            "--method carve"
        )
    row = np.flatnonzero(table.status == Status.KEPT).astype(np.int32 if len(table) < 2**31 else np.int64)
    keep = near_cells(table.x[row], table.y[row], prior.cell[row], settings.max_transcript_nucleus_distance)
    notes = []
    if not keep.all():
        limit = settings.max_transcript_nucleus_distance
        notes.append(f"{int((~keep).sum()):,} transcripts lie over {limit:g} µm from every prior cell")
        row = row[keep]
    if len(row) == 0:
        raise InputError(
            "no transcript lies near a prior cell; check --max-transcript-nucleus-distance and the prior"
        )
    z = None if table.z is None or settings.ignore_z_coord else table.z[row]
    order, plain = gene_order(table.gene[row], len(table.genes), settings)
    law = law_of(table.x[row], table.y[row], z)
    folds = None if table.bins is not None or prior.raster is not None else folded(table, row, settings)
    return Intake(table, prior, row, gene_index=order, plain=plain, z_of=law, notes=notes, folds=folds)


def folded(table: Table, row: np.ndarray, settings: VoxelSettings) -> Folds | None:
    """Pieces so far apart that no transcript drifts from one to the other, and no tile reaches."""
    fine, ratio = sides_of(settings)
    margin = max(settings.quad_size, DRIFT * (settings.diffusion_sigma_far or 4.0), fine * ratio)
    return fold(table.x[row], table.y[row], margin, fine * ratio)
