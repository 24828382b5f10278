"""Whether a prior outlines nuclei or whole cells."""

from cellcarve.settings import PriorSettings

# Nuclei are smaller than this in nearly every tissue, whole cells larger (µm²).
_NUCLEUS_AREA = 60.0


def holds_nuclei(settings: PriorSettings, name: str, area: float, notes: list[str]) -> bool:
    """Whether a file holds nuclei: as told, else by its name, else by the usual area.

    Parameters
    ----------
    settings
        May say it.
    name
        Name of the file; "nucle" or "dapi" in it means nuclei.
    area
        Median area of what it outlines, µm².
    notes
        Gets a sentence where it had to be judged.
    """
    if settings.prior_holds != "auto":
        return settings.prior_holds == "nuclei"
    named = any(word in name.lower() for word in ("nucle", "dapi"))
    nuclei = named or area < _NUCLEUS_AREA
    why = "by its name" if named else f"by the median area of {area:.0f} µm²"
    what = "nuclei" if nuclei else "cells"
    notes.append(f"{name} is taken to hold {what} {why}; say --prior-holds if that is wrong")
    return nuclei
