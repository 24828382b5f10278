"""Tissues with known truth."""

from cellcarve.simulate.settings import SimulateSettings
from cellcarve.simulate.write import simulate

__all__ = ["SimulateSettings", "simulate"]
