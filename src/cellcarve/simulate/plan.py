"""What is fixed for a whole simulated tissue: its size, its blocks, its smooth fields."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cellcarve.simulate.fields import waves
from cellcarve.simulate.kinds import KINDS
from cellcarve.simulate.settings import SimulateSettings

# Area of a typical cell in µm²: turns transcripts per cell into transcripts per area.
USUAL_AREA = 110.0
# Share of the section that is filled with cells.
FULL = 0.9
BLOCK = 200.0


@dataclass(frozen=True)
class Plan:
    """A tissue before any cell is made.

    Attributes
    ----------
    settings
        What was asked for.
    side
        Side of the square tissue in µm.
    blocks
        Blocks along each side.
    density
        Transcripts of cells per µm².
    warp
        (2, W, 5) waves of the deformation.
    region
        One set of waves per kind of region: the highest one rules.
    gradient
        Waves of the gradients of the expression programmes.
    haze
        Waves of the density of the background.
    """

    settings: SimulateSettings
    side: float
    blocks: int
    density: float
    warp: np.ndarray
    region: tuple[np.ndarray, ...]
    gradient: tuple[np.ndarray, ...]
    haze: np.ndarray

    @property
    def step(self) -> float:
        """Side of a block in µm."""
        return self.side / self.blocks

    def box(self, column: int, row: int) -> tuple[float, float, float, float]:
        """Bounds (xmin, ymin, xmax, ymax) of a block in µm."""
        s = self.step
        return column * s, row * s, (column + 1) * s, (row + 1) * s

    def places(self, rim: int = 0) -> Iterator[tuple[int, int]]:
        """Column and row of all blocks, row by row, and of `rim` blocks more around them."""
        every = range(-rim, self.blocks + rim)
        return ((column, row) for row in every for column in every)

    def holds(self, column: int, row: int) -> bool:
        """Whether a block is one of the tissue's own."""
        return 0 <= column < self.blocks and 0 <= row < self.blocks

    def random(self, stream: int, column: int = 0, row: int = 0) -> np.random.Generator:
        """Random numbers of their own for a purpose and a block."""
        place = (column + 2**30) * 2**31 + row + 2**30
        return np.random.Generator(np.random.Philox(key=[self.settings.seed, stream * 2**62 + place]))


def make_plan(settings: SimulateSettings, programmes: int) -> Plan:
    """Lay out the tissue that the settings ask for; `programmes` expression programmes vary along it."""
    rng = np.random.Generator(np.random.Philox(key=[settings.seed, 1]))
    density = settings.per_cell / USUAL_AREA
    side = math.sqrt(settings.transcripts / density)
    deformation = [np.concatenate([waves(rng, 4, 110.0, 4.5), waves(rng, 4, 11.0, 0.25)]) for _ in range(2)]
    return Plan(
        settings=settings,
        side=side,
        blocks=max(1, math.ceil(side / BLOCK)),
        density=density * (1 - settings.haze) / FULL,
        warp=np.stack(deformation),
        region=tuple(waves(rng, 6, 220.0, 1.0) for _ in KINDS),
        gradient=tuple(waves(rng, 5, 300.0, 1.0) for _ in range(programmes)),
        haze=waves(rng, 5, 60.0, 0.35),
    )
