"""The methods by name, each loaded when it is asked for; all keep one contract."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cellcarve.data.prior import Prior
    from cellcarve.data.segmentation import Segmentation
    from cellcarve.data.table import Table
    from cellcarve.progress import Progress
    from cellcarve.settings import Settings


def assign(table: "Table", prior: "Prior", settings: "Settings", progress: "Progress") -> "Segmentation":
    """Assign every kept row to a cell, or to none, by the method that the settings name.

    Parameters
    ----------
    table
        N rows of input.
    prior
        Prior cells laid over them.
    settings
        All settings of the run; a method sees its own stage and ``compute``.

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
        return _from_given_cells(table, prior, settings, progress)


def _from_given_cells(
    table: "Table", prior: "Prior", settings: "Settings", progress: "Progress"
) -> "Segmentation":
    """The methods that take cells for given: nuclei are put right beforehand, as carve does it."""
    from cellcarve.carve.mend import can_mend, mend, trace_back

    if not can_mend(prior, settings.carve):
        return _given(table, prior, settings, progress)
    mended = mend(table, prior, settings.carve, settings.compute, progress)
    return trace_back(_given(table, mended.prior, settings, progress), mended)


def _given(table: "Table", prior: "Prior", settings: "Settings", progress: "Progress") -> "Segmentation":
    if settings.method == "mixture":
        from cellcarve.mixture import mixture

        return mixture(table, prior, settings.mixture, settings.compute, progress)
    from cellcarve.voxels import voxel

    return voxel(table, prior, settings.voxel, settings.compute, progress)
