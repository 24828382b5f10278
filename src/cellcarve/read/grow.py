"""A flat array that grows while rows come in."""

import numpy as np

from cellcarve.data import flat


class Growing:
    """Collects values batch by batch in one piece of memory, so that nothing has to be joined at the end."""

    def __init__(self) -> None:
        self._values: np.ndarray | None = None
        self._used = 0

    def add(self, values: np.ndarray) -> None:
        """Append some values, all of the type of the first."""
        end = self._used + len(values)
        if self._values is None:
            self._values = flat.empty(max(end, 1 << 20), values.dtype)
        elif end > len(self._values):
            # Memory that was never written to costs nothing: doubling is cheap.
            larger = flat.empty(max(end, 2 * len(self._values)), self._values.dtype)
            larger[: self._used] = self._values[: self._used]
            self._values = larger
        self._values[self._used : end] = values
        self._used = end

    def finish(self) -> np.ndarray:
        """All values, without the spare room."""
        return np.empty(0) if self._values is None else self._values[: self._used]
