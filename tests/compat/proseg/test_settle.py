"""What is in force: presets, who wins, and what is refused before anything is read."""

import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cellcarve.compat.proseg.command import parse
from cellcarve.compat.proseg.settle import settle
from cellcarve.compat.proseg.translate import compute_settings, voxel_settings
from cellcarve.errors import CellcarveError, SettingsError

PRIOR = "--cell-id-column c --cell-id-unassigned 0"
COLUMNS = "--gene-column g -x x -y y -z z"


@pytest.fixture(autouse=True)
def files(empty_folder):
    for name in ("t.csv", "m.npy", "p.npy", "b.parquet"):
        (empty_folder / name).touch()
    (empty_folder / "folder").mkdir()


def settled(line: str):
    return settle(parse(shlex.split(line)).options)


# The table of presets: gene, id, x, y, z, compartment, nuclear, fov, cell, unassigned, assignment, its value, qv, least.
PRESETS = {
    "xenium": "feature_name transcript_id x_location y_location z_location overlaps_nucleus 1 fov_name cell_id UNASSIGNED "
    "None None qv 20.0",
    "cosmx": "target None x_global_px y_global_px z CellComp Nuclear fov cell '' cell_ID 0 None None",
    "cosmx-micron": "target None x y z CellComp Nuclear fov cell_ID 0 None None None None",
    "merscope": "gene None global_x global_y global_z None None fov cell_id -1 None None None None",
    "merfish": "gene None x y z None None fov cell NA None None None None",
}
FIELDS = [
    "gene_column",
    "transcript_id_column",
    "x_column",
    "y_column",
    "z_column",
    "compartment_column",
    "compartment_nuclear",
    "fov_column",
    "cell_id_column",
    "cell_id_unassigned",
    "cell_assignment_column",
    "cell_assignment_unassigned",
    "qv_column",
    "min_qv",
]


@pytest.mark.parametrize("platform", PRESETS)
def test_presets_name_the_columns(platform):
    inputs = settled(f"--{platform} t.csv").inputs
    assert [str(getattr(inputs, name)) for name in FIELDS] == shlex.split(PRESETS[platform])
    assert inputs.non_unique_cell_ids == platform.startswith("cosmx")
    assert inputs.coordinate_scale == (0.12028 if platform == "cosmx" else None)


@pytest.mark.parametrize("name", FIELDS)
def test_the_user_wins_over_a_preset(name):
    value = "7.0" if name == "min_qv" else "mine"
    line = f"--xenium --{name.replace('_', '-')} {value} t.csv"
    assert str(getattr(settled(line).inputs, name)) == value


def test_visium_forces_voxels_and_suggests_spreads():
    visium = "--visiumhd --spaceranger-barcode-mappings b.parquet folder"
    given = settled(f"{visium} --voxel-size 1 --burnin-voxel-size 8 --voxel-layers 7").model
    assert (given.voxel_size, given.burnin_voxel_size, given.voxel_layers) == (2.0, 2.0, 1)
    assert (given.diffusion_sigma_near, given.diffusion_sigma_far) == (2.0, 8.0)
    assert settled(f"{visium} --diffusion-sigma-near 3").model.diffusion_sigma_near == 3.0
    assert settled(visium).inputs.ignore_z_coord


def test_controls_are_left_out_unless_asked_for():
    assert settled("--xenium t.csv").inputs.excluded_genes.startswith("^(Deprecated")
    assert settled("--merscope t.csv").inputs.excluded_genes == "^Blank"
    assert settled("--xenium --include-neg-ctrls t.csv").inputs.excluded_genes is None
    assert settled("--xenium --excluded-genes ^A t.csv").inputs.excluded_genes == "^A"
    assert settled("--xenium --include-neg-ctrls --excluded-genes ^A t.csv").inputs.excluded_genes == "^A"


def test_a_xenium_mask_has_the_pixels_of_its_images_unless_placed():
    assert settled("--xenium --cellpose-masks m.npy t.csv").inputs.cellpose_scale == 0.2125
    assert settled("--xenium --cellpose-masks m.npy --cellpose-scale 1 t.csv").inputs.cellpose_scale == 1.0
    line = "--xenium --cellpose-masks m.npy --cellpose-x-transform 1 0 -5 --cellpose-y-transform 0 -1 3 t.csv"
    assert settled(line).inputs.cellpose_scale is None


def test_cell_initialisation_forgets_compartments():
    inputs = settled("--xenium --use-cell-initialization t.csv").inputs
    assert (inputs.compartment_column, inputs.compartment_nuclear) == (None, None)


