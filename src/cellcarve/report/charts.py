"""Small charts as inline SVG; sizes are in CSS pixels, text keeps its size."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from cellcarve.report.svg import tag
from cellcarve.report.words import count, decimal

Place = Callable[[float], float]
WIDTH, HEIGHT = 360, 220
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 10, 42


@dataclass(frozen=True)
class Steps:
    """Heights over the bins of a histogram; drawn as bars where `filled`, else as an outline."""

    heights: np.ndarray
    colour: str
    filled: bool = True


def ticks(low: float, high: float, about: int = 5, least: float = 0.0) -> list[float]:
    """Round numbers between low and high, at least `least` apart."""
    if not high > low:
        return [low]
    raw = max((high - low) / about, least)
    ten = 10.0 ** math.floor(math.log10(raw))
    step = next(s * ten for s in (1, 2, 5, 10) if s * ten >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [k * step for k in range(first, last + 1)]


def histogram(edges: np.ndarray, layers: list[Steps], labels: tuple[str, str]) -> Markup:
    """Bars and outlines over common bins.

    Parameters
    ----------
    edges
        (bins + 1,) borders of the bins.
    layers
        What to draw, lowest first.
    labels
        What the x and the y axis show.
    """
    top = max([1.0, *(float(layer.heights.max(initial=0)) for layer in layers)])
    span = float(edges[-1] - edges[0]) or 1.0

    def across(value: float) -> float:
        return LEFT + (value - float(edges[0])) / span * (WIDTH - LEFT - RIGHT)

    def down(value: float) -> float:
        return HEIGHT - BOTTOM - value / (1.05 * top) * (HEIGHT - TOP - BOTTOM)

    parts = [_grid(down, ticks(0, top, least=1)), _axis(across, ticks(float(edges[0]), float(edges[-1])))]
    parts += [_steps(edges, layer, across, down) for layer in layers]
    parts += [_titles(*labels)]
    return _chart(parts, HEIGHT, f"{labels[1]} by {labels[0]}")


def curves(x: np.ndarray, lines: list[tuple[np.ndarray, str]], labels: tuple[str, str]) -> Markup:
    """Values over a common axis as lines.

    Parameters
    ----------
    x
        (n,) ascending.
    lines
        (n,) values of 0 and above, and the colour of each line; NaN leaves a gap.
    labels
        What the x and the y axis show.
    """
    top = max([0.0, *(float(np.nanmax(y, initial=0)) for y, _ in lines)]) or 1.0
    low, span = float(x[0]), float(x[-1] - x[0]) or 1.0

    def across(value: float) -> float:
        return LEFT + (value - low) / span * (WIDTH - LEFT - RIGHT)

    def down(value: float) -> float:
        return HEIGHT - BOTTOM - value / (1.05 * top) * (HEIGHT - TOP - BOTTOM)

    parts = [_grid(down, ticks(0, top)), _axis(across, ticks(low, low + span))]
    for y, colour in lines:
        there = np.flatnonzero(np.isfinite(y))
        begins = np.diff(there, prepend=-2) > 1
        data = "".join(
            f"{'M' if begins[k] else 'L'}{across(float(x[i])):.1f} {down(float(y[i])):.1f}"
            for k, i in enumerate(there)
        )
        parts.append(
            tag("path", d=data, fill="none", stroke=colour, stroke_width=1.6) if data else Markup("")
        )
    return _chart([*parts, _titles(*labels)], HEIGHT, f"{labels[1]} by {labels[0]}")


def stack(parts: list[tuple[str, int, str]]) -> Markup:
    """One bar cut into (name, size, colour) parts."""
    total = sum(size for _, size, _ in parts) or 1
    width, at, drawn = 900, 0.0, []
    for name, size, colour in parts:
        share = size / total * width
        title = tag("title", f"{name}: {count(size)}")
        drawn.append(tag("rect", title, x=f"{at:.2f}", y=0, width=f"{share:.2f}", height=34, fill=colour))
        at += share
    return tag("svg", Markup("").join(drawn), viewBox=f"0 0 {width} 34", preserveAspectRatio="none",
               role="img", aria_label="Transcripts by what became of them", class_="stack")  # fmt: skip


def colour_bar(colours: np.ndarray, low: float, high: float, label: str) -> Markup:
    """A scale from `low` to `high` for a (n, 3) uint8 ramp of colours."""
    stops = Markup("").join(
        tag("stop", offset=f"{i / (len(colours) - 1):.4f}", stop_color=f"rgb({r},{g},{b})")
        for i, (r, g, b) in enumerate(colours.tolist())
    )
    parts = [tag("defs", tag("linearGradient", stops, id="scale"))]
    parts.append(tag("rect", x=20, y=4, width=260, height=12, fill="url(#scale)"))
    for value in ticks(low, high, 4):
        at = 20 + 260 * (value - low) / ((high - low) or 1)
        parts.append(tag("text", decimal(value), x=f"{at:.1f}", y=30, text_anchor="middle", class_="tick"))
    parts.append(tag("text", label, x=150, y=47, text_anchor="middle", class_="axis"))
    return tag(
        "svg", Markup("").join(parts), viewBox="0 0 300 52", role="img", aria_label=label, class_="scale"
    )


def _steps(edges: np.ndarray, layer: Steps, across: Place, down: Place) -> Markup:
    """The outline of a histogram as one path."""
    floor, points = down(0), []
    for left, right, height in zip(edges[:-1], edges[1:], layer.heights, strict=True):
        level = down(float(height))
        points.append(f"{across(left):.1f} {level:.1f}L{across(right):.1f} {level:.1f}")
    data = (
        f"M{across(edges[0]):.1f} {floor:.1f}L" + "L".join(points) + f"L{across(edges[-1]):.1f} {floor:.1f}"
    )
    if layer.filled:
        return tag("path", d=data + "z", fill=layer.colour, fill_opacity=0.75)
    return tag("path", d=data, fill="none", stroke=layer.colour, stroke_width=1.8)


def _grid(down: Place, values: list[float]) -> Markup:
    lines = []
    for value in values:
        y = f"{down(value):.1f}"
        lines.append(tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid"))
        lines.append(
            tag(
                "text", _tick(value), x=LEFT - 6, y=f"{down(value) + 4:.1f}", text_anchor="end", class_="tick"
            )
        )
    return Markup("").join(lines)


def _axis(across: Place, values: list[float]) -> Markup:
    y = HEIGHT - BOTTOM
    marks = [tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="base")]
    for value in values:
        x = f"{across(value):.1f}"
        marks.append(tag("text", _tick(value), x=x, y=y + 16, text_anchor="middle", class_="tick"))
    return Markup("").join(marks)


def _tick(value: float) -> str:
    if abs(value) >= 1e6:
        return f"{value / 1e6:g}M"
    return f"{value / 1e3:g}k" if abs(value) >= 1e4 else f"{value:,.6g}"


def _titles(x_label: str, y_label: str) -> Markup:
    x_middle, y_middle = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
    below = tag("text", x_label, x=x_middle, y=HEIGHT - 8, text_anchor="middle", class_="axis")
    turn = f"rotate(-90 12 {y_middle:g})"
    return below + tag(
        "text", y_label, x=12, y=f"{y_middle:g}", transform=turn, text_anchor="middle", class_="axis"
    )


def _chart(parts: list[Markup], height: int, label: str) -> Markup:
    content = Markup("").join(parts)
    return tag("svg", content, viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label=label, class_="chart")
