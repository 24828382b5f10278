"""proseg's options as settings of the method voxel."""

from cellcarve.compat.proseg.options import ModelOptions, Options
from cellcarve.errors import SettingError, SettingsError
from cellcarve.settings import ComputeSettings, VoxelSettings
from cellcarve.settings.voxel import PROSEG_DEFAULTS

# Options that say the same under the same name.
_SAME = (
    "ncomponents",
    "nhidden",
    "nunfactored",
    "voxel_layers",
    "burnin_samples",
    "samples",
    "hillclimb",
    "recorded_samples",
    "burnin_voxel_size",
    "voxel_size",
    "quad_size",
    "morphology_steps_per_iter",
    "cell_compactness",
    "nuclear_reassignment_prob",
    "prior_seg_reassignment_prob",
    "diffusion_probability",
    "diffusion_sigma_near",
    "diffusion_sigma_far",
    "diffusion_sigma_z",
    "diffusion_proposal_sigma",
    "diffusion_proposal_sigma_z",
    "variable_burnin_dispersion",
    "burnin_dispersion",
    "dispersion",
    "ab_nihlo_bubble_prob",
    "enforce_connectivity",
    "use_scaled_cells",
    "density_bandwidth",
    "density_bins",
    "hyperparam_e_phi",
    "hyperparam_f_phi",
    "hyperparam_neg_mu_phi",
    "hyperparam_tau_phi",
    "check_consistency",
)
_ANYWHERE = 1e9
_ROUNDEST = 1e-6


def voxel_settings(options: Options) -> VoxelSettings:
    """Settings of the method.

    Parameters
    ----------
    options
        Settled.

    Raises
    ------
    SettingsError
        A value is out of bounds.
    """
    model, inputs = options.model, options.inputs
    values = {name: getattr(model, name) for name in _SAME}
    distance = _ANYWHERE if inputs.visiumhd else min(inputs.max_transcript_nucleus_distance, _ANYWHERE)
    extra = {
        "factorization": not model.no_factorization,
        "diffusion": not model.no_diffusion,
        "max_transcript_nucleus_distance": distance,
        "expand_initialized_cells": inputs.expand_initialized_cells,
        "unmodeled_fixed_cells": inputs.unmodeled_fixed_cells,
        "ignore_z_coord": inputs.ignore_z_coord,
    }
    try:
        return VoxelSettings(**{**PROSEG_DEFAULTS, **values, **extra, **_nothing(model)})  # type: ignore[arg-type]
    except SettingError as error:
        raise SettingsError(f"--{error.name.replace('_', '-')} {error.told}") from None


def _nothing(model: ModelOptions) -> dict[str, object]:
    """What the method is told where proseg takes 0: the roundest cells, background alike everywhere, cells that stay."""
    told: dict[str, object] = {}
    if model.cell_compactness == 0:
        told["cell_compactness"] = _ROUNDEST
    if model.density_bandwidth == 0:
        told |= {"density_bandwidth": ModelOptions.density_bandwidth, "density_bins": 1}
    if model.morphology_steps_per_iter == 0:
        # Cells are those of the prior, not grown ones.
        told["start_growth"] = 0.0
    return told


def compute_settings(model: ModelOptions) -> ComputeSettings:
    """Threads and seed."""
    return ComputeSettings(threads=model.nthreads or 0, seed=model.seed)
