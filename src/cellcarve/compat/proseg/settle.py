"""From what was given to what is in force: presets and checks, in proseg's order, before anything is read."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from cellcarve.compat.proseg.options import InputOptions, ModelOptions, Options
from cellcarve.compat.proseg.outputs.check import check_outputs, wanted
from cellcarve.compat.proseg.pattern import matching
from cellcarve.compat.proseg.presets import applied, chosen
from cellcarve.compat.proseg.weight import weighed
from cellcarve.errors import InputError, OutputError, SettingsError
from cellcarve.read.stream import first_line

MOST_LAYERS, MOST_BINS = 256, 16
_TOLERANCE = 1e-5
# Files that are read beside the positional argument.
_READ = ("spaceranger_barcode_mappings", "cellpose_masks", "cellpose_masks_fixed", "cellpose_cellprobs")


def settle(options: Options) -> Options:
    """Fill in the preset and everything that has a default, and refuse what cannot work.

    Parameters
    ----------
    options
        As given.

    Returns
    -------
    Options
        With every column, voxel size and spread that is in force.

    Raises
    ------
    SettingsError
        Options contradict each other, are out of bounds or say too little.
    InputError
        A file that is named is not there.
    OutputError
        An output exists already or has no folder to go to.
    """
    if options.model.voxel_layers > MOST_LAYERS:
        raise SettingsError(
            f"--voxel-layers {options.model.voxel_layers} is more than {MOST_LAYERS}; take fewer"
        )
    check_outputs(options.output)
    options = applied(options, chosen(options.inputs))
    _check_prior(options.inputs)
    _check_schedule(options.model)
    inputs = options.inputs
    if inputs.use_cell_initialization:
        inputs = replace(inputs, compartment_column=None, compartment_nuclear=None)
    if options.model.ncomponents == 0:
        raise SettingsError("--ncomponents must be at least 1")
    model = _weighed(_sized(options.model))
    _check_pattern(inputs.excluded_genes or "")
    inputs = _named(inputs)
    _check_placement(inputs)
    if inputs.coordinate_scale == 0:
        raise SettingsError("--coordinate-scale must not be 0")
    if not 1 <= model.density_bins <= MOST_BINS:
        raise SettingsError(f"--density-bins must be between 1 and {MOST_BINS}, not {model.density_bins}")
    _check_files(options.source, inputs)
    _check_kept(options)
    return replace(options, inputs=inputs, model=model)


def _check_prior(inputs: InputOptions) -> None:
    masks, mappings = inputs.cellpose_masks, inputs.spaceranger_barcode_mappings
    if inputs.visiumhd and not (masks or mappings or inputs.zarr):
        raise SettingsError(
            "--visiumhd needs a prior: name --spaceranger-barcode-mappings or --cellpose-masks, or give a store with "
            "--zarr"
        )
    if masks and mappings:
        raise SettingsError(
            "--cellpose-masks and --spaceranger-barcode-mappings exclude each other; name one"
        )
    for name in ("cellpose_masks_fixed", "cellpose_cellprobs"):
        if getattr(inputs, name) and not masks:
            raise SettingsError(
                f"--{name.replace('_', '-')} does nothing without --cellpose-masks; name both"
            )
    if not 0 <= inputs.cellpose_cellprob_discount <= 1:
        raise SettingsError(
            f"--cellpose-cellprob-discount must be between 0 and 1, not {inputs.cellpose_cellprob_discount:g}"
        )
    shape = inputs.zarr_shape_geometry_column, inputs.zarr_shape_cell_id_column
    if inputs.zarr_shape and not (inputs.zarr or inputs.anndata):
        raise SettingsError("--zarr-shape names an element of a store; add --zarr")
    if inputs.zarr_shape is None and any(shape):
        raise SettingsError("--zarr-shape-geometry-column and --zarr-shape-cell-id-column need --zarr-shape")


def _check_schedule(model: ModelOptions) -> None:
    if model.recorded_samples > model.samples:
        raise SettingsError(
            f"--recorded-samples {model.recorded_samples} is more than --samples {model.samples}; record no more than "
            "there are"
        )


def _sized(model: ModelOptions) -> ModelOptions:
    """With both voxel sizes."""
    fine = 1.0 if model.voxel_size is None else model.voxel_size
    coarse = 2.0 if model.burnin_voxel_size is None else model.burnin_voxel_size
    if fine <= 0 or coarse <= 0:
        raise SettingsError("--voxel-size and --burnin-voxel-size must be above 0")
    ratio = coarse / fine
    if round(ratio) < 1 or abs(ratio - round(ratio)) > _TOLERANCE:
        raise SettingsError(
            f"--burnin-voxel-size {coarse:g} is no whole multiple of --voxel-size {fine:g}; set both so that it is"
        )
    return replace(model, voxel_size=fine, burnin_voxel_size=coarse)


def _weighed(model: ModelOptions) -> ModelOptions:
    """With the weight of the prior worked into what it says."""
    if model.prior_weight < 0:
        raise SettingsError(f"--prior-weight must be at least 0, not {model.prior_weight:g}")
    trust: dict[str, Any] = {}
    for name in ("nuclear_reassignment_prob", "prior_seg_reassignment_prob"):
        chance = getattr(model, name)
        if not 0 <= chance <= 1:
            raise SettingsError(f"--{name.replace('_', '-')} must be between 0 and 1, not {chance:g}")
        trust[name] = float(weighed(chance, model.prior_weight))
    return replace(model, **trust)


def _check_pattern(pattern: str) -> None:
    try:
        matching(pattern, [""])
    except ValueError as error:
        why = first_line(error).removeprefix("Invalid regular expression: ")
        raise SettingsError(f"--excluded-genes '{pattern}' is no regular expression ({why})") from None


def _named(inputs: InputOptions) -> InputOptions:
    """With the columns of stores, which have usual names; those of tables must be named."""
    if inputs.anndata or inputs.spatialdata_table or inputs.visiumhd:
        return _filled(inputs, cell_id_unassigned="0")
    if inputs.zarr:
        return _filled(inputs, x_column="x", y_column="y", z_column="z", cell_id_unassigned="")
    needed = ["gene_column", "x_column", "y_column"]
    needed += [] if inputs.ignore_z_coord else ["z_column"]
    needed += [] if inputs.cellpose_masks else ["cell_id_column", "cell_id_unassigned"]
    for name in needed:
        if getattr(inputs, name) is None:
            flat = "say --ignore-z-coord, " if name == "z_column" else ""
            raise SettingsError(
                f"--{name.replace('_', '-')} is missing; give it, {flat}or name the platform (--xenium, --cosmx, --merscope)"
            )
    return inputs


def _filled(inputs: InputOptions, **values: str) -> InputOptions:
    missing: dict[str, Any] = {name: v for name, v in values.items() if getattr(inputs, name) is None}
    return replace(inputs, **missing)


def _check_placement(inputs: InputOptions) -> None:
    """A label image lies where its scale or both of its transforms say."""
    if not inputs.cellpose_masks:
        return
    x, y = inputs.cellpose_x_transform, inputs.cellpose_y_transform
    if inputs.cellpose_scale is not None and (x or y):
        raise SettingsError("--cellpose-scale and the transforms exclude each other; give one or the other")
    if inputs.cellpose_scale is None and not (x and y):
        raise SettingsError(
            "where --cellpose-masks lies is unknown: give --cellpose-scale, or both --cellpose-x-transform and "
            "--cellpose-y-transform"
        )
    if inputs.cellpose_scale is not None and inputs.cellpose_scale <= 0:
        raise SettingsError(f"--cellpose-scale must be above 0, not {inputs.cellpose_scale:g}")
    if x and y and abs(x[0] * y[1] - x[1] * y[0]) < 1e-12:
        raise SettingsError("the two transforms squeeze the label image flat; check their six numbers")


def _check_files(source: Path, inputs: InputOptions) -> None:
    if not source.exists():
        raise InputError(f"{source} does not exist; check the path")
    for name in _READ:
        path = getattr(inputs, name)
        if path is not None and not path.is_file():
            raise InputError(f"--{name.replace('_', '-')} {path} does not exist; check the path")


def _check_kept(options: Options) -> None:
    """No output replaces what is read."""
    output = options.output
    read = {
        path.resolve()
        for path in (options.source, *(getattr(options.inputs, name) for name in _READ))
        if path
    }
    for file in (output.path(output.output_spatialdata), *wanted(output).values()):
        if file.resolve() in read:
            raise OutputError(f"'{file}' is an input of this run and is not replaced; name another output")
