"""The command ``report``."""

from pathlib import Path


def report(folder: Path, /) -> None:
    """Write the HTML report of a finished run again.

    Parameters
    ----------
    folder
        The run's folder.
    """
    from cellcarve.report import report as write_report
    from cellcarve.write import load_run

    write_report(load_run(folder), folder)
    print(f"open {folder / 'report.html'}")
