"""Colours that people with colour-blindness can tell apart, and maps from values to colours."""

import numpy as np

# Okabe and Ito's palette without black; lighter and darker copies follow where more are needed.
DISTINCT = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
# The same hues for dots on a dark image, where a deep blue would drown.
ON_DARK = ("#E69F00", "#56B4E9", "#00B585", "#F0E442", "#F2703A", "#DD8DBB", "#8C9BFF")
OURS, BEFORE, GREY, FAINT = "#0072B2", "#D55E00", "#8A8F98", "#C9CDD3"
# Anchors of the cividis map, dark blue to yellow.
SEQUENTIAL = ("#00224E", "#213A6C", "#4C556B", "#6C6E72", "#8E8978", "#B4A76C", "#DAC75A", "#FDE737")


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue (0 .. 255) of ``"#RRGGBB"``."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def blend(colour: str, other: str, share: float) -> str:
    """`colour` with a `share` (0 .. 1) of another."""
    mixed = (round(a + (b - a) * share) for a, b in zip(rgb(colour), rgb(other), strict=True))
    return "#" + "".join(f"{channel:02X}" for channel in mixed)


def palette(number: int) -> list[str]:
    """`number` colours, the most distinct ones first; after 21 they repeat."""
    tints = [blend(c, "#FFFFFF", 0.45) for c in DISTINCT]
    shades = [blend(c, "#000000", 0.45) for c in DISTINCT]
    all_colours = [*DISTINCT, *tints, *shades]
    return [all_colours[i % len(all_colours)] for i in range(number)]


def ramp(colours: tuple[str, ...], steps: int) -> np.ndarray:
    """(steps, 3) uint8 colours running evenly through the given ones."""
    anchors = np.array([rgb(c) for c in colours], float)
    at = np.linspace(0, len(colours) - 1, steps)
    channels = [np.interp(at, np.arange(len(colours)), anchors[:, k]) for k in range(3)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)


def unlike_neighbours(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Numbers of `ON_DARK` colours so that things close to each other differ.

    Parameters
    ----------
    x, y
        (n,) positions in µm; a close-up's worth, some hundreds at most.

    Returns
    -------
    ndarray
        (n,) int64, 0 .. 6.
    """
    from scipy.spatial import KDTree

    n = len(x)
    colour = np.full(n, -1)
    if n == 0:
        return colour
    apart, near = KDTree(np.column_stack([x, y])).query(np.column_stack([x, y]), k=min(13, n))
    near, weight = near.reshape(n, -1), 1 / (apart.reshape(n, -1) + 0.1) ** 2
    used = np.zeros(len(ON_DARK))
    for item in range(n):  # greedy, so one after the other; bounded by what a close-up shows
        taken = colour[near[item]]
        done = taken >= 0
        cost = np.bincount(taken[done], weight[item][done], minlength=len(ON_DARK)) + 1e-6 * used
        colour[item] = int(np.argmin(cost))
        used[colour[item]] += 1
    return colour
