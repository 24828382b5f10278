"""Nuclei from a picture of DAPI, as a label image that serves as prior."""

from typing import TYPE_CHECKING, Any

from cellcarve.nuclei.settings import NucleiSettings

if TYPE_CHECKING:
    from cellcarve.nuclei.find import find_nuclei

__all__ = ["NucleiSettings", "find_nuclei"]


def __getattr__(name: str) -> Any:
    # Image libraries are loaded only by those who look for nuclei.
    if name == "find_nuclei":
        from cellcarve.nuclei.find import find_nuclei

        return find_nuclei
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
