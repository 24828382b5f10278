"""How often cells of a real tissue show two genes that dissociated cells hardly ever show together.

    python benchmarks/exclusive.py [FOLDER REFERENCE]

FOLDER holds an experiment, REFERENCE is a table (CSV) with a row per profile of dissociated cells and a column per gene;
by default Xenium breast and its reference under CELLCARVE_DATA. Nothing of the tissue itself decides which pairs of genes
are watched: those of the reference's pairs that profiles of a usual cell's size make rarest beside what the two genes'
own shares make one expect. Printed are the mean share of cells that show both genes of a pair, and the share of
transcripts assigned.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from cellcarve.evaluate.assignment import Assignment
from cellcarve.evaluate.profiles import COMMON, SMALLEST, count_genes
from common import by_rules, data, ours

_RAREST = 0.05


def rare_pairs(profile: np.ndarray, usual: float) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of genes that cells of `usual` transcripts, of any profile (n, G) alike, show together least."""
    shown = 1 - np.exp(-usual * profile / profile.sum(axis=1, keepdims=True))
    single = shown.mean(axis=0)
    low, high = np.triu_indices(len(single), 1)
    common = (single[low] > COMMON) & (single[high] > COMMON)
    low, high = low[common], high[common]
    lift = (shown.T @ shown)[low, high] / len(shown) / (single[low] * single[high])
    rare = lift <= np.quantile(lift, _RAREST)
    return low[rare], high[rare]


def counts_of(found: Assignment, genes: list[str]) -> np.ndarray:
    """(cells, G) transcripts of each gene in each cell of at least ten."""
    place = {name: i for i, name in enumerate(found.genes)}
    counts = count_genes(found.cell, found.gene, int(found.cell.max(initial=0)), len(found.genes))
    counts = counts[:, [place[gene] for gene in genes]].toarray()
    return counts[counts.sum(axis=1) >= SMALLEST]


def main() -> None:
    """Print a line for each answer."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("reference", type=Path, nargs="?")
    options = parser.parse_args()
    folder = options.folder or data("xenium_breast")
    if folder is None:
        raise SystemExit("the tissue is absent; name its folder, or set CELLCARVE_DATA")
    reference = pd.read_csv(options.reference or folder / "sc_breast.csv", index_col=0)
    answers = {f"cellcarve, {p}": ours(folder, purity=p) for p in ("complete", "balanced", "pure")}
    answers |= by_rules(folder)
    whole = answers["cellcarve, complete"]
    genes = [name for name in whole.genes if name in reference.columns]
    usual = float(np.median(counts_of(whole, genes).sum(axis=1)))
    low, high = rare_pairs(reference[genes].to_numpy(np.float64), usual)
    print(f"{len(low):,} pairs of {len(genes)} genes")
    for name, found in answers.items():
        shown = counts_of(found, genes) > 0
        both = (shown.T.astype(np.float32) @ shown.astype(np.float32))[low, high].mean() / len(shown)
        print(f"{name:28}  together {both:.4f}  assigned {(found.cell > 0).mean():.3f}", flush=True)


if __name__ == "__main__":
    main()
