"""The method voxel."""

from dataclasses import dataclass

from cellcarve.validate import Validated


@dataclass(frozen=True)
class VoxelSettings(Validated):
    """The method voxel."""
