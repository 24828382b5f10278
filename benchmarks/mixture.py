"""The method mixture: accuracy on families of simulated cells and on embryo fields, and its cost.

    python benchmarks/mixture.py accuracy [--out FOLDER] [--only WORD] [--methods mixture carve] [--quick]
                                          [--molecules 80000] [--seeds 3001 3002] [--no-embryo]
    python benchmarks/mixture.py cost [--out FOLDER] [--sizes 2 2 10] [--genes 300 5000 300]

Beside it stand the nearest nucleus by two rules, which are handed the nuclei whatever the row's prior, and what the
authors of Baysor C++ published of it (September 2026) on their own sets of the same kinds: other generators, so a guide
and no race. Accuracy is of molecules under the best one-to-one match of cells, noise being a class of its own; ratio is
cells found over true cells; "ARI both" is of the molecules that truth and method give to a cell.
"""

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from cellcarve.evaluate.assignment import Assignment
from cellcarve.evaluate.overlap import adjusted_rand
from common import (
    by_rules,
    embryo,
    known_cells,
    measure,
    one_to_one,
    ours,
    own_command,
    simulated,
    tissue,
    truth_of,
)

SEEDS = (3001, 3002)
NEAREST = ("nearest nuclear transcript", "nearest nucleus centre")
EMBRYO = "embryo, membrane truth"
# Radius of a disc of the median area of the embryo's true cells (µm).
EMBRYO_SCALE = 5.1
Figures = tuple[float, float] | None


class Case(NamedTuple):
    """A family with a panel.

    Attributes
    ----------
    name
        For people.
    settings
        Of the simulation.
    scale
        True radius of the cells (µm), which the method is told as the published runs were.
    with_prior, without
        Published accuracy and ratio of Baysor C++ on a set of this kind, with a nucleus prior and with none.
    """

    name: str
    settings: dict[str, object]
    scale: float
    with_prior: Figures = None
    without: Figures = None


CASES = (
    Case("discs with gaps, 100 genes", {"family": "gaps", "genes": 100}, 5.0, (0.987, 1.03), (0.987, 1.04)),
    Case("discs with gaps, 1000 genes", {"family": "gaps", "genes": 1000}, 5.0),
    Case("discs with gaps, 5000 genes", {"family": "gaps", "genes": 5000}, 5.0, (0.988, 1.03), (0.989, 1.04)),
    Case(
        "packed, distinct, 100 genes", {"family": "packed", "genes": 100}, 5.8, (0.989, 1.02), (0.989, 1.03)
    ),
    Case("packed, distinct, 1000 genes", {"family": "packed", "genes": 1000}, 5.8),
    Case(
        "packed, distinct, 5000 genes", {"family": "packed", "genes": 5000}, 5.8, (0.811, 1.70), (0.693, 1.92)
    ),
    Case(
        "packed, one type, 100 genes", {"family": "one-type", "genes": 100}, 5.8, (0.542, 0.95), (0.482, 0.75)
    ),
    Case("elongated, 100 genes", {"family": "elongated", "genes": 100}, 5.0, (0.890, 1.50), (0.849, 1.56)),
    Case("elongated at 45, 100 genes", {"family": "elongated", "genes": 100, "angle": 45.0}, 5.0),
    Case("elongated at -45, 100 genes", {"family": "elongated", "genes": 100, "angle": -45.0}, 5.0),
    Case("elongated, 5000 genes", {"family": "elongated", "genes": 5000}, 5.0),
    Case("mixed sizes, 100 genes", {"family": "mixed", "genes": 100}, 4.8, (0.958, 1.26), (0.942, 1.33)),
    Case(
        "sparse and noisy, 100 genes", {"family": "sparse", "genes": 100}, 5.0, (0.920, 1.14), (0.920, 1.14)
    ),
    Case(
        "dense, MERFISH-like, 300 genes", {"family": "dense", "genes": 300}, 5.8, (0.600, 1.29), (0.497, 1.01)
    ),
    Case("dense, Xenium-like, 300 genes", {"family": "dense-xenium", "genes": 300}, 5.2, (0.581, 1.62)),
    Case("dense, 5000 genes", {"family": "dense", "genes": 5000}, 5.8, (0.411, 2.68)),
    Case(
        "loose, MERFISH-like, 300 genes", {"family": "loose", "genes": 300}, 5.8, (0.655, 1.08), (0.621, 0.97)
    ),
    Case("volume, 300 genes", {"family": "volume", "genes": 300}, 4.6),
    # A disc of the 110 µm² that its cells have.
    Case("realistic tissue, 300 genes", {"family": "tissue", "genes": 300}, 5.9),
)
QUICK = ("discs with gaps, 100 genes", "packed, distinct, 5000", "elongated, 100", "dense, MERFISH", "volume")
PRIORS = {"nuclei": {"perfect": True}, "faulty nuclei": {}, "none": {"perfect": True}}
# Published cost: CPU milliseconds and bytes per molecule, on an 8-core Xeon of 2012.
PUBLISHED_COST = "Baysor C++ 0.9, published: about 0.5 ms and 500-900 bytes a molecule"


def score(found: Assignment, folder: Path) -> dict[str, float]:
    """The measures of a row."""
    true, cell = known_cells(found, folder)
    accuracy, ratio = one_to_one(true, cell)
    both = (true > 0) & (cell > 0)
    truth = truth_of(found, folder)
    # Where the truth has no such pairs at all, as in fields of many genes, the ratio says nothing.
    rare = truth["spurious_coexpr"] is not None and truth["spurious_coexpr"] < 1000
    row = {"accuracy": accuracy, "ratio": ratio, "ari_both": adjusted_rand(true[both], cell[both])}
    row |= {
        "f1": truth["f1"],
        "spurious": truth["spurious_coexpr"] if rare else None,
        "assigned": truth["assigned"],
    }
    return row | {"ece": (truth.get("calibration") or {}).get("ece")}


