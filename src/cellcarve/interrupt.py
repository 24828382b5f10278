"""Ctrl-C that cannot get lost.

Python raises KeyboardInterrupt wherever the main thread happens to be; inside a compiler's callback it is printed and
forgotten. So the command line also remembers it, and every stage asks.
"""

import signal
import threading
from types import FrameType

_asked = threading.Event()


def remember() -> None:
    """Remember Ctrl-C from now on, besides raising KeyboardInterrupt; for the main thread of a command."""

    def handle(number: int, frame: FrameType | None) -> None:
        _asked.set()
        raise KeyboardInterrupt

    _asked.clear()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, handle)


def check() -> None:
    """Raise KeyboardInterrupt if Ctrl-C was pressed and got lost.

    Raises
    ------
    KeyboardInterrupt
        It was.
    """
    if _asked.is_set():
        raise KeyboardInterrupt
