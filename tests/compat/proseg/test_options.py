"""The command line: every option of proseg with its default, forms that shells and pipelines write, refusals."""

from dataclasses import fields
from pathlib import Path

import pytest

from cellcarve.compat.proseg.command import parse
from cellcarve.compat.proseg.options import InputOptions, ModelOptions, OutputOptions
from cellcarve.errors import SettingsError

# Names and defaults as proseg documents them.
DEFAULTS = """
xenium False, cosmx False, cosmx-micron False, merscope False, merfish False, visiumhd False, zarr False, anndata False,
spatialdata-table None, anndata-coordinate-key spatial, zarr-shape None, zarr-shape-geometry-column None,
zarr-shape-cell-id-column None, excluded-genes None, include-neg-ctrls False, use-cell-initialization False,
non-unique-cell-ids False, gene-column None, transcript-id-column None, x-column None, y-column None, z-column None,
compartment-column None, compartment-nuclear None, fov-column None, cell-assignment-column None,
cell-assignment-unassigned None, cell-id-column None, cell-id-unassigned None, qv-column None, ignore-z-coord False,
min-qv None, coordinate-scale None, max-transcript-nucleus-distance 60.0, spaceranger-barcode-mappings None,
cellpose-masks None, cellpose-masks-fixed None, unmodeled-fixed-cells False, cellpose-cellprobs None,
cellpose-cellprob-discount 0.85, cellpose-scale None, cellpose-x-transform None, cellpose-y-transform None,
expand-initialized-cells 0, ncomponents 10, nhidden 100, nunfactored 300, no-factorization False, voxel-layers 4,
burnin-samples 200, samples 200, hillclimb 50, recorded-samples 100, burnin-voxel-size None, voxel-size None,
quad-size 150.0, morphology-steps-per-iter 4000, cell-compactness 0.04, nuclear-reassignment-prob 0.2,
prior-seg-reassignment-prob 0.5, prior-weight 1.0, no-diffusion False, diffusion-probability 0.2, diffusion-sigma-near None,
diffusion-sigma-far None, diffusion-sigma-z 0.1, diffusion-proposal-sigma 4.0, diffusion-proposal-sigma-z 0.2,
variable-burnin-dispersion False, burnin-dispersion 1.0, dispersion None, ab-nihlo-bubble-prob 0.05,
enforce-connectivity False, use-scaled-cells False, density-bandwidth 0.5, density-bins 5, hyperparam-e-phi 1.0,
hyperparam-f-phi 1.0, hyperparam-neg-mu-phi 1.0, hyperparam-tau-phi 0.1, check-consistency False, nthreads None,
output-path None, output-spatialdata proseg-output.zarr, exclude-spatialdata-transcripts False, overwrite False,
output-counts None, output-counts-fmt infer, output-expected-counts None, output-cell-metadata None,
output-cell-metadata-fmt infer, output-transcript-metadata None, output-transcript-metadata-fmt infer,
output-gene-metadata None, output-gene-metadata-fmt infer, output-metagene-rates None, output-metagene-rates-fmt infer,
output-metagene-loadings None, output-metagene-loadings-fmt infer, output-rates None, output-rates-fmt infer,
output-cell-polygons None, output-union-cell-polygons None, output-cell-polygon-layers None, output-voxel-counts None,
cells-per-chunk 100, monitor-cell-polygons None, monitor-cell-polygons-freq 10
"""
TABLE = dict(pair.split() for pair in DEFAULTS.replace("\n", " ").split(","))
OURS = {"seed": "0", "compat": "3.2", "best": "False", "resume": "False", "output-cell-masks": "None"}


def flat(line: str):
    options = parse(line.split()).options
    return {k: v for part in (options.inputs, options.model, options.output) for k, v in vars(part).items()}


def test_every_option_has_its_name_and_default():
    got = {name.replace("_", "-"): str(value) for name, value in flat("t.csv").items()}
    assert got == TABLE | OURS


@pytest.mark.parametrize("kind", [InputOptions, ModelOptions, OutputOptions])
def test_every_option_is_read_into_its_own_field(kind):
    """A value given to each option arrives there and nowhere else."""
    for item in fields(kind):
        name, sample = item.name, _sample(item)
        line = f"--{name.replace('_', '-')} {sample} t.csv"
        got, before = flat(line), flat("t.csv")
        changed = {key for key in got if got[key] != before[key]}
        assert changed == {name}, line


