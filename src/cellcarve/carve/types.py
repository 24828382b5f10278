"""Expression types: a multinomial mixture over cells that stands for what each cell may express."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import logsumexp

# A profile holds this many transcripts of the overall profile, so that no gene is impossible anywhere.
_PSEUDO = 20.0
_DAMP = 150.0


@dataclass
class Types:
    """Profiles of K expression types over G genes.

    Attributes
    ----------
    profile
        (G, K) float32, shares of a type's transcripts; every column adds up to 1.
    share
        (K,) float64, share of cells of each type.
    overall
        (G,) float64, share of each gene in all transcripts.
    """

    profile: np.ndarray
    share: np.ndarray
    overall: np.ndarray


def damping(count: np.ndarray) -> np.ndarray:
    """Weight of a cell's evidence: counts beyond 150 add little, since cells of a type differ among each other."""
    return np.minimum(1, _DAMP / (count + _DAMP))


def posterior(types: Types, evidence: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Probability of each type for each cell.

    Parameters
    ----------
    evidence
        (C, K) sums of ln profile over a cell's transcripts.
    count
        (C,) transcripts of each cell.

    Returns
    -------
    numpy.ndarray
        (C, K) float32.
    """
    score = damping(count)[:, None] * evidence + np.log(types.share + 1e-6)
    return np.exp(score - logsumexp(score, axis=1, keepdims=True)).astype(np.float32)


def refresh(totals: np.ndarray, share: np.ndarray, overall: np.ndarray) -> Types:
    """Types from the transcripts of each gene in each type, (G, K), and the share of cells of each type."""
    profile = totals + _PSEUDO * overall[:, None]
    profile /= profile.sum(0)
    return Types(profile.astype(np.float32), share, overall)


def whole_cell(types: Types, nuclear: np.ndarray, every: np.ndarray) -> Types:
    """Turn profiles of nuclei into profiles of whole cells, by how much each gene keeps to nuclei.

    Parameters
    ----------
    nuclear, every
        (G,) transcripts of each gene in nuclei, and in all.
    """
    if nuclear.sum() == 0:
        return types
    factor = (every + 10) / (nuclear * every.sum() / nuclear.sum() + 10)
    profile = types.profile * factor[:, None]
    return Types((profile / profile.sum(0)).astype(np.float32), types.share, types.overall)


def learn_types(counts: csr_matrix, overall: np.ndarray, number: int, seed: int) -> Types:
    """Fit the mixture to nuclear counts: k-means on damped square-root counts, then soft EM.

    Parameters
    ----------
    counts
        (C, G) transcripts in nuclei.
    overall
        (G,) share of each gene in all transcripts.
    number
        Types wanted; fewer where there are fewer than ten cells for each.
    seed
        For the first centres.
    """
    counts = counts[np.asarray(counts.sum(1)).ravel() > 0]
    if counts.shape[0] == 0:
        return refresh(np.zeros((len(overall), 1)), np.ones(1), overall)
    number = max(1, min(number, counts.shape[0] // 10))
    label = _kmeans(_directions(counts, overall, 20, seed), number, seed)
    member = csr_matrix((np.ones(len(label)), (np.arange(len(label)), label)), shape=(len(label), number))
    types = refresh((counts.T @ member).toarray(), np.bincount(label, minlength=number) / len(label), overall)
    size = np.asarray(counts.sum(1)).ravel()
    for _ in range(8):
        z = posterior(types, counts @ np.log(types.profile.astype(np.float64)), size)
        types = refresh(counts.T @ z.astype(np.float64), z.mean(0).astype(np.float64), overall)
    return types


def _directions(counts: csr_matrix, overall: np.ndarray, number: int, seed: int) -> np.ndarray:
    """Cells along the leading directions of damped square-root counts, (C, number), without a dense table.

    sqrt((n + 20 p) / (N + 20)) is sqrt(20 p / (N + 20)) where n = 0: a rank-one table plus a sparse one. A randomised
    range finder (Halko, Martinsson and Tropp 2011) needs only products with both.
    """
    size = np.asarray(counts.sum(1)).ravel() + _PSEUDO
    empty = np.sqrt(_PSEUDO * overall)
    scale = 1 / np.sqrt(size)
    extra = counts.tocsr().astype(np.float64)
    row = np.repeat(np.arange(extra.shape[0]), np.diff(extra.indptr))
    extra.data = (np.sqrt(extra.data + _PSEUDO * overall[extra.indices]) - empty[extra.indices]) * scale[row]
    mean = np.asarray(extra.mean(0)).ravel() + scale.mean() * empty

    def times(v: np.ndarray) -> np.ndarray:
        return extra @ v + np.outer(scale, empty @ v) - mean @ v

    def back(v: np.ndarray) -> np.ndarray:
        return extra.T @ v + np.outer(empty, scale @ v) - np.outer(mean, v.sum(0))

    width = min(number + 10, *counts.shape)
    rng = np.random.Generator(np.random.Philox(key=[seed, 1]))
    basis = rng.standard_normal((counts.shape[1], width))
    for _ in range(4):
        basis, _ = np.linalg.qr(back(times(basis)))
    projected = times(basis)
    _, _, turn = np.linalg.svd(projected, full_matrices=False)
    return projected @ turn[:number].T


def _kmeans(place: np.ndarray, number: int, seed: int, rounds: int = 30) -> np.ndarray:
    """Labels of k-means with distance-weighted first centres (Arthur and Vassilvitskii 2007)."""
    rng = np.random.Generator(np.random.Philox(key=[seed, 2]))
    square = (place**2).sum(1)

    def distance(centre: np.ndarray) -> np.ndarray:
        return np.maximum(square[:, None] - 2 * place @ centre.T + (centre**2).sum(1), 0)

    centre = place[[rng.integers(len(place))]]
    nearest = distance(centre)[:, 0]
    for _ in range(number - 1):
        chosen = np.searchsorted(np.cumsum(nearest), rng.random() * nearest.sum())
        centre = np.vstack([centre, place[min(chosen, len(place) - 1)]])
        nearest = np.minimum(nearest, distance(centre[-1:])[:, 0])
    label = np.zeros(len(place), np.int64)
    for _ in range(rounds):
        label = distance(centre).argmin(1)
        count = np.bincount(label, minlength=number)
        member = csr_matrix((np.ones(len(label)), (label, np.arange(len(label)))), shape=(number, len(label)))
        centre = np.where(count[:, None] > 0, member @ place / np.maximum(count, 1)[:, None], centre)
    return label
