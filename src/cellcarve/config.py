"""Settings by their flat names: what the Python interface and the record of a run share."""

from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import Any

from cellcarve.settings import Settings
from cellcarve.validate import known


def stages() -> dict[str, str | None]:
    """Stage ("read", "prior" ...) that each setting belongs to; None for the settings of no stage."""
    where: dict[str, str | None] = {}
    for stage, value in vars(Settings()).items():
        staged = is_dataclass(value) and not isinstance(value, type)
        where.update({item.name: stage for item in fields(value)} if staged else {stage: None})
    return where


def gather(values: Mapping[str, Any]) -> Settings:
    """Settings from flat names, all others at their defaults.

    Parameters
    ----------
    values
        Names as on the command line, with ``_`` or ``-``.

    Raises
    ------
    SettingsError
        A name is unknown (the nearest known one is named) or a value does not fit.
    """
    where = stages()
    chosen: dict[str, dict[str, Any]] = {}
    own: dict[str, Any] = {}
    for given, value in values.items():
        name = known(given.replace("-", "_"), where)
        stage = where[name]
        (own if stage is None else chosen.setdefault(stage, {}))[name] = value
    defaults = vars(Settings())
    parts = {stage: type(defaults[stage])(**part) for stage, part in chosen.items()}
    return Settings(**own, **parts)


def flatten(settings: Settings) -> dict[str, Any]:
    """Every setting in force by its flat name; `gather` turns it back."""
    flat: dict[str, Any] = {}
    for name, value in asdict(settings).items():
        flat.update(value if isinstance(value, dict) else {name: value})
    return {name: list(value) if isinstance(value, tuple) else value for name, value in flat.items()}
