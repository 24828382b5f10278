"""One sub-command per verb: parse, call, print."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Group, Parameter
from cyclopts.config import Toml

from cellcarve import __version__
from cellcarve.errors import SettingsError
from cellcarve.settings import (
    CarveSettings,
    ComputeSettings,
    OutputSettings,
    PriorSettings,
    ReadSettings,
    Settings,
)

INPUT = Group("Input", sort_key=1)
PRIOR = Group("Prior", sort_key=2)
METHOD = Group("Method", sort_key=3)
COMPUTE = Group("Compute", sort_key=4)
OUTPUT = Group("Output", sort_key=0)


def from_file(app: App, commands: tuple[str, ...], arguments: Any) -> None:
    """Fill in the flags that the command line leaves open from the file that ``--config`` names.

    Raises
    ------
    SettingsError
        The file is missing or not TOML.
    """
    given = arguments.get("--config", None)
    if given is None or not given.tokens:
        return
    path = Path(given.tokens[0].value)
    if not path.is_file():
        raise SettingsError(f"there is no configuration file '{path}'")
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


@dataclass(frozen=True)
class Output:
    """How the result is written, and what is shown.

    Parameters
    ----------
    overwrite
        Replace an earlier result; it is kept until the new one is complete.
    quiet
        Show nothing but errors.
    config
        TOML file with settings by the names of the flags; the command line wins over it.
    """

    overwrite: Annotated[bool, Parameter(negative="")] = False
    quiet: Annotated[bool, Parameter(negative="")] = False
    config: Path | None = None


@dataclass(frozen=True)
class Options:
    """The flags of ``segment``, by group."""

    shown: Annotated[Output, Parameter(name="*", group=OUTPUT)] = field(default_factory=Output)
    read: Annotated[ReadSettings, Parameter(name="*", group=INPUT)] = field(default_factory=ReadSettings)
    prior: Annotated[PriorSettings, Parameter(name="*", group=PRIOR, negative_bool=())] = field(
        default_factory=PriorSettings
    )
    carve: Annotated[CarveSettings, Parameter(name="*", group=METHOD)] = field(default_factory=CarveSettings)
    compute: Annotated[ComputeSettings, Parameter(name="*", group=COMPUTE)] = field(
        default_factory=ComputeSettings
    )


FOLDER = Parameter(alias="-o", group=OUTPUT)
NO_OPTIONS = Options()


@app.command
def segment(
    source: str,
    /,
    *,
    output: Annotated[Path, FOLDER],
    options: Annotated[Options, Parameter(name="*")] = NO_OPTIONS,
) -> None:
    """Assign every transcript of an experiment to a cell.

    Parameters
    ----------
    source
        Output folder of a Xenium, CosMx or MERSCOPE instrument, or a table of transcripts (CSV or Parquet).
    output
        Folder to write; made at the end, under a temporary name until it is whole.
    """
    from cellcarve.cli.show import finished
    from cellcarve.console import console
    from cellcarve.run import segment as run_segment

    settings = Settings(read=options.read, prior=options.prior, carve=options.carve, compute=options.compute)
    target = OutputSettings(output, options.shown.overwrite)
    with console(options.shown.quiet) as progress:
        run = run_segment(source, settings, target, progress)
    if not options.shown.quiet:
        finished(run, target.output)


@app.command
def report(folder: Path, /) -> None:
    """Write the HTML report of a finished run again.

    Parameters
    ----------
    folder
        The run's folder.
    """
    from cellcarve.report import report as write_report
    from cellcarve.write import load_run

    write_report(load_run(folder), folder)
    print(f"open {folder / 'report.html'}")
