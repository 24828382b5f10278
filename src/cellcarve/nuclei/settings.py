"""How nuclei are looked for."""

from dataclasses import dataclass
from typing import Literal

from cellcarve.validate import Validated, bounded

Finder = Literal["classical", "cellpose"]


@dataclass(frozen=True)
class NucleiSettings(Validated):
    """How nuclei are looked for.

    Parameters
    ----------
    finder
        "classical" (local threshold and watershed), or "cellpose" where you have installed it.
    pixel
        µm per pixel; read from the file where it says so.
    diameter
        Usual diameter of a nucleus in µm.
    contrast
        How far a nucleus must stand out from its surroundings, as a ratio; lower finds fainter ones.
    least_area
        Smallest nucleus in µm².
    channel
        Which channel of the picture shows nuclei, counted from 0.
    tile
        Side in pixels of the squares that are worked on; smaller ones take less memory.
    threads
        CPU threads; 0 takes all there are. The result does not depend on it.
    """

    finder: Finder = "classical"
    pixel: float | None = bounded(None, 1e-3, 100)
    diameter: float = bounded(8.0, 1, 100)
    contrast: float = bounded(1.22, 1, 100)
    least_area: float = bounded(10.0, 0, 1e4)
    channel: int = bounded(0, 0, 1000)
    tile: int = bounded(2048, 64, 65536)
    threads: int = bounded(0, 0)
