"""Tiles are worked on at the same time; the answer does not depend on the threads."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Answer = TypeVar("Answer")


def on_threads(
    work: Callable[[int], Answer], tiles: list[int], threads: int, take: Callable[[Answer], None]
) -> None:
    """Work on tiles at the same time; answers are taken in the tiles' order."""
    pool = ThreadPoolExecutor(threads or os.cpu_count() or 1)
    try:
        for answer_ in pool.map(work, tiles):
            take(answer_)
    finally:
        pool.shutdown(cancel_futures=True)
