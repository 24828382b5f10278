"""The settings in force, the time the stages took and the inputs."""

from typing import Any

from cellcarve.data.result import Run
from cellcarve.report.numbers import Numbers
from cellcarve.report.pieces import Bar, Columns, Grid, Piece, Section
from cellcarve.report.words import count, decimal, shorten

MACHINE = ("program", "started", "seed", "threads", "machine")


def settings(run: Run, numbers: Numbers) -> Section:
    """Everything needed to repeat the run."""
    record = run.record
    in_force = [[name, _shown(value)] for name, value in record.get("settings", {}).items()]
    machine = [[name, _shown(record[name])] for name in MACHINE if name in record]
    if "peak_memory" in record:
        machine.append(["peak memory", f"{record['peak_memory'] / 2**30:.2f} GiB"])
    machine += [[name, str(value)] for name, value in record.get("versions", {}).items()]
    tables: list[Piece] = [
        Grid(["setting", "value"], [list(row) for row in in_force], "ll", "Settings in force."),
        Grid(["run", ""], [list(row) for row in machine], "ll", "Program, machine and library versions."),
        _timings(record.get("timings", [])),
        _inputs(run),
    ]
    shown = [table for table in tables if isinstance(table, Grid) and table.rows]
    return Section("settings", "Settings and timings", [Columns(shown)])


def _timings(stages: list[dict[str, Any]]) -> Grid:
    longest = max([1e-9, *(float(stage["seconds"]) for stage in stages)])
    rows: list[list[str | Bar]] = [
        [stage["stage"], Bar(stage["seconds"] / longest, f"{decimal(float(stage['seconds']))} s"),
         f"{decimal(float(stage['cpu_seconds']))} s"]
        for stage in stages
    ]  # fmt: skip
    return Grid(["stage", "time", "CPU"], rows, "llr", "Time by stage; CPU time counts all threads.")


def _inputs(run: Run) -> Grid:
    files = run.record.get("inputs") or [{"path": str(path)} for path in run.table.files]
    rows: list[list[str | Bar]] = [
        [file["path"], count(file["bytes"]) if "bytes" in file else "", file.get("sha256_of_ends", "")[:12]]
        for file in files[:20]
    ]
    return Grid(["input", "bytes", "fingerprint"], rows, "lrl", "Files that were read.")


def _shown(value: Any) -> str:
    """A setting in words; long lists are cut."""
    if value is None or value == "":
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return shorten(", ".join(map(str, value)), 160) or "none"
    return shorten(str(value), 160)
