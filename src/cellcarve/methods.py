"""The methods by name, each loaded when it is asked for; all keep one contract."""

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cellcarve.chain.keeper import Keeper
    from cellcarve.data.prior import Prior
    from cellcarve.data.segmentation import Segmentation
    from cellcarve.data.table import Table
    from cellcarve.progress import Progress
    from cellcarve.settings import OutputSettings, Settings


def assign(
    table: "Table",
    prior: "Prior",
    settings: "Settings",
    progress: "Progress",
    output: "OutputSettings | None" = None,
) -> "Segmentation":
    """Assign every kept row to a cell, or to none, by the method that the settings name.

    Parameters
    ----------
    table
        N rows of input.
    prior
        Prior cells laid over them.
    settings
        All settings of the run; a method sees its own stage and ``compute``.
    progress
        Who is told how far it is.
    output
        Where the result goes: beside it, methods with a chain keep a checkpoint. None keeps none.

    Returns
    -------
    Segmentation
        Of all N rows, in input order.
    """
    from cellcarve.algebra import one_thread

    with one_thread():
        if settings.method == "carve":
            from cellcarve.carve import carve

            return carve(table, prior, settings.carve, settings.compute, progress)
        return _from_given_cells(table, prior, settings, progress, output)


def _from_given_cells(
    table: "Table",
    prior: "Prior",
    settings: "Settings",
    progress: "Progress",
    output: "OutputSettings | None",
) -> "Segmentation":
    """The methods that take cells for given: nuclei are put right beforehand, as carve does it."""
    from cellcarve.carve.mend import can_mend, from_hollows, mend, trace_back
    from cellcarve.data.aside import set_aside

    prior = replace(prior, whole=not settings.carve.new_cells)
    # These methods work on copies of their own, and take long.
    set_aside(table)
    set_aside(prior)
    radius = (
        settings.mixture.cell_scale if settings.method == "mixture" and not settings.mixture.compat else None
    )
    mended = None
    if can_mend(prior, settings.carve):
        mended = mend(table, prior, settings.carve, settings.compute, progress)
    elif radius is not None and not prior.core.any():
        mended = from_hollows(table, prior, radius, settings.carve, settings.compute, progress)
    if mended is not None:
        prior = mended.prior
        set_aside(prior)
    keeper = None if output is None else _keeper(table, prior, settings, progress, output)
    found = _given(table, prior, settings, progress, keeper)
    return found if mended is None else trace_back(found, mended)


def _keeper(
    table: "Table",
    prior: "Prior",
    settings: "Settings",
    progress: "Progress",
    output: "OutputSettings",
) -> "Keeper":
    """Keeps the checkpoint of the chain, beside the folder that the result goes to."""
    from cellcarve.chain.keeper import Keeper, beside
    from cellcarve.chain.key import key_of

    method = settings.method
    key = key_of(table, prior, method, getattr(settings, method), settings.compute.seed)
    return Keeper(beside(output.output.resolve()), key, output.resume, progress)


def _given(
    table: "Table", prior: "Prior", settings: "Settings", progress: "Progress", keeper: "Keeper | None"
) -> "Segmentation":
    if settings.method == "mixture":
        from cellcarve.mixture import mixture

        return mixture(table, prior, settings.mixture, settings.compute, progress, keeper)
    from cellcarve.voxels import voxel

    return voxel(table, prior, settings.voxel, settings.compute, progress, keeper)
