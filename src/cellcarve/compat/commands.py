"""How the stand-ins' commands are run: what click refuses becomes one sentence of ours."""

from typing import Any

import click

from cellcarve.errors import SettingsError


def answered(command: click.Command, tokens: list[str], name: str) -> Any:
    """Run a command; what it returns.

    Parameters
    ----------
    command
        The command.
    tokens
        The words after its name.
    name
        Its name, as the user called it.

    Raises
    ------
    SettingsError
        The words do not fit the command.
    """
    try:
        return command.main(tokens, prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        sentence = " ".join(error.format_message().split()).rstrip(".")
        raise SettingsError(f"{sentence}; see {name} --help") from None
