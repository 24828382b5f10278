"""The iteration: draw, keep cells connected, refit; then vote over the last rounds."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from cellcarve.chain.streams import MIXTURE_KINDS
from cellcarve.data import flat
from cellcarve.mixture.assign import draw_all
from cellcarve.mixture.balance import learn_balance
from cellcarve.mixture.birth import births
from cellcarve.mixture.change import move
from cellcarve.mixture.compartments import confidences
from cellcarve.mixture.earlier import main_segments
from cellcarve.mixture.history import History, vote
from cellcarve.mixture.kinds import learn_kinds
from cellcarve.mixture.merge import joins
from cellcarve.mixture.pieces import loose_pieces
from cellcarve.mixture.shape import refit
from cellcarve.mixture.split import splits
from cellcarve.mixture.start import place_noise
from cellcarve.mixture.state import State

_CONNECT = 3
_WINDOW = 12
_KIND_ROUNDS = (6, 12, 24, 48, 96)
# Components are joined every so many rounds, from this round on until the history begins.
_JOIN_EVERY, _JOIN_FROM = 6, 12
# Rounds in which every transcript takes its likeliest component, after the vote.
_POLISH = 2


@dataclass(frozen=True)
class Plan:
    """How the sampler runs.

    Attributes
    ----------
    iterations
        Most rounds.
    tolerance
        Drift below which it stops; 0 = never.
    fewest
        Transcripts that make a cell count in the trace.
    genes
        Number of genes.
    merges, splits, births
        Whether components may be joined, parted and begun.
    seed, threads
        Of the run.
    """

    iterations: int
    tolerance: float
    fewest: int
    genes: int
    merges: bool
    splits: bool
    births: bool
    seed: int
    threads: int

    @property
    def history(self) -> int:
        """Rounds that take part in the vote."""
        return max(round(0.1 * self.iterations), 1)


class Chance(NamedTuple):
    """Where a Philox generator is."""

    counter: np.ndarray
    key: np.ndarray
    buffer: np.ndarray
    position: int
    half: int
    kept: int


def chance_of(generator: np.random.Generator) -> Chance:
    """Where a generator is."""
    s: Any = generator.bit_generator.state
    inner = s["state"]
    return Chance(
        inner["counter"], inner["key"], s["buffer"], s["buffer_pos"], s["has_uint32"], s["uinteger"]
    )


def generator_at(chance: Chance) -> np.random.Generator:
    """A generator that goes on from there."""
    philox = np.random.Philox()
    philox.state = {
        "bit_generator": "Philox",
        "state": {"counter": chance.counter, "key": chance.key},
        "buffer": chance.buffer,
        "buffer_pos": chance.position,
        "has_uint32": chance.half,
        "uinteger": chance.kept,
    }
    return np.random.Generator(philox)


@dataclass
class Round:
    """What one round did; `components` has a number per threshold."""

    components: np.ndarray
    changed: float
    noise: float
    merged: int = 0
    split: int = 0
    born: int = 0


@dataclass
class Course:
    """Rounds so far, the history once it is kept, the last round as far as is known, and what kinds draw by."""

    rounds: list[Round]
    history: History | None
    last: int
    chance: Chance


def course_of(plan: Plan) -> Course:
    """A course at its beginning."""
    generator = np.random.Generator(np.random.Philox(key=[plan.seed, MIXTURE_KINDS]))
    return Course([], None, plan.iterations, chance_of(generator))


@njit(cache=True, nogil=True)
def _members_of_small(label, n, anchor, fewest):
    who = np.empty(len(label), np.int32)
    many = 0
    for i in range(len(label)):
        k = label[i]
        if k > 0 and n[k] < fewest and anchor[k] == 0:
            who[many] = i
            many += 1
    return who[:many]


def thresholds(fewest: int) -> np.ndarray:
    """Numbers of transcripts at which the trace counts cells."""
    return np.unique(np.maximum(np.rint(np.array([0, 0.5, 1, 2, 5]) * fewest), 1)).astype(np.int64)


def steps(state: State, plan: Plan, course: Course | None = None) -> Iterator[Course]:
    """Run the chain, from its beginning or from where a course is; yields after every round. `state` changes in place."""
    course = course or course_of(plan)
    generator = generator_at(course.chance)
    while state.sweep < course.last:
        state.sweep += 1
        changes = [_draw(state, plan)]
        if state.sweep % _CONNECT == 0 or state.sweep == course.last:
            changes.append(_moved(state, *loose_pieces(state, _held(state))))
        changes.append(_drop(state, 2))
        if state.rules.alpha > 0 and state.sweep in _KIND_ROUNDS:
            learn_kinds(state, plan.genes, max(plan.fewest // 2, 5), generator)
            course.chance = chance_of(generator)
            if len(state.scene.beside):
                learn_balance(state)
        refresh(state)
        done = _look(state, plan, len(changes[0][0]))
        if course.history is None and _due(state.sweep):
            _reshape(state, plan, done)
            refresh(state)
        course.rounds.append(done)
        if course.history is not None:
            course.history.record(changes)
        elif state.sweep >= course.last - plan.history or _still(course, plan, state.sweep):
            course.last = min(course.last, state.sweep + plan.history)
            course.history = History(state.sweep, flat.aside(state.scene.label.copy()))
        yield course


def _reshape(state: State, plan: Plan, done: Round) -> None:
    """Begin, part and join components, each where it is asked for; what was parted wrongly is joined at once."""
    if plan.births:
        done.born = births(state, plan.fewest)
    if plan.splits:
        done.split = splits(state, plan.fewest)
    if plan.merges:
        who, to, done.merged = joins(state, 0.0)
        move(state, who, to)


def _due(sweep: int) -> bool:
    return sweep >= _JOIN_FROM and (sweep - _JOIN_FROM) % _JOIN_EVERY == 0


def _held(state: State) -> np.ndarray:
    """(N,) bool: transcripts of cells with an anchor. Nearness to it holds these together, not the graph."""
    return state.cells.anchor[state.scene.label] > 0


def _draw(state: State, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    if len(state.counts.size) > 1 and state.rules.bonus == 0:
        main_segments(state.counts.segments, state.counts.size, state.cells.main)
    return _moved(state, *draw_all(state, plan.seed, plan.threads))


def vote_clusters(state: State) -> None:
    """The most frequent molecule cluster of each component, the lowest of several; 0 = it has none."""
    cluster, owners = state.scene.cluster, len(state.cells.n)
    many = int(cluster.max(initial=0)) + 1
    if many > 1:
        key = state.scene.label.astype(np.int64) * many + cluster
        count = np.bincount(key, minlength=owners * many).reshape(owners, many)
        state.cells.cluster[:] = np.where(state.cells.n > 0, 1 + count[:, 1:].argmax(1), 0)


def _moved(state: State, who: np.ndarray, to: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    move(state, who, to)
    return who, to


def _drop(state: State, fewest: int) -> tuple[np.ndarray, np.ndarray]:
    """Dissolve components of fewer transcripts."""
    who = _members_of_small(state.scene.label, state.cells.n, state.cells.anchor, fewest)
    return _moved(state, who, np.zeros(len(who), np.int32))


def refresh(state: State) -> None:
    """M-step: shapes of the components that changed, which of them is exempt, and the density of noise."""
    if state.rules.unlike < 0:
        vote_clusters(state)
    if len(state.scene.nuclear):
        state.gamma = confidences(state.scene.label, state.scene.nuclear, len(state.cells.n))
    refit(state.cells, state.rules, state.gamma)
    rules = state.rules
    noise = place_noise(rules.dims, rules.scale)
    if rules.placed:
        # Confidences are of noise beside the middle of a usual cell.
        noise = rules.typical - rules.dims * (
            0.5 * math.log(2 * math.pi) + math.log(rules.width * rules.scale)
        )
    if state.rules.alpha <= 0:
        kinds = state.counts.genes.kinds[1:]
        kinds = kinds[kinds > 0]
        noise += math.log(float(np.mean(1 / kinds))) if len(kinds) else 0.0
    last = int(np.flatnonzero(state.cells.n).max(initial=0)) if rules.classic else 0
    state.rules = state.rules._replace(noise=noise, exempt=last)


def _look(state: State, plan: Plan, changed: int) -> Round:
    n = state.cells.n[1:]
    total = max(len(state.scene.label), 1)
    return Round(
        np.array([np.count_nonzero(n >= t) for t in thresholds(plan.fewest)], np.int64),
        changed / total,
        1 - float(n.sum()) / total,
    )


def _still(course: Course, plan: Plan, sweep: int) -> bool:
    """Whether cells and changes drift by less than the tolerance from one window of rounds to the next."""
    if plan.tolerance <= 0 or sweep < max(4 * _WINDOW, _KIND_ROUNDS[-1] // 2 + _WINDOW):
        return False
    at = int(np.searchsorted(thresholds(plan.fewest), plan.fewest))
    cells = np.array([r.components[at] for r in course.rounds[-2 * _WINDOW :]], float)
    changed = np.array([r.changed for r in course.rounds[-2 * _WINDOW :]])
    drift = [abs(v[_WINDOW:].mean() / max(v[:_WINDOW].mean(), 1e-9) - 1) for v in (cells, changed)]
    return drift[0] < plan.tolerance and drift[1] < 10 * plan.tolerance


def settle(state: State, history: History | None) -> tuple[np.ndarray, np.ndarray]:
    """Give every transcript the label that it held most of the time.

    Returns
    -------
    tuple
        (N,) float32 share of the history that agrees, and (N,) int32 runner-up, 0 = none.
    """
    alive = state.cells.n > 0
    label, share, second = vote(history or History(state.sweep, state.scene.label.copy()), alive)
    who = np.flatnonzero(label != state.scene.label).astype(np.int32)
    move(state, who, label[who])
    refresh(state)
    return share, second


def polish(state: State, threads: int, share: np.ndarray, second: np.ndarray) -> None:
    """Let every transcript take its likeliest component given all others: votes near a border are partly chance.

    `share` and `second` are what `settle` returned; they are changed where labels are.
    """
    for _ in range(_POLISH):
        who, to = draw_all(state, 0, threads, sharp=True)
        second[who] = state.scene.label[who]
        share[who] = 1 - share[who]
        move(state, who, to)
        refresh(state)
