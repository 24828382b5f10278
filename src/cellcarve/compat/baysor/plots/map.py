"""A map that a person can move and zoom: molecules as pixels beneath, outlines as vectors above."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from cellcarve.compat.baysor.plots.frame import Frame
from cellcarve.mixture.result import Rings
from cellcarve.report.svg import tag

HERE = Path(__file__).parent
# Vertices are whole numbers of 16 bits over the longer side of the picture.
_STEPS = 65535


@dataclass(frozen=True)
class Outlines:
    """Rings to draw above the molecules.

    Attributes
    ----------
    key
        Name of the data block that holds them; maps share it.
    label
        For the switch.
    colour
        Of the lines.
    """

    key: str
    label: str
    colour: str


def assets() -> tuple[str, str]:
    """Style and script of the maps."""
    return (HERE / "map.css").read_text(encoding="utf-8"), (HERE / "map.js").read_text(encoding="utf-8")


def data_block(key: str, rings: Rings, frame: Frame, names: tuple[str, ...] = ()) -> Markup:
    """Rings as a block of data that maps refer to by its key.

    Parameters
    ----------
    key
        Its name.
    rings
        R rings.
    frame
        Picture above which they are drawn.
    names
        Of the rings, for the pointer; empty for none.
    """
    unit = max(frame.width, frame.height) / _STEPS
    place = [np.clip(np.rint(v / unit), 0, _STEPS).astype("<u2") for v in frame.place(rings.x, rings.y)]
    content = {
        "unit": unit,
        "vertices": _packed(np.stack(place, axis=1)),
        "starts": _packed(rings.start.astype("<u4")),
        "names": list(names),
    }
    text = json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")
    return Markup('<script type="application/json" id="{}">{}</script>').format(key, Markup(text))


def map_of(frame: Frame, uri: str, layers: list[Outlines], group: str, label: str) -> Markup:
    """A map with its switches.

    Parameters
    ----------
    frame
        Size of the picture.
    uri
        The picture.
    layers
        Outlines above it.
    group
        Maps of the same group are moved together.
    label
        Read out to people who cannot see it.
    """
    drawn = [{"key": layer.key, "colour": layer.colour} for layer in layers]
    facts = {"width": frame.width, "height": frame.height, "pixel": frame.pixel, "layers": drawn}
    switches = [_switch("picture", "molecules"), *(_switch(layer.key, layer.label) for layer in layers)]
    buttons = [
        tag("button", text, type="button", data_by=by) for text, by in (("+", 0.6), ("−", 1.6), ("whole", 0))
    ]
    bar = tag("p", Markup("").join([*switches, *buttons]), class_="bar")
    canvas = tag("canvas", "", tabindex=0, role="img", aria_label=label)
    image = Markup('<img src="{}" alt="">').format(uri)
    told = tag("output", "", class_="told")
    return tag(
        "div",
        bar + canvas + image + told,
        class_="molecule-map",
        data_group=group,
        data_map=json.dumps(facts),
    )


def _switch(key: str, label: str) -> Markup:
    return Markup('<label><input type="checkbox" checked data-layer-key="{}"> {}</label>').format(key, label)


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")
