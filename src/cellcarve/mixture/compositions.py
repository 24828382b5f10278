"""Neighbourhood compositions: which genes surround each transcript, and a few numbers that stand for them."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from cellcarve.chain.streams import MIXTURE_COLOURS
from cellcarve.mixture.molecules import Molecules, on_chunks
from cellcarve.mixture.near import Grid, distance_to, nearest

MOST_NEIGHBOURS = 100
# Transcripts on which gene vectors are learned.
_SAMPLE = 200_000
_CLIP = 0.95
_AT_ONCE = 1 << 14


def neighbours_for(genes: int, fewest: int, classic: bool) -> int:
    """How many neighbours make up a composition; above 1,000 genes no more than 100, unless by classic rules."""
    wanted = max(genes // 10, max(fewest, 3), 3)
    return wanted if classic or genes <= 1000 else min(wanted, MOST_NEIGHBOURS)


@dataclass(frozen=True)
class Compositions:
    """How compositions of N transcripts are made.

    Attributes
    ----------
    molecules, grid
        The transcripts in Morton order.
    neighbours
        How many take part, the transcript itself included.
    closest
        Distance (µm) below which nearer is not heavier.
    """

    molecules: Molecules
    grid: Grid
    neighbours: int
    closest: float

    def rows(self, low: int, high: int) -> csr_matrix:
        """(high - low, G) float32 compositions of some transcripts; each row adds up to 1."""
        m = self.molecules
        k = self.neighbours - 1
        index = np.empty((high - low, self.neighbours), np.int32)
        weight = np.empty((high - low, self.neighbours), np.float32)
        index[:, 0], weight[:, 0] = np.arange(low, high), 1 / self.closest
        if k:
            index[:, 1:], squared = nearest(m.at, self.grid, k, low, high)
            weight[:, 1:] = 1 / np.maximum(np.sqrt(squared), self.closest)
            weight[index < 0] = 0
        weight /= weight.sum(1, keepdims=True)
        gene = m.gene[np.maximum(index, 0)]
        start = np.arange(0, index.size + 1, self.neighbours)
        rows = csr_matrix((weight.ravel(), gene.ravel(), start), shape=(high - low, m.genes))
        rows.sum_duplicates()
        rows.eliminate_zeros()
        return rows


def compositions(molecules: Molecules, grid: Grid, neighbours: int, threads: int) -> Compositions:
    """Set up the compositions of all transcripts."""
    k = max(1, min(neighbours, len(molecules)))
    first = distance_to(molecules.at, grid, 1, threads)
    first = first[first > 1e-15]
    return Compositions(molecules, grid, k, max(float(np.median(first)), 1e-12) if len(first) else 1.0)


def logged(rows: csr_matrix) -> csr_matrix:
    """Logs of ten thousand times each share that is there."""
    return csr_matrix((np.log(1e4 * rows.data + np.float32(1e-5)), rows.indices, rows.indptr), rows.shape)


def reduce(source: Compositions, method: str, dims: int, how: tuple[int, int, bool]) -> np.ndarray:
    """A few numbers per transcript that stand for its composition.

    Parameters
    ----------
    source
        Compositions of N transcripts.
    method
        "ri" (random indexing of genes by what they occur with), "dense" or "sparse" (principal components).
    dims
        Numbers per transcript.
    how
        Seed, threads, and whether logs are taken first.

    Returns
    -------
    numpy.ndarray
        (N, dims) float32 in Morton order.
    """
    seed, threads, logs = how
    n = len(source.molecules)
    generator = np.random.Generator(np.random.Philox(key=[seed, MIXTURE_COLOURS]))
    dims = max(1, min(dims, source.molecules.genes - 1, n - 1))
    step = max(1, n // _SAMPLE)
    spans = [(low, min(low + _AT_ONCE, n)) for low in range(0, n, _AT_ONCE * step)]

    def sample(s: int, _: int) -> csr_matrix:
        rows = source.rows(*spans[s])
        return logged(rows) if logs else rows

    parts = on_chunks(sample, len(spans), threads, 1)
    genes = (
        _gene_vectors(parts, dims, generator) if method == "ri" else _loadings(parts, dims, method, generator)
    )
    del parts
    out = np.empty((n, dims), np.float32)

    def one(low: int, high: int) -> None:
        rows = source.rows(low, high)
        out[low:high] = (logged(rows) if logs else rows) @ genes

    on_chunks(one, n, threads, _AT_ONCE)
    return out


def _gene_vectors(parts: list[csr_matrix], dims: int, generator: np.random.Generator) -> np.ndarray:
    """(G, dims) float32: random vectors averaged over what each gene occurs with.

    With C = M' M over the rows M, C R and the sums of C's rows come from two products each; C is never formed.
    """
    genes = parts[0].shape[1]
    random = generator.standard_normal((genes, dims))
    mixed, total, square = np.zeros((genes, dims)), np.zeros(genes), np.zeros(genes)
    for rows in parts:
        mixed += rows.T @ (rows @ random)
        total += rows.T @ np.asarray(rows.sum(1)).ravel()
        square += np.bincount(rows.indices, rows.data.astype(np.float64) ** 2, genes)
    share = square / np.maximum(total, 1e-300)
    limit = np.quantile(share[total > 0], _CLIP) * total if np.any(total > 0) else total
    cut = np.minimum(square, limit) - square
    vectors = (mixed + cut[:, None] * random) / np.maximum(total + cut, 1e-300)[:, None]
    return np.where(total[:, None] > 0, vectors, 0).astype(np.float32)


def _loadings(parts: list[csr_matrix], dims: int, method: str, generator: np.random.Generator) -> np.ndarray:
    """(G, dims) float32 principal directions of the rows."""
    from scipy.sparse import vstack
    from scipy.sparse.linalg import svds

    rows = vstack(parts).tocsr().astype(np.float64)
    if method == "dense":
        mean = np.asarray(rows.mean(0)).ravel()
        cross = np.asarray((rows.T @ rows).todense()) / rows.shape[0] - np.outer(mean, mean)
        _, vectors = np.linalg.eigh(cross)
        found = vectors[:, ::-1][:, :dims]
    else:
        found = svds(rows, k=dims, v0=generator.standard_normal(min(rows.shape)))[2][::-1].T
    sign = np.sign(found[np.abs(found).argmax(0), np.arange(found.shape[1])])
    return (found * sign).astype(np.float32)


@njit(cache=True, nogil=True)
def blend(index, distance, value, out):
    """Means of the values of some sample points, weighted by inverse distance."""
    for i in range(len(out)):
        out[i] = 0
        total = 0.0
        for c in range(index.shape[1]):
            w = 1 / (distance[i, c] + 1e-10)
            total += w
            for d in range(out.shape[1]):
                out[i, d] += w * value[index[i, c], d]
        for d in range(out.shape[1]):
            out[i, d] /= total
