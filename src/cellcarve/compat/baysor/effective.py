"""The values in force once the data are known: what the method is asked to do, and what the dump records."""

from dataclasses import replace
from typing import cast

from cellcarve.compat.baysor.config import Config
from cellcarve.compat.baysor.derive import cells_init, neighbourhood, noise_neighbour, per_segment
from cellcarve.compat.baysor.implied import PRIOR
from cellcarve.compat.baysor.loading import Molecules
from cellcarve.compat.baysor.options import Options
from cellcarve.compat.baysor.scale import Scale
from cellcarve.compat.baysor.values import words
from cellcarve.settings import ComputeSettings, MixtureSettings
from cellcarve.settings.mixture import Compat, NcvMethod


def effective(options: Options, molecules: Molecules, scale: Scale | None = None) -> Config:
    """The configuration with every value worked out.

    Parameters
    ----------
    options
        What was asked for.
    molecules
        What was loaded.
    scale
        Radius of cells and its spread; None where no cells are looked for.
    """
    config, compat = options.config, options.compat
    genes, number = len(molecules.table.genes), len(molecules)
    # A prior that nobody named is taken as it is.
    fewest = 1 if PRIOR in molecules.implied else per_segment(config)
    data = replace(config.data, min_molecules_per_segment=fewest, confidence_nn_id=noise_neighbour(config))
    near = neighbourhood(config, genes, number, compat)
    plotting = replace(config.plotting, gene_composition_neigborhood=near)
    part = config.segmentation
    if scale is not None:
        estimated = part.estimate_scale_from_centers and part.scale <= 0
        part = replace(
            part,
            scale=scale.value,
            scale_std=repr(float(scale.spread)),
            estimate_scale_from_centers=estimated,
            n_cells_init=cells_init(config, number),
        )
    return replace(config, data=data, segmentation=part, plotting=plotting)


def mixture_settings(config: Config, options: Options) -> MixtureSettings:
    """What the method is asked to do.

    Parameters
    ----------
    config
        From `effective`.
    options
        For the rules that are wanted.
    """
    data, part, plotting = config.data, config.segmentation, config.plotting
    return MixtureSettings(
        cell_scale=part.scale if part.scale > 0 else None,
        cell_scale_std=part.scale_std,
        min_transcripts_per_cell=data.min_molecules_per_cell or None,
        min_transcripts_per_segment=data.min_molecules_per_segment,
        noise_neighbour=data.confidence_nn_id,
        molecule_clusters=part.n_clusters,
        iterations=part.iters,
        cells_init=_asked_cells(options),
        nuclei_genes=words(part.nuclei_genes),
        cyto_genes=words(part.cyto_genes),
        force_2d=data.force_2d,
        ncv_neighbours=plotting.gene_composition_neigborhood,
        ncv_method=cast(NcvMethod, plotting.ncv_method),
        compat=cast(Compat, options.compat),
    )


def _asked_cells(options: Options) -> int:
    """Cells to start with, where someone said so or the old rule is wanted; else the method knows better."""
    return options.config.segmentation.n_cells_init


def compute_settings(options: Options) -> ComputeSettings:
    """What the run may use."""
    return ComputeSettings(threads=options.threads, seed=options.seed)
