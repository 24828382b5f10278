"""The command ``cellcarve``: runs a command line; what goes wrong becomes one sentence and an exit code."""

import os
import re
import sys
from collections.abc import Sequence

from cellcarve import interrupt
from cellcarve.cli.drop_ins import DROP_INS, call
from cellcarve.errors import CellcarveError, SettingsError

# Tables are too small here for the threads of linear algebra, which wait for work at full speed.
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
USAGE, INTERRUPTED, BROKEN_PIPE, BUG = 2, 130, 141, 1


def main(tokens: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Parameters
    ----------
    tokens
        Words after the program's name; those of this process by default.

    Raises
    ------
    SystemExit
        Always: 0 when it worked, 2 for a mistake the user can put right, 130 when interrupted, 1 for a bug.
    """
    # Arrow's own pool keeps what it once held, which may be more than all else in a run.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    interrupt.remember()
    # Libraries look for these when they are loaded, which is later.
    for name in _ONE_THREAD:
        os.environ.setdefault(name, "1")
    sys.exit(status(list(sys.argv[1:] if tokens is None else tokens)))


def status(tokens: list[str]) -> int:
    """Run a command line; its exit code.

    Raises
    ------
    Exception
        Unexpected ones, only where the environment variable ``CELLCARVE_DEBUG`` is set.
    """
    try:
        _dispatch(tokens)
        sys.stdout.flush()
        return 0
    except CellcarveError as error:
        return _say(str(error), error.code)
    except KeyboardInterrupt:
        return _say("interrupted; nothing was written", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception as error:
        if os.environ.get("CELLCARVE_DEBUG"):
            raise
        return _unexpected(error)


def _dispatch(tokens: list[str]) -> None:
    """A stand-in parses its own arguments; all else is a verb."""
    if tokens and tokens[0] in DROP_INS:
        call(tokens[0], tokens[1:])
        return
    from cyclopts import CycloptsError

    from cellcarve.cli.app import app

    try:
        app(joined(tokens), print_error=False, exit_on_error=False, result_action="return_value")
    except CycloptsError as error:
        raise SettingsError(_plain(str(error))) from None


def joined(tokens: list[str]) -> list[str]:
    """Tie a list of numbers that begins with a minus to its flag, lest it be taken for a flag itself.

    >>> joined(["--roi", "-1,2,3,4"])
    ['--roi=-1,2,3,4']
    """
    done: list[str] = []
    for token in tokens:
        if done and done[-1].startswith("--") and "=" not in done[-1] and re.match(r"-[\d.][^=]*,", token):
            done[-1] += f"={token}"
        else:
            done.append(token)
    return done


def _unexpected(error: Exception) -> int:
    """The sentence for what no other clause foresaw."""
    if isinstance(error, MemoryError):
        return _say("out of memory; free some, or segment part of the tissue with --roi", USAGE)
    if isinstance(error, OSError) and error.strerror:
        return _say(f"{error.strerror}: {error.filename or 'while reading or writing'}", USAGE)
    kind = type(error).__name__
    return _say(f"this is a bug ({kind}: {error}); set CELLCARVE_DEBUG=1 to see where, and report it", BUG)


def _plain(text: str) -> str:
    """The parser's message as one line that names what is wrong."""
    unused = re.fullmatch(r"Unused Tokens: \[(.*)\]\.", text.strip())
    return f"unexpected {unused[1]}; see --help" if unused else " ".join(text.split())


def _say(sentence: str, code: int) -> int:
    sys.stderr.write(f"cellcarve: {sentence}\n")
    return code
