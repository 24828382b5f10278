"""CPU time and peak memory of the whole command, from file to all outputs, beside proseg where it is on the path.

    python benchmarks/cost.py [--out FOLDER] [--sizes 0.3 1 3] [--genes 300 5000] [--methods carve mixture]
        [--rival-up-to 0.3]

Sizes are in millions of transcripts. Kernels are compiled before anything is measured.
"""

import argparse
from pathlib import Path

from common import measure, own_command, proseg, proseg_options, tissue


def commands(folder: Path, out: Path, methods: list[str], rival: bool) -> dict[str, list[str]]:
    """What is measured on one tissue."""
    found = {name: own_command(folder, out / "result", "--method", name) for name in methods}
    if rival and proseg() is not None:
        (out / "proseg").mkdir(exist_ok=True)
        found["proseg"] = [str(proseg()), *proseg_options(folder, out / "proseg")]
    return found


def main() -> None:
    """Measure all sizes and print one line each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("results/cost"))
    parser.add_argument("--sizes", type=float, nargs="+", default=[0.3, 1, 3])
    parser.add_argument("--genes", type=int, nargs="+", default=[300, 5000])
    parser.add_argument("--methods", nargs="*", default=["carve"], help="carve, voxel, mixture, or none")
    parser.add_argument("--rival-up-to", type=float, default=0.3, help="largest size for proseg, in millions")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    small = tissue(options.out, 0.05, 300)
    for command in commands(small, options.out, options.methods, False).values():
        measure(command)
    print("genes  millions  program     CPU s   us/transcript  wall s  peak MiB  bytes/transcript")
    for genes in options.genes:
        for size in options.sizes:
            folder = tissue(options.out, size, genes)
            rival = size <= options.rival_up_to
            for name, command in commands(folder, options.out, options.methods, rival).items():
                cost = measure(command)
                print(
                    f"{genes:5}  {size:8g}  {name:10} {cost.cpu:6.1f}  {cost.cpu / size:14.1f}  {cost.wall:6.1f}"
                    f"  {cost.peak:8.0f}  {cost.peak * 2**20 / (size * 1e6):16.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
