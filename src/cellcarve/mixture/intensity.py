"""Which transcripts are noise where nuclei are known: by how densely transcripts lie so far from a nucleus.

Transcripts are compared with points strewn evenly over the tissue. How much likelier a distance to the nearest nucleus
and to a near transcript is for a transcript than for a point (logistic regression) says how densely such places are
filled; noise fills all places alike, as densely as the emptiest ones.
"""

import numpy as np

from cellcarve.data import flat
from cellcarve.mixture.molecules import Molecules, Points, select
from cellcarve.mixture.near import nearest_of
from cellcarve.mixture.state import State

_FEWEST, _SAMPLE = 100, 40_000
# Transcripts whose features are held at once.
_PIECE = 1 << 15
# Scales from every nucleus beyond which nothing is compared, side of the bins strewn, and where slopes change.
_FURTHEST, _BIN = 4.0, 4.0
_BENDS = (0.4, 0.8, 1.2, 1.6, 2.2)
_QUANTILES = (0.1, 0.5, 0.9)
_RIDGE, _ROUNDS, _STILL = 1.0, 25, 1e-4
# Share of the tissue that counts as its emptiest part, and how much emptier than usual it must be to show noise.
# What is less likely noise than this is none.
_DOUBT = 0.02
_EMPTIEST, _APART = 0.1, 1 / 3
# Places show at most so many times the noise that near transcripts tell of: what is more are cells whose transcripts
# gather in nuclei and are thin elsewhere.
_MOST_TIMES = 3.0


