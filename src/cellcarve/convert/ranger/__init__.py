"""Files for ``xeniumranger import-segmentation``: written by its rules, and checked against them."""

from cellcarve.convert.ranger.check import Broken, check
from cellcarve.convert.ranger.write import Accepted, accepted, write_assignment, write_features, write_rings

__all__ = ["Accepted", "Broken", "accepted", "check", "write_assignment", "write_features", "write_rings"]
