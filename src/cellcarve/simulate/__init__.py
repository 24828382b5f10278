"""Tissues with known truth."""

from typing import TYPE_CHECKING, Any

from cellcarve.simulate.settings import SimulateSettings

if TYPE_CHECKING:
    from cellcarve.simulate.write import simulate

__all__ = ["SimulateSettings", "simulate"]


def __getattr__(name: str) -> Any:
    # Compiled code is loaded only by those who simulate.
    if name == "simulate":
        from cellcarve.simulate.write import simulate

        return simulate
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
