"""Kinds of cells: components grouped by the genes they hold. A kind's profile says which genes a cell may still have."""

import numpy as np
from scipy.sparse import csr_matrix

from cellcarve.data import flat
from cellcarve.mixture.state import State

_MOST = 24
_PER_KIND = 15
_SAMPLE = 8_000
# Weight of the evidence round by round, where beliefs are soft at first.
_COOLING = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 0.85, 1.0, 1.0, 1.0, 1.0)
# Pseudo-transcripts of the tissue's profile in each kind, per gene.
_SHRINK = 0.2


def overall(gene: np.ndarray, genes: int) -> np.ndarray:
    """(G,) float64 share of each gene among all transcripts, none of them 0."""
    total = np.full(genes, 0.1)
    for first in range(0, len(gene), flat.PIECE):
        part = gene[first : first + flat.PIECE]
        total += np.bincount(part[part >= 0], minlength=genes)
    return total / total.sum()


def holdings(state: State, genes: int) -> csr_matrix:
    """(C, G) float32 transcripts of each component and gene; row 0 is empty."""
    shape = (len(state.cells.n), genes)
    held = csr_matrix(shape, dtype=np.float32)
    for first in range(0, len(state.scene.label), flat.PIECE):
        label, gene = (v[first : first + flat.PIECE] for v in (state.scene.label, state.scene.gene))
        there = (label > 0) & (gene >= 0)
        one = np.ones(int(there.sum()), np.float32)
        held = held + csr_matrix((one, (label[there], gene[there])), shape=shape)
    return held


def learn_kinds(state: State, genes: int, fewest: int, seed: np.random.Generator) -> None:
    """Learn profiles of kinds from components of at least `fewest` transcripts, and the kind of every component."""
    base = overall(state.scene.gene, genes)
    held = holdings(state, genes)
    large = np.flatnonzero(state.cells.n >= fewest)
    if len(large) > _SAMPLE:
        large = large[np.linspace(0, len(large) - 1, _SAMPLE).astype(np.int64)]
    many = min(_MOST, len(large) // _PER_KIND)
    state.cells.kind[:] = 0
    if many < 2:
        state.profile = base[None, :].astype(np.float32)
        return
    sample = held[large]
    if state.rules.bonus > 0:
        many = how_many(sample, base, many, seed)
    if many < 2:
        state.profile = base[None, :].astype(np.float32)
        state.rules = state.rules._replace(alpha=firmness(sample, state.profile, state.cells.kind[large]))
        return
    profile, share = group(sample, base, many, seed, state.rules.bonus > 0)
    state.profile = np.vstack([base, profile]).astype(np.float32)
    state.cells.kind[1:] = 1 + _belief(held[1:], profile, share).argmax(1)
    alpha = firmness(sample, state.profile, state.cells.kind[large])
    state.rules = state.rules._replace(alpha=alpha)


def group(
    sample: csr_matrix, base: np.ndarray, many: int, seed: np.random.Generator, slow: bool
) -> tuple[np.ndarray, np.ndarray]:
    """(Q, G) profiles of `many` kinds of the (C, G) sampled components, and (Q,) how common each is.

    `slow` begins with soft beliefs, which leave bad beginnings; pieces of cells would stay alike under them.
    """
    if many < 2:
        return base[None], np.ones(1)
    profile, share = _start(sample, base, many, seed), np.full(many, 1 / many)
    for cool in _COOLING:
        belief = _belief(sample, profile, share, cool if slow else 1.0)
        share = (belief.sum(0) + 1) / (sample.shape[0] + many)
        gained = np.asarray(sample.T @ belief).T + _SHRINK * len(base) * base
        profile = gained / gained.sum(1, keepdims=True)
    return profile, share


def how_many(sample: csr_matrix, base: np.ndarray, most: int, seed: np.random.Generator) -> int:
    """Number of kinds, at most `most`, that tell best what one half of each component's transcripts is from the other.

    More kinds than there are would be told apart by chance, and pull transcripts to and fro.
    """
    known = sample.copy()
    known.data = seed.binomial(sample.data.astype(np.int64), 0.5).astype(np.float32)
    rest = sample - known
    best, value = 1, -np.inf
    many = most
    while many >= 1:
        profile, share = group(known, base, many, seed, True)
        score = np.asarray(rest @ np.log(profile).T)
        found = float(np.sum(score * _belief(known, profile, share)))
        if found > value:
            best, value = many, found
        many //= 2
    return best


def firmness(held: csr_matrix, profile: np.ndarray, kind: np.ndarray) -> float:
    """Pseudo-transcripts of the kind's profile in each cell under which the cells' counts are likeliest.

    Parameters
    ----------
    held
        (C, G) counts.
    profile
        (Q, G) profiles.
    kind
        (C,) int32 row of `profile` of each cell.

    Returns
    -------
    float
        alpha of a Dirichlet-multinomial distribution, on a grid from the root of the number of genes upwards.
    """
    from scipy.special import gammaln

    rows, n = held.tocoo(), np.asarray(held.sum(1)).ravel()
    expected = profile[kind[rows.row], rows.col].astype(np.float64)
    grid = np.sqrt(held.shape[1]) * 2.0 ** np.arange(13)
    value = [
        float(
            np.sum(gammaln(rows.data + a * expected) - gammaln(a * expected))
            + np.sum(gammaln(a) - gammaln(n + a))
        )
        for a in grid
    ]
    return float(grid[int(np.argmax(value))])


def _belief(held: csr_matrix, profile: np.ndarray, share: np.ndarray, cool: float = 1.0) -> np.ndarray:
    """(rows, Q) probability of each kind given a component's counts, which weigh `cool` times as much as they are."""
    score = cool * np.asarray(held @ np.log(profile).T) + np.log(share)
    score = np.exp(score - score.max(1, keepdims=True))
    return score / score.sum(1, keepdims=True)


def _start(sample: csr_matrix, base: np.ndarray, many: int, seed: np.random.Generator) -> np.ndarray:
    """First profiles: components far from those chosen before, on square-rooted shares (k-means++)."""
    shares = sample.multiply(1 / np.maximum(sample.sum(1), 1)).tocsr().sqrt()
    chosen = [int(seed.integers(sample.shape[0]))]
    away = np.full(sample.shape[0], np.inf)
    for _ in range(many - 1):
        like = np.asarray((shares @ shares[chosen[-1]].T).todense()).ravel()
        away = np.minimum(away, np.maximum(1 - like, 0) ** 2)
        odds = np.cumsum(away)
        chosen.append(int(np.searchsorted(odds, seed.random() * odds[-1])) if odds[-1] > 0 else 0)
    rows = np.asarray(sample[np.minimum(chosen, sample.shape[0] - 1)].todense())
    profile = rows + 20 * base
    return profile / profile.sum(1, keepdims=True)
