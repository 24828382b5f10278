"""Inline SVG from flat arrays: frames, outlines, dots, images and scale bars."""

import math
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

from cellcarve.data.result import Outlines

Box = tuple[float, float, float, float]


def tag(name: str, content: str = "", /, **attributes: object) -> Markup:
    """One element; text and attribute values are escaped, ``_`` in attribute names becomes ``-``."""
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), value)
        for key, value in attributes.items()
    )
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), written, escape(content))


@dataclass(frozen=True)
class Frame:
    """A region of the tissue drawn in whole units, so that paths stay short.

    Attributes
    ----------
    box
        (xmin, ymin, xmax, ymax) in µm.
    unit
        µm per drawing unit.
    """

    box: Box
    unit: float

    @property
    def width(self) -> int:
        """Drawing units along x."""
        return max(1, math.ceil((self.box[2] - self.box[0]) / self.unit))

    @property
    def height(self) -> int:
        """Drawing units along y."""
        return max(1, math.ceil((self.box[3] - self.box[1]) / self.unit))

    def place(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Whole drawing units (int64) of positions in µm."""
        across = np.rint((x.astype(np.float64) - self.box[0]) / self.unit)
        down = np.rint((y.astype(np.float64) - self.box[1]) / self.unit)
        return across.astype(np.int64), down.astype(np.int64)


def rings(outlines: Outlines, chosen: np.ndarray, frame: Frame) -> str:
    """Path data of the chosen outlines.

    Parameters
    ----------
    outlines
        B polygons.
    chosen
        (B,) bool.
    frame
        Where they are drawn.

    Returns
    -------
    str
        ``m … zm … z``, empty where none is chosen.
    """
    length = np.diff(outlines.start)
    chosen = chosen & (length > 3)
    vertices = np.repeat(chosen, length)
    if not vertices.any():
        return ""
    x, y = frame.place(outlines.x[vertices], outlines.y[vertices])
    first = np.concatenate([[0], np.cumsum(length[chosen])[:-1]])
    step = np.stack([np.diff(x, prepend=0), np.diff(y, prepend=0)], axis=1)
    # "z" takes the pen back to where its ring began: a ring starts relative to the one before.
    step[first, 0] = np.diff(x[first], prepend=0)
    step[first, 1] = np.diff(y[first], prepend=0)
    word = np.array(list(map(str, step.ravel().tolist())), dtype=object)
    word[2 * first] = "zm" + word[2 * first]
    return " ".join(word.tolist())[1:] + "z"


def dots(x: np.ndarray, y: np.ndarray, frame: Frame) -> str:
    """Path data of dots (strokes of no length, to be drawn with round caps) at positions in µm."""
    across, down = frame.place(x, y)
    steps = np.diff(across, prepend=0).tolist(), np.diff(down, prepend=0).tolist()
    return "".join(map("m{} {}h0".format, *steps))


def path(data: str, **attributes: object) -> Markup:
    """A path element, or nothing where there is nothing to draw."""
    return tag("path", d=data, **attributes) if data else Markup("")


def image(uri: str, frame: Frame, box: Box, **attributes: object) -> Markup:
    """An image stretched over a box given in µm."""
    left, top = (box[0] - frame.box[0]) / frame.unit, (box[1] - frame.box[1]) / frame.unit
    width, height = (box[2] - box[0]) / frame.unit, (box[3] - box[1]) / frame.unit
    place = {"x": f"{left:.2f}", "y": f"{top:.2f}", "width": f"{width:.2f}", "height": f"{height:.2f}"}
    return tag("image", href=uri, preserveAspectRatio="none", **place, **attributes)


def scale_bar(frame: Frame, dark: bool = False, share: float = 60.0) -> Markup:
    """A bar of a round length in the lower left corner; its text is one `share`-th of the drawing high."""
    aim = (frame.box[2] - frame.box[0]) / 5
    ten = 10.0 ** math.floor(math.log10(aim))
    length = max(step * ten for step in (1, 2, 5) if step * ten <= aim)
    shown = f"{length / 1000:g} mm" if length >= 1000 else f"{length:g} µm"
    width, size = frame.width, max(frame.width, frame.height) / share
    left, bottom = width * 0.02, frame.height - width * 0.02
    place = {"x": f"{left:.1f}", "class_": "scale-bar dark" if dark else "scale-bar"}
    long, thick = f"{length / frame.unit:.1f}", f"{size / 4:.1f}"
    bar = tag("rect", y=f"{bottom - size / 4:.1f}", width=long, height=thick, **place)
    text = tag("text", shown, y=f"{bottom - size / 2:.1f}", font_size=f"{size:.1f}", **place)
    return bar + text


def drawing(frame: Frame, content: Markup, label: str, **attributes: object) -> Markup:
    """The whole drawing of a frame; `label` is read out to people who cannot see it."""
    view = f"0 0 {frame.width} {frame.height}"
    return tag("svg", content, viewBox=view, role="img", aria_label=label, **attributes)
