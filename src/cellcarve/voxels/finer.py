"""The chain's lattice made finer: labels, their prior, transcripts and cells brought from the coarse one."""

import numpy as np

from cellcarve.data.prior import Prior
from cellcarve.settings import VoxelSettings
from cellcarve.voxels.chain import Chain, nearest_of, place_spots, prior_labels
from cellcarve.voxels.intake import Intake
from cellcarve.voxels.lattice import (
    bands,
    block,
    cells_met,
    measure_cells,
    refine,
    renumber,
    split_bands,
    split_voxels,
    voxels_of,
)
from cellcarve.voxels.start import Start, believe, columns_held
from cellcarve.voxels.state import Grid


def pull_finer(chain: Chain, coarse: Grid, nearest: np.ndarray) -> np.ndarray:
    """Labels that begin anew from distances on the fine lattice.

    Fixed cells, and cells that distances would leave without a voxel, keep those of the coarse lattice; should that
    leave others without, all do.

    Parameters
    ----------
    chain
        The chain, its lattice fine already, its labels still coarse.
    coarse
        Their lattice.
    nearest
        (ny, nx) int32 nearest cell of each fine column.
    """
    fine, cells, before = chain.frame.grid, len(chain.number), chain.labels.label
    kept = chain.cells.fixed.astype(bool) | ~cells_met(nearest, cells)
    kept[0] = False
    label = np.zeros((fine.ny + 2) * (fine.nx + 2) * fine.nl, np.int32)
    for rows, old in split_bands(coarse, fine, before):
        cell = nearest[rows.start - 1 : rows.stop - 1, :, None]
        block(fine, label)[rows, 1:-1] = np.where(kept[old], old, cell)
    return label if cells_met(label, cells)[1:].all() else split_voxels(coarse, fine, before)


def fix_finer(chain: Chain, held: np.ndarray) -> None:
    """Draw fixed cells anew on the fine lattice, where no other cell has come to lie; labels change in place.

    `held` is the chain's cell that the prior sees in each voxel.
    """
    fixed = chain.cells.fixed.astype(bool)
    parts = [(chain.labels.label[part], held[part]) for part in bands(len(held), 1)]
    # A cell that others cover whole keeps its coarse voxels.
    met = np.zeros(len(fixed), bool)
    for label, seen in parts:
        met[seen[fixed[label] | (label == 0)]] = True
    for label, seen in parts:
        label[(fixed & met)[label]] = 0
        anew = (label == 0) & (fixed & met)[seen]
        label[anew] = seen[anew]


def split_labels(chain: Chain, coarse: Grid) -> None:
    """Copy labels and their prior from a coarse lattice to the chain's, in place."""
    for name in ("label", "prior", "level"):
        fine = split_voxels(coarse, chain.frame.grid, getattr(chain.labels, name))
        chain.labels = chain.labels._replace(**{name: fine})


def prior_on_finer(
    chain: Chain, given: tuple[Intake, Prior], settings: VoxelSettings
) -> tuple[Start, np.ndarray]:
    """What the prior says of the voxels of the chain's lattice, and the cells of its columns, in the chain's numbers.

    Labels are left out where no cell is fixed: nothing depends on them then.
    """
    intake, prior = given
    start = prior_labels(chain.frame, intake, prior, settings)
    rank = np.zeros(max(len(prior.names), int(chain.number.max())) + 1, np.int32)
    rank[chain.number] = np.arange(len(chain.number))
    columns = rank[columns_held(chain.frame, start.label)]
    if not chain.cells.fixed.any():
        start.label = np.empty(0, np.int32)
    renumber(rank, start.label)
    renumber(rank, start.prior)
    return start, columns


def labels_on_finer(chain: Chain, coarse: Grid, given: tuple[Intake, Prior], settings: VoxelSettings) -> None:
    """Bring labels and what the prior says of them from a coarse lattice to the chain's, in place.

    Distances and fixed cells are told anew, where anything depends on them.
    """
    pulled, fixed = settings.start_growth > 0 and settings.distance_pull > 0, chain.cells.fixed.astype(bool)
    if not pulled:
        split_labels(chain, coarse)
    if not (pulled or fixed.any()):
        return
    start, columns = prior_on_finer(chain, given, settings)
    if pulled:
        chain.labels = chain.labels._replace(prior=start.prior, level=start.level)
        columns[fixed[columns]] = 0
        nearest = nearest_of(chain.frame, columns, given[0], settings)
        believe(chain.frame, start, nearest)
        chain.ridge = nearest.ridge
        chain.labels = chain.labels._replace(label=pull_finer(chain, coarse, nearest.cell))
    if fixed.any():
        fix_finer(chain, start.label)


def make_finer(chain: Chain, ratio: int, given: tuple[Intake, Prior], settings: VoxelSettings) -> None:
    """Cut every voxel into ratio² and bring everything that depends on voxels up to date, in place."""
    coarse, intake = chain.frame.grid, given[0]
    chain.spots = chain.spots._replace(head=np.empty(0, np.int32))
    frame = chain.frame = refine(chain.frame, ratio)
    labels_on_finer(chain, coarse, given, settings)
    x, y = (v[chain.order] for v in intake.places)
    seen = voxels_of(frame, x, y, intake.z[chain.order])
    head = np.empty(len(chain.labels.label), np.int32)
    chain.spots = chain.spots._replace(seen=seen, at=seen.copy(), head=head)
    chain.place_volume = place_spots(frame, chain.spots, (x, y), settings)
    chain.cells = chain.cells._replace(home=chain.cells.home * np.int32(ratio))
    measure_cells(frame, chain.labels.label, chain.cells)
