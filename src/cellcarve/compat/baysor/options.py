"""The options of one command, checked as far as can be without reading anything."""

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cellcarve.compat.baysor.config import PRESETS, Config, from_file, resolve
from cellcarve.compat.baysor.overrides import WHERE
from cellcarve.compat.baysor.values import choice, words
from cellcarve.errors import SettingsError

POLYGONS = ("FeatureCollection", "GeometryCollection", "GeometryCollectionLegacy", "none")
COUNTS = ("loom", "tsv", "h5ad")
_EXPERIMENT = "experiment.xenium"


@dataclass(frozen=True)
class Options:
    """What one command was asked to do.

    Attributes
    ----------
    coordinates
        Table of molecules, or Xenium folder.
    prior
        ``""``, ``":column"`` or the path of an image.
    output
        As given.
    config
        Every key in force.
    polygons
        One of `POLYGONS`.
    counts
        Some of `COUNTS`.
    plot, ncv
        Draw the pages; colour by neighbourhood composition.
    pixel, offset
        Side of a pixel of the prior's image, and where the middle of its first pixel lies.
    neighbours
        ``-k`` of segfree.
    compat
        ``""`` or ``"0.7"``.
    drop_small_cells
        Cells with fewer molecules than ``-m`` become noise.
    resume
        Go on from the checkpoint of an interrupted run.
    threads, seed
        As in `ComputeSettings`.
    line
        The command line, as it stands in the dump of parameters.
    """

    coordinates: Path
    prior: str
    output: str
    config: Config
    polygons: str = "FeatureCollection"
    counts: tuple[str, ...] = ("loom",)
    plot: bool = False
    ncv: bool = True
    pixel: float = 1.0
    offset: tuple[float, float] = (0.0, 0.0)
    neighbours: int = 0
    compat: str = ""
    drop_small_cells: bool = False
    resume: bool = False
    threads: int = 0
    seed: int = 1
    line: str = ""


def options_of(given: dict[str, Any]) -> Options:
    """Options from what the command line gave.

    Parameters
    ----------
    given
        Options by name (those of the configuration as ``section__key``, None where absent), ``overrides`` and
        ``words`` of the command line.

    Raises
    ------
    SettingsError
        A key is unknown, or a value does not fit.
    """
    # An empty path would be the folder in which the command runs.
    if not given["coordinates"]:
        raise SettingsError("COORDINATES is empty; name the table of molecules, or the Xenium folder")
    coordinates = Path(given["coordinates"])
    if coordinates.name == _EXPERIMENT:
        coordinates = coordinates.parent
    flags = {
        name.replace("__", "."): value for name, value in given.items() if "__" in name and value is not None
    }
    layers = [(WHERE, given["overrides"]), (WHERE, flags)]
    if given["config"]:
        layers.insert(0, (given["config"], from_file(given["config"])))
    if coordinates.is_dir():
        layers.insert(0, ("preset xenium", from_file(str(PRESETS / "xenium.toml"))))
    config = resolve(layers)
    same = ("plot", "compat", "drop_small_cells", "resume", "threads", "seed")
    extra = {name: given[name] for name in same if name in given}
    if not extra.get("threads"):
        extra["threads"] = _julia_threads()
    return Options(
        coordinates,
        given.get("prior_segmentation", ""),
        given["output"],
        config,
        line=shlex.join(given["words"]),
        **extra,
        **_formats(given),
    )


def _formats(given: dict[str, Any]) -> dict[str, Any]:
    """Options that only some of the commands have."""
    made: dict[str, Any] = {}
    if "polygon_format" in given:
        made["polygons"] = choice("--polygon-format", given["polygon_format"], POLYGONS)
        asked = words(given["count_matrix_format"]) or ("",)
        made["counts"] = tuple(choice("--count-matrix-format", name, COUNTS) for name in asked)
        made["ncv"] = not given["skip_ncv"]
        made["pixel"], made["offset"] = _pixel(given["prior_pixel_size"]), _offset(given["prior_offset"])
    if "k_neighbors" in given:
        made["neighbours"] = given["k_neighbors"]
    return made


def _pixel(side: float) -> float:
    if not 1e-9 <= side <= 1e9:
        raise SettingsError(f"--prior-pixel-size must be above 0, not {side:g}")
    return side


def _offset(text: str) -> tuple[float, float]:
    number = r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*"
    match = re.fullmatch(f"{number},{number}", text)
    if match is None:
        raise SettingsError(f"--prior-offset must be two numbers such as 10,20, not '{text}'")
    return float(match[1]), float(match[2])


def _julia_threads() -> int:
    """Threads that a wrapper of Baysor asks for by its environment; 0 where it asks for none."""
    text = os.environ.get("JULIA_NUM_THREADS", "").split(",")[0].strip()
    return int(text) if text.isdigit() else 0