def believed_by_place(
    molecules: Molecules,
    segment: np.ndarray,
    distance: np.ndarray,
    how: tuple[int, float],
    otherwise: np.ndarray,
    generator: np.random.Generator,
) -> np.ndarray:
    """Probability of each transcript not to be noise.

    Parameters
    ----------
    molecules
        N transcripts.
    segment
        (N,) int32 nucleus that each lies in, 0 = none; some are above 0.
    distance
        (N,) float32 distance to a near neighbour, µm.
    how
        Which neighbour that is, and the radius of cells (µm).
    otherwise
        (N,) float32 probabilities of transcripts too far from every nucleus to compare.
    generator
        Source of the strewn points.

    Returns
    -------
    numpy.ndarray
        (N,) float32.
    """
    neighbour, scale = how
    at, nuclear = molecules.at, np.flatnonzero(segment > 0)
    anchors = select(at, nuclear)
    gap = nearest_of(anchors, at, 1)[1][:, 0] / scale
    strewn, density = strew(at, scale, generator)
    apart = nearest_of(anchors, strewn, 1)[1][:, 0] / scale
    strewn = select(strewn, apart <= _FURTHEST)
    apart = apart[apart <= _FURTHEST]
    away = nearest_of(at, strewn, min(neighbour, len(distance)))[1][:, -1]
    inside = np.flatnonzero(gap <= _FURTHEST)
    if min(len(inside), len(apart)) < _FEWEST:
        return otherwise
    step = -(-len(inside) // _SAMPLE)
    some = inside[::step]
    least = max(1e-3 * float(np.median(distance)), 1e-12)
    middle = np.log(np.quantile(distance[some], _QUANTILES) + least)
    here = features(distance[some], gap[some], middle, least)
    there = features(away, apart, middle, least)
    weight = compare(here, there)
    # Logs of transcripts per µm², as seen through the sample.
    level = np.log(density * step)
    found, empty = here @ weight + level, there @ weight + level
    noise = _emptiest(found, empty, density * step)
    doubt = 1 - otherwise
    most = _MOST_TIMES * float(doubt.sum(dtype=np.float64))
    for low in range(0, len(inside), _PIECE):
        part = inside[low : low + _PIECE]
        value = features(distance[part], gap[part], middle, least) @ weight + level
        here_noise = np.minimum(noise * np.exp(-value), 1)
        doubt[part] = np.where(here_noise > _DOUBT, here_noise, 0)
    return believed(doubt, most)


def believed(doubt: np.ndarray, most: float) -> np.ndarray:
    """(N,) float32 probabilities not to be noise, scaled so that no more than `most` transcripts are expected to be.

    They are written over the (N,) float32 probabilities to be noise, as there may be little room beside these.
    """
    doubt *= np.float32(-min(most / max(float(doubt.sum(dtype=np.float64)), 1e-9), 1))
    doubt += np.float32(1)
    return doubt


def cores(state: State) -> np.ndarray:
    """(N,) int32 component of which each transcript lies within one standard deviation of the middle, 0 = of none."""
    label, form = state.scene.label, state.cells.form[state.scene.label].astype(np.float64)
    dx, dy, dz = (axis - form[:, a] for a, axis in enumerate(state.at))
    square = dx * (form[:, 3] * dx + 2 * (form[:, 4] * dy + form[:, 5] * dz))
    square += dy * (form[:, 6] * dy + 2 * form[:, 7] * dz) + form[:, 8] * dz * dz
    large = state.cells.n[label] >= state.rules.fewest
    return np.where((label > 0) & large & (square < 1), label, 0).astype(np.int32)


def believe_by_cells(
    state: State, molecules: Molecules, distance: np.ndarray, neighbour: int, generator: np.random.Generator
) -> None:
    """Tell noise anew by the distance to the cells found so far; for runs without nuclei."""
    core = cores(state)
    if not core.any():
        return
    how, known = (neighbour, state.rules.scale), state.scene.confidence
    doubt = 1 - believed_by_place(molecules, core, distance, how, known, generator)
    # Where cells are ill known much lies far from them: there is no more noise than near transcripts tell of.
    most = float((1 - known).sum(dtype=np.float64))
    state.scene = state.scene._replace(confidence=believed(doubt, most))
    state.scene.calm[:] = 0
    state.rules = state.rules._replace(placed=True)


def strew(at: Points, scale: float, generator: np.random.Generator) -> tuple[Points, float]:
    """Points strewn evenly over the bins that hold transcripts, and how many there are per µm²."""
    low = np.array([axis.min() for axis in at[:2]], np.float64)
    high = np.array([axis.max() for axis in at[:2]], np.float64)
    number = np.maximum(np.rint((high - low) / (_BIN * scale)), 1)
    side = np.maximum((high - low) / number, 1e-9)
    bins = _filled(at, low, side, number)
    many = min(2 * len(at.x), 2 * _SAMPLE)
    place = low + (bins[generator.integers(0, len(bins), many)] + generator.random((many, 2))) * side
    z = at.z[generator.integers(0, len(at.z), many)]
    strewn = Points(place[:, 0].astype(np.float32), place[:, 1].astype(np.float32), z)
    return strewn, many / (len(bins) * float(np.prod(side)))


def _filled(at: Points, low: np.ndarray, side: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Column and row (B, 2), float64, of all bins that hold transcripts, by column, then row."""
    found = np.empty(0)
    for first in range(0, len(at.x), flat.PIECE):
        part = slice(first, first + flat.PIECE)
        column, row = (
            np.minimum((axis[part] - corner) // step, last - 1)
            for axis, corner, step, last in zip(at[:2], low, side, number, strict=True)
        )
        found = np.union1d(found, column * number[1] + row)
    return np.column_stack(np.divmod(found, number[1]))


def features(distance: np.ndarray, gap: np.ndarray, middle: np.ndarray, least: float) -> np.ndarray:
    """(n, 13) float64: the log of the distance and the gap, with bends, and their products."""
    log, gap = np.log(distance.astype(np.float64) + least) - middle[1], gap.astype(np.float64)
    columns = [np.ones(len(log)), log, gap]
    columns += [np.maximum(log - (bend - middle[1]), 0) for bend in middle]
    columns += [np.maximum(gap - bend, 0) for bend in _BENDS]
    return np.column_stack([*columns, log * gap, log * np.maximum(gap - _BENDS[1], 0)])


def compare(here: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Weights of features under which their sum is the log of how much commoner they are here than there."""
    x = np.vstack([here, there])
    y = np.r_[np.ones(len(here)), np.zeros(len(there))]
    ridge = _RIDGE * np.eye(x.shape[1])
    ridge[0, 0] = 1e-6
    weight = np.zeros(x.shape[1])
    for _ in range(_ROUNDS):
        p = 1 / (1 + np.exp(-np.clip(x @ weight, -30, 30)))
        slope = x.T @ (y - p) - ridge @ weight
        step = np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + ridge, slope)
        weight += step
        if np.abs(step).max() < _STILL:
            break
    return weight


def _emptiest(found: np.ndarray, empty: np.ndarray, rate: float) -> float:
    """Transcripts per µm² of noise; 0 where no part of the tissue is much emptier than most transcripts' places.

    `rate` is how many transcripts per µm² one sampled transcript for each strewn point would be.
    """
    limit = np.quantile(empty, _EMPTIEST)
    noise = (
        rate * (int(np.count_nonzero(found <= limit)) + 0.5) / max(int(np.count_nonzero(empty <= limit)), 1)
    )
    return noise if noise < _APART * np.exp(np.median(found)) else 0.0
