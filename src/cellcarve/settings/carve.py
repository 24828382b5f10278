"""The method carve."""

from dataclasses import dataclass
from typing import Literal

from cellcarve.validate import Validated, bounded

Purity = Literal["balanced", "complete", "pure"]


@dataclass(frozen=True)
class CarveSettings(Validated):
    """The method carve, and what is put right in nuclei before any method starts.

    Parameters
    ----------
    purity
        How sure an assignment must be: "complete" assigns all that have a likely cell, "balanced" is the default and
        leaves out doubtful transcripts that alone would show a gene that does not fit their cell, "pure" more of them.
    repair
        Split merged and join split prior nuclei, whatever the method.
    new_cells
        Add cells where transcripts lie far from every nucleus, whatever the method.
    cell_diameter
        Usual diameter of a cell in µm; read only where there is no prior.
    tile
        Side of the squares (µm) in which the tissue is worked on; smaller ones take less memory. Chosen from the
        density of the tissue and the memory allowed, 400 at most.
    """

    purity: Purity = "balanced"
    repair: bool = True
    new_cells: bool = True
    cell_diameter: float = bounded(13.0, 2, 100)
    tile: float | None = bounded(None, 50)
