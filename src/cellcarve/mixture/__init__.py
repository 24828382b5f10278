"""The method mixture: transcripts as draws from a mixture of cells, each a Gaussian with a gene composition."""

from cellcarve.mixture.extras import add_colours, add_outlines, composition_colours, composition_rows
from cellcarve.mixture.method import fit
from cellcarve.mixture.result import MixtureRun
from cellcarve.mixture.segmentation import mixture

__all__ = [
    "MixtureRun",
    "add_colours",
    "add_outlines",
    "composition_colours",
    "composition_rows",
    "fit",
    "mixture",
]
