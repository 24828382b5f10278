"""Checks that every settings class makes of itself: types, choices and bounds."""

import math
import os
from dataclasses import Field, field, fields
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from cellcarve.errors import SettingError, SettingsError, nearest


def bounded(default: Any, low: float, high: float = math.inf) -> Any:
    """Dataclass field whose value lies in `low` .. `high`, both included."""
    return field(default=default, metadata={"low": low, "high": high})


class Validated:
    """Base of the settings classes: a mistake is refused where the settings are made, naming the setting.

    Raises
    ------
    SettingsError
        A value has the wrong type, is none of the choices or lies out of bounds.
    """

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for item in fields(self):  # type: ignore[arg-type]
            value = fitted(item.name, getattr(self, item.name), hints[item.name])
            _check_bounds(item, value)
            object.__setattr__(self, item.name, value)


def fitted(name: str, value: Any, hint: Any) -> Any:
    """The value as the type that a setting wants.

    Whole numbers serve as real ones, paths as text, and a list or comma-separated text as a tuple of words.

    Parameters
    ----------
    name
        The setting, for the message.
    value
        What was given.
    hint
        The setting's type annotation.

    Raises
    ------
    SettingsError
        The value does not fit.
    """
    if get_origin(hint) in (Union, UnionType):
        if value is None:
            return None
        hint = next(option for option in get_args(hint) if option is not NoneType)
    if get_origin(hint) is Literal:
        return _choice(name, value, get_args(hint))
    if get_origin(hint) is tuple:
        return _words(name, value)
    return _plain(name, value, hint)


def _choice(name: str, value: Any, choices: tuple[Any, ...]) -> Any:
    if value in choices:
        return value
    raise SettingError(name, f"cannot be {value!r}; choose from {', '.join(map(str, choices))}")


def _words(name: str, value: Any) -> tuple[str, ...]:
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list | tuple | set) or not all(isinstance(part, str) for part in parts):
        raise SettingError(name, f"must be a list of words, not {value!r}")
    ordered = sorted(parts) if isinstance(parts, set) else parts
    return tuple(word.strip() for part in ordered for word in part.split(",") if word.strip())


def _plain(name: str, value: Any, kind: type) -> Any:
    flag = isinstance(value, bool) or type(value).__name__ == "bool"
    if kind is bool and flag:
        return bool(value)
    if kind is int and isinstance(value, Integral) and not flag:
        return int(value)
    if kind is float and isinstance(value, Real) and not flag:
        return float(value)
    if kind is str and isinstance(value, str | os.PathLike):
        return os.fspath(value)
    if not isinstance(value, kind) or kind in (bool, int, float):
        wanted = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
        raise SettingError(name, f"must be {wanted.get(kind, kind.__name__)}, not {value!r}")
    return value


def _check_bounds(item: "Field[Any]", value: Any) -> None:
    if "low" not in item.metadata or value is None:
        return
    low, high = item.metadata["low"], item.metadata["high"]
    if low <= value <= high and math.isfinite(value):
        return
    bounds = f"at least {low:g}" if math.isinf(high) else f"between {low:g} and {high:g}"
    raise SettingError(item.name, f"must be {bounds}, not {value!r}")


def known(name: str, names: "list[str] | dict[str, Any]", what: str = "setting") -> str:
    """The name, if there is such a one.

    Raises
    ------
    SettingsError
        There is none; the message names the nearest.
    """
    if name in names:
        return name
    raise SettingsError(f"there is no {what} '{name}'{nearest(name, names)}")
