"""Space Ranger's nuclei as a prior: the bins of a Visium HD slide, each a pixel."""

from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from cellcarve.compat.proseg.options import Options
from cellcarve.compat.proseg.priors.masks import laid, unlaid
from cellcarve.compat.proseg.source import Source
from cellcarve.data.prior import Prior, PriorRaster
from cellcarve.data.table import Table
from cellcarve.errors import InputError
from cellcarve.read import visium_hd


def from_mappings(table: Table, source: Source, options: Options) -> Prior:
    """Nuclei by bin; bins of cells outside of their nucleus say nothing.

    Raises
    ------
    InputError
        The file cannot be read, is of another slide, or holds no nuclei.
    """
    path = Path(str(options.inputs.spaceranger_barcode_mappings))
    bins = source.bins
    if bins is None:
        raise InputError(f"{path} maps the bins of a Visium HD slide; add --visiumhd and name binned_outputs")
    cell, nucleus = visium_hd.mapped(path, bins.barcodes)
    coded = pc.if_else(nucleus, cell, None).dictionary_encode()
    names = coded.dictionary.to_pylist()
    if not names:
        raise InputError(
            f"{path} holds no nuclei: no bin is in_nucleus; give the mappings of Space Ranger 4 or later"
        )
    label = np.zeros((int(bins.row.max()) + 1, int(bins.column.max()) + 1), np.int32)
    label[bins.row, bins.column] = (
        coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32) + 1
    )
    trust = 1 - options.model.nuclear_reassignment_prob
    raster = PriorRaster(label, visium_hd.grid(bins), trust, nuclear=True)
    prior = unlaid(raster, names, f"barcode mappings {path}", [])
    return laid(table, prior, "give the mappings of the same slide")
