"""Names of cells and of compositions."""

import hashlib

import numpy as np

from cellcarve.compat.baysor.loading import Molecules
from cellcarve.compat.baysor.options import Options


def run_id(molecules: Molecules, options: Options) -> str:
    """``R`` and nine hexadecimal digits that stand for input, options and seed: the same run, the same names.

    Parameters
    ----------
    molecules, options
        What the run depends on.
    """
    config = options.config
    keys = config.data, config.segmentation, config.plotting
    digest = hashlib.sha256(repr((keys, options.prior, options.compat, options.seed)).encode())
    table = molecules.table
    for array in (table.x, table.y, table.gene):
        digest.update(np.ascontiguousarray(array).data)
    return f"R{digest.hexdigest()[:9]}"


def numbered(prefix: str, number: int) -> np.ndarray:
    """(number,) names ``prefix-1`` .. ``prefix-number``."""
    return np.char.add(f"{prefix}-", np.arange(1, number + 1).astype(str)).astype(object)
