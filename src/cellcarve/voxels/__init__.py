"""The method voxel: a Markov chain over the labels of a voxel lattice (Jones et al. 2025, doi 10.1038/s41592-025-02697-0)."""

from typing import TYPE_CHECKING, Any

from cellcarve.voxels.result import VoxelRun

if TYPE_CHECKING:
    from cellcarve.voxels.method import sample, voxel

__all__ = ["VoxelRun", "sample", "voxel"]


def __getattr__(name: str) -> Any:
    # Compiled code is loaded only by those who sample.
    if name in ("sample", "voxel"):
        from cellcarve.voxels import method

        return getattr(method, name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
