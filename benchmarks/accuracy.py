"""Accuracy against a known truth, beside simple rules and, where it is on the path, proseg.

    python benchmarks/accuracy.py [--out FOLDER] [--only WORD] [--purity balanced] [--method carve] [--quick]

Simulated tissue is made by the project; the embryo is read from the folder named by CELLCARVE_DATA (default
../shared/data) and left out where it is absent. Seeds and fields here are for reporting only: nothing was tuned on them.
"""

import argparse
import json
from pathlib import Path

import pandas as pd

from common import by_proseg, by_rules, embryo, ours, simulated, truth_of

SIMULATED = {
    "faulty nuclei, 300 genes": {"genes": 300, "per_cell": 120.0},
    "perfect nuclei, 300 genes": {"genes": 300, "per_cell": 120.0, "perfect": True},
    "faulty nuclei, 5000 genes": {"genes": 5000, "per_cell": 530.0},
    "faulty nuclei, wide blur": {"genes": 300, "per_cell": 120.0, "blur_um": 1.5},
}
SEEDS = (2001, 2002, 2003)
EMBRYO = "embryo, membrane truth"
MEASURES = ("f1", "ari", "spurious", "assigned", "recovered", "noise_rejected", "ece")
NAMES = {"spurious": "spurious_coexpr", "recovered": "cells_recovered"}


def cases(work: Path, only: str, quick: bool) -> list[tuple[str, int, Path]]:
    """Name, seed and folder of every case, made where it is not there yet."""
    made = []
    rows = 60_000 if quick else 300_000
    for name, options in SIMULATED.items():
        for seed in SEEDS[: 1 if quick else None] if only in name else ():
            label = f"{name.replace(' ', '_').replace(',', '')}_{seed}{'_quick' if quick else ''}"
            made.append((name, seed, simulated(work / label, transcripts=rows, seed=seed, **options)))
    if only in EMBRYO:
        made += [(EMBRYO, seed, folder) for seed, folder in embryo(work)[: 1 if quick else None]]
    return made


def score(found, folder: Path) -> dict[str, float]:
    """The measures of the table."""
    truth = truth_of(found, folder)
    row = {m: truth.get(NAMES.get(m, m)) for m in MEASURES}
    row["ece"] = (truth.get("calibration") or {}).get("ece")
    return row


def rows_of(folder: Path, settings: dict[str, str], with_rival: bool) -> dict[str, dict[str, float]]:
    """All competitors on one case; every one is scored on the same rows."""
    answers = {"cellcarve": ours(folder, **settings)} | by_rules(folder)
    if settings["method"] != "voxel":
        answers["cellcarve, no prior"] = ours(folder, prior="none", **settings)
    rival = by_proseg(folder) if with_rival else None
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
    parser.add_argument("--method", default="carve")
    parser.add_argument("--quick", action="store_true", help="one small tissue of each kind")
    parser.add_argument(
        "--rival-seeds", type=int, default=3, help="seeds of each tissue that proseg, the slowest, runs on"
    )
    options = parser.parse_args()
    settings = {"method": options.method} | ({"purity": options.purity} if options.method == "carve" else {})
    found = []
    done: dict[str, int] = {}
    for name, seed, folder in cases(options.out, options.only, options.quick):
        done[name] = done.get(name, 0) + 1
        for who, row in rows_of(folder, settings, done[name] <= options.rival_seeds).items():
            found.append({"tissue": name, "seed": seed, "method": who, **row})
            print(json.dumps(found[-1], default=float), flush=True)
    table = pd.DataFrame(found)
    table.to_csv(options.out / f"accuracy_{'_'.join(settings.values())}.csv", index=False)
    means = table.groupby(["tissue", "method"], sort=False)[list(MEASURES)].agg(["mean", "std"]).astype(float)
    shown = {
        m: means[m]["mean"].map("{:.3f}".format) + " ±" + means[m]["std"].map("{:.3f}".format)
        for m in MEASURES
    }
    print(pd.DataFrame(shown).to_string())


if __name__ == "__main__":
    main()
