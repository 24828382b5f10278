"""Molecule clusters: each transcript's kind of surroundings, from its gene and its neighbours' clusters."""

import math

import numpy as np
from numba import njit

from cellcarve.chain.streams import MIXTURE_CLUSTERS
from cellcarve.mixture.cooccurrence import cooccurrence, first_profiles
from cellcarve.mixture.graph import FULL, Graph
from cellcarve.mixture.kinds import overall
from cellcarve.mixture.molecules import CHUNK, Molecules, on_chunks
from cellcarve.mixture.result import Convergence

_MOST_ROUNDS = 10_000
_PATIENCE = 20
_STILL = 0.01
# Transcripts (in whole chunks) on which profiles are learned before all take part, and the share of them that may
# still move then.
_SAMPLE_CHUNKS = 8
_MOVING = 0.002
_LAST_ROUNDS = 12
_NEGLIGIBLE = 1e-5


def cluster(
    molecules: Molecules, graph: Graph, confidence: np.ndarray, many: int, how: tuple[int, int, bool]
) -> tuple[np.ndarray, Convergence, bool]:
    """The cluster of every transcript.

    Parameters
    ----------
    molecules, graph
        N transcripts and their neighbours; all neighbours count.
    confidence
        (N,) float32.
    many
        Number of clusters K.
    how
        Seed, threads, and whether every transcript must have come to rest (Baysor 0.7) instead of nearly all.

    Returns
    -------
    tuple
        (N,) uint8 clusters from 1, the course, and whether the start found independent components.
    """
    seed, threads, strict = how
    generator = np.random.Generator(np.random.Philox(key=[seed, MIXTURE_CLUSTERS]))
    together = cooccurrence(molecules.gene, molecules.genes, graph, confidence)
    profile, found = first_profiles(together, overall(molecules.gene, molecules.genes), many, generator)
    n = len(molecules)
    belief = np.empty((n, many), np.float32)
    _first(molecules.gene, profile.astype(np.float32), belief)
    fresh = belief.copy()
    work = _Work(molecules, graph, confidence, threads)
    course: list[tuple[float, float]] = []
    chunks = -(-n // CHUNK)
    sample = np.arange(chunks)
    if chunks > _SAMPLE_CHUNKS and not strict:
        sample = np.unique(np.linspace(0, chunks - 1, _SAMPLE_CHUNKS).astype(np.int64))
    most = max(_MOST_ROUNDS, n // 200)
    profile, belief, fresh = work.iterate(profile, (belief, fresh), sample, (most, strict), course)
    if len(sample) < chunks:
        _, belief, _ = work.iterate(
            profile, (belief, fresh), np.arange(chunks), (_LAST_ROUNDS, strict), course
        )
    trace = np.array(course).reshape(-1, 2)
    return belief.argmax(1).astype(np.uint8) + np.uint8(1), Convergence(trace[:, 0], trace[:, 1]), found


class _Work:
    """Rounds over chunks of transcripts."""

    def __init__(self, molecules: Molecules, graph: Graph, confidence: np.ndarray, threads: int) -> None:
        self.molecules, self.graph, self.confidence, self.threads = molecules, graph, confidence, threads

    def iterate(
        self,
        profile: np.ndarray,
        beliefs: tuple[np.ndarray, np.ndarray],
        chunks: np.ndarray,
        limits: tuple[int, bool],
        course: list[tuple[float, float]],
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rounds over some chunks until they hold still; the profile, and the newest belief first."""
        belief, fresh = beliefs
        most, strict = limits
        began = len(course)
        while len(course) - began < most:
            profile, moved = self._round(profile, belief, fresh, chunks)
            belief, fresh = fresh, belief
            course.append((moved[0], moved[1]))
            latest = course[began:][-_PATIENCE - 1 :]
            if strict and len(latest) > _PATIENCE and max(m for m, _ in latest) < _STILL:
                break
            if not strict and len(course) - began >= _PATIENCE // 2 and moved[2] < _MOVING:
                break
        return profile, belief, fresh

    def _round(
        self, profile: np.ndarray, belief: np.ndarray, fresh: np.ndarray, chunks: np.ndarray
    ) -> tuple[np.ndarray, tuple[float, float, float]]:
        n, many = belief.shape
        rate = np.ascontiguousarray(profile.T, np.float32)
        gene, seen = self.molecules.gene, self.confidence

        def one(c: int) -> tuple[np.ndarray, np.ndarray]:
            low = int(chunks[c]) * CHUNK
            gained, moved = np.zeros((self.molecules.genes, many)), np.zeros(3)
            _update(min(low + CHUNK, n), low, (gene, seen), self.graph, rate, (belief, fresh), gained, moved)
            return gained, moved

        parts = on_chunks(lambda c, _: one(c), len(chunks), self.threads, 1)
        gained = parts[0][0]
        for part, _ in parts[1:]:
            gained += part
        moved = np.array([m for _, m in parts])
        took_part = sum(min((int(c) + 1) * CHUNK, n) - int(c) * CHUNK for c in chunks)
        profile = (gained.T + 1) / (gained.sum(0)[:, None] + 1)
        return profile, (
            float(moved[:, 0].max()),
            moved[:, 1].sum() / took_part,
            moved[:, 2].sum() / took_part,
        )


@njit(cache=True, nogil=True)
def _first(gene, profile, belief):
    """Beliefs from genes alone."""
    many = belief.shape[1]
    for i in range(len(belief)):
        total = np.float32(0)
        for r in range(many):
            belief[i, r] = profile[r, gene[i]]
            total += belief[i, r]
        for r in range(many):
            belief[i, r] = belief[i, r] / total if total >= 1e-10 else np.float32(1) / many


@njit(cache=True, nogil=True)
def _update(high, low, seen, graph, rate, beliefs, gained, moved):
    """New beliefs of the transcripts low .. high from all old ones; sums per gene and movement on the way."""
    gene, confidence = seen
    belief, fresh = beliefs
    many = belief.shape[1]
    field = np.empty(many)
    for i in range(low, high):
        field[:] = 0
        for e in range(graph.start[i], graph.start[i + 1]):
            j = graph.neighbour[e]
            w = graph.weight[e] / FULL * confidence[j]
            for r in range(many):
                if belief[j, r] >= _NEGLIGIBLE:
                    field[r] += w * belief[j, r]
        total = 0.0
        for r in range(many):
            field[r] = rate[gene[i], r] * math.exp(field[r])
            total += field[r]
        change, before, after = 0.0, 0, 0
        for r in range(many):
            value = field[r] / total if total > 1e-20 else 1.0 / many
            change = max(change, abs(value - belief[i, r]))
            before = r if belief[i, r] > belief[i, before] else before
            fresh[i, r] = value
            after = r if fresh[i, r] > fresh[i, after] else after
            gained[gene[i], r] += confidence[i] * value
        moved[0] = max(moved[0], confidence[i] * change)
        moved[1] += before != after
        moved[2] += confidence[i] * change > _STILL
