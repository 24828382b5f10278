"""Random numbers addressed by place: the same cell has the same properties whichever block looks at it."""

import numpy as np
from numba import njit
from scipy.special import ndtri

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


@njit(cache=True, nogil=True, inline="always")
def scramble(value: np.uint64) -> np.uint64:
    """Bijective mixing of 64 bits (uint64 -> uint64)."""
    value = (value ^ (value >> np.uint64(30))) * _FIRST
    value = (value ^ (value >> np.uint64(27))) * _SECOND
    return value ^ (value >> np.uint64(31))


@njit(cache=True, nogil=True, inline="always")
def fraction(value: np.uint64) -> float:
    """Uniform number in (0, 1) from 64 mixed bits."""
    return (float(value >> np.uint64(12)) + 0.5) * 2.0**-52


def keys(seed: int, *address: np.ndarray | int) -> np.ndarray:
    """One 64-bit key per address.

    Parameters
    ----------
    seed
        Seed of the simulation.
    *address
        Whole numbers or int64 arrays of one common shape.

    Returns
    -------
    np.ndarray
        uint64, of the broadcast shape.
    """
    shape = np.broadcast_shapes(*(np.shape(part) for part in address))
    key = np.full(shape, seed, np.uint64)
    for part in address:
        part = np.broadcast_to(np.asarray(part, np.int64), shape).astype(np.uint64)
        key = _scrambled((key + _STEP) ^ (part * _FIRST + _STEP))
    return key


def uniforms(key: np.ndarray, number: int) -> np.ndarray:
    """`number` uniform numbers in (0, 1) for each key: (number, N) float64."""
    step = (np.arange(1, number + 1).astype(np.uint64) * _STEP)[:, None]
    bits = _scrambled(key[None, :] + step)
    return ((bits >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def normals(key: np.ndarray, number: int) -> np.ndarray:
    """`number` standard normal numbers for each key: (number, N) float64."""
    return ndtri(uniforms(key, number))


def _scrambled(value: np.ndarray) -> np.ndarray:
    value = (value ^ (value >> np.uint64(30))) * _FIRST
    value = (value ^ (value >> np.uint64(27))) * _SECOND
    return value ^ (value >> np.uint64(31))
