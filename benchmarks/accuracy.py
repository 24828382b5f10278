"""Accuracy against a known truth, beside simple rules and, where it is on the path, proseg.

    python benchmarks/accuracy.py [--out FOLDER] [--only WORD] [--purity balanced]

Simulated tissue is made by the project; the embryo is read from the folder named by CELLCARVE_DATA (default
../shared/data) and left out where it is absent. Seeds and fields here are for reporting only: nothing was tuned on them.
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

import cellcarve
from cellcarve.evaluate import evaluate, read_assignment, rules
from cellcarve.evaluate.assignment import Assignment
from cellcarve.simulate import SimulateSettings, simulate
from embryo import make_case

SIMULATED = {
    "faulty nuclei, 300 genes": {"genes": 300, "per_cell": 120.0},
    "perfect nuclei, 300 genes": {"genes": 300, "per_cell": 120.0, "perfect": True},
    "faulty nuclei, 5000 genes": {"genes": 5000, "per_cell": 530.0},
    "faulty nuclei, wide blur": {"genes": 300, "per_cell": 120.0, "blur_um": 1.5},
}
SEEDS = (2001, 2002, 2003)
FIELDS = (
    ([31, 35, 43, 49], 2, 101),
    ([33, 37, 41, 48], 5, 102),
    ([34, 40, 44, 50], 2, 103),
    ([36, 39, 42, 47], 2, 104),
)
MEASURES = ("f1", "ari", "spurious", "assigned", "recovered", "noise_rejected", "ece")


def cases(work: Path, only: str) -> list[tuple[str, int, Path]]:
    """Name, seed and folder of every case, made where it is not there yet."""
    made = []
    for name, options in SIMULATED.items():
        for seed in SEEDS:
            folder = work / f"{name.replace(' ', '_').replace(',', '')}_{seed}"
            if only in name:
                if not (folder / "truth.parquet").exists():
                    simulate(SimulateSettings(transcripts=300_000, seed=seed, image=False, **options), folder)
                made.append((name, seed, folder))
    data = Path(os.environ.get("CELLCARVE_DATA", "../shared/data")) / "seqfish_embryo2"
    if data.is_dir() and only in "embryo, membrane truth":
        for fields, plane, seed in FIELDS:
            folder = work / f"embryo_{seed}"
            make_case(data, fields, plane, seed, folder)
            made.append(("embryo, membrane truth", seed, folder))
    return made


def ours(folder: Path, kept: np.ndarray, **settings: object) -> Assignment:
    """Our answer as an assignment of the kept rows."""
    run = cellcarve.segment(folder, **settings).run
    base = read_assignment(folder / "transcripts.parquet")
    result = run.segmentation
    kept &= run.table.status == 0
    return replace(base, cell=result.cell, best=result.best, probability=result.probability)


def proseg(folder: Path) -> Assignment | None:
    """The answer of proseg, where it is on the path."""
    binary = shutil.which("proseg")
    if binary is None:
        return None
    out = folder / "proseg.csv.gz"
    if not out.exists():
        with tempfile.TemporaryDirectory() as scratch:
            command = [
                binary,
                "--xenium",
                "--nthreads",
                "2",
                "--output-transcript-metadata",
                str(out.resolve()),
            ]
            command += [
                "--output-spatialdata",
                f"{scratch}/p.zarr",
                str((folder / "transcripts.parquet").resolve()),
            ]
            subprocess.run(command, check=True, capture_output=True, cwd=scratch)
    return read_assignment(out)


def score(found: Assignment, folder: Path) -> dict[str, float]:
    """The measures of the table."""
    truth = evaluate(found, truth=folder / "truth.parquet")["truth"]
    calibration = truth.get("calibration") or {}
    names = {"spurious": "spurious_coexpr", "recovered": "cells_recovered"}
    row = {m: truth.get(names.get(m, m)) for m in MEASURES}
    row["ece"] = calibration.get("ece")
    return row


def rows_of(folder: Path, purity: str, with_rival: bool) -> dict[str, dict[str, float]]:
    """All competitors on one case; every one is scored on the same rows."""
    base = read_assignment(folder / "transcripts.parquet")
    kept = np.ones(len(base), bool)
    answers = {"cellcarve": ours(folder, kept, purity=purity)}
    answers |= {
        name: replace(base, cell=cell, best=None, probability=None) for name, cell in rules(base).items()
    }
    answers["cellcarve, no prior"] = ours(folder, kept, purity=purity, prior="none")
    rival = proseg(folder) if with_rival else None
    if rival is not None:
        answers["proseg"] = rival
    return {name: score(answer, folder) for name, answer in answers.items()}


def main() -> None:
    """Run all cases and print one table: mean over seeds, and the spread."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("results/accuracy"))
    parser.add_argument("--only", default="", help="cases whose name holds this word")
    parser.add_argument("--purity", default="balanced")
    parser.add_argument(
        "--rival-seeds", type=int, default=3, help="seeds of each tissue that proseg, the slowest, runs on"
    )
    options = parser.parse_args()
    found = []
    done: dict[str, int] = {}
    for name, seed, folder in cases(options.out, options.only):
        done[name] = done.get(name, 0) + 1
        for who, row in rows_of(folder, options.purity, done[name] <= options.rival_seeds).items():
            found.append({"tissue": name, "seed": seed, "method": who, **row})
            print(json.dumps(found[-1], default=float), flush=True)
    table = pd.DataFrame(found)
    table.to_csv(options.out / f"accuracy_{options.purity}.csv", index=False)
    means = table.groupby(["tissue", "method"], sort=False)[list(MEASURES)].agg(["mean", "std"]).astype(float)
    shown = {
        m: means[m]["mean"].map("{:.3f}".format) + " ±" + means[m]["std"].map("{:.3f}".format)
        for m in MEASURES
    }
    print(pd.DataFrame(shown).to_string())


if __name__ == "__main__":
    main()
