"""A nuclear stain of the simulated tissue, as a microscope would show it."""

import uuid
from pathlib import Path

import numpy as np
from numba import njit
from scipy.ndimage import gaussian_filter

from cellcarve.simulate.hashing import normals
from cellcarve.simulate.plan import Plan
from cellcarve.simulate.window import Window

PIXEL = 0.5
# Larger tissues (µm²) are written without an image.
LARGEST = 2e6
# Blur of the microscope (µm), and counts per µm of stained depth.
_BLUR = 0.6
_BRIGHT = 400.0
_STREAM = 1


class Picture:
    """Collects the nuclei of all blocks; pixel (0, 0) has its corner at x = y = 0."""

    def __init__(self, plan: Plan) -> None:
        pixels = int(np.ceil(plan.side / PIXEL))
        self._plan = plan
        self._depth = np.zeros((pixels, pixels), np.float32)

    def add(self, window: Window) -> None:
        """Draw the nuclei of the block's own cells."""
        own = window.own & (window.nuclei.shown > 0)
        stain = np.exp(0.25 * normals(window.cells.key[own] ^ np.uint64(0x0DA2), 1)[0])
        _stamp(self._depth, window.nuclei.shape[own], stain, self._plan.settings.depth)

    def write(self, path: Path) -> None:
        """Blur, add the camera's noise and write an OME-TIFF (uint16)."""
        import tifffile

        rng = self._plan.random(_STREAM, -(2**20))
        light = _BRIGHT * gaussian_filter(self._depth, _BLUR / PIXEL) + 150
        light += np.sqrt(light) * rng.standard_normal(light.shape, np.float32)
        metadata = {
            # Made from the seed: a random one would make every file different.
            "UUID": f"urn:uuid:{uuid.UUID(int=self._plan.settings.seed)}",
            "axes": "YX",
            "PhysicalSizeX": PIXEL,
            "PhysicalSizeXUnit": "µm",
            "PhysicalSizeY": PIXEL,
            "PhysicalSizeYUnit": "µm",
        }
        image = np.clip(light, 0, 65535).astype(np.uint16)
        tifffile.imwrite(path, image, ome=True, tile=(512, 512), compression="zlib", metadata=metadata)


@njit(cache=True, nogil=True)
def _stamp(depth: np.ndarray, shape: np.ndarray, stain: np.ndarray, thickness: float) -> None:
    """Add the depth (µm) of each ellipsoid within the section to the pixels that it covers."""
    for c in range(len(shape)):
        reach = max(shape[c, 3], shape[c, 4])
        left, low = int((shape[c, 0] - reach) / PIXEL), int((shape[c, 1] - reach) / PIXEL)
        right, high = int((shape[c, 0] + reach) / PIXEL), int((shape[c, 1] + reach) / PIXEL)
        for j in range(max(low, 0), min(high + 1, depth.shape[0])):
            for i in range(max(left, 0), min(right + 1, depth.shape[1])):
                dx, dy = (i + 0.5) * PIXEL - shape[c, 0], (j + 0.5) * PIXEL - shape[c, 1]
                a = (shape[c, 6] * dx + shape[c, 7] * dy) / shape[c, 3]
                b = (shape[c, 6] * dy - shape[c, 7] * dx) / shape[c, 4]
                half = shape[c, 5] * np.sqrt(max(1 - a * a - b * b, 0.0))
                length = min(shape[c, 2] + half, thickness) - max(shape[c, 2] - half, 0.0)
                depth[j, i] += stain[c] * max(length, 0.0)
