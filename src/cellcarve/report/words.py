"""Numbers as people read them."""

import math

NONE = "–"


def count(value: float) -> str:
    """Whole number with thousands separated, in millions from ten million up."""
    if value >= 1e7:
        return f"{value / 1e6:,.4g} M"
    return f"{int(value):,}"


def percent(part: float, whole: float) -> str:
    """`part` in per cent of `whole`, or a dash where there is no whole."""
    if not whole:
        return NONE
    value = 100 * part / whole
    return f"{value:.2f} %" if 0 < value < 0.1 else f"{value:.1f} %"


def decimal(value: float) -> str:
    """Three significant digits, or a dash where the value is not finite."""
    if not math.isfinite(value):
        return NONE
    if value and (abs(value) < 1e-3 or abs(value) >= 1e6):
        return f"{value:.2e}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def shorten(text: str, length: int) -> str:
    """The text, or its beginning and an ellipsis where it is longer than `length`."""
    return text if len(text) <= length else text[: length - 1] + "…"


def plural(number: int, noun: str) -> str:
    """Number and noun: "1 cell", "2 cells"."""
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"
