"""What the benchmarks share: cases, command lines, measures."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

import cellcarve
from cellcarve.evaluate import evaluate, read_assignment, rules
from cellcarve.evaluate.assignment import Assignment
from cellcarve.evaluate.truth import read_truth
from cellcarve.simulate import SimulateSettings, simulate
from embryo import make_case

# Fields of the embryo, plane, and seed of the prior: for reporting only. Nothing was tuned on them, but for field 40 of
# plane 2, which is among those that the mixture's constants for nuclei and ridges were chosen on.
FIELDS = (
    ([31, 35, 43, 49], 2, 101),
    ([33, 37, 41, 48], 5, 102),
    ([34, 40, 44, 50], 2, 103),
    ([36, 39, 42, 47], 2, 104),
)


# A command's peak counts from what its parent held: a small parent starts it, and tells what it took.
_STARTER = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(process.pid, 0)
with open(sys.argv[1], "w") as file:
    file.write(f"{status} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss}")
"""


class Cost(NamedTuple):
    """What a command took.

    Attributes
    ----------
    cpu, wall
        Seconds; CPU is user and system time of all its threads.
    peak
        Peak memory (MiB).
    """

    cpu: float
    wall: float
    peak: float


def measure(command: list[str], log: Path | None = None) -> Cost:
    """Run a command and measure it; the run ends where it fails."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch, open(log or os.devnull, "w") as sink:
        taken = Path(scratch) / "taken"
        start = [sys.executable, "-S", "-c", _STARTER, str(taken), *map(str, command)]
        subprocess.run(start, stdout=sink, stderr=subprocess.STDOUT, cwd=scratch, check=True)
        status, cpu, peak = taken.read_text().split()
    if int(status):
        code = os.waitstatus_to_exitcode(int(status))
        raise SystemExit(f"failed with status {code}: {' '.join(map(str, command))}")
    return Cost(float(cpu), time.perf_counter() - began, int(peak) / 1024)


def data(name: str) -> Path | None:
    """A folder of real data under CELLCARVE_DATA (default ../shared/data); None where it is absent."""
    folder = Path(os.environ.get("CELLCARVE_DATA", "../shared/data")) / name
    return folder.resolve() if folder.is_dir() else None


def once(folder: Path, make: Callable[[Path], object]) -> Path:
    """A case's folder, made where it is not whole yet."""
    folder = folder.resolve()
    if not (folder / "truth.parquet").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = folder.parent / f".{folder.name}"
        shutil.rmtree(aside, ignore_errors=True)
        make(aside)
        aside.rename(folder)
    return folder


def simulated(folder: Path, **settings: Any) -> Path:
    """A simulated case."""
    return once(folder, lambda out: simulate(SimulateSettings(image=False, **settings), out))


def tissue(out: Path, millions: float, genes: int) -> Path:
    """The tissue on which cost is measured: molecules per cell as such panels have them."""
    rows, per_cell = int(millions * 1e6), 530.0 if genes > 1000 else 120.0
    folder = out / f"tissue_{millions:g}M_{genes}"
    return simulated(folder, transcripts=rows, genes=genes, per_cell=per_cell, seed=7)


def embryo(out: Path) -> list[tuple[int, Path]]:
    """Seed and folder of every set of embryo fields; none where the data are absent."""
    source = data("seqfish_embryo2")
    if source is None:
        return []
    return [
        (
            seed,
            once(
                out / f"embryo_{seed}", lambda new, f=fields, p=plane, s=seed: make_case(source, f, p, s, new)
            ),
        )
        for fields, plane, seed in FIELDS
    ]


def own_command(folder: Path, result: Path, *flags: str) -> list[str]:
    """Our command on a folder, with two threads."""
    start = [sys.executable, "-m", "cellcarve", "segment", str(folder.resolve()), "-o", str(result.resolve())]
    return [*start, "--overwrite", "--threads", "2", "--quiet", *flags]


def proseg_options(folder: Path, out: Path, *flags: str) -> list[str]:
    """Options of proseg and of our stand-in for it: Xenium preset, two threads, transcripts and store."""
    files = ["--output-transcript-metadata", str(out.resolve() / "transcripts.csv.gz")]
    files += ["--output-spatialdata", str(out.resolve() / "store.zarr"), "--overwrite"]
    return ["--xenium", "--nthreads", "2", *files, *flags, str((folder / "transcripts.parquet").resolve())]


def proseg() -> str | None:
    """The binary, where it is on the path."""
    return shutil.which("proseg")


def ours(folder: Path, **settings: object) -> Assignment:
    """Our answer to a case, row by row of its table."""
    result = cellcarve.segment(folder, threads=2, **settings).run.segmentation
    base = read_assignment(folder / "transcripts.parquet")
    return replace(base, cell=result.cell, best=result.best, probability=result.probability)


def by_rules(folder: Path) -> dict[str, Assignment]:
    """The answers of rules that need no model."""
    base = read_assignment(folder / "transcripts.parquet")
    return {name: replace(base, cell=cell, best=None, probability=None) for name, cell in rules(base).items()}


def by_proseg(folder: Path) -> Assignment | None:
    """The answer of proseg, where it is on the path; kept beside the case."""
    table = folder / "proseg" / "transcripts.csv.gz"
    if not table.exists():
        if proseg() is None:
            return None
        table.parent.mkdir(exist_ok=True)
        measure([str(proseg()), *proseg_options(folder, table.parent)])
    return read_assignment(table)


def truth_of(found: Assignment, folder: Path) -> dict[str, Any]:
    """The measures of `cellcarve evaluate` against the case's truth."""
    return evaluate(found, truth=folder / "truth.parquet")["truth"]


def one_to_one(true: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    """Accuracy of molecules under the best one-to-one match of cells, and found cells over true ones.

    A molecule is right where its cell is the match of its true cell, or where both are none. Cells of fewer than
    ten molecules are not counted in the ratio.

    Parameters
    ----------
    true, found
        (N,) cells from 1, 0 = none.
    """
    both = (true > 0) & (found > 0)
    shape = (int(true.max()) + 1, int(found.max()) + 1)
    shared = coo_matrix((np.ones(both.sum()), (true[both], found[both])), shape).tocsr()
    hits = sum(_most(shared, *part) for part in _islands(shared))
    right = hits + np.count_nonzero((true == 0) & (found == 0))
    cells = [np.count_nonzero(np.bincount(part[part > 0]) >= 10) for part in (true, found)]
    return right / len(true), cells[1] / max(cells[0], 1)


def _islands(shared: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows and columns that are linked by overlaps, island by island: the match of each is a matter of its own."""
    rows, columns = shared.shape
    graph = coo_matrix(
        (shared.tocoo().data, (shared.tocoo().row, shared.tocoo().col + rows)), (rows + columns,) * 2
    )
    _, label = connected_components(graph, directed=False)
    order = np.argsort(label, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(label[order])) + 1)
    return [(part[part < rows], part[part >= rows] - rows) for part in parts if len(part) > 1]


def _most(shared: Any, rows: np.ndarray, columns: np.ndarray) -> float:
    """Most molecules that a one-to-one match of some rows and columns can share."""
    block = shared[rows][:, columns].toarray()
    return float(block[linear_sum_assignment(block, maximize=True)].sum())


def known_cells(found: Assignment, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """True and found cells of the rows whose truth is known; rows of the table correspond by order."""
    truth = read_truth(folder / "truth.parquet")
    return truth.cell, found.cell[truth.known]
