"""Expression types: a multinomial mixture over cells that stands for what each cell may express."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from cellcarve.carve.labels import parts_of
from cellcarve.data import flat

# Each of these four may be more than twice as large or as small: F1 on simulated tissue changes by less than 0.005.
#
# A profile holds this many transcripts of the overall profile for every gene of the panel, so that no gene is impossible
# anywhere: the more genes, the fewer transcripts of each that a profile is learned from.
_PER_GENE = 0.2
# As many are added to a cell before square roots are taken.
_PSEUDO = 20.0
# A cell's proportions of programmes start from this many transcripts of the tissue's own proportions.
_PRIOR = 5.0
# Rounds of EM over the proportions of programmes in one source.
_MIX_ROUNDS = 8
_Product = Callable[[np.ndarray], np.ndarray]


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


def overall_shares(gene: np.ndarray, genes: int) -> np.ndarray:
    """(G,) float64 share of each gene in all transcripts; none is impossible."""
    return (np.bincount(gene, minlength=genes) + 0.5) / (len(gene) + 0.5 * genes)


def refresh(totals: np.ndarray, share: np.ndarray, overall: np.ndarray) -> Types:
    """Types from the transcripts of each gene in each type, (G, K), and the share (K,) of cells of each type.

    Every profile gets 0.2 G transcripts of the `overall` one, (G,).
    """
    profile = totals + _PER_GENE * len(overall) * overall[:, None]
    profile /= profile.sum(0)
    return Types(profile.astype(np.float32), share, overall)


def whole_cell(types: Types, nuclear: np.ndarray, every: np.ndarray) -> Types:
    """Turn profiles of nuclei into profiles of whole cells, by how much each gene keeps to nuclei.

    A gene's share is multiplied by (every + 10) / (nuclear sum(every) / sum(nuclear) + 10), then shares add up to 1 again.

    Parameters
    ----------
    types
        Learned from nuclei.
    nuclear, every
        (G,) transcripts of each gene in nuclei, and in all.

    Returns
    -------
    Types
        With the same shares of types.
    """
    if nuclear.sum() == 0:
        return types
    factor = (every + 10) / (nuclear * every.sum() / nuclear.sum() + 10)
    profile = types.profile * factor[:, None]
    return Types((profile / profile.sum(0)).astype(np.float32), types.share, types.overall)


def keep_to_nuclei(nuclear: np.ndarray, every: np.ndarray) -> np.ndarray:
    """ln(share of each gene in nuclei / share outside them), shrunk as far as sampling error asks.

    The ratio of each gene is multiplied by s² / (s² + e²), e² being its sampling variance and s² the variance of the true
    ratios, which is the mean of ratio² - e², well known genes counting for more (empirical Bayes).

    Parameters
    ----------
    nuclear, every
        (G,) transcripts of each gene in nuclei, and in all.

    Returns
    -------
    numpy.ndarray
        (G,) float32, -2 .. 2.
    """
    outside = every - nuclear
    if nuclear.sum() == 0 or outside.sum() == 0:
        return np.zeros(len(every), np.float32)
    ratio = np.log((nuclear + 0.5) / (outside + 0.5) * outside.sum() / nuclear.sum())
    error = 1 / (nuclear + 0.5) + 1 / (outside + 0.5)
    # Weighted by what is known of each gene; the mean itself is chance and abundance.
    sure = 1 / (error + 0.25)
    spread = max(float((sure * (ratio**2 - error)).sum() / sure.sum()), 0.0)
    return np.clip(ratio * spread / (spread + error), -2, 2).astype(np.float32)


def learn_types(counts: csr_matrix, overall: np.ndarray, number: int) -> Types:
    """Fit the mixture to nuclear counts: k-means on damped square-root counts, then soft EM.

    Parameters
    ----------
    counts
        (C, G) transcripts in nuclei.
    overall
        (G,) share of each gene in all transcripts.
    number
        Types wanted; fewer where there are fewer than ten cells for each.

    Returns
    -------
    Types
        Profiles of nuclei: see `whole_cell`. One type, of the overall profile, where no nucleus has a transcript.
    """
    counts = counts[np.asarray(counts.sum(1)).ravel() > 0]
    if counts.shape[0] == 0:
        return refresh(np.zeros((len(overall), 1)), np.ones(1), overall)
    number = max(1, min(number, counts.shape[0] // 10))
    label = _kmeans(_directions(counts, overall, 20), number)
    member = csr_matrix((np.ones(len(label)), (np.arange(len(label)), label)), shape=(len(label), number))
    types = refresh((counts.T @ member).toarray(), np.bincount(label, minlength=number) / len(label), overall)
    return _soften(types, counts.astype(np.float32), label, rounds=25)


def _soften(types: Types, counts: csr_matrix, label: np.ndarray, rounds: int) -> Types:
    """EM of the mixture of programmes within cells, from hard types on (Hofmann 1999, with pseudo-counts)."""
    cells, number = counts.shape[0], types.profile.shape[1]
    weight = np.full((cells, number), 0.3 / number, np.float32)
    weight[np.arange(cells), label] += 0.7
    cell = np.repeat(np.arange(cells, dtype=np.int32), np.diff(counts.indptr))
    gene, amount = counts.indices.astype(np.int32), counts.data.astype(np.float32)
    for _ in range(rounds):
        totals = np.zeros(types.profile.shape)
        gained = np.zeros((cells, number))
        split_counts(cell, gene, amount, weight, types.profile, gained, totals)
        weight = proportions(gained, types.share)
        share = gained.sum(0) / max(gained.sum(), 1e-9)
        types = refresh(totals, share, types.overall)
    return types


def log_likelihood(types: Types, label: np.ndarray, gene: np.ndarray, labels: int) -> np.ndarray:
    """Log likelihood of each label's genes under its own best proportions of programmes.

    Parameters
    ----------
    types
        Programmes.
    label, gene
        (n,) int32 of each transcript.
    labels
        Number of labels.

    Returns
    -------
    numpy.ndarray
        (labels,) float64, nats.
    """
    weight = np.tile(types.share, (labels, 1)).astype(np.float32)
    one = np.ones(len(label), np.float32)
    for _ in range(_MIX_ROUNDS):
        gained = np.zeros(weight.shape)
        split_counts(label, gene, one, weight, types.profile, gained, np.empty((0, types.profile.shape[1])))
        weight = proportions(gained, types.share)
    chance = np.empty(len(label), np.float32)
    for first in range(0, len(label), flat.PIECE):
        part = slice(first, first + flat.PIECE)
        chance[part] = (weight[label[part]] * types.profile[gene[part]]).sum(1)
    return np.bincount(label, np.log(chance), labels)


def proportions(gained: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Proportions of programmes in each cell, (C, K) float32, from soft counts and a few pseudo-counts."""
    weight = gained + _PRIOR * share
    return (weight / weight.sum(1, keepdims=True)).astype(np.float32)


