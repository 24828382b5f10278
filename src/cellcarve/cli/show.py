"""What the commands print when they are done."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cellcarve.data.result import Run


def finished(run: "Run", folder: Path) -> None:
    """Say what came out and what to open."""
    result = run.record["result"]
    kept = run.record["rows"]["kept"]
    share = result["transcripts_assigned"] / kept
    print(f"{result['cells']:,} cells; {share:.1%} of {kept:,} transcripts assigned")
    print(f"open {folder / 'report.html'}")
