"""Threads for compiled work that lets go of the interpreter; what they compute never depends on their number."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class Threads:
    """A pool of threads, or none where one is asked for.

    Parameters
    ----------
    count
        Threads; 0 takes all there are.
    """

    def __init__(self, count: int) -> None:
        self.count = count or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self.count) if self.count > 1 else None

    def each(self, work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        """Results of the work on each item, in their order."""
        return list((self._pool.map if self._pool else map)(work, items))

    def ranges(self, work: Callable[[int, int], Any], total: int) -> list[Any]:
        """Results of the work on equal ranges (first, last) of 0 .. total - 1, in their order."""
        parts = max(1, min(4 * self.count, total // 2048)) if self._pool else 1
        edges = [total * p // parts for p in range(parts + 1)]
        return self.each(lambda p: work(edges[p], edges[p + 1]), range(parts))

    def close(self) -> None:
        """Stop; work that waits is dropped."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
