"""The chain of the mixture in a file, to go on from it to the same bytes."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from cellcarve.chain import checkpoint
from cellcarve.mixture.history import History
from cellcarve.mixture.sampler import Course, Round
from cellcarve.mixture.state import State

# What of the state changes from round to round; places, genes and neighbours are found again.
_OF_SCENE = ("label", "calm", "confidence")
_OF_STATE = ("cells", "counts", "rules", "profile", "gamma", "sweep")
_OF_ROUND = ("changed", "noise", "merged", "split", "born")


def save(state: State, course: Course, path: Path, key: str) -> None:
    """Write the state of a chain; an earlier file stands until the new one is whole.

    Parameters
    ----------
    state, course
        The chain between two rounds.
    path
        File to write.
    key
        What the chain depends on: input and settings.

    Raises
    ------
    OSError
        It cannot be written.
    """
    checkpoint.write(_packed(state, course), None, path, key)


def load(state: State, course: Course, path: Path, key: str) -> Course:
    """Bring a chain to where a file left it.

    Parameters
    ----------
    state, course
        The same chain at its beginning; `state` is changed in place.
    path, key
        As given to `save`.

    Returns
    -------
    Course
        The course so far.

    Raises
    ------
    InputError
        The file is damaged, or of a chain with another input or other settings; `state` is as it was.
    """
    parts, _ = checkpoint.read(_packed(state, course), path, key)
    state.scene = state.scene._replace(**{name: parts[name] for name in _OF_SCENE})
    for name in _OF_STATE:
        setattr(state, name, parts[name])
    rounds = [
        Round(components, changed, noise, int(merged), int(split), int(born))
        for components, (changed, noise, merged, split, born) in zip(
            parts["components"], parts["rounds"].tolist(), strict=True
        )
    ]
    return Course(rounds, _history(parts), parts["last"], parts["chance"])


def _packed(state: State, course: Course) -> dict[str, Any]:
    """Everything that a chain goes on from, by name."""
    rounds, history = course.rounds, course.history or History(-1, np.empty(0, np.int32))
    return {
        **{name: getattr(state.scene, name) for name in _OF_SCENE},
        **{name: getattr(state, name) for name in _OF_STATE},
        "components": np.array([r.components for r in rounds], np.int64),
        "rounds": np.array([[getattr(r, name) for name in _OF_ROUND] for r in rounds], np.float64),
        "first": history.first,
        "base": history.base,
        "bounds": np.cumsum([0, *map(len, history.who)]),
        "who": np.concatenate([np.empty(0, np.int32), *history.who]),
        "to": np.concatenate([np.empty(0, np.int32), *history.to]),
        "last": course.last,
        "chance": course.chance,
    }


def _history(parts: dict[str, Any]) -> History | None:
    if parts["first"] < 0:
        return None
    spans = [slice(a, b) for a, b in pairwise(parts["bounds"].tolist())]
    who, to = ([parts[name][span] for span in spans] for name in ("who", "to"))
    return History(parts["first"], parts["base"], who, to)
