"""The fitted chain as a result: in the order of input rows, with cells numbered anew."""

from collections.abc import Sequence

import numpy as np

from cellcarve.data import flat
from cellcarve.data.segmentation import Origin
from cellcarve.mixture.model import Marked
from cellcarve.mixture.molecules import Points
from cellcarve.mixture.prepare import Prepared
from cellcarve.mixture.result import MixtureRun, Trace
from cellcarve.mixture.sampler import Course, thresholds
from cellcarve.mixture.state import State
from cellcarve.mixture.summary import counts_of, describe


def assemble(
    ready: Prepared,
    marked: Marked,
    state: State,
    trace: Trace,
    found: tuple[np.ndarray, np.ndarray],
    rest: tuple[Sequence[np.ndarray], dict[str, object], list[str]],
) -> MixtureRun:
    """The result in the order of input rows, cells numbered by their first transcript.

    `found` is (share of votes, runner-up) of each transcript; `rest` is (positions in input coordinates, values in
    force, sentences for the user).
    """
    m, (share, second), (place, params, notes) = ready.molecules, found, rest
    label = m.to_input(state.scene.label)
    number, parts = renumber(label, len(state.cells.n), state.cells.anchor)
    cells = len(parts)
    cell, runner_up = flat.take(number, label), flat.take(number, m.to_input(second))
    cluster_of = flat.keep(m.to_input(marked.cluster).astype(np.int32)) if marked.cluster.any() else None
    segment = m.to_input(ready.segment)
    agree, sure = m.to_input(share), m.to_input(ready.confidence)
    values = {
        "confidence": sure,
        "assignment_confidence": agree,
        "cluster": cluster_of,
        "prior": segment,
        "lifespan": np.full(cells, trace.history),
        "origin": np.where(state.cells.anchor[parts] > 0, Origin.PRIOR, Origin.NEW),
    }
    flat.relax()
    at = Points(*(m.to_input(axis) for axis in m.at))
    gene = m.to_input(m.gene)
    chances = marked.compartment
    return MixtureRun(
        row=m.row,
        cell=cell,
        runner_up=runner_up,
        confidence=sure,
        assignment_confidence=agree,
        cluster=cluster_of,
        prior=segment if segment.any() else None,
        compartment=None if chances is None else m.to_input(chances.argmax(1).astype(np.uint8)),
        nuclei_probs=None if chances is None else m.to_input((1 - chances[:, 1]).astype(np.float32)),
        colour=None,
        cells=describe(at, cell, cells, values, place),
        counts=counts_of(cell, gene, cells, m.genes),
        rings=None,
        slices=[],
        scale=ready.scale,
        scale_std=ready.spread,
        noise=ready.noise,
        clustering=marked.clustering,
        compartments=marked.compartments,
        trace=trace,
        params=params,
        notes=notes,
    )


def renumber(label: np.ndarray, owners: int, anchor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """New numbers of components: those of prior segments first and in their order, then by first transcript.

    Returns
    -------
    tuple
        (owners,) int32 new numbers, 0 where a component has no transcript, and (C,) the components in order.
    """
    present, first = np.unique(label, return_index=True)
    first, present = first[present > 0], present[present > 0]
    own = anchor[present]
    parts = present[np.lexsort((first, np.where(own > 0, own, np.iinfo(np.int32).max)))]
    number = np.zeros(owners, np.int32)
    number[parts] = np.arange(1, len(parts) + 1)
    return number, parts


def trace_of(course: Course, fewest: int) -> Trace:
    """The course of a sampler that has ended."""
    rounds = course.rounds
    return Trace(
        thresholds=thresholds(fewest),
        components=np.array([r.components for r in rounds], np.int64),
        changed=np.array([r.changed for r in rounds]),
        noise=np.array([r.noise for r in rounds]),
        merged=np.array([r.merged for r in rounds], np.int64),
        split=np.array([r.split for r in rounds], np.int64),
        born=np.array([r.born for r in rounds], np.int64),
        history=len(course.history or []),
    )
