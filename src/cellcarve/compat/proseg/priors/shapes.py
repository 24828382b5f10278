"""Polygons of a SpatialData store as a prior."""

import numpy as np

from cellcarve.compat.proseg.options import Options
from cellcarve.compat.proseg.priors.masks import laid, unlaid
from cellcarve.data.prior import Prior, PriorRaster
from cellcarve.data.rings import paint
from cellcarve.data.table import Status, Table
from cellcarve.errors import InputError
from cellcarve.priors.placement import extent
from cellcarve.priors.rings import load_rings
from cellcarve.read.spatialdata import shapes_of

_FINER, _MOST_PIXELS = 2, 2**31


def from_shapes(table: Table, options: Options) -> Prior:
    """Polygons, painted on a raster twice as fine as the voxels; of several in one place, the smallest.

    Raises
    ------
    InputError
        There is no such element, or it lies elsewhere than the transcripts.
    """
    inputs, name = options.inputs, str(options.inputs.zarr_shape)
    path = shapes_of(options.source, name)
    rings = load_rings(path, inputs.zarr_shape_geometry_column, inputs.zarr_shape_cell_id_column)
    scale = 1.0 if inputs.coordinate_scale is None else inputs.coordinate_scale
    rings.x, rings.y = rings.x * scale, rings.y * scale
    source = f"shapes '{name}' of {options.source}"
    kept = table.status == Status.KEPT
    x, y = table.x[kept], table.y[kept]
    low, high = _common((x, y), (rings.x, rings.y))
    if len(x) and (low > high).any():
        raise InputError(
            f"{source} do not overlap the transcripts: they cover {extent(rings.x, rings.y)}, the transcripts cover "
            f"{extent(x, y)}; check that both are in the same units"
        )
    pixel = float(options.model.voxel_size or 1.0) / _FINER
    shape = tuple((np.floor((high - low) / pixel).astype(np.int64) + 1)[::-1].tolist())
    if shape[0] * shape[1] > _MOST_PIXELS:
        raise InputError(f"{source} would take {shape[0] * shape[1]:,} pixels; take a larger --voxel-size")
    label = paint((rings.x, rings.y, rings.start), rings.cell + 1, low, pixel, shape)
    affine = (pixel, 0.0, float(low[0]), 0.0, pixel, float(low[1]))
    raster = PriorRaster(label, affine, 1 - options.model.prior_seg_reassignment_prob)
    return laid(table, unlaid(raster, rings.names, source, []), "check that both are in the same units")


def _common(
    points: tuple[np.ndarray, np.ndarray], rings: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper corner of the box that both share."""
    pairs = list(zip(points, rings, strict=True))
    low = np.array([max(a.min(), b.min()) for a, b in pairs], np.float64)
    high = np.array([min(a.max(), b.max()) for a, b in pairs], np.float64)
    return low, high
