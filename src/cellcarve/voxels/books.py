"""Whether what the chain keeps of cells and transcripts still agrees with its labels and positions."""

import numpy as np

from cellcarve.voxels.chain import Chain
from cellcarve.voxels.drift import link
from cellcarve.voxels.lattice import columns_of, measure_cells


class BooksError(RuntimeError):
    """The chain's books disagree: a fault of the program, not of the input."""


def check_books(chain: Chain) -> None:
    """Count everything anew and compare; for use after a sweep.

    Parameters
    ----------
    chain
        The chain; it does not change.

    Raises
    ------
    BooksError
        Names the first book that is wrong.
    """
    labels, spots, cells, grid = chain.labels, chain.spots, chain.cells, chain.frame.grid
    anew = cells._replace(
        **{name: np.empty_like(getattr(cells, name)) for name in ("volume", "area", "edge")}
    )
    measure_cells(chain.frame, labels.label, anew)
    i, j, _ = columns_of(chain.frame, np.append(np.flatnonzero(labels.label), spots.at))
    inside = (i >= 0) & (i < grid.nx) & (j >= 0) & (j < grid.ny)
    tile = np.where(inside, (j // grid.tile) * grid.across + i // grid.tile, 0)
    head, after = np.empty_like(spots.head), np.empty_like(spots.after)
    link(head, after, spots.at)
    held = chain.rates.key[: chain.rates.start[-1]] >= 0
    rate = chain.rates.value[: len(held)][held]
    agree = {
        "volumes": np.array_equal(anew.volume[1:], cells.volume[1:]),
        "areas of layers": np.array_equal(anew.area[1:], cells.area[1:]),
        "edges of layers": np.array_equal(anew.edge[1:], cells.edge[1:]),
        "cells without a voxel": bool((cells.volume[1:] > 0).all()),
        "labels and transcripts outside the open tiles": bool((inside & (labels.open[tile] > 0)).all()),
        "transcripts of each voxel": np.array_equal(head, spots.head) and np.array_equal(after, spots.after),
        "transcripts made by no cell": bool((labels.label[spots.at[spots.made > 0]] > 0).all()),
        "counts of cells and genes": _counts_agree(chain),
        "rates": bool((np.isfinite(rate) & (rate >= 0)).all()),
    }
    wrong = [name for name, right in agree.items() if not right]
    if wrong:
        raise BooksError(f"sweep {chain.sweep} of the voxel chain left its books wrong: {', '.join(wrong)}")


def _counts_agree(chain: Chain) -> bool:
    rates, spots = chain.rates, chain.spots
    genes, end = len(rates.background), int(rates.start[-1])
    cell = np.repeat(np.arange(len(rates.start) - 1), np.diff(rates.start))
    held = np.flatnonzero(rates.key[:end] >= 0)
    pair = cell[held] * genes + rates.key[held]
    order = np.argsort(pair)
    made = spots.made > 0
    wanted, number = np.unique(
        chain.labels.label[spots.at[made]].astype(np.int64) * genes + spots.gene[made], return_counts=True
    )
    return np.array_equal(pair[order], wanted) and np.array_equal(rates.tally[held][order], number)
