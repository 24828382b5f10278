"""The command line's verbs, each loaded when it is used: the help of the whole must not wait for them."""

import tomllib
from pathlib import Path
from typing import Any

from cyclopts import App, Group, Parameter
from cyclopts.config import Toml

from cellcarve import __version__
from cellcarve.cli.drop_ins import DROP_INS
from cellcarve.errors import SettingsError

VERBS = {
    "segment": "Assign every transcript of an experiment to a cell.",
    "demo": "Segment a small tissue whose truth is known, and say how well it went.",
    "simulate": "Make a tissue whose truth is known, in files like an instrument's.",
    "evaluate": "Measure the quality of a segmentation, by any program.",
    "nuclei": "Find the nuclei of a picture of DAPI, as a label image that serves as prior.",
    "report": "Write the HTML report of a finished run again.",
    "convert": "Write a finished segmentation, ours or proseg's, in another tool's form.",
    "shims": "Write programs named proseg, proseg-to-baysor and baysor that run cellcarve.",
}


def from_file(app: App, commands: tuple[str, ...], arguments: Any) -> None:
    """Fill in the flags that the command line leaves open from the file that ``--config`` names.

    Raises
    ------
    SettingsError
        There is no such file, or it is no TOML.
    """
    given = arguments.get("--config", None)
    if given is None or not given.tokens:
        return
    path = Path(given.tokens[0].value)
    if not path.is_file():
        raise SettingsError(f"there is no configuration file '{path}'")
    try:
        tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SettingsError(f"configuration file '{path}' is no TOML ({error})") from None
    Toml(path, use_commands_as_keys=False)(app, commands, arguments)


app = App(
    name="cellcarve",
    help="Decide which cell every RNA molecule of a spatial-transcriptomics experiment belongs to.",
    version=__version__,
    config=from_file,
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(negative_iterable=()),
)
app.register_install_completion_command(help="Teach your shell to complete cellcarve's commands and flags.")
for order, (verb, summary) in enumerate(VERBS.items()):
    app.command(f"cellcarve.cli.{verb}:{verb}", help=summary, sort_key=order)
STAND_INS = Group("Stand-ins for other programs", sort_key=9)
for name, drop_in in DROP_INS.items():
    app.command(drop_in.target, name=name, help=drop_in.summary, group=STAND_INS)
