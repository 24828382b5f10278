"""Values that Baysor works out from others, and what has to hold before anything is read."""

from cellcarve.compat.baysor.config import Config
from cellcarve.compat.baysor.values import words
from cellcarve.errors import SettingsError
from cellcarve.mixture.compartments import gene_codes
from cellcarve.mixture.compositions import neighbours_for


def least(config: Config) -> int:
    """`min_molecules_per_cell` as others are derived from it: at least 3."""
    return max(config.data.min_molecules_per_cell, 3)


def per_segment(config: Config) -> int:
    """Molecules that a prior segment needs."""
    # Python rounds half to even, as Julia does.
    return config.data.min_molecules_per_segment or max(round(least(config) / 4), 2)


def noise_neighbour(config: Config) -> int:
    """Which nearest neighbour tells noise from cells."""
    return config.data.confidence_nn_id or max(least(config) // 2 + 1, 5)


def neighbourhood(config: Config, genes: int, molecules: int, compat: str = "") -> int:
    """Neighbours whose genes make up the composition around a molecule; all of its molecules at most.

    Beyond 1,000 genes the old rule, a tenth of them, makes the step slow and changes little: no more than 100 are
    taken, unless they are asked for or the old rules are.
    """
    if config.plotting.gene_composition_neigborhood:
        return max(1, min(max(config.plotting.gene_composition_neigborhood, 3), molecules))
    return max(1, min(neighbours_for(genes, config.data.min_molecules_per_cell, bool(compat)), molecules))


def cells_init(config: Config, molecules: int) -> int:
    """Cells to start with."""
    return config.segmentation.n_cells_init or (molecules // least(config)) * 2


def check_run(config: Config, prior: str) -> None:
    """What has to hold before ``run`` reads anything.

    Raises
    ------
    SettingsError
        The least number of molecules is missing, no scale can be had, or only one list of genes is given.
    """
    check_least(config)
    part = config.segmentation
    if part.scale <= 0 and not prior:
        raise SettingsError(
            "no scale is given and there is no prior segmentation to measure it from; say the usual radius of a cell "
            "with --scale"
        )
    if part.scale <= 0 and not part.estimate_scale_from_centers:
        raise SettingsError(
            "estimate_scale_from_centers is false and no scale is given; say the usual radius of a cell with --scale"
        )
    if bool(words(part.nuclei_genes)) != bool(words(part.cyto_genes)):
        raise SettingsError("nuclei_genes and cyto_genes belong together; name both or none")


def check_markers(config: Config, genes: list[str]) -> None:
    """What has to hold of the genes of compartments once the data are known.

    Raises
    ------
    SettingsError
        None of a list is in the data.
    """
    part = config.segmentation
    for what in ("nuclei_genes", "cyto_genes"):
        if words(getattr(part, what)):
            gene_codes(words(getattr(part, what)), genes, what)


def check_least(config: Config, instead: str = "") -> None:
    """Refuse a run without a least number of molecules.

    Parameters
    ----------
    config
        In force.
    instead
        What else would do, for the message.

    Raises
    ------
    SettingsError
        It is 0.
    """
    if config.data.min_molecules_per_cell < 1:
        raise SettingsError(
            "min_molecules_per_cell has to be above 0; say how many molecules a cell has at least with -m"
            + instead
        )
