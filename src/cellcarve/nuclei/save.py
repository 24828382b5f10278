"""Write a large array under its final name once it is whole."""

import gzip
import shutil
from pathlib import Path

import numpy as np

ENDINGS = (".npy", ".npy.gz", ".tif", ".tiff")


def save(values: np.ndarray, path: Path, aside: Path) -> None:
    """Write an array.

    Parameters
    ----------
    values
        The array.
    path
        Ends in one of `ENDINGS`.
    aside
        Folder on the same disk, for the time until it is whole.
    """
    partial = aside / f"whole-{path.name}"
    if path.name.endswith((".tif", ".tiff")):
        import tifffile

        tifffile.imwrite(partial, values, compression="zlib", bigtiff=values.nbytes > 2**31, tile=(512, 512))
    elif path.name.endswith(".gz"):
        plain = aside / "plain.npy"
        np.save(plain, values)
        with plain.open("rb") as source, gzip.open(partial, "wb", compresslevel=3) as file:
            shutil.copyfileobj(source, file, 1 << 20)
        plain.unlink()
    else:
        np.save(partial, values)
    partial.replace(path)
