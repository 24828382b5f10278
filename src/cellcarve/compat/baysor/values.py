"""Values of configuration keys, from TOML or from the command line, as the type that a key wants."""

import math
import re
from collections.abc import Callable
from dataclasses import Field
from typing import Any

from cellcarve.errors import SettingsError, nearest

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def fitted(place: str, value: Any, item: "Field[Any]") -> Any:
    """The value as the type that a key wants; text is read as on a command line.

    Parameters
    ----------
    place
        Who says so, and of which key, for the message.
    value
        What was given.
    item
        The key: its type, its bounds and its choices.

    Raises
    ------
    SettingsError
        The value does not fit.
    """
    kind = getattr(item.type, "__name__", str(item.type))
    made = _READERS[kind](place, value)
    if item.name == "scale_std":
        spread(made, 1.0, place)
    low, high = item.metadata.get("low", -math.inf), item.metadata.get("high", math.inf)
    if kind in ("int", "float") and not (low <= made <= high and math.isfinite(made)):
        bounds = "finite" if math.isinf(low) else f"at least {low:g}"
        bounds = bounds if math.isinf(high) else f"between {low:g} and {high:g}"
        raise SettingsError(f"{place} must be {bounds}, not {value!r}")
    choices = item.metadata.get("choices")
    if choices and made not in choices:
        raise SettingsError(f"{place} cannot be {made!r}; choose from {', '.join(choices)}")
    return made


def spread(text: str, scale: float, place: str = "scale_std") -> float:
    """The spread meant by ``"25%"`` (of the scale) or ``"7.5"``.

    Raises
    ------
    SettingsError
        It is neither, or not above 0.
    """
    match = re.fullmatch(rf"\s*({_NUMBER.pattern})\s*(%?)\s*", text)
    value = 0.0 if match is None else float(match[1]) * (scale / 100 if match[4] else 1.0)
    if not (value > 0 and math.isfinite(value)):
        raise SettingsError(f"{place} must be a share such as 25% or a number above 0, not '{text}'")
    return value


def words(text: str) -> tuple[str, ...]:
    """The entries of a list separated by commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def choice(option: str, given: str, choices: tuple[str, ...]) -> str:
    """The choice meant, whatever its case.

    Raises
    ------
    SettingsError
        It is none of them.
    """
    by_lower = {name.lower(): name for name in choices}
    if given.lower() not in by_lower:
        raise SettingsError(
            f"{option} cannot be '{given}'{nearest(given, choices)} (choose from {', '.join(choices)})"
        )
    return by_lower[given.lower()]


def _flag(place: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise SettingsError(f"{place} must be true or false, not {value!r}")


def _whole(place: str, value: Any) -> int:
    number = _real(place, value, "a whole number")
    if number != math.floor(number):
        raise SettingsError(f"{place} must be a whole number, not {value!r}")
    return int(number)


def _real(place: str, value: Any, wanted: str = "a number") -> float:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SettingsError(f"{place} must be {wanted}, not {value!r}")
    return float(value)


def _text(place: str, value: Any) -> str:
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ",".join(value)
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SettingsError(f"{place} must be text, not {value!r}")
    return str(value)


_READERS: dict[str, Callable[[str, Any], Any]] = {"bool": _flag, "int": _whole, "float": _real, "str": _text}