def _sample(item):
    kind = str(item.type)
    if kind.startswith(("Row", "tuple")) or "Row" in kind or "tuple" in kind:
        return "-0.5 2 -1e3"
    if item.default is False:
        return ""
    if item.name == "compat":
        return "3.0"
    if "Literal" in kind:
        return "parquet"
    return "7" if item.default is None or isinstance(item.default, int | float) else "other"


def test_short_forms_and_tied_values():
    got = flat("-x a -y=b -z c -t3 -m 80 --min-qv=12.5 t.csv")
    names = ("x_column", "y_column", "z_column", "nthreads", "morphology_steps_per_iter", "min_qv")
    assert [got[name] for name in names] == ["a", "b", "c", 3, 80, 12.5]
    assert [flat("-xa -m=80 t.csv")[name] for name in ("x_column", names[4])] == ["a", 80]


def test_negative_numbers_are_values():
    got = flat("--cellpose-x-transform -0.2125 0 -12.5 --min-qv -1 --cell-id-unassigned -1 t.csv")
    assert got["cellpose_x_transform"] == (-0.2125, 0.0, -12.5)
    assert got["min_qv"] == -1.0
    assert got["cell_id_unassigned"] == "-1"


def test_an_empty_text_is_a_value():
    assert parse(["--cell-id-unassigned", "", "t.csv"]).options.inputs.cell_id_unassigned == ""


@pytest.mark.parametrize(
    "old",
    [
        "--schedule 150 250 100",
        "--initial-voxel-size 4",
        "--initial-voxel-size=4",
        "--nbglayers 4",
        "--perimeter-bound 1.3",
        "--perimeter-eta 5",
        "--no-z-layer-doubling",
        "--detect-layers",
        "--output-cell-voxels v.geojson.gz",
        "--output-cell-hulls h.geojson.gz",
        "--output-maxpost-counts c.csv.gz",
        "--output-maxpost-counts-fmt csv",
    ],
)
@pytest.mark.parametrize("form", ["{} --xenium t.csv", "--xenium {} --samples 9 t.csv"])
def test_options_of_proseg_2_give_a_warning_and_nothing_else(old, form):
    parsed = parse(form.format(old).split())
    plain = parse(form.format("").split())
    assert (parsed.options.inputs, parsed.options.model) == (plain.options.inputs, plain.options.model)
    assert (parsed.options.source, parsed.options.output) == (Path("t.csv"), plain.options.output)
    (warning,) = parsed.warnings
    assert warning.startswith(old.split()[0].split("=")[0])
    assert "proseg 2" in warning


def test_the_spelling_of_the_manual_is_understood():
    assert flat("--nuclear-reassignment_prob 0.3 t.csv")["nuclear_reassignment_prob"] == 0.3


def test_the_form_of_parquet_may_be_named():
    assert parse(["--xenium", "t.parquet", "xenium"]).options.source == Path("t.parquet")


def test_words_after_two_hyphens_are_files():
    assert parse(["--", "--schedule"]).options.source == Path("--schedule")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "Missing argument 'TRANSCRIPTS'"),
        ("--xenum t.csv", "--xenium"),
        ("--samples many t.csv", "'many' is not a valid integer"),
        ("--samples -3 t.csv", "-3 is not in the range"),
        ("--voxel-size nan t.csv", "'nan' is not a finite number"),
        ("--voxel-size inf t.csv", "'inf' is not a finite number"),
        ("--max-transcript-nucleus-distance nan t.csv", "'nan' is not a number"),
        ("--cellpose-y-transform 0 -inf 1 t.csv", "'-inf' is not a finite number"),
        ("--cellpose-x-transform 1 2", "requires 3 arguments"),
        ("--output-rates-fmt xls t.csv", "'xls' is not one of"),
        ("a.csv b.csv", "'b.csv' is not one of"),
        ("a.csv none more", "unexpected extra argument"),
        ("t.csv --gene-column", "requires an argument"),
    ],
)
def test_mistakes_are_one_sentence(line, sentence):
    with pytest.raises(SettingsError) as error:
        parse(line.split())
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_the_version_reads_as_pipelines_expect(flag, capsys):
    assert parse([flag]).options is None
    assert capsys.readouterr().out == "proseg 3.2.0\n"


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_names_every_option(flag, capsys):
    assert parse([flag]).options is None
    shown = capsys.readouterr().out
    assert [name for name in TABLE if f"--{name}" not in shown] == []
