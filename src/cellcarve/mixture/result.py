"""What the method mixture returns: all that Baysor's files and pictures are made from."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix


class Compartment(IntEnum):
    """Part of the cell in which a transcript lies."""

    NUCLEI = 0
    CYTO = 1
    UNKNOWN = 2


COMPARTMENT_NAMES = ("Nuclei", "Cyto", "Unknown")


@dataclass
class Rings:
    """One closed ring per cell, first vertex repeated at the end; R rings, V vertices.

    Attributes
    ----------
    cell
        (R,) int32, ascending cell numbers.
    x, y
        (V,) float64, µm.
    start
        (R + 1,) int64: ring r has the vertices ``start[r]:start[r + 1]``, at least four.
    """

    cell: np.ndarray
    x: np.ndarray
    y: np.ndarray
    start: np.ndarray


@dataclass
class Slice:
    """Outlines of the transcripts of one layer of z.

    Attributes
    ----------
    label
        The z value ("0.0"), or the interval ("[1.5, 2.25)") where there are more values than layers.
    low, high
        Bounds of z in µm; -inf and inf at the ends.
    rings
        Of the cells with transcripts in the layer.
    """

    label: str
    low: float
    high: float
    rings: Rings


@dataclass
class NoiseFit:
    """How confidences were found: two normal distributions of the distance to a near neighbour.

    Attributes
    ----------
    neighbour
        Which nearest neighbour.
    distance
        (K,) float32, µm, per kept transcript.
    mean, std
        Of transcripts in cells and of noise, µm.
    weight
        Transcripts in cells and noise, as sums of probabilities.
    cut
        Distance beyond which transcripts are noise, µm.
    rounds
        Rounds until it held still.
    """

    neighbour: int
    distance: np.ndarray
    mean: tuple[float, float]
    std: tuple[float, float]
    weight: tuple[float, float]
    cut: float
    rounds: int


@dataclass
class Convergence:
    """Per round of an iteration, how much still moved; R rounds.

    Attributes
    ----------
    largest
        (R,) float64, largest weighted change of a probability.
    changed
        (R,) float64, share of transcripts whose likeliest value changed.
    """

    largest: np.ndarray
    changed: np.ndarray


@dataclass
class Trace:
    """The sampler's course; R rounds, T thresholds.

    Attributes
    ----------
    thresholds
        (T,) int64 numbers of transcripts.
    components
        (R, T) int64: cells with at least that many transcripts after each round.
    changed
        (R,) float64, share of transcripts that changed their cell.
    noise
        (R,) float64, share of transcripts in no cell.
    merged, split, born
        (R,) int64 cells joined, parted and begun.
    history
        Rounds at the end that took part in the vote.
    """

    thresholds: np.ndarray
    components: np.ndarray
    changed: np.ndarray
    noise: np.ndarray
    merged: np.ndarray
    split: np.ndarray
    born: np.ndarray
    history: int


@dataclass
class CellTable:
    """Statistics of C cells; every array (C,). NaN where a cell is too small for a value.

    Attributes
    ----------
    x, y, z
        Mean position in input coordinates, µm, float64; z is None in two dimensions.
    cluster
        int32, most frequent molecule cluster (1 ..), or None where there are none.
    n_transcripts
        int64.
    area
        float64, µm², convex hull of the transcripts.
    density
        float64, transcripts per µm².
    elongation
        float64, larger over smaller eigenvalue of the covariance of positions.
    avg_confidence, avg_assignment_confidence
        float64, 0 .. 1.
    max_cluster_frac
        float64, share of the most frequent cluster, or None.
    lifespan
        int64, rounds of the history in which the cell lived.
    prior
        int32, prior cell that holds most of it (index into the prior's names plus one), 0 = none.
    origin
        uint8 of `cellcarve.data.segmentation.Origin`.
    """

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray | None
    cluster: np.ndarray | None
    n_transcripts: np.ndarray
    area: np.ndarray
    density: np.ndarray
    elongation: np.ndarray
    avg_confidence: np.ndarray
    avg_assignment_confidence: np.ndarray
    max_cluster_frac: np.ndarray | None
    lifespan: np.ndarray
    prior: np.ndarray
    origin: np.ndarray


@dataclass
class MixtureRun:
    """A fitted mixture; K kept transcripts in the order of their input rows, C cells, G genes.

    Attributes
    ----------
    row
        (K,) int64, ascending: the input row of each kept transcript.
    cell
        (K,) int32, 0 = noise, else 1 .. C.
    runner_up
        (K,) int32, second most frequent cell of the history, 0 = none.
    confidence
        (K,) float32, 0 .. 1: that the transcript is not noise, by its surroundings.
    assignment_confidence
        (K,) float32, 0 .. 1: share of the history that agrees with `cell`.
    cluster
        (K,) int32, 1 .. number of clusters; None without molecule clusters.
    prior
        (K,) int32, prior segment in force (0 = none); None without a prior.
    compartment
        (K,) uint8 of `Compartment`; None without compartment genes.
    nuclei_probs
        (K,) float32, 0 .. 1; None without compartment genes.
    colour
        (K, 3) uint8 RGB of the neighbourhood composition; None until `cellcarve.mixture.colours` is called.
    cells
        Statistics of the cells.
    counts
        (C, G) int32 transcripts per cell and gene.
    rings
        Outlines in x and y; None until `cellcarve.mixture.outlines` is called.
    slices
        Outlines per layer of z, in ascending z; empty in two dimensions.
    scale, scale_std
        Radius of cells and its spread in force, µm.
    noise
        How confidences were found.
    clustering
        Course of the molecule clusters; None without.
    compartments
        Course of the compartments; None without.
    trace
        Course of the sampler.
    params
        Every value in force, worked-out ones included, JSON-ready.
    notes
        Sentences for the user.
    distinctness
        How well cells are told from their neighbours (see `cellcarve.mixture.merge.distinctness`); None where nuclei are
        known.
    rate
        (K,) float32, 0 .. 1: how likely `cell` is given all others (`cellcarve.mixture.rates`); (0,) without nuclei.
    """

    row: np.ndarray
    cell: np.ndarray
    runner_up: np.ndarray
    confidence: np.ndarray
    assignment_confidence: np.ndarray
    cluster: np.ndarray | None
    prior: np.ndarray | None
    compartment: np.ndarray | None
    nuclei_probs: np.ndarray | None
    colour: np.ndarray | None
    cells: CellTable
    counts: csr_matrix
    rings: Rings | None
    slices: list[Slice]
    scale: float
    scale_std: float
    noise: NoiseFit
    clustering: Convergence | None
    compartments: Convergence | None
    trace: Trace
    params: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    distinctness: float | None = None
    rate: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))

    @property
    def is_noise(self) -> np.ndarray:
        """(K,) bool: in no cell."""
        return self.cell == 0
