"""No option is read for nothing: each changes what the chain does with one small tissue."""

import hashlib
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from cellcarve.compat.proseg.options import ModelOptions
from cellcarve.compat.proseg.translate import compute_settings, voxel_settings
from cellcarve.progress import Silent
from cellcarve.voxels import sample

LINE = (
    "--xenium transcripts.csv --burnin-samples 4 --samples 6 --recorded-samples 3 --hillclimb 4 --nunfactored 4 -t 1 "
    "--cell-compactness 0.5"
)
CHANGES = (
    *("--ncomponents 2", "--nhidden 3", "--nunfactored 6", "--no-factorization", "--voxel-layers 2"),
    *("--burnin-samples 5", "--samples 7", "--hillclimb 5", "--recorded-samples 5"),
    *("--burnin-voxel-size 3", "--voxel-size 2", "--quad-size 20", "--morphology-steps-per-iter 8000"),
    *("--cell-compactness 0.05", "--nuclear-reassignment-prob 0.4", "--prior-seg-reassignment-prob 0.2"),
    *("--prior-weight 3", "--no-diffusion", "--diffusion-probability 0.6", "--diffusion-sigma-near 2"),
    *("--diffusion-sigma-far 7", "--diffusion-sigma-z 0.3", "--diffusion-proposal-sigma 2"),
    *("--diffusion-proposal-sigma-z 0.5", "--variable-burnin-dispersion", "--burnin-dispersion 3"),
    *("--dispersion 2", "--ab-nihlo-bubble-prob 0.3", "--enforce-connectivity", "--use-scaled-cells"),
    *("--density-bandwidth 2", "--density-bins 2", "--hyperparam-e-phi 5", "--hyperparam-f-phi 3"),
    *("--hyperparam-neg-mu-phi 3", "--hyperparam-tau-phi 3", "--seed 1"),
    *("--excluded-genes B", "--include-neg-ctrls", "--use-cell-initialization", "--non-unique-cell-ids"),
    *("--ignore-z-coord", "--min-qv 30", "--coordinate-scale 1.5", "--max-transcript-nucleus-distance 5"),
    *("--expand-initialized-cells 1", "--compartment-nuclear 0", "--cell-id-unassigned cell-0"),
    *("--gene-column other", "-x y_location", "-y x_location", "-z x_location", "--qv-column x_location"),
    "--cell-assignment-column overlaps_nucleus --cell-assignment-unassigned 0",
)
# What the chain itself does not see: other tests see to these.
ELSEWHERE = {"check_consistency", "nthreads", "compat", "best", "resume"}


@pytest.fixture
def tissue():
    """16 cells of two kinds in one layer of tissue, a stray cloud, a control probe."""
    rng = np.random.default_rng(5)
    number = np.repeat(np.arange(16), 40)
    centre = np.column_stack([number % 4, number // 4]) * 9.0 + 8
    away = rng.normal(0, 2.5, (len(number), 2))
    x, y = (centre + away).T
    near = np.hypot(*away.T)
    kind = np.array([list("ABCDFGH"), list("DEFABCH")])[number % 2, rng.integers(0, 7, len(number))]
    frame = pd.DataFrame(
        {
            "transcript_id": np.arange(len(number)),
            "cell_id": np.where(near < 5, [f"cell-{n}" for n in number], "UNASSIGNED"),
            "overlaps_nucleus": (near < 3).astype(int),
            "feature_name": np.where(rng.uniform(size=len(number)) < 0.05, "NegControlProbe_1", kind),
            "other": np.where(near < 3, "I", kind),
            "x_location": x,
            "y_location": y,
            "z_location": rng.uniform(0, 8, len(number)),
            "qv": rng.choice([10, 25, 40], len(number), p=[0.1, 0.2, 0.7]),
            "fov_name": np.where(x < 20, "A1", "A2"),
        }
    )
    frame.to_csv("transcripts.csv", index=False)


def print_of(follow, line):
    """Digest of everything that a run leaves."""
    world = follow(line)
    settings = voxel_settings(world.options)
    run = sample(world.table, world.prior, settings, compute_settings(world.options.model), Silent())
    digest = hashlib.sha256()
    for name in (
        "voxel_cell",
        "voxel_i",
        "voxel_j",
        "row",
        "moved",
        "cell",
        "centroid",
        "dispersion",
        "odds",
    ):
        digest.update(np.ascontiguousarray(getattr(run, name)).tobytes())
    for counts in (run.latent, run.expected):
        digest.update(counts.toarray().tobytes())
    digest.update(run.background_rate.tobytes())
    return digest.hexdigest()


def test_every_option_that_the_chain_sees_is_here():
    named = {
        word.lstrip("-").replace("-", "_") for line in CHANGES for word in line.split() if word[:2] == "--"
    }
    assert named | ELSEWHERE >= {item.name for item in fields(ModelOptions)}


@pytest.mark.parametrize("change", CHANGES)
def test_the_option_changes_the_run(tissue, follow, change):
    assert print_of(follow, f"{LINE} {change}") != print_of(follow, LINE)


def test_the_same_line_gives_the_same_run(tissue, follow):
    assert print_of(follow, LINE) == print_of(follow, LINE)
