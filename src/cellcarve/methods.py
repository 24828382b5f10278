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
    from threadpoolctl import threadpool_limits

    # The libraries of linear algebra add up in an order that depends on how many threads they have.
    with threadpool_limits(1, "blas"):
        if settings.method == "mixture":
            from cellcarve.mixture import mixture

            return mixture(table, prior, settings.mixture, settings.compute, progress)
        if settings.method == "voxel":
            return _voxel(table, prior, settings, progress)
        from cellcarve.carve import carve

        return carve(table, prior, settings.carve, settings.compute, progress)


def _voxel(table: "Table", prior: "Prior", settings: "Settings", progress: "Progress") -> "Segmentation":
    """The method voxel takes cells for given: nuclei are put right beforehand."""
    from cellcarve.carve.mend import can_mend, mend, trace_back
    from cellcarve.voxels import voxel

    if not (settings.voxel.mend and can_mend(prior)):
        return voxel(table, prior, settings.voxel, settings.compute, progress)
    mended = mend(table, prior, settings.compute, progress)
    return trace_back(voxel(table, mended.prior, settings.voxel, settings.compute, progress), mended)
