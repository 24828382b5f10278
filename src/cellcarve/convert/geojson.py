"""Outlines as plain GeoJSON in µm."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from cellcarve.convert.features import geometries, objects, write_collection
from cellcarve.convert.source import Finished


def write_geojson(finished: Finished, path: Path) -> None:
    """Write a feature per cell that has an outline: ``cell_id``, ``transcripts``, ``x``, ``y`` (µm) and geometry.

    Parameters
    ----------
    finished
        A finished segmentation.
    path
        File to make; gzipped where its name ends in ``.gz``.

    Raises
    ------
    OSError
        It cannot be written.
    """
    drawn = np.flatnonzero([shape is not None for shape in finished.polygon])
    names = finished.table.obs_names.to_numpy(object)
    held = np.asarray(finished.table.X.sum(1)).ravel().astype(np.int64)
    places = {axis: finished.table.obs[axis].to_numpy(np.float64) for axis in "xy"}

    def features(part: slice) -> pa.StringArray:
        own = drawn[part]
        told = {"cell_id": names[own], "transcripts": held[own]}
        properties = objects(told | {axis: value[own].round(3) for axis, value in places.items()})
        kind = np.full(len(own), "Feature", object)
        return objects(
            {"type": kind, "properties": properties, "geometry": geometries(finished.polygon[own])}
        )

    write_collection(path, features, len(drawn))
