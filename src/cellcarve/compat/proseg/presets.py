"""Presets of the platforms: what they say where the user says nothing."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cellcarve.compat.proseg.options import InputOptions, Options
from cellcarve.errors import SettingsError

PLATFORMS = ("xenium", "cosmx", "cosmx_micron", "merscope", "merfish", "visiumhd")
_FOLDER = Path(__file__).parent / "presets"


def chosen(inputs: InputOptions) -> str | None:
    """The platform that the command line names, if any.

    Raises
    ------
    SettingsError
        It names more than one.
    """
    named = [name for name in PLATFORMS if getattr(inputs, name)]
    if len(named) > 1:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in named)
        raise SettingsError(f"{flags} cannot be given together; name one platform")
    return named[0] if named else None


def applied(options: Options, platform: str | None) -> Options:
    """The options with the preset of a platform filled in: what the user gave wins, except over what is forced.

    Parameters
    ----------
    options
        As given.
    platform
        One of `PLATFORMS`, or None for no preset.
    """
    if platform is None:
        return options
    preset = tomllib.loads((_FOLDER / f"{platform}.toml").read_text())
    inputs, model, forced = options.inputs, options.model, preset.get("forced", {})
    if not inputs.include_neg_ctrls:
        inputs = _filled(inputs, preset.get("controls", {}))
    if _unplaced(inputs):
        inputs = _filled(inputs, preset.get("mask", {}))
    inputs = replace(_filled(inputs, preset["inputs"]), **forced.get("inputs", {}))
    model = replace(_filled(model, preset.get("model", {})), **forced.get("model", {}))
    return replace(options, inputs=inputs, model=model)


def _unplaced(inputs: InputOptions) -> bool:
    """Whether nothing says where a label image lies."""
    placed = inputs.cellpose_scale, inputs.cellpose_x_transform, inputs.cellpose_y_transform
    return all(value is None for value in placed)


def _filled(group: Any, values: Mapping[str, Any]) -> Any:
    """A group of options with the values that it lacks."""
    return replace(group, **{name: value for name, value in values.items() if getattr(group, name) is None})