def test_voxel_sizes_have_defaults_of_their_own():
    def sizes(line):
        model = settled(f"--xenium t.csv {line}").model
        return model.burnin_voxel_size, model.voxel_size

    assert sizes("") == (2.0, 1.0)
    assert sizes("--voxel-size 2") == (2.0, 2.0)
    assert sizes("--voxel-size 0.4") == (2.0, 0.4)
    assert sizes("--burnin-voxel-size 3") == (3.0, 1.0)


def test_options_become_settings_of_the_method():
    line = (
        "--xenium t.csv --no-factorization --no-diffusion --samples 9 --recorded-samples 3 --voxel-layers 2 --nthreads 3 "
        "--seed 8 --expand-initialized-cells 2 --max-transcript-nucleus-distance 40 --ignore-z-coord --use-scaled-cells"
    )
    options = settled(line)
    voxel, compute = voxel_settings(options), compute_settings(options.model)
    assert (voxel.factorization, voxel.diffusion, voxel.samples, voxel.recorded_samples) == (
        False,
        False,
        9,
        3,
    )
    assert (voxel.voxel_layers, voxel.expand_initialized_cells, voxel.ignore_z_coord) == (2, 2, True)
    assert (voxel.max_transcript_nucleus_distance, voxel.use_scaled_cells) == (40.0, True)
    assert (compute.threads, compute.seed) == (3, 8)


@pytest.mark.parametrize("weight", [0, 0.5, 1, 3])
def test_the_weight_of_the_prior_multiplies_its_log_odds(weight):
    model = settled(f"--xenium t.csv --prior-weight {weight} --prior-seg-reassignment-prob 0.3").model
    for chance, before in ((model.nuclear_reassignment_prob, 0.2), (model.prior_seg_reassignment_prob, 0.3)):
        assert np.log(chance / (1 - chance)) == pytest.approx(weight * np.log(before / (1 - before)))


VISIUM = "--visiumhd folder"
REFUSED = [
    ("--xenium --voxel-layers 257 t.csv", "--voxel-layers 257"),
    ("--xenium --cosmx t.csv", "--xenium, --cosmx"),
    (VISIUM, "needs a prior"),
    (f"{VISIUM} --cellpose-masks m.npy --spaceranger-barcode-mappings b.parquet", "exclude each other"),
    ("--xenium --samples 50 t.csv", "--recorded-samples 100"),
    ("--xenium --ncomponents 0 t.csv", "--ncomponents"),
    ("--xenium --voxel-size 1.5 t.csv", "no whole multiple"),
    ("--xenium --voxel-size 4 t.csv", "no whole multiple"),
    ("--xenium --voxel-size 0 t.csv", "above 0"),
    ("--xenium --excluded-genes '(' t.csv", "no regular expression"),
    (f"{PRIOR} -x x -y y -z z t.csv", "--gene-column"),
    (f"{PRIOR} --gene-column g -y y -z z t.csv", "--x-column"),
    (f"{PRIOR} --gene-column g -x x -y y t.csv", "--z-column"),
    (f"{COLUMNS} --cell-id-unassigned 0 t.csv", "--cell-id-column"),
    (f"{COLUMNS} --cell-id-column c t.csv", "--cell-id-unassigned"),
    (f"{COLUMNS} --cellpose-masks m.npy t.csv", "--cellpose-scale"),
    (f"{COLUMNS} --cellpose-masks m.npy --cellpose-x-transform 1 0 0 t.csv", "--cellpose-y-transform"),
    (
        "--xenium --cellpose-masks m.npy --cellpose-scale 1 --cellpose-y-transform 0 1 0 t.csv",
        "exclude each other",
    ),
    (
        f"{COLUMNS} --cellpose-masks m.npy --cellpose-x-transform 1 2 0 --cellpose-y-transform 2 4 0 t.csv",
        "flat",
    ),
    ("--xenium --cellpose-cellprobs p.npy t.csv", "without --cellpose-masks"),
    ("--xenium --cellpose-masks-fixed m.npy t.csv", "without --cellpose-masks"),
    ("--xenium --prior-weight -1 t.csv", "--prior-weight"),
    ("--xenium --nuclear-reassignment-prob 1.5 t.csv", "between 0 and 1"),
    ("--xenium --density-bins 17 t.csv", "--density-bins"),
    ("--xenium --density-bins 0 t.csv", "--density-bins"),
    ("--xenium --coordinate-scale 0 t.csv", "--coordinate-scale must not be 0"),
    ("--xenium --cellpose-cellprob-discount 3 t.csv", "--cellpose-cellprob-discount must be between 0 and 1"),
    ("--xenium absent.csv", "absent.csv does not exist"),
    ("--xenium --cellpose-masks absent.npy t.csv", "absent.npy does not exist"),
    ("--xenium --zarr-shape n t.csv", "--zarr"),
    ("--xenium --output-path absent t.csv", "absent"),
    ("--xenium --output-counts absent/c.mtx.gz t.csv", "/absent' to write to"),
    ("--xenium --monitor-cell-polygons absent/p.geojson.gz t.csv", "/absent' to write to"),
    ("--xenium --output-transcript-metadata t.csv t.csv", "is an input of this run"),
    ("--xenium --monitor-cell-polygons p.gz --output-cell-polygons p.gz t.csv", "have the same name"),
]


