"""Accuracy against a known truth, beside simple rules and, where it is on the path, proseg.

    python benchmarks/accuracy.py [--out FOLDER] [--only WORD] [--purity balanced pure] [--method carve] [--quick]

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
    # As many cells as the tissues of 300 genes have: which pairs of genes are rare together takes cells to tell.
    "faulty nuclei, 5000 genes, large": {"genes": 5000, "per_cell": 530.0, "transcripts": 1_300_000},
    "faulty nuclei, wide blur": {"genes": 300, "per_cell": 120.0, "blur_um": 1.5},
}
SEEDS = (2001, 2002, 2003)
EMBRYO = "embryo, membrane truth"
MEASURES = ("f1", "ari", "spurious", "assigned", "recovered", "noise_rejected", "ece")
NAMES = {"spurious": "spurious_coexpr", "recovered": "cells_recovered"}


def cases(work: Path, only: str, quick: bool) -> list[tuple[str, int, Path]]:
    """Name, seed and folder of every case, made where it is not there yet."""
    made = []
    for name, options in SIMULATED.items():
        rows = {"transcripts": 300_000} | options | ({"transcripts": 60_000} if quick else {})
        for seed in SEEDS[: 1 if quick else None] if only in name else ():
            label = f"{name.replace(' ', '_').replace(',', '')}_{seed}{'_quick' if quick else ''}"
            made.append((name, seed, simulated(work / label, **rows, seed=seed)))
    if only in EMBRYO:
        made += [(EMBRYO, seed, folder) for seed, folder in embryo(work)[: 1 if quick else None]]
    return made


def score(found, folder: Path) -> dict[str, float]:
    """The measures of the table."""
    truth = truth_of(found, folder)
    row = {m: truth.get(NAMES.get(m, m)) for m in MEASURES}
    row["ece"] = (truth.get("calibration") or {}).get("ece")
    return row


def rows_of(
    folder: Path, settings: dict[str, dict[str, str]], no_prior: bool, with_rival: bool
) -> dict[str, dict[str, float]]:
    """All competitors on one case; every one is scored on the same rows."""
    answers = {name: ours(folder, **chosen) for name, chosen in settings.items()} | by_rules(folder)
    if no_prior:
        answers["cellcarve, no prior"] = ours(folder, prior="none", **settings["cellcarve"])
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
    parser.add_argument("--purity", nargs="+", default=["balanced"], help="carve: one row for each")
    parser.add_argument("--skip-no-prior", action="store_true", help="leave out the run without a prior")
    parser.add_argument("--method", default="carve")
    parser.add_argument("--quick", action="store_true", help="one small tissue of each kind")
    parser.add_argument(
        "--rival-seeds", type=int, default=3, help="seeds of each tissue that proseg, the slowest, runs on"
    )
    options = parser.parse_args()
    settings = {"cellcarve": {"method": options.method}}
    if options.method == "carve":
        settings = {
            f"cellcarve, {p}" if i else "cellcarve": {"method": "carve", "purity": p}
            for i, p in enumerate(options.purity)
        }
    no_prior = options.method != "voxel" and not options.skip_no_prior
    found = []
    done: dict[str, int] = {}
    for name, seed, folder in cases(options.out, options.only, options.quick):
        done[name] = done.get(name, 0) + 1
        for who, row in rows_of(folder, settings, no_prior, done[name] <= options.rival_seeds).items():
            found.append({"tissue": name, "seed": seed, "method": who, **row})
            print(json.dumps(found[-1], default=float), flush=True)
    table = pd.DataFrame(found)
    table.to_csv(options.out / f"accuracy_{'_'.join([options.method, *options.purity])}.csv", index=False)
    means = table.groupby(["tissue", "method"], sort=False)[list(MEASURES)].agg(["mean", "std"]).astype(float)
    shown = {
        m: means[m]["mean"].map("{:.3f}".format) + " ±" + means[m]["std"].map("{:.3f}".format)
        for m in MEASURES
    }
    print(pd.DataFrame(shown).to_string())


if __name__ == "__main__":
    main()
