"""The vote over a log of changes against one over the whole matrix of labels."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cellcarve.mixture.history import History, vote


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_the_most_frequent_label_wins(seed, rounds):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, (rounds + 1, 15)).astype(np.int32)
    log = History(0, labels[0])
    for before, after in pairwise(labels):
        changed = np.flatnonzero(before != after).astype(np.int32)
        stray = np.array([0], np.int32)
        # A detour within the round leaves no trace.
        log.record(
            [(stray, (after[stray] + 1).astype(np.int32)), (changed, after[changed]), (stray, after[stray])]
        )
    alive = np.array([False, True, True, rng.random() < 0.5])
    label, share, second = vote(log, alive)
    for i in range(15):
        seen = [k for k in labels[1:, i] if k == 0 or alive[k]]
        count = {k: seen.count(k) for k in seen}
        if not seen:
            assert (label[i], share[i]) == (0, 0)
            continue
        assert count[label[i]] == max(count.values())
        assert np.isclose(share[i], count[label[i]] / rounds)
        others = {k: c for k, c in count.items() if k not in (0, label[i])}
        assert (second[i] == 0) == (not others)
        assert second[i] == 0 or others[second[i]] == max(others.values())


def test_without_a_history_labels_stay():
    label, share, _ = vote(History(3, np.array([2, 1, 0], np.int32)), np.array([False, True, False]))
    assert label.tolist() == [0, 1, 0]
    assert share.tolist() == [1, 1, 1]
