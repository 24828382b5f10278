"""The command ``segment``."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from cellcarve.cli.folded import folded
from cellcarve.cli.shared import FOLDER, OUTPUT, Shown
from cellcarve.settings import (
    CarveSettings,
    ComputeSettings,
    Method,
    MixtureSettings,
    OutputSettings,
    PriorSettings,
    ReadSettings,
    Settings,
    VoxelSettings,
)

INPUT = Parameter(name="*", group=Group("Input", sort_key=1))
PRIOR = Parameter(name="*", group=Group("Prior", sort_key=2), negative_bool=())
CHOICE = Group("Method", sort_key=3)
METHOD = Parameter(name="*", group=CHOICE)
COMPUTE = Parameter(name="*", group=Group("Compute", sort_key=4))
MIXTURE = Parameter(name="*", group=folded("mixture", 5))
VOXEL = Parameter(name="*", group=folded("voxel", 6))


@dataclass(frozen=True)
class Options:
    """The flags of ``segment``, by group."""

    shown: Annotated[Shown, Parameter(name="*", group=OUTPUT)] = field(default_factory=Shown)
    read: Annotated[ReadSettings, INPUT] = field(default_factory=ReadSettings)
    prior: Annotated[PriorSettings, PRIOR] = field(default_factory=PriorSettings)
    carve: Annotated[CarveSettings, METHOD] = field(default_factory=CarveSettings)
    mixture: Annotated[MixtureSettings, MIXTURE] = field(default_factory=MixtureSettings)
    voxel: Annotated[VoxelSettings, VOXEL] = field(default_factory=VoxelSettings)
    compute: Annotated[ComputeSettings, COMPUTE] = field(default_factory=ComputeSettings)


NO_OPTIONS = Options()


def segment(
    source: str,
    /,
    *,
    output: Annotated[Path, FOLDER],
    method: Annotated[Method, Parameter(group=CHOICE)] = "carve",
    resume: Annotated[bool, Parameter(group=OUTPUT, negative="")] = False,
    options: Annotated[Options, Parameter(name="*")] = NO_OPTIONS,
) -> None:
    """Assign every transcript of an experiment to a cell.

    Parameters
    ----------
    source
        Folder of a Xenium, CosMx, MERSCOPE or Visium HD run, a Stereo-seq table, a SpatialData or AnnData store, or
        any table of transcripts (CSV or Parquet).
    output
        Folder to write; made at the end, under a temporary name until it is whole.
    method
        How transcripts are assigned.
    resume
        Go on from the checkpoint that an interrupted run of the same input and settings left beside the folder, to
        the same bytes. Methods mixture and voxel only; they leave one every five minutes.
    """
    from cellcarve.console import console
    from cellcarve.run import segment as run_segment

    stages = ("read", "prior", "carve", "mixture", "voxel", "compute")
    parts = {name: getattr(options, name) for name in stages}
    target = OutputSettings(output, options.shown.overwrite, resume)
    with console(options.shown.quiet) as progress:
        run = run_segment(source, Settings(method=method, **parts), target, progress)
    if options.shown.quiet:
        return
    result, kept = run.record["result"], run.record["rows"]["kept"]
    share = result["transcripts_assigned"] / kept
    print(f"{result['cells']:,} cells; {share:.1%} of {kept:,} transcripts assigned")
    print(f"open {output / 'report.html'}")
