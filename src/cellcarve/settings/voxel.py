"""The method voxel."""

from dataclasses import dataclass

from cellcarve.validate import Validated, bounded


@dataclass(frozen=True)
class VoxelSettings(Validated):
    """The method voxel.

    Parameters
    ----------
    ncomponents
        Expression types in the mixture.
    nhidden
        Factors that the rarer genes share.
    nunfactored
        Genes that are modelled one by one, the most abundant first.
    factorization
        Model genes beyond `nunfactored` by factors; else every gene by itself.
    voxel_layers
        Layers of voxels along z; 1 where all z are the same.
    burnin_samples
        Sweeps on the coarse lattice.
    samples
        Sweeps on the fine lattice.
    hillclimb
        Sweeps at the end in which voxel moves are cooled.
    recorded_samples
        Last sweeps before the hill-climb that are averaged.
    burnin_voxel_size
        Side of a coarse voxel in µm; by default twice the fine one.
    voxel_size
        Side of a fine voxel in µm; by default half of the coarse one, else 1, or a bin where transcripts come in bins.
    quad_size
        Side in µm of the squares that threads work on; part of the result's address, unlike the number of threads.
    morphology_steps_per_iter
        Effort of a sweep: 4000 visits each voxel once in eight sweeps, and others in proportion; at 0 cells stay as they
        begin.
    cell_compactness
        Spread of the shape prior; smaller is rounder.
    nuclear_reassignment_prob
        Prior chance that a voxel of a nucleus belongs elsewhere.
    prior_seg_reassignment_prob
        Prior chance that a voxel of a prior cell belongs elsewhere; 0.5 is neutral.
    diffusion
        Let transcripts have moved away from where they were made.
    diffusion_probability
        Share of transcripts that moved far.
    diffusion_sigma_near
        Spread of near moves in µm, along x and y; by default 1.
    diffusion_sigma_far
        Spread of far moves in µm, along x and y; by default 4.
    diffusion_sigma_z
        Spread of moves along z, as a share of the section's thickness.
    diffusion_proposal_sigma
        Spread of proposed steps in µm, along x and y; at 0 moves are only drawn anew.
    diffusion_proposal_sigma_z
        Spread of proposed steps along z; 0 = none.
    variable_burnin_dispersion
        Sample the dispersion in the burn-in too.
    burnin_dispersion
        Dispersion in the burn-in.
    dispersion
        Dispersion throughout, instead of a sampled one.
    ab_nihlo_bubble_prob
        Share of voxel proposals that are turned into background.
    enforce_connectivity
        Keep cells in one piece.
    use_scaled_cells
        Sample a scale for each cell.
    density_bandwidth
        Bandwidth in µm of the density that the background strata are made of.
    density_bins
        Background strata.
    hyperparam_e_phi
        Shape of the prior on the dispersion.
    hyperparam_f_phi
        Scale of the prior on the dispersion.
    hyperparam_neg_mu_phi
        Minus the mean of the prior on log odds.
    hyperparam_tau_phi
        Precision of the prior on log odds.
    check_consistency
        Count volumes, edges and transcripts anew after every sweep, and stop where the chain's books differ; slow.
    max_transcript_nucleus_distance
        Transcripts farther than this (µm) from the middle of every prior cell take no part.
    expand_initialized_cells
        Rounds by which prior cells are grown by one coarse voxel before the chain starts.
    unmodeled_fixed_cells
        Take every transcript in a fixed cell for its own.
    ignore_z_coord
        Work in one layer.
    transition_counts
        Count the moves of transcripts between cells.
    start_growth
        Prior cells are grown by so many µm, or to the middle between neighbours, before the chain starts.
    distance_pull
        Log odds that a voxel belongs to the nearest nucleus, per µm by which the next one is farther away. Where RNA
        gathers in ridges between cells it is up to five times that.
    background_share
        Share of transcripts that no cell made, with the genes of the whole tissue; by default it is learnt.
    label_evidence
        Weight of the transcripts in a voxel's label. At 1 their density within a cell is taken to be the same
        everywhere, which it is not in tissue.
    overlap
        Share of transcripts whose place tells no more of their cell than far moves would leave: some moved, and cells
        lie over each other.
    sure
        Chance, before cells are doubted, that an assignment must reach.
    surprise
        More that it must reach where the cell shows the gene by this transcript alone, for every factor of e by which its
        share there falls short of e times its share overall.
    strangeness
        More that it must reach where the cell shows the gene by this transcript alone, for as many genes there that nuclei
        hardly ever show together with it as a usual transcript meets in its cell.
    """

    ncomponents: int = bounded(10, 1, 1000)
    nhidden: int = bounded(25, 1, 10_000)
    nunfactored: int = bounded(0, 0, 1 << 20)
    factorization: bool = True
    voxel_layers: int = bounded(4, 1, 256)
    burnin_samples: int = bounded(200, 0, 10**6)
    samples: int = bounded(200, 0, 10**6)
    hillclimb: int = bounded(50, 0, 10**6)
    recorded_samples: int = bounded(100, 0, 10**6)
    burnin_voxel_size: float | None = bounded(None, 0.05, 1000)
    voxel_size: float | None = bounded(None, 0.05, 1000)
    quad_size: float = bounded(150.0, 1, 10_000)
    morphology_steps_per_iter: int = bounded(4000, 0, 10**6)
    cell_compactness: float = bounded(0.1, 1e-6, 1e6)
    nuclear_reassignment_prob: float = bounded(0.2, 0, 1)
    prior_seg_reassignment_prob: float = bounded(0.5, 0, 1)
    diffusion: bool = False
    diffusion_probability: float = bounded(0.2, 0, 1)
    diffusion_sigma_near: float | None = bounded(None, 1e-3, 1000)
    diffusion_sigma_far: float | None = bounded(None, 1e-3, 1000)
    diffusion_sigma_z: float = bounded(0.1, 1e-3, 100)
    diffusion_proposal_sigma: float = bounded(4.0, 0, 1000)
    diffusion_proposal_sigma_z: float = bounded(0.2, 0, 100)
    variable_burnin_dispersion: bool = False
    burnin_dispersion: float = bounded(1.0, 1e-4, 1e6)
    dispersion: float | None = bounded(1.0, 1e-4, 1e6)
    ab_nihlo_bubble_prob: float = bounded(0.05, 0, 1)
    enforce_connectivity: bool = False
    use_scaled_cells: bool = False
    density_bandwidth: float = bounded(0.5, 0.05, 100)
    density_bins: int = bounded(5, 1, 16)
    hyperparam_e_phi: float = bounded(1.0, 1e-6, 1e6)
    hyperparam_f_phi: float = bounded(1.0, 1e-6, 1e6)
    hyperparam_neg_mu_phi: float = bounded(1.0, -50, 50)
    hyperparam_tau_phi: float = bounded(0.1, 1e-6, 1e6)
    check_consistency: bool = False
    max_transcript_nucleus_distance: float = bounded(60.0, 0, 1e9)
    expand_initialized_cells: int = bounded(0, 0, 1000)
    unmodeled_fixed_cells: bool = False
    ignore_z_coord: bool = False
    transition_counts: bool = False
    start_growth: float = bounded(8.0, 0, 1000)
    distance_pull: float = bounded(1.0, 0, 100)
    background_share: float | None = bounded(0.03, 0, 1)
    label_evidence: float = bounded(0.5, 0, 1)
    overlap: float = bounded(0.5, 0, 1)
    sure: float = bounded(0.42, 0, 1)
    surprise: float = bounded(0.09, 0, 1)
    strangeness: float = bounded(0.07, 0, 1)


# Where the defaults above differ from those of proseg 3, its values: for those who stand in for it. What proseg has no
# option for (growth at the start, distances, share of background, weight of evidence) stays as above.
PROSEG_DEFAULTS: dict[str, object] = {
    "nhidden": 100,
    "nunfactored": 300,
    "cell_compactness": 0.04,
    "diffusion": True,
    "dispersion": None,
    "transition_counts": True,
}
