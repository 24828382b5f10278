"""Files of any platform to one table of transcripts."""

from cellcarve.read.detect import read

__all__ = ["read"]
