"""The chain at its beginning: lattice, first labels, transcripts, first components."""

import math
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_matrix

from cellcarve.chain.ridges import COARSEST
from cellcarve.data.exclusion import Exclusion, find_exclusion
from cellcarve.data.prior import Prior
from cellcarve.errors import InputError
from cellcarve.settings import VoxelSettings
from cellcarve.voxels.drift import link
from cellcarve.voxels.intake import Intake
from cellcarve.voxels.lattice import (
    Frame,
    columns_of,
    lay_frame,
    measure_cells,
    open_tiles,
    renumber,
    sides_of,
    sum_places,
    voxels_of,
)
from cellcarve.voxels.raster import extent, from_raster
from cellcarve.voxels.ridges import density_of_columns
from cellcarve.voxels.split import Room
from cellcarve.voxels.start import (
    ODDS,
    Nearest,
    Start,
    columns_held,
    expand,
    fill_layers,
    from_rows,
    grow,
    nearest_cells,
    pop_bubbles,
)
from cellcarve.voxels.state import Cells, Labels, Rates, Sizes, Spots
from cellcarve.voxels.strata import strata_of
from cellcarve.voxels.tally import tabulate


@dataclass
class Chain:
    """Everything that changes while the chain runs, and what it was made of.

    Attributes
    ----------
    frame
        The present lattice.
    labels, cells, spots, rates, sizes
        State; see `cellcarve.voxels.state`.
    log_weight
        (m,) ln pi.
    latent
        (c, h) int32 counts by factor.
    knots
        Tables of `cellcarve.voxels.zeros`.
    place_volume
        (p,) volume of each layer and stratum, µm².
    order
        (T,) int32, int64 where there are too many: transcript of the intake that each of `spots` is.
    number
        (c,) int32 prior cell of each cell; entry 0 is 0.
    room
        Memory for tables.
    sweep
        Sweeps done so far.
    ridge
        How steep ridges of RNA between cells are, 0 = there are none.
    apart
        Genes that hardly ever share a nucleus.
    """

    frame: Frame
    labels: Labels
    cells: Cells
    spots: Spots
    rates: Rates
    sizes: Sizes
    log_weight: np.ndarray
    latent: np.ndarray
    knots: np.ndarray
    place_volume: np.ndarray
    order: np.ndarray
    number: np.ndarray
    apart: Exclusion
    room: Room = field(default_factory=Room)
    sweep: int = 0
    ridge: float = 0.0


def shape_of(chain: Chain) -> tuple[int, int]:
    """Cells and genes."""
    return len(chain.number) - 1, len(chain.rates.background)


def counts_of(chain: Chain) -> csr_matrix:
    """(C, G) int32 transcripts that the cells made in the last split."""
    cell = chain.labels.label[chain.spots.at]
    return tabulate(cell[:, None], chain.spots.made[:, None], chain.spots.gene, shape_of(chain), np.int32)


def shed(chain: Chain) -> None:
    """Let go of what only moves and draws of rates ask for, to make room for what is made at the end."""
    none = np.empty(0, np.int32)
    chain.room = Room()
    chain.rates = chain.rates._replace(key=none, tally=none, value=none)
    chain.labels = chain.labels._replace(prior=none, level=none)


def first_frame(intake: Intake, prior: Prior, settings: VoxelSettings) -> tuple[Frame, int]:
    """The coarse lattice over transcripts, and how many fine voxels a coarse one is wide."""
    fine, ratio = sides_of(settings, 1.0 if intake.bins is None else intake.bins.pitch)
    x, y = intake.places
    box = [float(x.min()), float(y.min()), float(x.max()), float(y.max())]
    if prior.raster is not None:
        low_x, low_y, high_x, high_y = extent(prior.raster)
        if low_x > box[2] or low_y > box[3] or high_x < box[0] or high_y < box[1]:
            raise InputError(
                f"the prior's raster covers x {low_x:.1f} .. {high_x:.1f}, y {low_y:.1f} .. {high_y:.1f} µm and the "
                f"transcripts x {box[0]:.1f} .. {box[2]:.1f}, y {box[1]:.1f} .. {box[3]:.1f} µm; they do not overlap: "
                "check its scale and offset"
            )
    layers = 1 if intake.z_of[0] == intake.z_of[1] else settings.voxel_layers
    if intake.bins is not None:
        pitch = intake.bins.pitch
        box[:2] = [math.floor(v / pitch) * pitch for v in box[:2]]
    return lay_frame((box[0], box[1], box[2], box[3]), fine * ratio, settings.quad_size, layers), ratio