@njit(cache=True, nogil=True)
def split_counts(cell, gene, amount, weight, profile, gained, totals):
    """Split counts among programmes in proportion to weight * profile: the E-step of `_soften`.

    `amount` (n,) transcripts of `gene` in `cell` are added to `gained` (C, K) and, unless that is empty, `totals` (G, K).
    """
    number = profile.shape[1]
    part = np.empty(number, np.float32)
    for i in range(len(cell)):
        c, g = cell[i], gene[i]
        scale = amount[i] / parts_of(weight, profile, c, g, part)
        for k in range(number):
            gained[c, k] += part[k] * scale
        if len(totals):
            for k in range(number):
                totals[g, k] += part[k] * scale


def _directions(counts: csr_matrix, overall: np.ndarray, number: int) -> np.ndarray:
    """Cells along the leading directions of damped square-root counts, (C, number), without a dense table.

    sqrt((n + 20 p) / (N + 20)) is sqrt(20 p / (N + 20)) where n = 0: a rank-one table plus a sparse one. Subspace
    iteration (Halko, Martinsson and Tropp 2011) needs only products with both; it starts from cells that differ most
    instead of from random directions, so that neither numbers nor order of cells and genes matter.
    """
    size = np.asarray(counts.sum(1), np.float64).ravel() + _PSEUDO
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

    # |row|^2 of the table that `times` multiplies with: sparse part, rank-one part and mean, and their products.
    square = np.asarray(extra.multiply(extra).sum(1)).ravel() + scale**2 * (empty @ empty) + mean @ mean
    square += 2 * (scale * (extra @ empty) - extra @ mean - scale * (empty @ mean))
    basis = _unlike_rows(times, back, square, min(number + 10, *counts.shape))
    if basis.shape[1] == 0:
        return np.zeros((counts.shape[0], 1))
    for _ in range(4):
        basis, _ = np.linalg.qr(back(times(basis)))
    projected = times(basis)
    _, _, turn = np.linalg.svd(projected, full_matrices=False)
    return projected @ turn[:number].T


def _unlike_rows(times: _Product, back: _Product, square: np.ndarray, number: int) -> np.ndarray:
    """Orthonormal directions, (G, at most `number`), of rows each of which is farthest from the span of those before.

    That is QR with pivoting, of a table known by its products and the squared lengths of its rows.
    """
    rest = square.copy()
    basis = back(np.empty((len(rest), 0)))
    for _ in range(number):
        row = int(rest.argmax())
        # Rows have a length of about 1 before their mean is taken off: less is rounding.
        if rest[row] <= 1e-9:
            break
        unit = np.zeros((len(rest), 1))
        unit[row] = 1
        new = back(unit)[:, 0]
        for _ in range(2):
            new = new - basis @ (basis.T @ new)
        basis = np.column_stack([basis, new / np.linalg.norm(new)])
        rest -= times(basis[:, -1:])[:, 0] ** 2
        rest[row] = 0
    return basis


def _kmeans(place: np.ndarray, number: int, rounds: int = 30) -> np.ndarray:
    """Labels of k-means, (C,) int64, started by `_divide`: nothing is drawn."""
    square = (place**2).sum(1)
    label = _divide(place, number)
    for _ in range(rounds):
        count = np.bincount(label, minlength=number)
        member = csr_matrix((np.ones(len(label)), (label, np.arange(len(label)))), shape=(number, len(label)))
        centre = (member @ place) / np.maximum(count, 1)[:, None]
        away = square[:, None] - 2 * place @ centre.T + (centre**2).sum(1)
        away[:, count == 0] = np.inf
        label = away.argmin(1)
    return label


def _divide(place: np.ndarray, number: int) -> np.ndarray:
    """Cut the widest group in two, across its longest axis, until there are `number` (Su and Dy 2007); (C,) int64."""
    label = np.zeros(len(place), np.int64)
    spread = np.full(number, -1.0)
    spread[0] = place.var(0).sum() * len(place)
    for new in range(1, number):
        old = int(spread.argmax())
        row = np.flatnonzero(label == old)
        centred = place[row] - place[row].mean(0)
        _, axes = np.linalg.eigh(centred.T @ centred)
        along = centred @ axes[:, -1]
        along *= np.sign((along**3).sum()) or 1.0
        label[row[along > 0]] = new
        for group in (old, new):
            inside = place[label == group]
            spread[group] = inside.var(0).sum() * len(inside) if len(inside) else -1.0
    return label
