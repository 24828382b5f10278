"""The constants of the method, each with the measurement or the reason behind it in ``docs/model.md``."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """Constants of `carve`; lengths in µm, evidence in nats.

    Attributes
    ----------
    halo
        Tissue around a tile that is fitted with it and then thrown away.
    reach
        Distance from the nuclear surface beyond which a cell is no candidate.
    neighbours
        Candidate cells of a pixel.
    farthest
        Scaled distance beyond which a cell is no candidate.
    nothing
        "No cell" is as likely as a cell at 1 + nothing * (q75 - 1), q75 being the upper quartile of the scaled
        distance of transcripts outside nuclei to their nearest nucleus.
    far
        A transcript lies off every nucleus beyond 1 + far * (q75 - 1).
    full
        Density of such transcripts where a cell may have been missed, as a share of the density close to nuclei.
    softness
        beta: log prior of a label is -beta rho^2.
    smooth
        Coupling of neighbouring pixels.
    temper
        Weight of the transcripts' evidence in a pixel's label.
    within
        Weight of a transcript's place within its pixel.
    density
        Share (log scale) of a cell's own density; the rest is the mean density.
    leak, leak_last
        Share of transcripts that left their cell, while labels are fitted; and in the last step where it is not learned.
    refits
        Fits of the sample windows, each with programmes from the one before.
    found, agreed
        Where no prior is given: share of a cell's transcripts that stem from the one that it stands for, where it agrees
        with no group from another start; and how much more where it is the same as one.
    gene_weight
        Exponent of a gene's rate in a cell in the last posterior, since profiles of cells are estimates.
    leak_um
        Scale of the leak, Laplace along each axis.
    bonus
        Log prior of a pixel's label where a core transcript of the cell lies in it; follows from the prior's
        confidence.
    background
        Share of transcripts that belong to no cell.
    types
        Number of expression types.
    sweeps
        Rounds of labels and transcripts.
    calm
        Exponent that takes the over-confidence of smoothed labels out of "where does it lie".
    seed_expression, seed_nuclear, seed_distance, seed_cost
        Log odds of a new cell: weights of expression, of genes that keep to nuclei and of distance, and what a cell costs.
    seed_rate, seed_odds
        Share of candidate places that were missed cells where the weights were fitted; odds above which a cell is added.
    """

    halo: float = 30.0
    reach: float = 10.0
    neighbours: int = 6
    farthest: float = 4.5
    nothing: float = 3.45
    far: float = 0.6
    full: float = 0.7
    softness: float = 0.6
    smooth: float = 0.8
    temper: float = 1.0
    within: float = 2.0
    density: float = 0.8
    leak: float = 0.15
    leak_last: float = 0.5
    gene_weight: float = 0.8
    leak_um: float = 3.0
    bonus: float = 3.0
    background: float = 0.04
    types: int = 20
    refits: int = 2
    found: float = 0.25
    agreed: float = 0.8
    sweeps: int = 4
    seed_expression: float = 0.18
    seed_nuclear: float = 0.265
    seed_distance: float = 0.525
    seed_cost: float = 3.45
    seed_rate: float = 0.128
    seed_odds: float = -0.7
    calm: float = 0.4
