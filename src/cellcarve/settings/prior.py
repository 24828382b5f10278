"""Where the prior segmentation comes from."""

from dataclasses import dataclass
from typing import Literal

from cellcarve.validate import Validated, bounded


@dataclass(frozen=True)
class PriorSettings(Validated):
    """Where the prior segmentation comes from and how far it is trusted.

    Parameters
    ----------
    prior
        "auto" (what the input holds), "none", "labels" (the label images of a CosMx folder), or a file: label
        image (tif, npy, mat), polygons (GeoJSON, GeoParquet, Xenium or MERSCOPE boundaries).
    prior_confidence
        0 to 1: how firmly transcripts in a prior nucleus hold to it.
    prior_holds
        Whether the prior outlines nuclei or whole cells; "auto" judges by the input.
    prior_scale
        µm per pixel of a label image, which has to be given, or per unit of a polygon file, 1 if not given.
    prior_offset
        "x,y" in µm of the corner of the label image or the origin of the polygons.
    prior_affine
        "a,b,c,d,e,f": x = a·column + b·row + c and y = d·column + e·row + f, in µm; replaces scale and
        offset.
    prior_flip_y
        The image's rows, or the polygons' y, run downwards.
    """

    prior: str = "auto"
    prior_confidence: float = bounded(0.9, 0, 1)
    prior_holds: Literal["auto", "nuclei", "cells"] = "auto"
    prior_scale: float | None = bounded(None, 1e-6, 1e6)
    prior_offset: str | None = None
    prior_affine: str | None = None
    prior_flip_y: bool = False
