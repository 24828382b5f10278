"""Kinds of regions: how the cells of each are packed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """Packing of the cells of a region.

    Attributes
    ----------
    name
        For people.
    along, across
        Spacing of the cells in µm along and across the region's direction.
    angle
        Direction in radians, before the tissue is deformed.
    spread
        Standard deviation of the logarithm of the cells' sizes.
    kept
        Share of the places that hold a cell.
    reach
        How far in µm a cell stretches into empty space beyond its size.
    """

    name: str
    along: float
    across: float
    angle: float
    spread: float
    kept: float
    reach: float

    @property
    def usual(self) -> float:
        """Typical diameter in µm."""
        return float((self.along * self.across) ** 0.5)


KINDS = (
    Kind("packed", 12.0, 11.2, 0.3, 0.2, 1.0, 9.0),
    Kind("large", 15.0, 14.0, 0.9, 0.2, 1.0, 9.0),
    Kind("elongated", 16.5, 8.8, 0.7, 0.2, 1.0, 9.0),
    Kind("small", 10.0, 9.4, 0.1, 0.16, 1.0, 9.0),
    Kind("loose", 12.5, 11.5, 1.4, 0.25, 0.75, 1.2),
)
