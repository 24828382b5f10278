import numpy as np
import pytest
from numba import njit, uint32
from scipy import stats

from cellcarve.chain import streams
from cellcarve.chain.philox import below, philox, unit, words

# kat_vectors of Random123 1.14 for philox4x32 with 10 rounds: counter, key, result.
KNOWN = [
    ([0, 0, 0, 0], [0, 0], [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize(("counter", "key", "result"), KNOWN)
def test_known_answers(counter, key, result):
    got = philox(*(np.uint32(w) for w in counter + key))
    assert [int(w) for w in got] == result


def test_addresses_are_distinct():
    first = [0, 1, 2, 3, 4]
    steps = [(0, 1 << 40), (0, 1), (1, 1), (2, 1), (3, 1 << 33), (3, 1), (4, 1)]
    others = [[v + by * (i == place) for i, v in enumerate(first)] for place, by in steps]
    assert len({words(*address) for address in [first, *others]}) == 8


@njit
def _draws(n):
    out = np.empty((n, 4))
    for i in range(n):
        a, b, c, d = words(7, 1, 0, i, 0)
        out[i] = unit(a), unit(b), unit(c), float(below(d, 10))
    return out


def test_units_are_uniform_and_whole_numbers_even():
    drawn = _draws(20_000)
    assert all(stats.kstest(drawn[:, i], "uniform").pvalue > 1e-3 for i in range(3))
    assert stats.chisquare(np.bincount(drawn[:, 3].astype(int), minlength=10)).pvalue > 1e-3


def test_units_exclude_both_ends():
    assert 0 < unit(np.uint32(0)) < unit(np.uint32(0xFFFFFFFF)) < 1
    assert np.float32(unit(np.uint32(0xFFFFFFFF))) < 1
    assert below(uint32(0xFFFFFFFF), 7) == 6


def test_stream_numbers_are_used_once():
    numbers = [value for name, value in vars(streams).items() if name.isupper()]
    assert len(numbers) == len(set(numbers))
    assert max(numbers) < 256
