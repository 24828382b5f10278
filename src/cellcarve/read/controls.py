"""Names of probes that are no genes."""

import fnmatch

import numpy as np

from cellcarve.errors import nearest

CONTROLS = (
    "negcontrolprobe",
    "negcontrolcodeword",
    "negcontrol",
    "antisense_",
    "blank_",
    "blank-",
    "unassignedcodeword",
    "deprecatedcodeword",
    "intergenic",
    "systemcontrol",
    "negprb",
    "negative",
    "falsecode",
    "genomiccontrol",
)


def control_genes(genes: list[str]) -> np.ndarray:
    """Which names are control or blank probes, (G,) bool."""
    return np.array([gene.lower().startswith(CONTROLS) for gene in genes], bool)


def excluded_genes(genes: list[str], patterns: tuple[str, ...]) -> tuple[np.ndarray, list[str]]:
    """Which names match a pattern (* stands for anything), (G,) bool, and a note for every pattern that matches none."""
    out = np.zeros(len(genes), bool)
    notes = []
    for pattern in patterns:
        hit = np.array([fnmatch.fnmatchcase(gene, pattern) for gene in genes], bool)
        if not hit.any():
            notes.append(
                f"no gene is called '{pattern}', so none was excluded by it{nearest(pattern, genes)}"
            )
        out |= hit
    return out, notes
