"""What all tiles share: the small global model that local fits are given and that they are summed into."""

from dataclasses import dataclass

import numpy as np

from cellcarve.carve.types import Types
from cellcarve.data.exclusion import Exclusion


@dataclass(frozen=True)
class Geometry:
    """How borders run between nuclei.

    Attributes
    ----------
    power
        Share (log scale) of a nucleus' own radius in the unit of its scaled distance; the rest is the usual radius.
    balance
        Above 0 the sizes of cells are evened out, below 0 spread.
    valley
        Exponent of the price of a step: above 0 borders are valleys of density, below 0 ridges.
    blur
        0 .. 1: share of transcripts whose gene does not tell on which side of a border they lie.
    """

    power: float = 0.7
    balance: float = 0.0
    valley: float = 0.0
    blur: float = 0.0


@dataclass(frozen=True)
class Scale:
    """Sizes that the tissue sets; lengths in µm.

    Attributes
    ----------
    pixel
        Side of a label pixel.
    sigma
        Smoothing of the density of transcripts.
    radius
        Usual nuclear radius.
    quartile
        Upper quartile, over transcripts outside nuclei, of the scaled distance to the nearest nucleus.
    log_size
        Median over cells of ln(transcripts nearest to the cell + 10).
    cell_transcripts
        Transcripts per cell.
    inside
        Transcripts per µm² close to nuclei.
    """

    pixel: float
    sigma: float
    radius: float
    quartile: float = 1.6
    log_size: float = 0.0
    cell_transcripts: float = 100.0
    inside: float = 1.0


@dataclass(frozen=True)
class Model:
    """The global model; G genes, K types.

    Attributes
    ----------
    types
        Expression types.
    geometry, scale
        See there.
    level
        ln of the mean density of cells, transcripts per µm².
    background
        (G,) float32 transcripts per µm² that belong to no cell.
    nuclear
        (G,) float32 ln(share of a gene in nuclei / share outside them), as far as it is more than chance.
    exclusion
        Genes that are rarely seen together.
    usual_rare
        Rare partners that a usual transcript's gene meets in its cell.
    overlap
        Leak share of the last step, which also stands for cells that overlap in depth.
    missing
        Added to the log odds of new cells: how much commoner missed cells are here than usual.
    """

    types: Types
    geometry: Geometry
    scale: Scale
    level: float
    background: np.ndarray
    nuclear: np.ndarray
    exclusion: Exclusion
    usual_rare: float = 1.0
    overlap: float = 0.5
    missing: float = 0.0
