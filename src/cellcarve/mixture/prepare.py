"""From a table and a prior to what the sampler needs: transcripts in order, graph, prior segments, confidences."""

from dataclasses import dataclass

import numpy as np

from cellcarve.chain.streams import MIXTURE_STREWN
from cellcarve.data import flat
from cellcarve.data.prior import Prior
from cellcarve.data.table import Table
from cellcarve.errors import InputError
from cellcarve.mixture.graph import Graph, build_graph
from cellcarve.mixture.intensity import believed_by_place
from cellcarve.mixture.molecules import Molecules, arrange
from cellcarve.mixture.near import Grid, distance_to, lay_grid
from cellcarve.mixture.noise import confidence
from cellcarve.mixture.result import NoiseFit
from cellcarve.mixture.scale import settle_scale, usual_count
from cellcarve.settings import MixtureSettings

_DENSITY_NEIGHBOUR = 10


@dataclass
class Prepared:
    """Transcripts with all that is known of them before cells are sought; N transcripts in Morton order.

    Attributes
    ----------
    molecules, graph
        Transcripts and their neighbours.
    segment
        (N,) int32 prior segment, 0 = none; numbers are those of the prior's cells.
    confidence
        (N,) float32.
    noise
        How confidences were found; distances in input order.
    scale, spread
        Radius of cells and its spread, µm.
    fewest
        Transcripts that a real cell has at least.
    least_segment
        Transcripts that a prior segment must have.
    whole
        The prior's segments are all the cells that there are.
    cluster
        (N,) uint8 molecule cluster; all 0 where they are not known beforehand.
    nuclear
        (N,) float32 chance to lie in a nucleus; (0,) where it is not known beforehand.
    """

    molecules: Molecules
    graph: Graph
    segment: np.ndarray
    confidence: np.ndarray
    noise: NoiseFit
    scale: float
    spread: float
    fewest: int
    least_segment: int
    whole: bool
    cluster: np.ndarray
    nuclear: np.ndarray


def prepare(table: Table, prior: Prior, settings: MixtureSettings, threads: int, seed: int = 0) -> Prepared:
    """Sort the kept rows, find their neighbours, weigh the prior and tell noise.

    Raises
    ------
    InputError
        No row is kept, or the prior cannot be measured.
    SettingsError
        The size of cells is neither given nor measurable.
    """
    molecules = arrange(table, settings.force_2d, settings.z_stretch)
    if len(molecules) == 0:
        raise InputError("no transcript is left to assign; check the filters")
    grid = lay_grid(molecules.at)
    segment = molecules.from_input(segments_of(prior, settings)[molecules.row])
    flat.relax()
    fewest, least = _fewest(settings, molecules, grid, segment, threads)
    segment = drop_small(segment, least)
    scale, spread = settle_scale(settings, molecules, segment)
    graph = build_graph(molecules, grid, threads)
    neighbour = settings.noise_neighbour or max(max(fewest, 3) // 2 + 1, 5)
    sure = least_sure(segment, prior)
    believed, noise = tell_noise(molecules, grid, graph, (neighbour, threads, not settings.compat), sure)
    if settings.anchors and not settings.compat and prior.confidence > 0 and segment.any():
        generator = np.random.Generator(np.random.Philox(key=[seed, MIXTURE_STREWN]))
        away = molecules.from_input(noise.distance)
        placed = believed_by_place(molecules, segment, away, (noise.neighbour, scale), believed, generator)
        believed = (sure + placed * (1 - sure)).astype(np.float32)
    segment, believed = flat.keep(segment), flat.keep(believed)
    known = _known(molecules, prior)
    return Prepared(
        molecules, graph, segment, believed, noise, scale, spread, fewest, least, prior.whole, *known
    )


def _known(molecules: Molecules, prior: Prior) -> tuple[np.ndarray, np.ndarray]:
    """Clusters and chances to lie in a nucleus that are known beforehand, in Morton order."""
    cluster, nuclear = np.zeros(len(molecules), np.uint8), np.empty(0, np.float32)
    if prior.cluster is not None:
        cluster = molecules.from_input(prior.cluster[molecules.row])
    if prior.nuclear is not None:
        nuclear = molecules.from_input(prior.nuclear[molecules.row])
    return cluster, nuclear


def segments_of(prior: Prior, settings: MixtureSettings) -> np.ndarray:
    """(rows,) int32 prior segment of every row: nuclei where the prior knows them, else whole cells."""
    if prior.kind == "nuclei" and not settings.compat:
        return np.where(prior.core, prior.cell, 0).astype(np.int32)
    return prior.cell.astype(np.int32)


def drop_small(segment: np.ndarray, least: int) -> np.ndarray:
    """Segments of fewer than `least` transcripts become 0; the others keep their numbers."""
    size = np.bincount(segment, minlength=1)
    return np.where(size[segment] >= least, segment, 0).astype(np.int32)


def least_sure(segment: np.ndarray, prior: Prior) -> np.ndarray:
    """(N,) float32 lower bound of confidences, the square of the prior's; (0,) where there is no prior."""
    if not segment.any():
        return np.empty(0, np.float32)
    return np.where(segment > 0, prior.confidence**2, 0).astype(np.float32)


def tell_noise(
    molecules: Molecules, grid: Grid, graph: Graph, how: tuple[int, int, bool], least: np.ndarray
) -> tuple[np.ndarray, NoiseFit]:
    """Confidences in Morton order, and the fit with its distances in input order.

    `how` is (which neighbour, threads, whether nearer than usual is never noise).
    """
    neighbour, threads, monotone = how
    neighbour = max(1, min(neighbour, len(molecules) - 1))
    distance = distance_to(molecules.at, grid, neighbour, threads)
    believed, fit = confidence(distance, graph, least, neighbour, monotone)
    fit.distance = flat.aside(molecules.to_input(distance))
    return believed, fit


def _fewest(
    settings: MixtureSettings, molecules: Molecules, grid: Grid, segment: np.ndarray, threads: int
) -> tuple[int, int]:
    """Transcripts of a real cell and of a real segment, at least."""
    fewest = settings.min_transcripts_per_cell
    if fewest is None:
        scale, _ = settle_scale(settings, molecules, drop_small(segment, 2))
        fewest = usual_count(_density(molecules, grid, threads), scale)
    # An anchor is worth keeping however small; a segment that only weighs on draws is not.
    least = 2 if settings.anchors and not settings.compat else max(round(max(fewest, 3) / 4), 2)
    return fewest, settings.min_transcripts_per_segment or least


def _density(molecules: Molecules, grid: Grid, threads: int) -> float:
    """Median transcripts per µm² around a transcript, seen from above."""
    at = molecules.at._replace(z=np.zeros_like(molecules.at.z)) if molecules.deep else molecules.at
    k = max(1, min(_DENSITY_NEIGHBOUR, len(molecules) - 1))
    away = float(np.median(distance_to(at, grid, k, threads)))
    return k / (np.pi * max(away, 1e-9) ** 2)
