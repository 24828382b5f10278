"""``segmentation_diagnostics.html``: how the run went and what came out."""

import numpy as np
from markupsafe import Markup

from cellcarve.mixture.result import Convergence, MixtureRun
from cellcarve.report.charts import Steps, curves, histogram
from cellcarve.report.colours import GREY, OURS, palette
from cellcarve.report.page import render
from cellcarve.report.pieces import Columns, Fact, Facts, Figure, Key, Notes, Piece, Section, Text

# Beyond this quantile, cells are left out of the histogram of their sizes, which they would squeeze.
_LARGEST = 0.99


def diagnostics_page(run: MixtureRun, warnings: list[str]) -> str:
    """The page as HTML text.

    Parameters
    ----------
    run
        The result.
    warnings
        What the user was warned of.
    """
    sections = [
        Section("summary", "Summary", [_facts(run), Notes(warnings, run.notes)]),
        Section("convergence", "Convergence", _courses(run)),
        Section("molecules", "Molecules", [Columns([_confidence(run), _assignment(run)])]),
        Section("cells", "Cells", [_sizes(run)]),
    ]
    return render("Diagnostics of the segmentation", sections)


def _facts(run: MixtureRun) -> Facts:
    inside = int(np.count_nonzero(run.cell))
    rounds = len(run.trace.changed)
    return Facts(
        [
            Fact(f"{len(run.cells.x):,}", "cells"),
            Fact(f"{inside / max(len(run.cell), 1):.1%}", "molecules in cells", f"of {len(run.cell):,}"),
            Fact(f"{run.scale:.3g}", "scale", f"± {run.scale_std:.3g}"),
            Fact(f"{rounds}", "iterations", f"{run.trace.history} of them voted"),
        ]
    )


def _courses(run: MixtureRun) -> list[Piece]:
    """Courses of the sampler, the clusters and the compartments."""
    trace = run.trace
    inks = palette(len(trace.thresholds))
    keys = [Key(ink, f"at least {n}") for ink, n in zip(inks, trace.thresholds.tolist(), strict=True)]
    figures = [
        _course("Cells by iteration", trace.components, inks, keys, 0),
        _course(
            "Cells, last quarter of the iterations",
            trace.components,
            inks,
            keys,
            3 * len(trace.components) // 4,
        ),
        _changes(run),
    ]
    pieces: list[Piece] = [Columns([figure for figure in figures if figure is not None])]
    for title, course in (("Molecule clusters", run.clustering), ("Compartments", run.compartments)):
        if course is not None and len(course.largest):
            pieces.append(Columns(_convergence(title, course)))
    return pieces


def _course(title: str, values: np.ndarray, inks: list[str], keys: list[Key], first: int) -> Figure | None:
    """Numbers of cells from one iteration on, a line per threshold."""
    values = values[first:]
    if not len(values):
        return None
    x = np.arange(first + 1, first + len(values) + 1)
    lines = [(values[:, k].astype(float), ink) for k, ink in enumerate(inks)]
    return Figure(
        curves(x, lines, ("iteration", "cells")), "Cells with at least so many molecules.", title, keys
    )


def _changes(run: MixtureRun) -> Figure | None:
    if not len(run.trace.changed):
        return None
    x = np.arange(1, len(run.trace.changed) + 1)
    lines = [(100 * run.trace.changed, OURS), (100 * run.trace.noise, GREY)]
    keys = [Key(OURS, "changed their cell"), Key(GREY, "in no cell")]
    return Figure(curves(x, lines, ("iteration", "% of molecules")), "", "Molecules by iteration", keys)


def _convergence(title: str, course: Convergence) -> list[Figure]:
    x = np.arange(1, len(course.largest) + 1)
    return [
        Figure(
            curves(x, [(100 * course.largest, OURS)], ("iteration", "largest change, %")),
            "",
            f"{title}, convergence",
        ),
        Figure(
            curves(x, [(100 * course.changed, OURS)], ("iteration", "molecules changed, %")),
            "",
            f"{title}, changes",
        ),
    ]


def _confidence(run: MixtureRun) -> Figure:
    edges = np.linspace(0, 1, 41)
    inside = run.cell > 0
    layers = [
        Steps(np.histogram(run.confidence[inside], edges)[0], OURS),
        Steps(np.histogram(run.confidence[~inside], edges)[0], GREY, filled=False),
    ]
    keys = [Key(OURS, "in cells"), Key(GREY, "noise")]
    drawing = histogram(edges, layers, ("confidence", "molecules"))
    return Figure(drawing, "How likely each molecule is no noise.", "Confidence", keys)


def _assignment(run: MixtureRun) -> Figure:
    edges = np.linspace(0, 1, 31)
    values = run.assignment_confidence[run.cell > 0]
    sure = float(np.mean(values >= 0.95)) if len(values) else 0.0
    drawing = histogram(
        edges, [Steps(np.histogram(values, edges)[0], OURS)], ("assignment confidence", "molecules")
    )
    note = f"Share of the last iterations in which a molecule was in its cell; {sure:.1%} have 0.95 or more."
    return Figure(drawing, note, "Assignment confidence")


def _sizes(run: MixtureRun) -> Piece:
    count = run.cells.n_transcripts
    if not len(count):
        return Text("There are no cells.")
    most = max(float(np.quantile(count, _LARGEST)) / _LARGEST, 2.0)
    shown = count[(count > 1) & (count <= most)]
    edges = np.linspace(0, most, 51)
    drawing: Markup = histogram(edges, [Steps(np.histogram(shown, edges)[0], OURS)], ("molecules", "cells"))
    return Figure(drawing, f"Cells of 2 to {most:.0f} molecules.", "Molecules per cell")
