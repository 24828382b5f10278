"""How many molecules of a family could be told right by one who knows every cell: the ceiling of any method.

    python benchmarks/oracle.py [--transcripts 12000] [--seed 5] [FAMILY:GENES ...]

The oracle knows each cell's place, body, size and profile, and how far molecules drift. It gives each molecule to the
cell (or to the background) that most likely made it there: by counting around it the molecules of a field of the same
cells that is filled many times as densely, times the profile. The nearest nucleus is printed beside it.
"""

import argparse

import numpy as np
from scipy.spatial import cKDTree

from cellcarve.simulate import SimulateSettings
from cellcarve.simulate.families.expression import Repertoire
from cellcarve.simulate.families.field import Field, make_field
from cellcarve.simulate.programmes import taste

USUAL = (
    "dense:300",
    "dense:5000",
    "dense-xenium:300",
    "loose:300",
    "one-type:100",
    "elongated:100",
    "gaps:100",
)
DENSER, AROUND = 20, 0.8


def places(field: Field) -> np.ndarray:
    """(N, 3) float64 places of a field's molecules."""
    return np.column_stack([field.molecules.x, field.molecules.y, field.molecules.z])


def profiles(repertoire: Repertoire, key: np.ndarray) -> np.ndarray:
    """(n + 1, G) float64 profile of every cell, and of the background in the last row."""
    panel = repertoire.panel
    own = repertoire.mixture @ np.diff(panel.heap, axis=1, prepend=0)
    if not repertoire.pure:
        own *= panel.ease.mean(axis=0) * taste(key, len(panel.genes))
    own /= own.sum(axis=1, keepdims=True)
    return np.vstack([own, np.diff(panel.background, prepend=0)])


def oracle(settings: dict[str, object], transcripts: int, per_cell: float = 120.0) -> tuple[float, float]:
    """Share of molecules that the oracle and the nearest nucleus tell right."""
    field, full = (
        make_field(
            SimulateSettings(transcripts=transcripts * times, per_cell=per_cell * times, **settings),
            np.random.default_rng(times),
        )
        for times in (1, DENSER)
    )
    profile = profiles(field.repertoire, field.window.cells.key)
    place, made, gene = places(field), field.molecules.made, field.molecules.gene
    near = cKDTree(places(full)).query_ball_point(place, AROUND)
    length = np.array([len(part) for part in near])
    row, source = (
        np.repeat(np.arange(len(near)), length),
        full.molecules.made[np.concatenate(near).astype(np.int64)],
    )
    pair, count = np.unique(row * (len(profile) + 1) + source + 1, return_counts=True)
    row, source = pair // (len(profile) + 1), pair % (len(profile) + 1) - 1
    score = count * profile[source, gene[row]]
    order = np.lexsort([score, row])
    best = np.full(len(near), -2)
    best[row[order]] = source[order]
    cells = field.window.cells
    nearest = cKDTree(np.column_stack([cells.x, cells.y, cells.z])).query(place)[1]
    return float((best == made).mean()), float((nearest == made).mean())


def main() -> None:
    """Print a line per family."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("families", nargs="*", default=list(USUAL))
    parser.add_argument("--transcripts", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    print("family              oracle  nearest nucleus")
    for word in options.families:
        family, genes = word.split(":")
        settings = {"family": family, "genes": int(genes), "seed": options.seed, "perfect": True}
        best, nearest = oracle(settings, options.transcripts)
        print(f"{word:18}  {best:6.3f}  {nearest:15.3f}", flush=True)


if __name__ == "__main__":
    main()
