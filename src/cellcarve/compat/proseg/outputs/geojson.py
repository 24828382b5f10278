"""Outlines as gzipped GeoJSON."""

from pathlib import Path

import numpy as np

from cellcarve.compat.proseg.outputs.tables import gzipped

# Features turned into text at a time.
AT_ONCE = 50_000


def write_features(path: Path, properties: dict[str, np.ndarray], polygons: np.ndarray) -> None:
    """Write a feature per polygon.

    Parameters
    ----------
    path
        File to make.
    properties
        Whole numbers of each feature, (P,) by name.
    polygons
        (P,) shapely geometries in µm.

    Raises
    ------
    OSError
        It cannot be written.
    """
    with gzipped(path) as file:
        file.write(b'{"type":"FeatureCollection","features":[')
        for first in range(0, len(polygons), AT_ONCE):
            part = slice(first, first + AT_ONCE)
            text = _text({name: value[part] for name, value in properties.items()}, polygons[part])
            file.write((b"," if first else b"") + text.encode())
        file.write(b"]}")


def _text(properties: dict[str, np.ndarray], polygons: np.ndarray) -> str:
    """Features, joined by commas."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import shapely

    parts: list[object] = ['{"type":"Feature","properties":{']
    for place, (name, value) in enumerate(properties.items()):
        parts += [f'{"," if place else ""}"{name}":', pa.array(value).cast(pa.string())]
    parts += ['},"geometry":', pa.array(shapely.to_geojson(polygons), pa.string()), "}", ""]
    return ",".join(pc.binary_join_element_wise(*parts).to_pylist())
