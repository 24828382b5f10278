"""Finished segmentations, ours and proseg's, to the files that other tools read."""

from cellcarve.convert.convert import FORMATS, convert
from cellcarve.convert.pixels import Pixels, pixels
from cellcarve.convert.source import Finished, load

__all__ = ["FORMATS", "Finished", "Pixels", "convert", "load", "pixels"]