def prior_labels(frame: Frame, intake: Intake, prior: Prior, settings: VoxelSettings) -> Start:
    """What the prior itself says of the voxels of a lattice, numbered as in the prior."""
    if prior.raster is not None:
        return from_raster(frame, prior.raster)
    voxel = voxels_of(frame, *intake.places, intake.z)
    trust = (1 - settings.nuclear_reassignment_prob, 1 - settings.prior_seg_reassignment_prob)
    return from_rows(frame, voxel, intake.cell, intake.core, trust)


def density_of(frame: Frame, intake: Intake) -> np.ndarray | None:
    """Relative density of transcripts in every column; None where voxels are too coarse to tell ridges."""
    if frame.side > COARSEST:
        return None
    i, j, _ = columns_of(frame, voxels_of(frame, *intake.places, intake.z))
    return density_of_columns(frame, j * frame.grid.nx + i)


def nearest_of(frame: Frame, held: np.ndarray, intake: Intake, settings: VoxelSettings) -> Nearest:
    """Cells nearest to the columns of a lattice, by the cells that its columns hold."""
    density = density_of(frame, intake)
    return nearest_cells(frame, held, (settings.start_growth, settings.distance_pull), density)


def first_labels(frame: Frame, intake: Intake, prior: Prior, settings: VoxelSettings) -> tuple[Start, float]:
    """Labels of the coarse lattice, numbered as in the prior, and how steep ridges are."""
    start = prior_labels(frame, intake, prior, settings)
    if not start.label.any():
        raise InputError(
            "no prior cell holds a voxel near the transcripts; check the prior's place and scale"
        )
    held = columns_held(frame, start.label)
    fixed = np.zeros(len(prior.names) + 1, bool)
    if prior.fixed is not None:
        fixed[1:] = prior.fixed
        held = np.where(fixed[held], 0, held)
    fill_layers(frame, start.label)
    before = start.label.copy() if fixed.any() else None
    expand(frame, start.label, settings.expand_initialized_cells)
    fill_layers(frame, start.label)
    ridge = 0.0
    if settings.start_growth > 0:
        nearest = nearest_of(frame, held, intake, settings)
        grow(frame, start, nearest)
        ridge = nearest.ridge
    pop_bubbles(frame, start.label)
    if before is not None:
        start.label[fixed[start.label] & (start.label != before)] = 0
    return start, ridge


def _spread(value: np.ndarray) -> np.ndarray:
    """Bits of whole numbers below 2^31 with a gap after each, int64."""
    value = value.astype(np.uint64)
    steps = ((16, 0x0000FFFF0000FFFF), (8, 0x00FF00FF00FF00FF), (4, 0x0F0F0F0F0F0F0F0F))
    for shift, mask in (*steps, (2, 0x3333333333333333), (1, 0x5555555555555555)):
        value = (value | (value << np.uint64(shift))) & np.uint64(mask)
    return value


def number_cells(frame: Frame, start: Start) -> tuple[np.ndarray, np.ndarray]:
    """Number the cells that hold a voxel along a Z-order curve through their homes; labels change in place.

    Returns
    -------
    tuple
        (C + 1,) int32 prior cell of each, and (C + 1, 2) int32 home column and row.
    """
    held, *sums = np.zeros((3, int(start.label.max()) + 1), np.int64)
    sum_places(start.label, frame.grid, held, *sums)
    used = np.flatnonzero(held)
    home = np.column_stack([total[used] / held[used] for total in sums]).astype(np.int32)
    order = np.argsort(_spread(home[:, 0]) | (_spread(home[:, 1]) << np.uint64(1)), kind="stable")
    rank = np.zeros(max(len(held), int(start.prior.max()) + 1), np.int32)
    rank[used[order]] = np.arange(1, len(used) + 1)
    renumber(rank, start.label)
    renumber(rank, start.prior)
    number = np.concatenate([[0], used[order]]).astype(np.int32)
    return number, np.concatenate([np.full((1, 2), -(1 << 29), np.int32), home[order]])


