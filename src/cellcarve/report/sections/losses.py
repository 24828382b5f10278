"""What became of every transcript that was read."""

from cellcarve.data.result import Run
from cellcarve.report.charts import stack
from cellcarve.report.colours import DISTINCT, FAINT, GREY
from cellcarve.report.numbers import Numbers
from cellcarve.report.pieces import Figure, Grid, Key, Section
from cellcarve.report.words import count, percent

REASONS = {
    "control probe": "negative controls and blanks: never assigned",
    "excluded gene": "genes left out on request",
    "low quality": "below the quality threshold",
    "outside": "outside the region of interest",
    "not sure enough": "kept, but no cell was likely enough",
    "background": "kept, but more likely in no cell than in any",
    "assigned": "kept and counted in a cell",
}
COLOURS = (DISTINCT[5], DISTINCT[3], DISTINCT[1], GREY, DISTINCT[4], FAINT, DISTINCT[0])


def losses(run: Run, numbers: Numbers) -> Section:
    """One bar and one table whose rows add up to the transcripts read."""
    number = run.table.losses()
    number.pop("kept")
    number |= {
        "not sure enough": numbers.unsure,
        "background": numbers.background,
        "assigned": numbers.assigned,
    }
    parts = [(name, n, COLOURS[k]) for k, (name, n) in enumerate(number.items())]
    keys = [Key(colour, name, percent(n, numbers.rows)) for name, n, colour in parts if n]
    bar = Figure(stack(parts), "Every transcript that was read, by what became of it.", "", keys)
    rows = [[name, REASONS.get(name, ""), count(n), percent(n, numbers.rows)] for name, n, _ in parts]
    rows.append(["all read", "", count(sum(number.values())), percent(numbers.rows, numbers.rows)])
    table = Grid(
        ["transcripts", "meaning", "number", "share"], [list(row) for row in rows], "llrr", total=True
    )
    return Section("losses", "Losses", [bar, table])
