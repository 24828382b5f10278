"""The chain at its beginning: lattice, first labels, transcripts, first components."""

import math
from dataclasses import dataclass, field

import numpy as np

from cellcarve.chain.ridges import COARSEST
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
    refine,
    sides_of,
    split_voxels,
    voxels_of,
)
from cellcarve.voxels.raster import extent, from_raster
from cellcarve.voxels.ridges import density_of_columns
from cellcarve.voxels.split import Room
from cellcarve.voxels.start import (
    Start,
    columns_held,
    expand,
    fill_layers,
    from_rows,
    grow,
    pop_bubbles,
)
from cellcarve.voxels.state import Cells, Labels, Rates, Sizes, Spots
from cellcarve.voxels.strata import strata_of

# Log odds of the 256 levels of a voxel's prior.
ODDS = ((np.arange(256) - 128) / 16).astype(np.float32)


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
    temperature
        Of the present sweep: 1, falling in the hill-climb.
    ridge
        How steep ridges of RNA between cells are, 0 = there are none.
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
    room: Room = field(default_factory=Room)
    sweep: int = 0
    temperature: float = 1.0
    ridge: float = 0.0


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


def first_labels(frame: Frame, intake: Intake, prior: Prior, settings: VoxelSettings) -> Start:
    """Labels of the coarse lattice, numbered as in the prior."""
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
    before = start.label.copy()
    expand(frame, start.label, settings.expand_initialized_cells)
    fill_layers(frame, start.label)
    if settings.start_growth > 0:
        density = density_of(frame, intake)
        grow(frame, start, held, (settings.start_growth, settings.distance_pull), density)
    pop_bubbles(frame, start.label)
    start.label[fixed[start.label] & (start.label != before)] = 0
    return start


def pull_finer(
    chain: "Chain", start: Start, held: np.ndarray, intake: Intake, settings: VoxelSettings
) -> None:
    """Begin anew from distances on the fine lattice; labels and their prior change in place.

    `start` and `held`, what the prior says of voxels and columns, are numbered as the chain's cells are.

    Fixed cells, and cells that distances would leave without a voxel, keep those of the coarse lattice; should that
    leave others without, all do.
    """
    frame, fixed = chain.frame, chain.cells.fixed.astype(bool)
    held = np.where(fixed[held], 0, held)
    start.label[:] = 0
    density = density_of(frame, intake)
    grow(frame, start, held, (settings.start_growth, settings.distance_pull), density)
    lost = np.bincount(start.label, minlength=len(chain.number)) == 0
    chain.ridge = start.ridge
    kept = (lost | fixed)[chain.labels.label] & (chain.labels.label > 0)
    start.label[kept] = chain.labels.label[kept]
    if np.bincount(start.label, minlength=len(chain.number))[1:].all():
        chain.labels.label[:] = start.label
    chain.labels.prior[:] = start.prior
    chain.labels.level[:] = levels_of(start.weight)


def fix_finer(chain: "Chain", held: np.ndarray) -> None:
    """Draw fixed cells anew on the fine lattice, where no other cell has come to lie; labels change in place.

    `held` is the chain's cell that the prior sees in each voxel.
    """
    label, fixed = chain.labels.label, chain.cells.fixed.astype(bool)
    free = fixed[label] | (label == 0)
    # A cell that others cover whole keeps its coarse voxels.
    met = np.bincount(held[free], minlength=len(fixed)) > 0
    label[(fixed & met)[label]] = 0
    anew = (label == 0) & (fixed & met)[held]
    label[anew] = held[anew]


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
    voxel = np.flatnonzero(start.label)
    i, j, _ = columns_of(frame, voxel)
    cell = start.label[voxel]
    held = np.bincount(cell)
    used = np.flatnonzero(held)
    home = np.column_stack([np.bincount(cell, v)[used] / held[used] for v in (i, j)]).astype(np.int32)
    order = np.argsort(_spread(home[:, 0]) | (_spread(home[:, 1]) << np.uint64(1)), kind="stable")
    rank = np.zeros(max(len(held), int(start.prior.max()) + 1), np.int32)
    rank[used[order]] = np.arange(1, len(used) + 1)
    start.label[:], start.prior[:] = rank[start.label], rank[start.prior]
    number = np.concatenate([[0], used[order]]).astype(np.int32)
    return number, np.concatenate([np.full((1, 2), -(1 << 29), np.int32), home[order]])


def levels_of(weight: np.ndarray) -> np.ndarray:
    """Prior probabilities as uint8 steps of a sixteenth in log odds, 128 for one half; see `ODDS`."""
    sure = np.clip(weight.astype(np.float64), 1e-4, 1 - 1e-4)
    return np.clip(np.round(np.log(sure / (1 - sure)) * 16) + 128, 0, 255).astype(np.uint8)


def lay_labels(frame: Frame, start: Start, held: np.ndarray) -> Labels:
    """Labels with their prior; tiles that hold transcripts or labels are open."""
    g = frame.grid
    i, j, _ = columns_of(frame, np.concatenate([np.flatnonzero(start.label), held]))
    opened = np.zeros(g.across * g.down, np.uint8)
    opened[(j // g.tile) * g.across + i // g.tile] = 1
    return Labels(start.label, start.prior, levels_of(start.weight), ODDS, opened)


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


def begin(intake: Intake, prior: Prior, settings: VoxelSettings, seed: int) -> tuple[Chain, int]:
    """A chain on the coarse lattice, and how many fine voxels a coarse one is wide."""
    frame, ratio = first_frame(intake, prior, settings)
    start = first_labels(frame, intake, prior, settings)
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
        ridge=start.ridge,
    )
    return chain, ratio


def prior_on_finer(chain: Chain, given: tuple[Intake, Prior], settings: VoxelSettings) -> None:
    """Bring what the prior says to a lattice that has just become finer, where anything depends on it; in place."""
    intake, prior = given
    pulled, fixed = settings.start_growth > 0 and settings.distance_pull > 0, chain.cells.fixed.any()
    if not (pulled or fixed):
        return
    start = prior_labels(chain.frame, intake, prior, settings)
    rank = np.zeros(max(len(prior.names), int(chain.number.max())) + 1, np.int32)
    rank[chain.number] = np.arange(len(chain.number))
    columns = rank[columns_held(chain.frame, start.label)]
    start.prior[:], held = rank[start.prior], rank[start.label]
    if pulled:
        pull_finer(chain, start, columns, intake, settings)
    if fixed:
        fix_finer(chain, held)


def make_finer(chain: Chain, ratio: int, given: tuple[Intake, Prior], settings: VoxelSettings) -> None:
    """Cut every voxel into ratio² and bring everything that depends on voxels up to date, in place."""
    coarse = chain.frame
    frame = refine(coarse, ratio)
    parts = {
        name: split_voxels(coarse.grid, frame.grid, getattr(chain.labels, name))
        for name in ("label", "prior", "level")
    }
    chain.frame, chain.labels = frame, chain.labels._replace(**parts)
    intake = given[0]
    prior_on_finer(chain, given, settings)
    x, y = (v[chain.order] for v in intake.places)
    seen = voxels_of(frame, x, y, intake.z[chain.order])
    chain.spots = chain.spots._replace(
        seen=seen, at=seen.copy(), head=np.empty(len(parts["label"]), np.int32)
    )
    chain.place_volume = place_spots(frame, chain.spots, (x, y), settings)
    chain.cells = chain.cells._replace(home=chain.cells.home * np.int32(ratio))
    measure_cells(frame, chain.labels.label, chain.cells)
