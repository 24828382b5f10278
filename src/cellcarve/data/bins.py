"""A regular array of bins that lies turned in the tissue."""

from dataclasses import dataclass

import numpy as np

Affine = tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class BinArray:
    """Where the bins of an array lie.

    Positions *along the array* are its columns and rows times `pitch`: µm, but for the turn.

    Attributes
    ----------
    pitch
        Side of a bin, µm.
    affine
        (a, b, c, d, e, f): position (u, v) along the array lies at x = a u + b v + c and y = d u + e v + f, in µm.
    """

    pitch: float
    affine: Affine

    def place(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions in the tissue, float64, of positions along the array."""
        a, b, c, d, e, f = self.affine
        u, v = np.asarray(u, np.float64), np.asarray(v, np.float64)
        return a * u + b * v + c, d * u + e * v + f

    def turn(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Displacements in the tissue of displacements along the array."""
        x, y = self.place(u, v)
        return x - self.affine[2], y - self.affine[5]

    def along(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions along the array, float64, of positions in the tissue."""
        a, b, c, d, e, f = self.affine
        whole = a * e - b * d
        x, y = np.asarray(x, np.float64) - c, np.asarray(y, np.float64) - f
        return (e * x - b * y) / whole, (a * y - d * x) / whole

    def middles(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Middle, along the array, of the bin that each position in the tissue lies in."""
        u, v = self.along(x, y)
        return (np.floor(u / self.pitch) + 0.5) * self.pitch, (np.floor(v / self.pitch) + 0.5) * self.pitch

    def onto(self, other: Affine) -> Affine:
        """The map to positions along the array, of one that leads to the tissue."""
        a, b, c, d, e, f = other
        u, v = self.along(np.array([c, c + a, c + b]), np.array([f, f + d, f + e]))
        return (
            float(u[1] - u[0]),
            float(u[2] - u[0]),
            float(u[0]),
            float(v[1] - v[0]),
            float(v[2] - v[0]),
            float(v[0]),
        )