@pytest.mark.parametrize(("line", "sentence"), REFUSED)
def test_refusals(line, sentence):
    with pytest.raises(CellcarveError) as error:
        settled(line)
    assert sentence in str(error.value)
    assert error.value.code == 2


def test_bounds_are_told_by_the_name_of_the_option():
    with pytest.raises(SettingsError, match=r"^--voxel-layers must be between 1 and 256, not 0"):
        voxel_settings(settled("--xenium --voxel-layers 0 t.csv"))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--max-transcript-nucleus-distance inf", {"max_transcript_nucleus_distance": 1e9}),
        ("-m 0", {"morphology_steps_per_iter": 0, "start_growth": 0.0}),
        ("--diffusion-proposal-sigma 0", {"diffusion_proposal_sigma": 0.0}),
        ("--diffusion-proposal-sigma-z 0", {"diffusion_proposal_sigma_z": 0.0}),
        ("--cell-compactness 0", {"cell_compactness": 1e-6}),
        ("--density-bandwidth 0", {"density_bandwidth": 0.5, "density_bins": 1}),
    ],
)
def test_no_limit_and_nothing_are_taken_where_they_mean_something(line, told):
    usual = voxel_settings(settled("--xenium t.csv"))
    assert voxel_settings(settled(f"--xenium t.csv {line}")) == replace(usual, **told)


@pytest.mark.parametrize(
    "line",
    [
        *("--diffusion-sigma-near 0", "--diffusion-sigma-far 0", "--diffusion-sigma-z 0"),
        *("--dispersion 0", "--burnin-dispersion 0", "--hyperparam-e-phi 0", "--hyperparam-tau-phi 0"),
        *("--cell-compactness -1", "--density-bandwidth -1", "--max-transcript-nucleus-distance -inf"),
    ],
)
def test_what_would_give_nonsense_is_refused(line):
    """Zeros by which proseg stops, or strews transcripts over the whole slide."""
    with pytest.raises(SettingsError, match=rf"^{line.split()[0]} must be between"):
        voxel_settings(settled(f"--xenium t.csv {line}"))


def test_an_earlier_store_is_kept_unless_it_may_go():
    Path("proseg-output.zarr").mkdir()
    Path("proseg-output.zarr/.zgroup").touch()
    with pytest.raises(CellcarveError, match="--overwrite"):
        settled("--xenium t.csv")
    settled("--xenium --overwrite t.csv")
    settled("--xenium --output-spatialdata other.zarr t.csv")
    assert Path("proseg-output.zarr").is_dir()


def test_the_output_path_stands_in_front():
    (Path("folder") / "proseg-output.zarr").mkdir()
    with pytest.raises(CellcarveError, match=r"folder/proseg-output\.zarr"):
        settled("--xenium --output-path folder t.csv")


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("--xenium --cosmx --voxel-layers 300 --samples 3 t.csv", "--voxel-layers"),
        ("--xenium --cosmx --samples 3 absent.csv", "--cosmx"),
        ("--xenium --samples 3 --ncomponents 0 --voxel-size 7 t.csv", "--recorded-samples"),
        ("--xenium --ncomponents 0 --voxel-size 7 --excluded-genes ( t.csv", "--ncomponents"),
        ("--xenium --voxel-size 7 --excluded-genes ( t.csv", "--voxel-size"),
        ("--excluded-genes ( t.csv", "--excluded-genes"),
    ],
)
def test_the_order_of_checks_is_that_of_proseg(line, first):
    with pytest.raises(CellcarveError, match=first):
        settled(line)
