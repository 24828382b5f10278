"""Settings of the simulated tissue."""

from dataclasses import dataclass
from typing import Literal

from cellcarve.simulate.families.kinds import FAMILIES, Expression, Name
from cellcarve.validate import Validated, bounded


@dataclass(frozen=True)
class SimulateSettings(Validated):
    """A tissue with known truth.

    Parameters
    ----------
    platform
        Whose files to write: those of a "xenium", or Space Ranger's of a "visium_hd" slide, whose transcripts are
        counted in bins of 2 µm.
    family
        "tissue" is the realistic one. The others are fields of plain cells, each hard in one way: discs with
        "gaps", "packed" tiles whose neighbours share no gene, packed tiles of "one-type", "elongated" or
        "mixed" sizes, "sparse" with much noise, "dense" and "loose" tissue with overlapping programmes,
        "volume" with cells above each other.
    expression
        What the cells of a family make: a few strong "markers" over a common profile, disjoint "blocks" of
        genes, overlapping "programmes" or "one" profile; "auto" is what belongs to the family.
    angle
        Direction of the long axes of a family's cells in degrees; where nothing is said, each has its own.
    transcripts
        About how many transcripts to make; the tissue's area follows.
    genes
        Genes of the panel.
    per_cell
        About how many transcripts a cell of 110 µm² holds.
    seed
        The same seed and settings give the same bytes.
    thickness
        Thickness of the section in µm; cells overlap vertically in it. Where nothing is said, 8 for the
        tissue; most families are flat.
    missed
        Share of nuclei that the instrument did not see; 1 leaves no prior at all.
    merged
        Share of nuclei drawn as one with a neighbour.
    split
        Share of nuclei drawn as two.
    shifted
        Random shift of each drawn nucleus in µm (standard deviation along x and y).
    perfect
        Draw every nucleus as it is: nothing missed, merged, split, shifted or misshapen.
    leak_share
        Share of molecules that drift away from where they were made, with a heavy tail; where nothing is
        said, 0.15 in the tissue and what belongs to the family elsewhere.
    leak_um
        Scale of that drift in µm; one drifting molecule in twenty goes more than three times as far.
    blur_um
        Gaussian displacement of all transcripts in µm (standard deviation along x, y and z).
    background
        Share of molecules that no cell made; where nothing is said, 0.04 in the tissue and what belongs to
        the family elsewhere.
    low_quality
        Share of rows with a quality below 20, decoded to a random gene; where nothing is said, 0.03, or 0 on a
        slide, which has no qualities.
    controls
        Share of rows that are control probes or blank codewords; where nothing is said, 0.003, or 0 on a slide.
    image
        Draw a nuclear stain as well, where the tissue is smaller than 2 mm².
    """

    platform: Literal["xenium", "visium_hd"] = "xenium"
    family: Name = "tissue"
    expression: Expression = "auto"
    angle: float | None = bounded(None, -180, 180)
    transcripts: int = bounded(250_000, 1_000, 10**10)
    genes: int = bounded(300, 20, 50_000)
    per_cell: float = bounded(120.0, 5, 20_000)
    seed: int = bounded(0, 0, 2**63 - 1)
    thickness: float | None = bounded(None, 2, 60)
    missed: float = bounded(0.06, 0, 1)
    merged: float = bounded(0.04, 0, 0.5)
    split: float = bounded(0.03, 0, 0.5)
    shifted: float = bounded(0.5, 0, 10)
    perfect: bool = False
    leak_share: float | None = bounded(None, 0, 1)
    leak_um: float = bounded(3.0, 0, 20)
    blur_um: float = bounded(0.0, 0, 20)
    background: float | None = bounded(None, 0, 0.9)
    low_quality: float | None = bounded(None, 0, 0.5)
    controls: float | None = bounded(None, 0, 0.5)
    image: bool = True

    @property
    def depth(self) -> float:
        """Thickness in force (µm)."""
        return FAMILIES[self.family].depth if self.thickness is None else self.thickness

    @property
    def drifting(self) -> float:
        """Share of drifting molecules in force."""
        return FAMILIES[self.family].leak_share if self.leak_share is None else self.leak_share

    @property
    def haze(self) -> float:
        """Share of background in force."""
        return FAMILIES[self.family].background if self.background is None else self.background

    @property
    def unsure(self) -> float:
        """Share of rows of low quality in force."""
        return self._of_a_xenium(0.03) if self.low_quality is None else self.low_quality

    @property
    def blank(self) -> float:
        """Share of control probes in force."""
        return self._of_a_xenium(0.003) if self.controls is None else self.controls

    def _of_a_xenium(self, share: float) -> float:
        return share if self.platform == "xenium" else 0.0


# Settings that may be left open, and the properties that say what is in force.
IN_FORCE = {
    "thickness": "depth",
    "leak_share": "drifting",
    "background": "haze",
    "low_quality": "unsure",
    "controls": "blank",
}
