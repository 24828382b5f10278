"""The model, its sampler and what it may use."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelOptions:
    """Model and sampler.

    Parameters
    ----------
    ncomponents
        Components of the mixture of expression profiles.
    nhidden
        Dimensions of the factors.
    nunfactored
        Most abundant genes that are modelled one by one.
    no_factorization
        Model all genes one by one.
    voxel_layers
        Layers of voxels along z.
    burnin_samples
        Iterations at the burn-in voxel size.
    samples
        Iterations at the final voxel size.
    hillclimb
        Iterations at the end in which the segmentation is cooled.
    recorded_samples
        Of the iterations at the final voxel size, how many of the last are averaged.
    burnin_voxel_size
        Side of a voxel during burn-in (µm); a multiple of the final one. 2 where nothing is said.
    voxel_size
        Side of a voxel (µm); 1 where nothing is said.
    quad_size
        Side of the squares that are worked on in parallel (µm).
    morphology_steps_per_iter
        Voxel proposals per square and iteration, in units of a quarter; 0 leaves cells as the prior has them.
    cell_compactness
        Width of the prior on the shape; smaller makes rounder cells, 0 the roundest.
    nuclear_reassignment_prob
        Chance that a prior nucleus is wrong about a voxel.
    prior_seg_reassignment_prob
        Chance that a prior cell is wrong about a voxel; 0.5 is neutral.
    prior_weight
        How much the prior counts beside the transcripts; 2 counts it twice.
    no_diffusion
        Transcripts stay where they were seen.
    diffusion_probability
        Chance that a transcript drifted far.
    diffusion_sigma_near
        Spread of transcripts that did not (µm); 1 where nothing is said.
    diffusion_sigma_far
        Spread of transcripts that did (µm); 4 where nothing is said.
    diffusion_sigma_z
        Spread along z, in parts of the section.
    diffusion_proposal_sigma
        Spread of the proposed steps (µm); at 0 moves are only drawn anew.
    diffusion_proposal_sigma_z
        Spread of the proposed steps along z; 0 = none.
    variable_burnin_dispersion
        Sample the dispersion during burn-in too.
    burnin_dispersion
        Dispersion during burn-in.
    dispersion
        Dispersion throughout; sampled where nothing is said.
    ab_nihlo_bubble_prob
        Chance that a proposal turns a voxel into background.
    enforce_connectivity
        Keep every cell in one piece.
    use_scaled_cells
        Sample a scale for every cell's volume.
    density_bandwidth
        Width of the kernel that measures the density of transcripts (µm); at 0 there is one background rate.
    density_bins
        Strata of density that have a background rate each.
    hyperparam_e_phi, hyperparam_f_phi
        Prior of the dispersion.
    hyperparam_neg_mu_phi, hyperparam_tau_phi
        Prior of the log rates.
    check_consistency
        Check the whole state after every iteration; slow.
    nthreads
        Threads; all cores where nothing is said.
    seed
        Same inputs, options and seed give the same bytes (not in proseg).
    compat
        Version of proseg whose files are written, to the column: 3.0, 3.1 or 3.2 (not in proseg).
    best
        Write the answer averaged over the recorded iterations instead of that of the last (not in proseg).
    resume
        Go on from the checkpoint that an interrupted run of the same chain left beside its store; one is written
        every five minutes (not in proseg).
    """

    ncomponents: int = 10
    nhidden: int = 100
    nunfactored: int = 300
    no_factorization: bool = False
    voxel_layers: int = 4
    burnin_samples: int = 200
    samples: int = 200
    hillclimb: int = 50
    recorded_samples: int = 100
    burnin_voxel_size: float | None = None
    voxel_size: float | None = None
    quad_size: float = 150.0
    morphology_steps_per_iter: int = 4000
    cell_compactness: float = 0.04
    nuclear_reassignment_prob: float = 0.2
    prior_seg_reassignment_prob: float = 0.5
    prior_weight: float = 1.0
    no_diffusion: bool = False
    diffusion_probability: float = 0.2
    diffusion_sigma_near: float | None = None
    diffusion_sigma_far: float | None = None
    diffusion_sigma_z: float = 0.1
    diffusion_proposal_sigma: float = 4.0
    diffusion_proposal_sigma_z: float = 0.2
    variable_burnin_dispersion: bool = False
    burnin_dispersion: float = 1.0
    dispersion: float | None = None
    ab_nihlo_bubble_prob: float = 0.05
    enforce_connectivity: bool = False
    use_scaled_cells: bool = False
    density_bandwidth: float = 0.5
    density_bins: int = 5
    hyperparam_e_phi: float = 1.0
    hyperparam_f_phi: float = 1.0
    hyperparam_neg_mu_phi: float = 1.0
    hyperparam_tau_phi: float = 0.1
    check_consistency: bool = False
    nthreads: int | None = None
    seed: int = 0
    compat: str = "3.2"
    best: bool = False
    resume: bool = False
