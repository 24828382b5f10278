"""The report of a run: one HTML file that opens from disk and loads nothing."""

from cellcarve.report.page import report

__all__ = ["report"]
