"""The whole state of the chain: flat arrays in a few named tuples, which compiled code takes as they are.

Subscripts: v voxel, t transcript, c cell (0 = none, background), g gene, k latent dimension, m mixture component,
l layer, p place (layer and density stratum of the observed position).
"""

from typing import NamedTuple

import numpy as np


class Grid(NamedTuple):
    """The lattice. Voxel (i, j, k) is number ((j + 1) * (nx + 2) + i + 1) * nl + k: a frame of one voxel surrounds it.

    Attributes
    ----------
    nx, ny, nl
        Voxels along x and y, layers.
    tile
        Voxels along the side of a tile.
    across, down
        Tiles along x and y.
    """

    nx: int
    ny: int
    nl: int
    tile: int
    across: int
    down: int


class Labels(NamedTuple):
    """Labels of voxels and what is believed of them beforehand.

    Attributes
    ----------
    label
        int32 (v,): the cell.
    prior
        int32 (v,): the prior cell, 0 = nothing is believed.
    level
        uint8 (v,): index into `odds`.
    odds
        float32 (256,): ln p - ln(1 - p) of the prior.
    open
        uint8 (tiles,): the tile takes part; in the others every voxel stays background.
    """

    label: np.ndarray
    prior: np.ndarray
    level: np.ndarray
    odds: np.ndarray
    open: np.ndarray


class Spots(NamedTuple):
    """Transcripts, sorted by tile and voxel of their observed position.

    Attributes
    ----------
    gene
        int32 (t,).
    seen
        int32 (t,): observed voxel.
    at
        int32 (t,): present voxel.
    place
        int32 (t,): observed layer * strata + observed stratum.
    made
        uint8 (t,): the cell at `at` made it, in the last split.
    head
        int32 (v,): a transcript whose present voxel is v, -1 = none.
    after
        int32 (t,): the next one in the same voxel, -1 = none.
    """

    gene: np.ndarray
    seen: np.ndarray
    at: np.ndarray
    place: np.ndarray
    made: np.ndarray
    head: np.ndarray
    after: np.ndarray


class Cells(NamedTuple):
    """What is kept of each cell; entry 0 belongs to the background and is not read.

    Attributes
    ----------
    volume
        int32 (c,): voxels.
    area, edge
        int32 (c, l): voxels, and Moore exposures, in each layer.
    component
        int32 (c,).
    total
        float32 (c,): sum of the rates over genes, Lambda_c.
    scale
        float32 (c,): a_c.
    exposed
        float32 (c,): a_c V_c when the rates were drawn.
    home
        int32 (c, 2): column and row of the voxel where the cell began, which tells who may change it.
    fixed
        uint8 (c,): never changes.
    """

    volume: np.ndarray
    area: np.ndarray
    edge: np.ndarray
    component: np.ndarray
    total: np.ndarray
    scale: np.ndarray
    exposed: np.ndarray
    home: np.ndarray
    fixed: np.ndarray


class Rates(NamedTuple):
    """Counts and rates of the pairs of cell and gene that have counts: one small hash table per cell.

    Attributes
    ----------
    start
        int64 (c + 1,): where the table of a cell begins; its length is a power of two, or zero.
    key
        int32 (n,): gene, -1 = empty.
    tally
        int32 (n,): foreground counts.
    value
        float32 (n,): lambda.
    size, odds
        float32 (k, m): r and s.
    background
        float32 (g, p).
    factor, loading
        float32 (c, h) and (factored genes, h): phi and theta of the factors.
    address
        int64 (2,): seed, and the number of the sweep in which the rates were drawn.
    """

    start: np.ndarray
    key: np.ndarray
    tally: np.ndarray
    value: np.ndarray
    size: np.ndarray
    odds: np.ndarray
    background: np.ndarray
    factor: np.ndarray
    loading: np.ndarray
    address: np.ndarray


class Plan(NamedTuple):
    """What a pass of voxel moves is told.

    Attributes
    ----------
    seed, sweep
        Address.
    stride, phase
        Columns with (i + 3 j + phase) % stride = 0 are visited; none at a stride of 0.
    bubble
        Share of proposals turned into background.
    connected
        1: cells stay in one piece.
    cooling
        1 / temperature.
    voxel
        Volume of a voxel in µm².
    shape
        Weight of the squared log of the isoperimetric quotient, 1 / (2 sigma²), per layer.
    evidence
        Weight of the transcripts' log likelihood.
    """

    seed: int
    sweep: int
    stride: int
    phase: int
    bubble: float
    connected: int
    cooling: float
    voxel: float
    shape: float
    evidence: float


class Sizes(NamedTuple):
    """Log volumes of each mixture component.

    Attributes
    ----------
    mean
        float64 (m,): mean of ln V.
    half_precision
        float64 (m,): 1 / (2 sigma²).
    """

    mean: np.ndarray
    half_precision: np.ndarray
