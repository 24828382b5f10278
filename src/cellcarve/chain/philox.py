"""Random words from an address: Philox4x32-10 (Salmon et al. 2011, doi 10.1145/2063384.2063405).

A word depends on its address alone, never on how many were drawn before or by which thread: same address, same bits.
"""

from numba import njit, uint32, uint64

from cellcarve.chain.compiled import LEAF


@njit("UniTuple(uint32, 4)(uint32, uint32, uint32, uint32, uint32, uint32)", **LEAF)
def philox(c0, c1, c2, c3, k0, k1):
    """Ten rounds of Philox4x32 on a counter of four words with a key of two; all uint32, returns four uint32."""
    for _ in range(10):
        p = uint64(c0) * uint64(0xD2511F53)
        q = uint64(c2) * uint64(0xCD9E8D57)
        c0, c2 = uint32(uint32(q >> uint64(32)) ^ c1 ^ k0), uint32(uint32(p >> uint64(32)) ^ c3 ^ k1)
        c1, c3 = uint32(q & uint64(0xFFFFFFFF)), uint32(p & uint64(0xFFFFFFFF))
        k0 = uint32((uint64(k0) + uint64(0x9E3779B9)) & uint64(0xFFFFFFFF))
        k1 = uint32((uint64(k1) + uint64(0xBB67AE85)) & uint64(0xFFFFFFFF))
    return c0, c1, c2, c3


@njit("UniTuple(uint32, 4)(int64, int64, int64, int64, int64)", **LEAF)
def words(seed, stream, sweep, item, k):
    """Four random 32-bit words of an address.

    Parameters
    ----------
    seed
        64-bit key of the run, 0 or more.
    stream
        One of `cellcarve.chain.streams`, below 256.
    sweep
        Number of the sweep, below 2**32.
    item
        Global number of the transcript, cell, gene or voxel, below 2**56.
    k
        Number of the draw within the item, below 2**32.

    Returns
    -------
    tuple
        Four uint32, each uniform over all its values.
    """
    low = uint64(0xFFFFFFFF)
    key, place = uint64(seed), uint64(item)
    high = uint32(uint64(stream) | ((place >> uint64(32)) << uint64(8)))
    return philox(
        uint32(k),
        uint32(place & low),
        uint32(sweep),
        high,
        uint32(key & low),
        uint32(key >> uint64(32)),
    )


@njit(**LEAF)
def unit(word):
    """Uniform number inside (0, 1) from one word: 23 bits and a half, so neither 0 nor 1 and exact in float32."""
    return (float(word >> uint32(9)) + 0.5) * 1.1920928955078125e-07


@njit(**LEAF)
def below(word, n):
    """Whole number 0 .. n - 1 from one word (int64)."""
    return int((uint64(word) * uint64(n)) >> uint64(32))
