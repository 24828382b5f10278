"""Command lines as Baysor spells them: dotted overrides taken out, and every spelling of an option made one."""

import re

from cellcarve.compat.baysor.config import find, keys
from cellcarve.errors import SettingsError

_DOTTED = "--config."
WHERE = "command line"


def split(tokens: list[str]) -> tuple[list[str], dict[str, str]]:
    """Take ``--config.section.key=value`` out of a command line and spell the rest plainly.

    Parameters
    ----------
    tokens
        Words of the command line.

    Returns
    -------
    tuple
        The other words, long options with dashes; the overrides by ``section.key``.

    Raises
    ------
    SettingsError
        An override has no value, or names no key.

    >>> split(["run", "--config.data.x=X", "--x_column=a_b", "-s=3"])
    (['run', '--x-column=a_b', '-s3'], {'data.x': 'X'})
    """
    rest: list[str] = []
    layer: dict[str, str] = {}
    left = list(tokens)
    while left:
        token = left.pop(0)
        if token == "--":
            return [*rest, token, *left], layer
        if token.startswith(_DOTTED):
            name, value = _override(token, left)
            layer[name] = value
        else:
            rest.append(_plain(token))
    return rest, layer


def _override(token: str, left: list[str]) -> tuple[str, str]:
    dotted, equals, value = token.removeprefix(_DOTTED).partition("=")
    name = find(dotted, WHERE)
    if equals:
        return name, value
    if keys()[name].type is bool and not (left and left[0].lower() in ("true", "false")):
        return name, "true"
    if not left:
        raise SettingsError(f"{token} needs a value; write {token}=VALUE")
    return name, left.pop(0)


def _plain(token: str) -> str:
    """Long options with dashes for underscores; ``-s=3`` as ``-s3``."""
    if re.match(r"--[A-Za-z]", token):
        name, equals, value = token.partition("=")
        return name.replace("_", "-") + equals + value
    short = re.fullmatch(r"(-[A-Za-z])=(.*)", token, re.DOTALL)
    return short[1] + short[2] if short else token
