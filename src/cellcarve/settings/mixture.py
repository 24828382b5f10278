"""The method mixture."""

import re
from dataclasses import dataclass
from typing import Literal

from cellcarve.errors import SettingsError
from cellcarve.validate import Validated, bounded

Compat = Literal["", "0.7"]
Composition = Literal["dirichlet", "classic"]
NcvMethod = Literal["ri", "dense", "sparse"]


@dataclass(frozen=True)
class MixtureSettings(Validated):
    """The method mixture.

    Parameters
    ----------
    cell_scale
        Expected radius of a cell in µm; where nothing is said, measured from the prior. Needed without one.
    cell_scale_std
        Spread of that radius: "25%" of it, or a number in µm. Where nothing is said, measured with the scale.
    min_transcripts_per_cell
        Usual lower bound of transcripts in a real cell; where nothing is said, worked out from the density.
    min_transcripts_per_segment
        Prior segments with fewer transcripts are ignored; 0 = a quarter of `min_transcripts_per_cell`.
    noise_neighbour
        Which nearest neighbour's distance tells noise from cells; 0 = half of `min_transcripts_per_cell`.
    molecule_clusters
        Clusters of transcripts by expression around them; 0 or 1 = none.
    iterations
        Most rounds of the sampler.
    tolerance
        Stop when the number of cells and the share of changes drift by less than this; 0 = all rounds.
    cells_init
        Cells to start with; 0 = from the number of transcripts and the prior.
    nuclei_genes
        Genes found in nuclei, separated by commas; needs `cyto_genes` too.
    cyto_genes
        Genes found in cytoplasm.
    force_2d
        Leave z out.
    z_stretch
        Factor on z before distances are measured.
    composition
        How genes weigh: "dirichlet" (shrunk towards kinds of cells) or "classic" (counts alone).
    merges
        Join neighbouring cells that are better explained as one.
    splits
        Part cells that are better explained as two.
    births
        Begin cells where transcripts that are hardly noise lie together without one.
    anchors
        Cells of the prior are kept and hold their nuclear transcripts as firmly as the prior is trusted.
    ncv_neighbours
        Neighbours whose genes make up a transcript's composition; 0 = from the number of genes.
    ncv_method
        How compositions are reduced before they are coloured: "ri" (random indexing), "dense" or "sparse" (PCA).
    compat
        "0.7" restores Baysor 0.7's rules where the result would differ.
    """

    cell_scale: float | None = bounded(None, 1e-9)
    cell_scale_std: str | None = None
    min_transcripts_per_cell: int | None = bounded(None, 1)
    min_transcripts_per_segment: int = bounded(0, 0)
    noise_neighbour: int = bounded(0, 0)
    molecule_clusters: int = bounded(4, 0, 200)
    iterations: int = bounded(500, 1)
    tolerance: float = bounded(0.01, 0, 1)
    cells_init: int = bounded(0, 0)
    nuclei_genes: tuple[str, ...] = ()
    cyto_genes: tuple[str, ...] = ()
    force_2d: bool = False
    z_stretch: float = bounded(1.0, 1e-6, 1e6)
    composition: Composition = "dirichlet"
    merges: bool = True
    splits: bool = False
    births: bool = False
    anchors: bool = True
    ncv_neighbours: int = bounded(0, 0)
    ncv_method: NcvMethod = "ri"
    compat: Compat = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if bool(self.nuclei_genes) != bool(self.cyto_genes):
            raise SettingsError("nuclei_genes and cyto_genes belong together; name both or none")
        if self.cell_scale_std is not None:
            spread(self.cell_scale_std, 1.0)


def spread(text: str, scale: float) -> float:
    """Spread of the scale meant by a text such as ``"25%"`` (of `scale`) or ``"1.5"`` (µm).

    Raises
    ------
    SettingsError
        The text is neither, or not above 0.
    """
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*(%?)\s*", text)
    value = 0.0 if match is None else float(match[1]) * (scale / 100 if match[2] else 1.0)
    if value <= 0:
        raise SettingsError(f"cell_scale_std must be a share such as '25%' or a number above 0, not '{text}'")
    return value
