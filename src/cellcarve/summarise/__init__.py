"""From a cell per transcript to what people use: counts, a table of cells, an outline per cell."""

from cellcarve.summarise.summary import summarise

__all__ = ["summarise"]
