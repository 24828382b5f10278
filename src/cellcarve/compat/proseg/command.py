"""The command line: made from the option classes, with proseg's own spellings."""

import math
from dataclasses import Field, dataclass, fields
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click
from docstring_parser import parse_from_object

from cellcarve.compat.commands import answered
from cellcarve.compat.proseg.earlier import modern
from cellcarve.compat.proseg.options import InputOptions, ModelOptions, Options, OutputOptions

VERSION = "3.2.0"
_SHORT = {
    "x_column": "-x",
    "y_column": "-y",
    "z_column": "-z",
    "morphology_steps_per_iter": "-m",
    "nthreads": "-t",
}
_ENDLESS = ("max_transcript_nucleus_distance",)
_CHOICES = {"compat": ("3.0", "3.1", "3.2")}
_GROUPS = {"inputs": InputOptions, "model": ModelOptions, "output": OutputOptions}


@dataclass(frozen=True)
class Parsed:
    """What a command line says.

    Parameters
    ----------
    options
        Its options; None where it asked for help or the version, which have been printed.
    warnings
        Sentences about words of earlier versions.
    """

    options: Options | None
    warnings: tuple[str, ...] = ()


def parse(tokens: list[str]) -> Parsed:
    """Understand a command line.

    Parameters
    ----------
    tokens
        The words after the program's name.

    Raises
    ------
    SettingsError
        An option is unknown, lacks its value or has one that does not fit; or the input is missing.
    """
    words, warnings = modern(tokens)
    values = answered(_command(), words, "cellcarve proseg")
    if not isinstance(values, dict):
        return Parsed(None)
    parts = {
        group: kind(**{item.name: values[item.name] for item in fields(kind)})
        for group, kind in _GROUPS.items()
    }
    return Parsed(Options(values["source"], **parts, arguments=tuple(tokens)), tuple(warnings))


class _Real(click.types.FloatParamType):
    """A number that is one: not nan, and infinite only where that can be meant."""

    def __init__(self, endless: bool = False) -> None:
        self._endless = endless

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number."""
        number = super().convert(value, param, ctx)
        if math.isnan(number) or (math.isinf(number) and not self._endless):
            kind = "number" if self._endless else "finite number"
            self.fail(f"'{value}' is not a {kind}", param, ctx)
        return number


_REAL = _Real()


class _Grouped(click.Command):
    """Shows the options by group."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One section a group, in the order of the classes."""
        records = {p.name: p.get_help_record(ctx) for p in self.get_params(ctx)}
        for kind in _GROUPS.values():
            title = str(parse_from_object(kind).short_description).rstrip(".")
            with formatter.section(title):
                formatter.write_dl([record for item in fields(kind) if (record := records.pop(item.name))])
        with formatter.section("Other"):
            formatter.write_dl([record for record in records.values() if record])


@cache
def _command() -> click.Command:
    options = [option for kind in _GROUPS.values() for option in _options(kind)]
    source = click.Argument(["source"], type=click.Path(path_type=Path), metavar="TRANSCRIPTS")
    form = click.Argument(
        ["parquet_fmt"], type=click.Choice(["none", "xenium", "merfish2"]), required=False, default="none"
    )
    version = click.version_option(
        VERSION, "-V", "--version", prog_name="proseg", message="%(prog)s %(version)s"
    )
    command = _Grouped(
        "proseg",
        params=[source, form, *options],
        callback=lambda **values: values,
        help="Stand-in for proseg 3: cellcarve's voxel method with proseg's options and files.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    return version(command)


def _options(kind: type) -> list[click.Option]:
    told: dict[str, str] = {}
    for item in parse_from_object(kind).params:
        told |= dict.fromkeys(item.arg_name.split(", "), " ".join((item.description or "").split()))
    hints = get_type_hints(kind)
    return [_option(item, hints[item.name], told[item.name]) for item in fields(kind)]


def _option(item: "Field[Any]", hint: Any, told: str) -> click.Option:
    names = [f"--{item.name.replace('_', '-')}", item.name]
    if item.name in _SHORT:
        names.insert(0, _SHORT[item.name])
    if hint is bool:
        return click.Option(names, is_flag=True, default=False, help=told)
    kind, count = _kind(item.name, hint)
    shown = item.default is not None
    return click.Option(names, type=kind, nargs=count, default=item.default, show_default=shown, help=told)


def _kind(name: str, hint: Any) -> tuple[Any, int]:
    """Click's type for an annotation, and how many words it takes."""
    if name in _CHOICES:
        return click.Choice(_CHOICES[name]), 1
    if NoneType in get_args(hint):
        hint = next(part for part in get_args(hint) if part is not NoneType)
    if get_origin(hint) is Literal:
        return click.Choice(get_args(hint)), 1
    if get_origin(hint) is tuple:
        return _REAL, len(get_args(hint))
    if hint is float:
        return _Real(name in _ENDLESS), 1
    if hint is int:
        return click.IntRange(min=0), 1
    return (click.Path(path_type=Path) if hint is Path else hint), 1
