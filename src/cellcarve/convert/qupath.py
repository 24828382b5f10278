"""Cells for QuPath: GeoJSON in pixels of the image, with nuclei, types and measurements."""

import colorsys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from cellcarve.convert.features import geometries, objects, write_collection
from cellcarve.convert.pixels import Pixels, pixels_of
from cellcarve.convert.source import Finished

# Measurements shown in QuPath, from columns of the table of cells.
SHOWN = {
    "area": "Area µm^2",
    "volume": "Volume",
    "transcripts": "Transcripts",
    "genes": "Genes",
    "mean_probability": "Mean probability",
    "existence": "Existence",
}
COLOURS = 12


def write_qupath(finished: Finished, path: Path, pixels: Pixels | None = None) -> None:
    """Write the cells as QuPath's cell objects.

    Parameters
    ----------
    finished
        A finished segmentation.
    path
        File to make; gzipped where its name ends in ``.gz``.
    pixels
        Pixels of the image they are to be laid over; by default those of the run's first image.

    Raises
    ------
    SettingsError
        Nothing tells where the pixels lie.
    OSError
        It cannot be written.
    """
    import shapely

    place = pixels or pixels_of(finished)
    drawn = np.flatnonzero([shape is not None for shape in finished.polygon])
    names = finished.table.obs_names.to_numpy(object)

    def picture(shapes: np.ndarray) -> pa.StringArray:
        return geometries(shapely.transform(shapes, place.of))

    def features(part: slice) -> pa.StringArray:
        own = drawn[part]
        told = {
            "objectType": np.full(len(own), "cell", object),
            "name": names[own],
            "classification": _classes(finished, own),
            "measurements": _measurements(finished, own),
        }
        feature: dict[str, Any] = {
            "type": np.full(len(own), "Feature", object),
            "id": _identifiers(names[own]),
            "geometry": picture(finished.polygon[own]),
        }
        if any(shape is not None for shape in finished.nucleus[own]):
            feature["nucleusGeometry"] = picture(finished.nucleus[own])
        return objects(feature | {"properties": objects(told)})

    write_collection(path, features, len(drawn))


def _identifiers(names: np.ndarray) -> np.ndarray:
    """A UUID for each name, the same every time."""
    import hashlib
    import uuid

    digests = (hashlib.md5(name.encode(), usedforsecurity=False).digest() for name in names)
    return np.array([str(uuid.UUID(bytes=digest)) for digest in digests], object)


def _measurements(finished: Finished, own: np.ndarray) -> pa.StringArray:
    table = finished.table
    held = np.asarray(table.X.sum(1)).ravel()[own].astype(np.int64)
    told: dict[str, Any] = {"Transcripts": held}
    for name, title in SHOWN.items():
        if name in table.obs:
            told[title] = table.obs[name].to_numpy()[own]
    return objects(told)


def _classes(finished: Finished, own: np.ndarray) -> pa.StringArray:
    """Name and colour of each cell's expression type."""
    obs = finished.table.obs
    column = "cluster" if "cluster" in obs else "component"
    number = obs[column].to_numpy(np.int64)[own] if column in obs else np.zeros(len(own), np.int64)
    hues = [colorsys.hsv_to_rgb(k / COLOURS, 0.65, 0.95) for k in range(COLOURS)]
    text = pa.array([f"[{', '.join(str(round(255 * part)) for part in hue)}]" for hue in hues])
    names = np.char.add("Cluster ", number.astype(str)).astype(object)
    return objects({"name": names, "color": text.take(pa.array(number % COLOURS))})
