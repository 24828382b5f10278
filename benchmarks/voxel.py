"""The method voxel beside proseg: the same files, the same options, two threads, in turns.

    python benchmarks/voxel.py [--out FOLDER] [--only WORD] [--sizes 0.3 1 3] [--genes 300 5000] [--rounds 1]
        [--rival-up-to 3] [--programs NAME ...] [--quick] [-- OPTIONS OF PROSEG]

One row alone: ``--only "1 M, 300 genes" --programs "cellcarve proseg"``. Rows gather in ``voxel.csv``, where a new one
replaces its forerunner; what proseg took and found is kept beside it and not measured again unless ``--again`` says so.

Where a binary ``proseg`` is on the path, it and ``cellcarve proseg`` run alternately; without one, ours runs alone.
Sizes are in millions of transcripts. Real data are read from CELLCARVE_DATA (default ../shared/data) and left out where
absent. Kernels are compiled before anything is measured. ``cellcarve proseg --best`` writes the posterior average into
the same files; ``segment --method voxel`` is our own command with its own outputs.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cellcarve.evaluate import evaluate, read_assignment
from cellcarve.evaluate.assignment import Assignment
from common import by_rules, data, embryo, measure, own_command, proseg, proseg_options, simulated, tissue

SHORT = ("--burnin-samples", "30", "--samples", "30", "--recorded-samples", "15", "--hillclimb", "10")
COLUMNS = [
    "cpu",
    "us_each",
    "less_cpu",
    "wall",
    "peak",
    "f1",
    "ari",
    "spurious",
    "log2_coexpression",
    "assigned",
]


def cases(options: argparse.Namespace) -> Iterator[tuple[str, float, Path]]:
    """Name, millions of transcripts and folder of every case."""
    if options.quick:
        yield "simulated, quick", 0.03, simulated(options.out / "quick", transcripts=30_000, seed=7)
        return
    breast = data("xenium_breast")
    if breast is not None and options.only in "xenium breast":
        yield "xenium breast", 0.19, as_xenium_two(breast, options.out / "xenium_breast")
    for genes in options.genes:
        for size in options.sizes:
            name = f"simulated, {size:g} M, {genes} genes"
            if options.only in name:
                yield name, size, tissue(options.out, size, genes)
    if options.only in "embryo":
        for seed, folder in embryo(options.out):
            yield f"embryo {seed}", pq.read_metadata(folder / "transcripts.parquet").num_rows / 1e6, folder


def as_xenium_two(source: Path, folder: Path) -> Path:
    """The table with cell ids as text, as newer instruments write them: proseg takes no others."""
    folder.mkdir(parents=True, exist_ok=True)
    table = pq.read_table(source / "transcripts.parquet")
    cell = table["cell_id"].cast(pa.string()).combine_chunks()
    text = pc.if_else(pc.equal(cell, "-1"), "UNASSIGNED", cell)
    if "fov_name" not in table.column_names:
        table = table.append_column("fov_name", pa.array(["field"] * len(table)))
    table = table.set_column(table.column_names.index("cell_id"), "cell_id", text)
    gene = table["feature_name"].cast(pa.string())
    table = table.set_column(table.column_names.index("feature_name"), "feature_name", gene)
    pq.write_table(table, folder / "transcripts.parquet")
    return folder


def programs(
    folder: Path, out: Path, options: argparse.Namespace, rival: bool
) -> dict[str, tuple[list[str], Path]]:
    """Command of every program, and where its transcripts are then."""
    own = [sys.executable, "-m", "cellcarve", "proseg"]
    flags = flags_of(options)
    found = {}
    starts = {"proseg": [str(proseg())], "cellcarve proseg": own, "cellcarve proseg --best": [*own, "--best"]}
    for name, start in starts.items():
        if not wanted(name, options) or (name == "proseg" and not (rival and proseg())):
            continue
        place = out / name.replace(" ", "_").replace("--", "")
        place.mkdir(parents=True, exist_ok=True)
        found[name] = ([*start, *proseg_options(folder, place, *flags)], place / "transcripts.csv.gz")
    place, name = out / "segment", "segment --method voxel"
    if wanted(name, options):
        short = SHORT if options.quick else ()
        command = own_command(folder, place, "--method", "voxel", *short)
        found[name] = (command, place)
    return found


def flags_of(options: argparse.Namespace) -> list[str]:
    """Options for proseg and its stand-in alike."""
    return [*(SHORT if options.quick else ()), *options.proseg]


def wanted(name: str, options: argparse.Namespace) -> bool:
    """Whether a program was asked for."""
    return not options.programs or name in options.programs


def spent_by(
    name: str, command: list[str], table: Path, case: tuple[str, Path], options: argparse.Namespace
) -> dict[str, object]:
    """What a program took on a case and how right it was; of proseg as measured before, where it was."""
    known = options.out / "proseg" / f"{case[0].replace(' ', '_')}.json"
    flags = flags_of(options)
    if name == "proseg" and known.exists() and not options.again:
        kept = json.loads(known.read_text())
        if kept["flags"] == flags:
            return kept["row"]
    row = {**measure(command)._asdict(), **score(read_assignment(table), case[1])}
    if name == "proseg":
        known.parent.mkdir(exist_ok=True)
        known.write_text(json.dumps({"flags": flags, "row": row}, default=float))
    return row


def score(found: Assignment | Path, folder: Path) -> dict[str, float | None]:
    """Measures of an answer: against the truth where there is one, else by co-expression."""
    truth = folder / "truth.parquet"
    if not truth.exists():
        measures = evaluate(found, against=folder / "transcripts.parquet")
        ratio = (measures.get("coexpression") or {}).get("log2_ratio")
        return {"assigned": measures["assigned"], "log2_coexpression": ratio}
    measures = evaluate(found, truth=truth)["truth"]
    return {"spurious": measures["spurious_coexpr"]} | {k: measures[k] for k in ("f1", "ari", "assigned")}


def rows_of(case: str, folder: Path, options: argparse.Namespace, rival: bool) -> list[dict[str, object]]:
    """Rows of all programs on one case, in turns, and of the nearest nucleus."""
    rows: list[dict[str, object]] = []
    transcripts = pq.read_metadata(folder / "transcripts.parquet").num_rows
    for turn in range(options.rounds):
        for name, (command, table) in programs(folder, options.out / "runs", options, rival).items():
            spent = spent_by(name, command, table, (case, folder), options)
            rows.append({"case": case, "program": name, "turn": turn, **spent})
            rows[-1]["us_each"] = 1e6 * spent["cpu"] / transcripts
            print(json.dumps(rows[-1], default=float), flush=True)
    for name, answer in by_rules(folder).items():
        if name.startswith("nearest"):
            rows.append({"case": case, "program": name, "turn": 0, **score(answer, folder)})
    return rows


def gathered(rows: list[dict[str, object]], path: Path) -> pd.DataFrame:
    """These rows and those of a file that they do not replace, with how much less CPU than proseg each took."""
    table = pd.DataFrame(rows)
    if path.exists():
        before = pd.read_csv(path)
        new = set(zip(table["case"], table["program"], strict=True))
        stays = [pair not in new for pair in zip(before["case"], before["program"], strict=True)]
        table = pd.concat([before[stays], table], ignore_index=True)
    rival = table[table["program"] == "proseg"].groupby("case")["cpu"].mean()
    table["less_cpu"] = table["case"].map(rival) / table["cpu"]
    return table


def main() -> None:
    """Run all cases and print one table: means over turns."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("results/voxel"))
    parser.add_argument("--only", default="", help="cases whose name holds this word")
    parser.add_argument("--sizes", type=float, nargs="+", default=[0.3, 1, 3])
    parser.add_argument("--genes", type=int, nargs="+", default=[300, 5000])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--rival-up-to", type=float, default=3, help="largest size for proseg, in millions")
    parser.add_argument("--programs", nargs="+", default=[], help="only these, by the names in the table")
    parser.add_argument("--again", action="store_true", help="measure proseg even where its figures are kept")
    parser.add_argument("--quick", action="store_true", help="one small tissue and a short schedule")
    parser.add_argument("proseg", nargs="*", help="after --: options for proseg and for its stand-in alike")
    options = parser.parse_args()
    options.out = options.out.resolve()
    warm = simulated(options.out / "warm", transcripts=5_000, seed=1)
    for command, _ in programs(warm, options.out / "runs", options, False).values():
        measure(command)
    rows = []
    for name, size, folder in cases(options):
        rows += rows_of(name, folder, options, size <= options.rival_up_to)
    table = gathered(rows, options.out / "voxel.csv")
    table.to_csv(options.out / "voxel.csv", index=False)
    shown = table.reindex(columns=["case", "program", *COLUMNS])
    print(shown.groupby(["case", "program"], sort=False).mean().round(3).to_string(na_rep="-"))


if __name__ == "__main__":
    main()
