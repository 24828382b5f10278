"""What a chain depends on, in one word."""

import hashlib

import numpy as np

from cellcarve import __version__
from cellcarve.data.prior import Prior
from cellcarve.data.table import Table


def key_of(table: Table, prior: Prior, *told: object) -> str:
    """A word that differs where version, transcripts, prior or settings do.

    Parameters
    ----------
    table
        N rows of input.
    prior
        Prior cells laid over them, by row and perhaps by raster.
    *told
        Method, settings and seed: whatever has a telling ``repr``.
    """
    raster = prior.raster
    pixels = None if raster is None else (raster.affine, raster.weight, raster.nuclear)
    words = (
        __version__,
        *told,
        prior.confidence,
        prior.kind,
        len(prior.names),
        prior.whole,
        pixels,
        table.bins,
    )
    digest = hashlib.sha256(repr((*words, table.genes)).encode())
    arrays = [table.x, table.y, table.z, table.gene, table.status, prior.cell, prior.core, prior.fixed]
    arrays += [prior.cluster, prior.nuclear]
    arrays += [] if raster is None else [raster.label, raster.probability]
    for array in arrays:
        digest.update(b"-" if array is None else np.ascontiguousarray(array).data)
    return digest.hexdigest()
