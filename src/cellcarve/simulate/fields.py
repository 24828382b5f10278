"""Smooth random fields over the whole tissue: sums of plane waves, evaluated anywhere without any state."""

import numpy as np
from numba import njit


def waves(rng: np.random.Generator, number: int, length: float, amplitude: float) -> np.ndarray:
    """Plane waves whose sum has the standard deviation `amplitude`.

    Parameters
    ----------
    rng
        Random numbers.
    number
        How many waves.
    length
        Typical wavelength in µm along the tissue; ten times as much across it.
    amplitude
        Standard deviation of the sum.

    Returns
    -------
    np.ndarray
        (number, 5) float64: amplitude, wave vector x, y, z (per µm), phase.
    """
    angle = (np.arange(number) + rng.uniform(0, 1, number)) * np.pi / number
    size = 2 * np.pi / (length * rng.uniform(0.7, 1.4, number))
    part = np.full(number, amplitude * np.sqrt(2 / number))
    tilt = size * rng.uniform(-0.1, 0.1, number)
    phase = rng.uniform(0, 2 * np.pi, number)
    return np.stack([part, size * np.cos(angle), size * np.sin(angle), tilt, phase], axis=1)


def height(wave: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The field in the plane z = 0: float64 of the shape of x."""
    total = np.zeros(np.shape(x))
    for part, kx, ky, _, phase in wave:
        total += part * np.cos(kx * x + ky * y + phase)
    return total


@njit(cache=True, nogil=True)
def warp(wave: np.ndarray, x: float, y: float, z: float) -> tuple[float, float]:
    """Where a place of the tissue lies in the undeformed space of the cell lattices.

    Parameters
    ----------
    wave
        (2, W, 5) float64, the displacement along x and along y.
    x, y, z
        float64 scalars, µm.

    Returns
    -------
    tuple of float
        x and y in undeformed space; z stays.
    """
    u, v = x, y
    for w in range(wave.shape[1]):
        u += wave[0, w, 0] * np.cos(wave[0, w, 1] * x + wave[0, w, 2] * y + wave[0, w, 3] * z + wave[0, w, 4])
        v += wave[1, w, 0] * np.cos(wave[1, w, 1] * x + wave[1, w, 2] * y + wave[1, w, 3] * z + wave[1, w, 4])
    return u, v


@njit(cache=True, nogil=True)
def unwarp(wave: np.ndarray, u: np.ndarray, v: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The place of the tissue that `warp` brings to (u, v, z); (N,) float64 arrays in and out."""
    x, y = u.copy(), v.copy()
    for i in range(len(u)):
        # The displacement changes slowly, so that this contracts by about half at each step.
        for _ in range(12):
            a, b = warp(wave, x[i], y[i], z[i])
            x[i] += u[i] - a
            y[i] += v[i] - b
    return x, y
