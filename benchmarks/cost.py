"""CPU time and peak memory of the whole command, from file to all outputs, beside proseg where it is on the path.

    python benchmarks/cost.py [--out FOLDER] [--sizes 0.3 1 3] [--genes 300 5000] [--rival-up-to 0.3]

Sizes are in millions of transcripts. Kernels are compiled before anything is measured.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from cellcarve.simulate import SimulateSettings, simulate


def make(out: Path, millions: float, genes: int) -> Path:
    """A simulated tissue, made where it is not there yet."""
    folder = out / f"tissue_{millions:g}M_{genes}"
    if not (folder / "truth.parquet").exists():
        per_cell = 530.0 if genes > 1000 else 120.0
        settings = SimulateSettings(
            transcripts=int(millions * 1e6), genes=genes, per_cell=per_cell, seed=7, image=False
        )
        simulate(settings, folder)
    return folder


def measure(command: list[str]) -> tuple[float, float, float]:
    """CPU seconds, wall seconds and peak MiB of a command."""
    import time

    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, code, usage = os.wait4(process.pid, 0)
    if code:
        raise SystemExit(f"{command[0]} failed with status {code}")
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - began, usage.ru_maxrss / 1024


def commands(folder: Path, out: Path, rival: bool) -> dict[str, list[str]]:
    """What is measured on one tissue."""
    own = [
        sys.executable,
        "-m",
        "cellcarve",
        "segment",
        str(folder),
        "-o",
        str(out / "result"),
        "--overwrite",
    ]
    found = {"cellcarve": [*own, "--threads", "2", "--quiet"]}
    binary = shutil.which("proseg")
    if rival and binary is not None:
        table, store = out / "proseg.csv.gz", out / "proseg.zarr"
        rest = ["--output-transcript-metadata", str(table), "--output-spatialdata", str(store), "--overwrite"]
        found["proseg"] = [binary, "--xenium", "--nthreads", "2", *rest, str(folder / "transcripts.parquet")]
    return found


def main() -> None:
    """Measure all sizes and print one line each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("results/cost"))
    parser.add_argument("--sizes", type=float, nargs="+", default=[0.3, 1, 3])
    parser.add_argument("--genes", type=int, nargs="+", default=[300, 5000])
    parser.add_argument("--rival-up-to", type=float, default=0.3, help="largest size for proseg, in millions")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    measure(commands(make(options.out, 0.05, 300), options.out, False)["cellcarve"])
    print("genes  millions  program     CPU s   us/transcript  wall s  peak MiB")
    for genes in options.genes:
        for size in options.sizes:
            folder = make(options.out, size, genes)
            for name, command in commands(folder, options.out, size <= options.rival_up_to).items():
                cpu, wall, peak = measure(command)
                print(
                    f"{genes:5}  {size:8g}  {name:10} {cpu:6.1f}  {cpu / size:14.1f}  {wall:6.1f}  {peak:8.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
