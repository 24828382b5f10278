"""What the chain leaves behind: the last state, and the average over the recorded sweeps."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from cellcarve.data.bins import BinArray
from cellcarve.voxels.folds import Folds


@dataclass
class VoxelRun:
    """A finished chain; T transcripts that took part, C cells, G genes, V labelled voxels, L layers, D strata.

    Cells are numbered 1 .. C in cell arrays of voxels and transcripts (0 = none); arrays "per cell" have C entries and
    begin with cell 1. Every cell owns at least one voxel. Positions x, y are in µm as in the input; z is the
    *normalised* depth 0 .. 1 (see `z_of`), and layer = min(floor(z * L), L - 1).

    Three answers live side by side. The *last state* of the chain: `voxel_*`, `moved`, `cell`, `background`, `counts`,
    `component`, `volume` and all per-cell shape. The *average* of such states over the recorded sweeps: `expected`. The
    *soft* answer, from where labels lay in them: `best`, `probability`, `runner_up`, `kept`, `weighted`.

    Attributes
    ----------
    voxel_size, layers
        Side of a voxel in µm along x and y; layers along z, each 1 / `layers` thick.
    x0, y0
        µm of the lower corner of voxel i = 0, j = 0. Corner of voxel (i, j): x0 + i * voxel_size, y0 + j * voxel_size.
    shape
        Voxels along y and x, (ny, nx): 0 <= j < ny, 0 <= i < nx.
    voxel_cell, voxel_i, voxel_j, voxel_k
        (V,) int32 the labelled voxels of the last state, sorted by cell, then layer k, then j, then i.
    voxel_count
        (V,) int32 transcripts that lie in the voxel (repositioned); what polygons by consensus vote with.
    row
        (T,) int32, int64 where there are too many: rows of the input table, ascending; rows left out (status,
        distance filter) do not appear.
    gene
        (T,) int32 index into `genes` (which are ordered as proseg orders them, not as the table).
    x, y, z
        (T,) float32 observed position; z normalised.
    moved
        (T, 3) int16 displacement in the last state, in voxels along x, y, z; see `lies`.
    observed_layer, stratum
        (T,) uint8 layer and density stratum (of D) of the observed position: they pick the background rate.
    cell
        (T,) int32 the cell that made the transcript in the last state; 0 where it is background.
    background
        (T,) bool: `cell` is 0. The tally of `cell` and `gene` equals `counts`.
    best
        (T,) int32 the likeliest cell, 0 where "no cell" is likelier.
    probability
        (T,) float32 probability of `best`; of "no cell" where `best` is 0.
    runner_up, runner_up_probability
        (T,) int32 and float32, the second likeliest cell (0 = none).
    kept
        (T,) bool: `best` is a cell, and likely enough for what the transcript alone would change in it.
    weighted
        (C, G) float32 counts by the probabilities of the soft answer.
    names
        C original ids, strings, unique.
    prior
        (C,) int32 number of the prior cell (index into `Prior.names` plus one).
    fixed
        (C,) bool the cell never changed.
    centroid
        (C, 3) float32 mean of voxel centres: x, y in µm, z normalised.
    component
        (C,) int32 mixture component, 0 ..
    volume
        (C,) float32 voxels times voxel_size² / layers: a layer-averaged area in µm².
    surface
        (C,) int32 sum over layers and voxels of the 8 in-plane neighbours that are not of the cell.
    scale
        (C,) float32 scale of the cell; 1 unless cells are scaled.
    counts
        (C, G) int32 foreground counts of the last state.
    expected
        (C, G) float32 average foreground counts over the recorded sweeps.
    transitions
        (C, C) int32: transcripts that repositioning moved from the row's cell to the column's while recording; empty
        unless asked for (`VoxelSettings.transition_counts`).
    genes
        G names, of the genes that have transcripts, in chain order: by decreasing total count where factors are used,
        else by order of first appearance.
    gene_index
        (G,) int32 index of each into `Table.genes`.
    gene_total, gene_expected
        (G,) int64 transcripts of the gene that took part; (G,) float32 those expected in cells (column sums of
        `expected`).
    background_rate
        (G, L, D) float32 transcripts of the gene per µm² and unit of thickness.
    dispersion, odds
        (M, K) float32 r and s of the M components and K latent dimensions in the last state.
    latent
        (C, K) float32 counts of each latent dimension in the last state; K = U + H, the first U are genes.
    loadings
        (H, G - U) float32 theta of the factors over the factored genes, rows sum to 1; (0, 0) without factors.
    factors
        (C, H) float32 phi of the factors in the last state; (C, 0) without factors.
    log
        One entry per logged sweep: sweep, phase, log_likelihood, assigned, foreground, changed.
    notes
        Sentences for the user: what was dropped and worked out.
    z_of
        (z_low, z_high, slope_x, slope_y, intercept): z normalised = (clip(z - slope_x * x - slope_y * y - intercept,
        z_low, z_high) - z_low) / (z_high - z_low).
    bins
        Where rows were counted in bins: the voxels lie along their array, and `place` of it leads from there to µm in
        the tissue. All other positions are in the tissue.
    folds
        Where pieces of tissue far apart were moved together: the lattice is that much smaller, and `place` of them leads
        from it to the tissue.
    """

    voxel_size: float
    layers: int
    x0: float
    y0: float
    shape: tuple[int, int]
    voxel_cell: np.ndarray
    voxel_i: np.ndarray
    voxel_j: np.ndarray
    voxel_k: np.ndarray
    voxel_count: np.ndarray
    row: np.ndarray
    gene: np.ndarray
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    moved: np.ndarray
    observed_layer: np.ndarray
    stratum: np.ndarray
    cell: np.ndarray
    background: np.ndarray
    best: np.ndarray
    probability: np.ndarray
    runner_up: np.ndarray
    runner_up_probability: np.ndarray
    kept: np.ndarray
    weighted: csr_matrix
    names: list[str]
    prior: np.ndarray
    fixed: np.ndarray
    centroid: np.ndarray
    component: np.ndarray
    volume: np.ndarray
    surface: np.ndarray
    scale: np.ndarray
    counts: csr_matrix
    expected: csr_matrix
    transitions: csr_matrix
    genes: list[str]
    gene_index: np.ndarray
    gene_total: np.ndarray
    gene_expected: np.ndarray
    background_rate: np.ndarray
    dispersion: np.ndarray
    odds: np.ndarray
    latent: csr_matrix
    loadings: np.ndarray
    factors: np.ndarray
    log: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    z_of: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    bins: BinArray | None = None
    folds: Folds | None = None

    def lies(self, part: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where some transcripts lie in the last state: x, y in µm and normalised z, float32 each."""
        step = self.moved[part] * np.array([self.voxel_size, self.voxel_size, 1 / self.layers])
        x, y = step[:, 0], step[:, 1]
        if self.bins is not None:
            x, y = self.bins.turn(x, y)
        moved = (self.x[part] + x, self.y[part] + y, self.z[part] + step[:, 2])
        return moved[0].astype(np.float32), moved[1].astype(np.float32), moved[2].astype(np.float32)

    def along(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions in the tissue as the voxels lie: folded, or along the array where rows were counted in bins."""
        lattice = self.bins or self.folds
        return (x, y) if lattice is None else lattice.along(x, y)

    def place(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The way back from `along`."""
        lattice = self.bins or self.folds
        return (u, v) if lattice is None else lattice.place(u, v)


def phi_rows(run: VoxelRun, first: int, last: int) -> np.ndarray:
    """Expression rates phi of cells `first` .. `last` - 1 (counted from 0), given the last state.

    The mean of phi given its counts, (r + X) / (1 / s + a V): one block of rows at a time, so that no table of
    cells by genes is ever held.

    Returns
    -------
    np.ndarray
        (last - first, K) float32; columns as in `VoxelRun.latent`.
    """
    rows = slice(first, last)
    size, odds = run.dispersion[run.component[rows]], run.odds[run.component[rows]]
    exposure = (run.scale[rows] * run.volume[rows])[:, None]
    phi = ((size + run.latent[rows].toarray()) / (1 / odds + exposure)).astype(np.float32)
    if run.factors.shape[1]:
        phi[:, phi.shape[1] - run.factors.shape[1] :] = run.factors[rows]
    return phi


def rate_rows(run: VoxelRun, first: int, last: int) -> np.ndarray:
    """Expression rates lambda of cells `first` .. `last` - 1 (counted from 0) for every gene.

    Returns
    -------
    np.ndarray
        (last - first, G) float32 transcripts per µm² of layer-averaged area.
    """
    phi = phi_rows(run, first, last)
    factors = run.factors.shape[1]
    if factors == 0:
        return phi
    plain = phi.shape[1] - factors
    return np.concatenate([phi[:, :plain], phi[:, plain:] @ run.loadings], axis=1)