def answers(folder: Path, prior: str, methods: list[str], scale: float) -> dict[str, Assignment]:
    """What every method makes of a case."""
    told = {"prior": "none"} if prior == "none" else {}
    known = {
        "mixture": {"cell_scale": scale, "min_transcripts_per_cell": 20},
        "carve": {"cell_diameter": 2 * scale},
    }
    found = {name: ours(folder, method=name, **told, **known.get(name, {})) for name in methods}
    rules = by_rules(folder)
    return found | {name: rules[name] for name in NEAREST}


def families(options: argparse.Namespace) -> list[dict[str, object]]:
    """Rows of all families, priors and methods, and the published figures among them."""
    rows: list[dict[str, object]] = []
    size, seeds = (20_000, SEEDS[:1]) if options.quick else (options.molecules, options.seeds)
    for case in CASES:
        chosen = options.only in case.name and (not options.quick or case.name.startswith(QUICK))
        for prior, faults in PRIORS.items() if chosen else ():
            for seed in seeds:
                label = f"{case.name} {'whole' if faults else 'faulty'} {seed} {size}"
                folder = options.out / label.replace(",", "").replace(" ", "_")
                simulated(folder, transcripts=size, seed=seed, **case.settings, **faults)
                for method, found in answers(folder, prior, options.methods, case.scale).items():
                    rows.append({"case": case.name, "prior": prior, "method": method, "seed": seed})
                    rows[-1] |= score(found, folder)
                    keep(rows, options)
            rows += published(case, prior)
    return rows


def keep(rows: list[dict[str, object]], options: argparse.Namespace) -> None:
    """Print the last row, and add it to a file of rows: a run that is cut short is not lost."""
    line = json.dumps(rows[-1], default=float)
    print(line, flush=True)
    with open(options.out / "mixture_rows.jsonl", "a") as file:
        file.write(line + "\n")


def published(case: Case, prior: str) -> list[dict[str, object]]:
    """The published figures that belong beside a case, if there are any."""
    figures = {"nuclei": case.with_prior, "none": case.without}.get(prior)
    if figures is None:
        return []
    row = {"case": case.name, "prior": prior, "method": "Baysor C++ (published)"}
    return [row | {"accuracy": figures[0], "ratio": figures[1]}]


def fields(options: argparse.Namespace) -> list[dict[str, object]]:
    """Rows of the embryo."""
    rows = []
    for seed, folder in embryo(options.out)[: 1 if options.quick else None] if options.only in EMBRYO else ():
        for prior in ("nuclei", "none"):
            for method, found in answers(folder, prior, options.methods, EMBRYO_SCALE).items():
                rows.append({"case": EMBRYO, "prior": prior, "method": method, "seed": seed})
                rows[-1] |= score(found, folder)
                keep(rows, options)
    return rows


def accuracy(options: argparse.Namespace) -> None:
    """Run all cases and print one table: means over seeds."""
    table = pd.DataFrame(families(options) + ([] if options.no_embryo else fields(options)))
    if table.empty:
        raise SystemExit(f"no case is named like '{options.only}'; the names are in CASES")
    table.to_csv(options.out / "mixture_accuracy.csv", index=False)
    means = (
        table.drop(columns="seed").groupby(["case", "prior", "method"], sort=False).mean(numeric_only=True)
    )
    print(means.round(3).to_string(na_rep="-"))


def cost(options: argparse.Namespace) -> None:
    """Measure whole runs on tissues; sizes in millions of molecules, each with its number of genes."""
    sizes = [0.1, 0.2] if options.quick else options.sizes
    genes = [300, 300] if options.quick else options.genes
    result = options.out / "result"
    small = own_command(tissue(options.out, 0.05, 300), result, "--method", "mixture")
    measure(small)
    base = measure(small)
    print(f"{PUBLISHED_COST}\na run of 0.05 million takes {base.cpu:.1f} CPU s and {base.peak:.0f} MiB")
    print("millions  genes  CPU s  ms/molecule  wall s  peak MiB  bytes/molecule  beyond the small run")
    for size, panel in zip(sizes, genes, strict=True):
        spent = measure(own_command(tissue(options.out, size, panel), result, "--method", "mixture"))
        number = size * 1e6
        each, more = (mib * 2**20 / number for mib in (spent.peak, spent.peak - base.peak))
        line = f"{size:8g}  {panel:5}  {spent.cpu:5.0f}  {1000 * spent.cpu / number:11.4f}  {spent.wall:6.0f}"
        print(f"{line}  {spent.peak:8.0f}  {each:14.0f}  {more:20.0f}", flush=True)


def main() -> None:
    """Accuracy or cost."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["accuracy", "cost"])
    parser.add_argument("--out", type=Path, default=Path("results/mixture"))
    parser.add_argument("--only", default="", help="cases whose name holds this word")
    parser.add_argument("--methods", nargs="+", default=["mixture"], help="mixture, carve")
    parser.add_argument("--molecules", type=int, default=80_000, help="of each simulated field")
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS), help="of the simulated fields")
    parser.add_argument("--no-embryo", action="store_true", help="simulated fields only")
    parser.add_argument("--sizes", type=float, nargs="+", default=[2, 2, 10])
    parser.add_argument("--genes", type=int, nargs="+", default=[300, 5000, 300], help="one for each size")
    parser.add_argument("--quick", action="store_true", help="a few small cases")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    {"accuracy": accuracy, "cost": cost}[options.what](options)


if __name__ == "__main__":
    main()
