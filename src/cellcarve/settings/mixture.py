"""The method mixture."""

from dataclasses import dataclass

from cellcarve.validate import Validated


@dataclass(frozen=True)
class MixtureSettings(Validated):
    """The method mixture."""
