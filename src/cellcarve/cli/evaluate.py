"""The command ``evaluate``."""

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def evaluate(
    segmentation: Path,
    /,
    *,
    truth: Path | None = None,
    reference: Path | None = None,
    against: Path | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Measure the quality of a segmentation, by any program.

    Parameters
    ----------
    segmentation
        Folder of a run, or a table with a cell per transcript.
    truth
        Table with the true cell of each transcript, or the folder that ``simulate`` wrote.
    reference
        Single-cell expression profiles by cell type (AnnData or CSV).
    against
        Another segmentation of the same transcripts, to compare with.
    as_json
        Print JSON instead of a table.
    """
    from cellcarve.cli.tables import side_by_side
    from cellcarve.evaluate import evaluate as measure

    measures = measure(segmentation, truth=truth, reference=reference, against=against)
    if as_json:
        print(json.dumps(measures, indent=2))
    else:
        side_by_side({segmentation.name: measures})
