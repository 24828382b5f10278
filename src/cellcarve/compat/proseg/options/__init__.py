"""Every option of the command, by its own name: what was given, before a preset fills in the rest.

One frozen class per group; the command line is made from their fields and their help from the docstrings.
``None`` means that the user said nothing.
"""

from dataclasses import dataclass, field
from pathlib import Path

from cellcarve.compat.proseg.options.inputs import InputOptions
from cellcarve.compat.proseg.options.model import ModelOptions
from cellcarve.compat.proseg.options.output import Format, OutputOptions

__all__ = ["Format", "InputOptions", "ModelOptions", "Options", "OutputOptions"]


@dataclass(frozen=True)
class Options:
    """A whole command line.

    Parameters
    ----------
    source
        The positional argument: a table, a folder or a store.
    inputs, model, output
        The options by group.
    arguments
        The command line as it was given, for the record.
    """

    source: Path
    inputs: InputOptions = field(default_factory=InputOptions)
    model: ModelOptions = field(default_factory=ModelOptions)
    output: OutputOptions = field(default_factory=OutputOptions)
    arguments: tuple[str, ...] = ()
