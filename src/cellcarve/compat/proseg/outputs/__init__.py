"""Everything that proseg writes, a format per file; all of it appears together or not at all."""

from cellcarve.compat.proseg.outputs.check import check_outputs
from cellcarve.compat.proseg.outputs.files import write

__all__ = ["check_outputs", "write"]
