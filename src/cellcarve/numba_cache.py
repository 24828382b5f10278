"""Where compiled code is kept, so that only the first run waits for it."""

import os
import sys
from collections.abc import Iterable

VARIABLE = "NUMBA_CACHE_DIR"


def keep_compiled_code() -> None:
    """Name a folder to Numba where it would find none and give up: in containers, neither package nor home may be written to."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    beside = os.path.join(os.path.dirname(__file__), "__pycache__")
    if sys.platform != "linux" or can_be_kept([os.environ.get(VARIABLE, ""), beside, home]):
        return
    folder = own_folder()
    os.environ[VARIABLE] = folder
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = folder


def can_be_kept(folders: Iterable[str]) -> bool:
    """Whether one of the folders can be written to, or made."""
    return any(_open_to_us(folder) for folder in folders if os.path.isabs(folder))


def own_folder() -> str:
    """A folder among the temporary files that nobody else can write to, as code is run from it."""
    import tempfile

    folder = os.path.join(tempfile.gettempdir(), f"cellcarve-{os.getuid()}")
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        found = os.lstat(folder)
        # The mode of a folder that is ours alone; a link's is another.
        if found.st_uid != os.getuid() or found.st_mode != 0o40700:
            return tempfile.mkdtemp(prefix="cellcarve-")
    return folder


def _open_to_us(folder: str) -> bool:
    while not os.path.exists(folder):
        folder = os.path.dirname(folder)
    return os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)
