"""Settings of the simulated tissue."""

from dataclasses import dataclass

from cellcarve.validate import Validated, bounded


@dataclass(frozen=True)
class SimulateSettings(Validated):
    """A tissue with known truth.

    Parameters
    ----------
    transcripts
        About how many transcripts to make; the tissue's area follows.
    genes
        Genes of the panel.
    per_cell
        About how many transcripts a cell of 110 µm² holds.
    seed
        The same seed and settings give the same bytes.
    thickness
        Thickness of the section in µm; cells overlap vertically in it.
    missed
        Share of nuclei that the instrument did not see.
    merged
        Share of nuclei drawn as one with a neighbour.
    split
        Share of nuclei drawn as two.
    shifted
        Random shift of each drawn nucleus in µm (standard deviation along x and y).
    perfect
        Draw every nucleus as it is: nothing missed, merged, split, shifted or misshapen.
    leak_share
        Share of molecules that drift away from where they were made, with a heavy tail.
    leak_um
        Scale of that drift in µm; one drifting molecule in twenty goes more than three times as far.
    blur_um
        Gaussian displacement of all transcripts in µm (standard deviation along x, y and z).
    background
        Share of molecules that no cell made.
    low_quality
        Share of rows with a quality below 20, decoded to a random gene.
    controls
        Share of rows that are control probes or blank codewords.
    image
        Draw a nuclear stain as well, where the tissue is smaller than 2 mm².
    """

    transcripts: int = bounded(250_000, 1_000, 10**10)
    genes: int = bounded(300, 20, 50_000)
    per_cell: float = bounded(120.0, 5, 20_000)
    seed: int = bounded(0, 0, 2**63 - 1)
    thickness: float = bounded(8.0, 2, 20)
    missed: float = bounded(0.06, 0, 1)
    merged: float = bounded(0.04, 0, 0.5)
    split: float = bounded(0.03, 0, 0.5)
    shifted: float = bounded(0.5, 0, 10)
    perfect: bool = False
    leak_share: float = bounded(0.15, 0, 1)
    leak_um: float = bounded(3.0, 0, 20)
    blur_um: float = bounded(0.0, 0, 20)
    background: float = bounded(0.04, 0, 0.9)
    low_quality: float = bounded(0.03, 0, 0.5)
    controls: float = bounded(0.003, 0, 0.5)
    image: bool = True
