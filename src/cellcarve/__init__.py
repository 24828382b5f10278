"""Decides which cell every RNA molecule of a spatial-transcriptomics experiment belongs to."""

__version__ = "0.1.0"