def lay_labels(frame: Frame, start: Start, held: np.ndarray) -> Labels:
    """Labels with their prior; tiles that hold transcripts or labels are open."""
    g = frame.grid
    i, j, _ = columns_of(frame, held)
    opened = np.zeros(g.across * g.down, np.uint8)
    opened[(j // g.tile) * g.across + i // g.tile] = 1
    open_tiles(start.label, g, opened)
    return Labels(start.label, start.prior, start.level, ODDS, opened)


def lay_spots(frame: Frame, intake: Intake) -> tuple[Spots, np.ndarray]:
    """Transcripts sorted by tile and voxel, none of them moved yet, and their order."""
    seen = voxels_of(frame, *intake.places, intake.z)
    i, j, _ = columns_of(frame, seen)
    tile = (j // frame.grid.tile) * frame.grid.across + i // frame.grid.tile
    order = np.lexsort((seen, tile)).astype(intake.row.dtype)
    count = len(order)
    g = frame.grid
    spots = Spots(
        gene=intake.gene[order],
        seen=seen[order],
        at=seen[order],
        place=np.zeros(count, np.int32),
        made=np.zeros(count, np.uint8),
        head=np.empty((g.ny + 2) * (g.nx + 2) * g.nl, np.int32),
        after=np.empty(count, np.int32),
    )
    return spots, order


def place_spots(
    frame: Frame, spots: Spots, position: tuple[np.ndarray, np.ndarray], settings: VoxelSettings
) -> np.ndarray:
    """Give every transcript its layer and stratum and link it to its voxel; returns the volume of each place.

    Parameters
    ----------
    frame
        The lattice.
    spots
        `place`, `head` and `after` change.
    position
        Observed x, y in µm, in the order of the spots.
    settings
        Bandwidth and strata.
    """
    bins = settings.density_bins
    stratum, volume = strata_of(frame, *position, settings.density_bandwidth, bins)
    i, j, k = columns_of(frame, spots.seen)
    spots.place[:] = k * bins + stratum[j, i]
    link(spots.head, spots.after, spots.at)
    return np.tile(volume, frame.grid.nl)


def lay_cells(home: np.ndarray, layers: int, fixed: np.ndarray) -> Cells:
    """Cells before anything of them is known."""
    count = len(home)
    return Cells(
        volume=np.zeros(count, np.int32),
        area=np.zeros((count, layers), np.int32),
        edge=np.zeros((count, layers), np.int32),
        component=np.zeros(count, np.int32),
        total=np.zeros(count, np.float32),
        scale=np.ones(count, np.float32),
        exposed=np.ones(count, np.float32),
        home=home,
        fixed=fixed.astype(np.uint8),
    )


def lay_rates(cells: int, intake: Intake, places: int, settings: VoxelSettings, seed: int) -> Rates:
    """Rates before the first sweep: factors at random, no background, r = s = 1."""
    genes, plain = len(intake.gene_index), intake.plain
    factors = settings.nhidden if plain < genes else 0
    random = np.random.Generator(np.random.Philox(key=seed))
    loading = np.exp(random.standard_normal((genes - plain, factors)))
    size = settings.burnin_dispersion if settings.dispersion is None else settings.dispersion
    return Rates(
        start=np.zeros(cells + 1, np.int64),
        key=np.empty(0, np.int32),
        tally=np.empty(0, np.int32),
        value=np.empty(0, np.float32),
        size=np.full((plain + factors, settings.ncomponents), size, np.float32),
        odds=np.ones((plain + factors, settings.ncomponents), np.float32),
        background=np.zeros((genes, places), np.float32),
        factor=np.exp(random.standard_normal((cells, factors))).astype(np.float32),
        loading=(loading / np.maximum(loading.sum(0), 1e-300)).astype(np.float32),
        address=np.array([seed, 0], np.int64),
    )


def kept_apart(intake: Intake) -> Exclusion:
    """Genes that hardly ever share a nucleus."""
    held = np.where(intake.core, intake.cell, 0)
    shape = (int(held.max()), len(intake.gene_index))
    one = np.ones((len(held), 1), np.uint8)
    return find_exclusion(tabulate(held[:, None], one, intake.gene, shape, np.int32))


def begin(intake: Intake, prior: Prior, settings: VoxelSettings, seed: int) -> tuple[Chain, int]:
    """A chain on the coarse lattice, and how many fine voxels a coarse one is wide."""
    frame, ratio = first_frame(intake, prior, settings)
    start, ridge = first_labels(frame, intake, prior, settings)
    number, home = number_cells(frame, start)
    spots, order = lay_spots(frame, intake)
    labels = lay_labels(frame, start, spots.seen)
    fixed = np.zeros(len(number), bool) if prior.fixed is None else np.append(False, prior.fixed)[number]
    cells = lay_cells(home, frame.grid.nl, fixed)
    measure_cells(frame, labels.label, cells)
    x, y = intake.places
    volume = place_spots(frame, spots, (x[order], y[order]), settings)
    sizes = Sizes(np.full(settings.ncomponents, np.log(50.0)), np.full(settings.ncomponents, 1 / 18))
    rates = lay_rates(len(number), intake, len(volume), settings, seed)
    chain = Chain(
        frame=frame,
        labels=labels,
        cells=cells,
        spots=spots,
        rates=rates,
        sizes=sizes,
        log_weight=np.full(settings.ncomponents, -np.log(settings.ncomponents)),
        latent=np.zeros((len(number), rates.factor.shape[1]), np.int32),
        knots=np.empty((0, 0, 0)),
        place_volume=volume,
        order=order,
        number=number,
        apart=kept_apart(intake),
        ridge=ridge,
    )
    return chain, ratio
