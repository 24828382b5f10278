"""Prior segmentations of any kind, laid over the transcripts."""

from cellcarve.priors.lay import lay

__all__ = ["lay"]
