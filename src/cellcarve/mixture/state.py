"""What the sampler carries from round to round."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cellcarve.mixture.graph import Graph
from cellcarve.mixture.molecules import Points
from cellcarve.mixture.tally import Tally


class Scene(NamedTuple):
    """N transcripts as the compiled steps see them.

    Attributes
    ----------
    gene
        (N,) int32.
    place
        (N,) int32 address of its random numbers.
    confidence
        (N,) float32, 0 .. 1.
    cluster
        (N,) uint8 molecule cluster, 0 = none.
    segment
        (N,) int32 prior segment, 0 = none.
    label
        (N,) int32 cell, 0 = noise.
    calm
        (N,) uint8 rounds for which nothing can happen to it while its neighbours stay as they are.
    beside
        (N, 3) int32 nearest anchored components; (0, 3) without anchors.
    gap
        (N, 3) uint16 distances to them, in units of `cellcarve.mixture.reach.STEP` scales.
    nuclear
        (N,) float32 probability to lie in a nucleus; (0,) without compartments.
    """

    gene: np.ndarray
    place: np.ndarray
    confidence: np.ndarray
    cluster: np.ndarray
    segment: np.ndarray
    label: np.ndarray
    calm: np.ndarray
    beside: np.ndarray
    gap: np.ndarray
    nuclear: np.ndarray


class Cells(NamedTuple):
    """C components; number 0 is noise and holds nothing.

    Attributes
    ----------
    n
        (C,) int32 transcripts.
    sums
        (C, 13) float64 over its transcripts: sums of x, y, z, xx, xy, xz, yy, yz, zz, of w, wx, wy and wz, w being
        the chance to lie in a nucleus.
    form
        (C, 11) float32: mean x, y, z; inverse covariance xx, xy, xz, yy, yz, zz; log of the normaliser; log of
        the weight.
    covariance
        (C, 6) float64: xx, xy, xz, yy, yz, zz.
    kind
        (C,) int32 row of the table of profiles.
    cluster
        (C,) uint8 most frequent molecule cluster.
    main
        (C,) int32 prior segment that it covers most of, 0 = none.
    anchor
        (C,) int32 prior segment that it was begun from and keeps, 0 = none.
    touched
        (C,) bool: changed since its shape was found.
    """

    n: np.ndarray
    sums: np.ndarray
    form: np.ndarray
    covariance: np.ndarray
    kind: np.ndarray
    cluster: np.ndarray
    main: np.ndarray
    anchor: np.ndarray
    touched: np.ndarray


class Counts(NamedTuple):
    """What components hold; S prior segments.

    Attributes
    ----------
    genes
        Transcripts per component and gene.
    segments
        Transcripts per component and prior segment.
    size
        (S + 1,) int32 transcripts of each prior segment.
    owner
        (S + 1,) int32 component that was begun from each prior segment, 0 = none.
    """

    genes: Tally
    segments: Tally
    size: np.ndarray
    owner: np.ndarray


class Rules(NamedTuple):
    """Numbers of the model; logs are natural.

    Attributes
    ----------
    scale, spread
        Radius of cells and its spread, µm.
    fewest
        Pseudo-transcripts behind the scale.
    dims
        2 or 3.
    width
        Usual standard deviation of a cell along an axis, over the scale.
    power
        How far a cell's number of transcripts counts as its weight: 1 = in full, 0 = all cells weigh the same.
    typical
        Log of the usual number of transcripts.
    temper
        Weight of genes beside places: below 1, as neither is all that the model takes it for.
    near
        Standard deviation, over the scale, of the normal by which anchored components compete in place.
    fair
        The same, as probabilities take it.
    blur
        Share of transcripts whose gene does not tell on which side of a border they lie.
    rim
        Usual radius of a nucleus, µm.
    field
        Weight of a neighbour in the same cell.
    unlike
        Log of the penalty on a cell of another molecule cluster.
    exempt
        The component that pays no such penalty, by classic rules the last one; 0 = none.
    noise
        Log density of noise in place, and where compositions are classic also in gene.
    alpha
        Pseudo-transcripts of the profile; 0 = classic composition.
    trust
        Confidence of the prior, 0 .. 1.
    bonus
        Log odds that hold an anchor's transcripts; inf holds them for good, 0 = no anchors.
    placed
        Confidences tell of noise by the distance to cells too.
    classic
        Baysor 0.7's rules.
    """

    scale: float
    spread: float
    fewest: float
    dims: int
    width: float
    power: float
    typical: float
    temper: float
    near: float
    fair: float
    blur: float
    rim: float
    field: float
    unlike: float
    exempt: int
    noise: float
    alpha: float
    trust: float
    bonus: float
    placed: bool
    classic: bool


@dataclass
class State:
    """The whole chain; C components, Q kinds, G genes.

    Attributes
    ----------
    at, graph, scene, cells, counts, rules
        Transcripts, components, what they hold, and the model's numbers.
    profile
        (Q, G) float32 share of each gene in each kind of cell; row 0 is that of the whole tissue.
    gamma
        (C,) float64 confidence of each component; (0,) without compartments.
    sweep
        Rounds done.
    """

    at: Points
    graph: Graph
    scene: Scene
    cells: Cells
    counts: Counts
    rules: Rules
    profile: np.ndarray
    gamma: np.ndarray
    sweep: int = 0


def empty_cells(count: int) -> Cells:
    """Components without transcripts, `count` of them besides number 0."""
    c = count + 1
    return Cells(
        np.zeros(c, np.int32),
        np.zeros((c, 13)),
        np.zeros((c, 11), np.float32),
        np.zeros((c, 6)),
        np.zeros(c, np.int32),
        np.zeros(c, np.uint8),
        np.zeros(c, np.int32),
        np.zeros(c, np.int32),
        np.ones(c, bool),
    )
