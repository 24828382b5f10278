"""Fills the pages on settings and commands from the code, so that nothing is typed twice."""

import dataclasses

from docstring_parser import parse_from_object

from cellcarve.cli.app import app
from cellcarve.compat.proseg.options import InputOptions, ModelOptions, OutputOptions
from cellcarve.settings import Settings


def on_page_markdown(markdown, page, **_):
    """Replace the marks ``<!-- settings -->``, ``<!-- commands -->`` and ``<!-- proseg options -->``."""
    if "<!-- settings -->" in markdown:
        return markdown.replace("<!-- settings -->", settings_tables())
    if "<!-- commands -->" in markdown:
        return markdown.replace("<!-- commands -->", commands())
    if "<!-- proseg options -->" in markdown:
        return markdown.replace("<!-- proseg options -->", proseg_tables())
    return markdown


def proseg_tables():
    """One table per group of options of the stand-in for proseg."""
    return "\n\n".join(proseg_table(kind) for kind in (InputOptions, ModelOptions, OutputOptions))


def proseg_table(kind):
    """Options of one group: flag, default, meaning."""
    told = parse_from_object(kind)
    meaning, rows = meanings(told), []
    for item in dataclasses.fields(kind):
        default = {None: "", False: "off"}.get(item.default, str(item.default))
        flag = f"--{item.name.replace('_', '-')}"
        rows.append(f"| `{flag}` | {default} | {escaped(meaning[item.name])} |")
    head = "| option | default | meaning |\n|---|---|---|"
    return "\n".join([f"### {told.short_description.rstrip('.')}", "", head, *rows])


def meanings(told):
    """Meaning of every field of a docstring, where some share theirs."""
    return {
        name: " ".join(item.description.split()) for item in told.params for name in item.arg_name.split(", ")
    }


def settings_tables():
    """One table per stage: name, flag, default, bounds, meaning."""
    stages = [
        stage
        for stage in vars(Settings()).values()
        if dataclasses.is_dataclass(stage) and dataclasses.fields(stage)
    ]
    return "\n\n".join(table(type(stage)) for stage in stages)


def table(kind):
    """Table of one settings class."""
    told = parse_from_object(kind)
    meaning = meanings(told)
    rows = [row(item, meaning[item.name]) for item in dataclasses.fields(kind)]
    head = "| name | flag | default | meaning |\n|---|---|---|---|"
    return "\n".join([f"## {told.short_description.rstrip('.')}", "", head, *rows])


def row(item, meaning):
    """One setting; a true default is turned off by its ``--no-`` flag."""
    flag = item.name.replace("_", "-")
    flag = f"--no-{flag}" if item.default is True else f"--{flag}"
    default = {None: "", (): "none"}.get(item.default, str(item.default))
    low, high = item.metadata.get("low"), item.metadata.get("high")
    bounds = (
        "" if low is None else f" At least {low:g}." if high == float("inf") else f" {low:g} to {high:g}."
    )
    return f"| `{item.name}` | `{flag}` | {default} | {escaped(meaning + bounds)} |"


def escaped(text):
    """Text that a table cell shows as it is."""
    return text.replace("|", "\\|").replace("*", "\\*")


def commands():
    """Reference of every command, without the title and the table of contents that precede it."""
    text = app.generate_docs(usage_name="cellcarve")
    return text[text.index("\n## cellcarve") :]
