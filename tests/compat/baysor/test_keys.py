"""Every option and every key of the configuration acts: without it, some file of the run would be another."""

import re

import pandas as pd
import pytest

from cellcarve.compat.baysor.command import main
from cellcarve.compat.baysor.config import keys

COLUMNS = ["-x", "px", "-y", "py", "-z", "pz", "-g", "target"]
FEW = ["--config.segmentation.iters=12", "--threads=1", "--count-matrix-format=tsv"]
PRIOR = ["in.csv", ":nucleus"]


@pytest.fixture
def files(tmp_path, molecules, monkeypatch):
    """Runs on one table; what was written, by name, without the names of the run."""
    monkeypatch.chdir(tmp_path)
    named = molecules.rename(columns={"x": "px", "y": "py", "z": "pz", "gene": "target"})
    # Cells that touch, so that every rule can tell; other columns that could be meant.
    named[["px", "py"]] *= 0.5
    named.assign(qx=named.py, qy=named.px, qz=named.pz.max() - named.pz**2, kind=named.nucleus % 5).to_csv(
        "in.csv", index=False
    )

    def run(*words):
        out = tmp_path / "out"
        out.mkdir(exist_ok=True)
        for old in out.iterdir():
            old.unlink()
        main(["run", *words, "-o", "out/"])
        found = {path.name: path.read_bytes() for path in out.iterdir()}
        left_out = ("segmentation_log.log", "segmentation_params.dump.toml")
        return {
            name: re.sub(rb"\bCR[0-9a-f]{9}", b"C", content)
            for name, content in found.items()
            if name not in left_out
        }

    return run


OPTIONS = {
    "-x": ["-x", "qx"],
    "-y": ["-y", "qy"],
    "-z": ["-z", "qz"],
    "-g": ["-g", "kind"],
    "-m": ["-m", "12"],
    "-s": ["-s", "7"],
    "--scale-std": ["--scale-std", "80%"],
    "--n-clusters": ["--n-clusters", "2"],
    "--prior-segmentation-confidence": ["--prior-segmentation-confidence", "1"],
    "--polygon-format": ["--polygon-format", "GeometryCollection"],
    "--count-matrix-format": ["--count-matrix-format", "loom"],
    "--plot": ["-p"],
    "--compat": ["--compat", "0.7"],
    "--skip-ncv": ["--skip-ncv"],
    "--seed": ["--seed", "2"],
}
CONFIG = {
    "data.x": "qx",
    "data.y": "qy",
    "data.z": "qz",
    "data.gene": "kind",
    "data.force_2d": "true",
    "data.min_molecules_per_gene": "100",
    "data.exclude_genes": "G0*",
    "data.min_molecules_per_cell": "12",
    "data.min_molecules_per_segment": "16",
    "data.confidence_nn_id": "40",
    "segmentation.scale": "7",
    "segmentation.scale_std": "80%",
    "segmentation.n_clusters": "2",
    "segmentation.prior_segmentation_confidence": "1",
    "segmentation.iters": "24",
    "segmentation.unassigned_prior_label": "3",
    "segmentation.nuclei_genes": "G00,G04 --config.segmentation.cyto-genes=G01,G05",
    "segmentation.cyto_genes": "G01,G06 --config.segmentation.nuclei-genes=G00,G04",
    "plotting.gene_composition_neigborhood": "60",
    "plotting.ncv_method": "dense",
}
# Those that act elsewhere, as the option --drop-small-cells does, have tests of their own.
ELSEWHERE = {
    "segmentation.estimate_scale_from_centers",
    "segmentation.n_cells_init",
    "plotting.min_pixels_per_cell",
    "plotting.max_plot_size",
}


def test_no_key_is_left_out():
    assert set(CONFIG) | ELSEWHERE == set(keys())


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_acts(files, option):
    first = ["-m", "8", *COLUMNS, *FEW, *PRIOR]
    assert files(*first) != files(*first, *OPTIONS[option])


@pytest.mark.parametrize("key", CONFIG)
def test_every_key_acts(files, key):
    """By an override, over a file with the columns and the least size."""
    with open("c.toml", "w") as file:
        file.write('[data]\nx = "px"\ny = "py"\nz = "pz"\ngene = "target"\nmin_molecules_per_cell = 8\n')
    first = ["-c", "c.toml", *FEW, *PRIOR]
    dashed = key.replace("_", "-")
    changed = f"--config.{dashed}={CONFIG[key]}".split()
    assert files(*first) != files(*first, *changed)


def test_cells_to_start_with_matter_without_a_prior(files):
    first = ["-m", "8", "-s", "4", *COLUMNS, *FEW, "in.csv"]
    few = files(*first, "--config.segmentation.n-cells-init=9")
    assert (
        few["segmentation_cell_stats.csv"].count(b"\n")
        <= 10
        < files(*first)["segmentation_cell_stats.csv"].count(b"\n")
    )


def test_pictures_have_the_sizes_asked_for(files):
    first = ["-m", "8", "-s", "4", "-p", *COLUMNS, *FEW, "in.csv"]
    page = "segmentation_borders.html"
    sides = [
        max(int(n) for n in re.findall(rb"&#34;(?:width|height)&#34;: (\d+)", files(*first, *more)[page])[:2])
        for more in (
            ["--config.plotting.max-plot-size=300"],
            [],
            ["--config.plotting.min-pixels-per-cell=200", "--config.plotting.max-plot-size=1700"],
        )
    ]
    assert sides == sorted(set(sides))
    assert sides[0] == 300


def test_a_prior_of_no_confidence_is_ignored(files):
    """Only the column of the prior tells that there was one."""
    first = ["-m", "8", "-s", "4", *COLUMNS, *FEW, "in.csv"]
    for more in ([], ["--compat", "0.7"]):
        files(*first, *more)
        without = pd.read_csv("out/segmentation.csv")
        files(*first, ":nucleus", "--prior-segmentation-confidence=0", *more)
        ignored = pd.read_csv("out/segmentation.csv")
        number = [table.cell.str.split("-").str[1] for table in (without, ignored)]
        assert number[0].equals(number[1])
        assert without.confidence.equals(ignored.confidence)


def test_parameters_that_were_dumped_give_the_same_result(files, tmp_path):
    for more in ([], [":nucleus"], [":nucleus", "--compat", "0.7"]):
        scale = [] if more else ["-s", "4"]
        first = files("-m", "8", *scale, *COLUMNS, *FEW, "in.csv", *more)
        (tmp_path / "out" / "segmentation_params.dump.toml").rename("dump.toml")
        assert files("-c", "dump.toml", *FEW[1:], "in.csv", *more) == first


def test_compartments_beside_clusters_are_warned_of(files, tmp_path):
    genes = ["--config.segmentation.nuclei-genes=G00", "--config.segmentation.cyto-genes=G01"]
    files("-m", "8", "-s", "4", *COLUMNS, *FEW, *genes, "in.csv")
    assert "--n-clusters=1 is safer" in (tmp_path / "out" / "segmentation_log.log").read_text()
