"""Counts in small hash tables against a dictionary."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cellcarve.mixture.tally import add, count_of, tally_up

STEPS = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 30)), max_size=120)


@settings(max_examples=40, deadline=None)
@given(STEPS, STEPS)
def test_counts_are_those_of_a_dictionary(first, later):
    owner = np.array([o for o, _ in first], np.int32)
    what = np.array([w for _, w in first], np.int32)
    tally, known = tally_up(owner, what, 5), Counter(first)
    for step in later:
        if known[step] and step[1] % 2:
            assert add(tally, step[0], step[1], -1)
            known[step] -= 1
        elif add(tally, step[0], step[1], 1):
            known[step] += 1
    for o in range(1, 5):
        for w in range(31):
            assert count_of(tally, o, w) == known[o, w]
        assert tally.kinds[o] == sum(known[o, w] > 0 for w in range(31))


def test_a_full_store_refuses_and_stays_as_it_was():
    tally = tally_up(np.ones(3, np.int32), np.arange(3, dtype=np.int32), 2, 0.0)
    tally.end[0] = len(tally.key)
    added = [add(tally, 1, key, 1) for key in range(3, 40)]
    assert not all(added)
    assert [count_of(tally, 1, key) for key in range(3, 40)] == [int(done) for done in added]


def test_nobody_and_nothing_are_not_counted():
    tally = tally_up(np.array([0, 1, 1], np.int32), np.array([2, 2, -1], np.int32), 2)
    assert count_of(tally, 1, 2) == 1
    assert tally.kinds.tolist() == [0, 1]
