"""Wide empty stretches of a slide, folded away: sections or fields of view far apart need no lattice between them."""

import math
from dataclasses import dataclass

import numpy as np

# What lies farther off, in steps of the margin, is no slide, and is not folded.
MOST_STEPS = 1 << 24


@dataclass(frozen=True)
class Fold:
    """One axis; n stretches of the slide stay, in order, and move towards its beginning.

    Attributes
    ----------
    start
        (n,) float64 µm in the tissue where each begins.
    shift
        (n,) float64 µm that each moves down, ascending from 0.
    """

    start: np.ndarray
    shift: np.ndarray

    def along(self, x: np.ndarray) -> np.ndarray:
        """Positions on the lattice of positions in the tissue."""
        return x - self._of(x, self.start)

    def place(self, u: np.ndarray) -> np.ndarray:
        """The way back."""
        return u + self._of(u, self.start - self.shift)

    def _of(self, x: np.ndarray, start: np.ndarray) -> np.ndarray:
        return self.shift[np.maximum(np.searchsorted(start, x, "right") - 1, 0)]


@dataclass(frozen=True)
class Folds:
    """Both axes."""

    x: Fold
    y: Fold

    def along(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions on the lattice of positions in the tissue."""
        return self.x.along(x), self.y.along(y)

    def place(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The way back."""
        return self.x.place(u), self.y.place(v)


def fold(x: np.ndarray, y: np.ndarray, margin: float, unit: float) -> Folds | None:
    """Fold what is empty over the whole width or height.

    Parameters
    ----------
    x, y
        (T,) positions in µm.
    margin
        What stays empty at least on either side of a fold, µm.
    unit
        Of which shifts are multiples, µm.

    Returns
    -------
    Folds or None
        None where there is nothing to fold.
    """
    folds = Folds(_axis(x, margin, unit), _axis(y, margin, unit))
    return folds if len(folds.x.start) + len(folds.y.start) > 2 else None


def _axis(x: np.ndarray, margin: float, unit: float) -> Fold:
    low = float(x.min())
    step = np.minimum((x - low) / margin, MOST_STEPS).astype(np.int64)
    held = np.flatnonzero(np.bincount(step))
    # In steps of the margin, one of which stays on either side.
    spare = np.maximum((np.diff(held) - 3) * margin, 0)
    shift = np.floor(spare / unit) * unit
    wide = np.flatnonzero(shift)
    start = low + (held[wide + 1] - 1) * margin
    return Fold(np.append(-math.inf, start), np.append(0.0, np.cumsum(shift[wide])))
