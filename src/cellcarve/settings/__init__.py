"""Every setting of a run, one frozen dataclass per stage: the only place where a default value lives.

The command line, the configuration file, the Python interface and the settings stored with a result are all
made from these classes. ``None`` means "work it out from the data"; what was worked out is shown and stored.
"""

from dataclasses import dataclass, field
from typing import Literal

from cellcarve.settings.carve import CarveSettings, Purity
from cellcarve.settings.compute import ComputeSettings, OutputSettings
from cellcarve.settings.mixture import MixtureSettings
from cellcarve.settings.prior import PriorSettings
from cellcarve.settings.read import Platform, ReadSettings
from cellcarve.settings.voxel import VoxelSettings
from cellcarve.validate import Validated

__all__ = [
    "CarveSettings",
    "ComputeSettings",
    "Method",
    "MixtureSettings",
    "OutputSettings",
    "Platform",
    "PriorSettings",
    "Purity",
    "ReadSettings",
    "Settings",
    "VoxelSettings",
]

Method = Literal["carve", "mixture", "voxel"]


@dataclass(frozen=True)
class Settings(Validated):
    """All settings of one segmentation.

    Parameters
    ----------
    method
        How transcripts are assigned.
    read, prior, carve, voxel, mixture, compute
        The settings of each stage.
    """

    method: Method = "carve"
    read: ReadSettings = field(default_factory=ReadSettings)
    prior: PriorSettings = field(default_factory=PriorSettings)
    carve: CarveSettings = field(default_factory=CarveSettings)
    voxel: VoxelSettings = field(default_factory=VoxelSettings)
    mixture: MixtureSettings = field(default_factory=MixtureSettings)
    compute: ComputeSettings = field(default_factory=ComputeSettings)
