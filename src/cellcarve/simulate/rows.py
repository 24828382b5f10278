"""A block as rows of the tables that are written."""

import numpy as np
import pyarrow as pa

from cellcarve.simulate.block import Molecules
from cellcarve.simulate.bodies import locate, shelve
from cellcarve.simulate.faults import FAULT_NAMES, Fault
from cellcarve.simulate.plan import Plan
from cellcarve.simulate.prior import nearest_nucleus
from cellcarve.simulate.programmes import Panel
from cellcarve.simulate.window import Window

CONTROLS = [f"NegControlProbe_{i:05d}" for i in range(1, 21)] + [f"BLANK_{i:04d}" for i in range(1, 21)]
UNASSIGNED = "UNASSIGNED"
# Blocks along each side of a field of view.
FOV = 5


def transcript_rows(
    plan: Plan, panel: Panel, window: Window, molecules: Molecules, rng: np.random.Generator
) -> tuple[pa.Table, pa.Table]:
    """The block's rows of ``transcripts.parquet`` and of ``truth.parquet``, without transcript ids."""
    number = len(molecules.x)
    # What is written is what counts: prior and truth are worked out at the rounded places.
    x, y, z = (part.astype(np.float32) for part in (molecules.x, molecules.y, molecules.z))
    wide = tuple(part.astype(np.float64) for part in (x, y, z))
    outline, gap = nearest_nucleus(window.drawn, *wide)
    gene, quality, unknown = _decode(plan, panel, molecules.gene, rng)
    inside = locate(plan.warp, shelve(window.cells), *wide)
    cell = np.append(window.cells.number, 0)
    true, holds = cell[molecules.made], cell[inside]
    names = pa.array([*outline_names(window), UNASSIGNED])
    transcripts = pa.table(
        {
            "cell_id": names.take(pa.array(np.where(outline >= 0, outline, len(names) - 1))),
            "overlaps_nucleus": (gap < 0).astype(np.uint8),
            "feature_name": pa.array([*panel.genes, *CONTROLS]).take(pa.array(gene)),
            "x_location": x,
            "y_location": y,
            "z_location": z,
            "qv": quality,
            "fov_name": pa.array([_fov(plan, window)] * number, pa.string()),
            "nucleus_distance": np.where(outline >= 0, np.maximum(gap, 0), 0).astype(np.float32),
        }
    )
    truth = pa.table(
        {
            "true_cell": np.where(unknown, -1, true).astype(np.int32),
            "leaked": (true > 0) & (true != holds) & ~unknown,
            "inside_cell": holds.astype(np.int32),
        }
    )
    return transcripts, truth


def _decode(
    plan: Plan, panel: Panel, gene: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Genes and qualities as read by the instrument, and the rows that tell nothing (wrong or no gene)."""
    chance = rng.random(len(gene))
    low = chance < plan.settings.unsure
    control = chance > 1 - plan.settings.blank
    quality = np.where(low, rng.uniform(0, 20, len(gene)), 40 - rng.gamma(1.2, 3.0, len(gene)).clip(0, 20))
    gene = np.where(low, rng.integers(0, len(panel.genes), len(gene)), gene)
    gene = np.where(control, len(panel.genes) + rng.integers(0, len(CONTROLS), len(gene)), gene)
    return gene, np.minimum(quality, np.where(low, 19.99, 40)).astype(np.float32), low | control


def _fov(plan: Plan, window: Window) -> str:
    column, row = (round(corner / plan.step) // FOV for corner in window.box[:2])
    return f"R{row + 1}C{column + 1}"


def outline_names(window: Window) -> list[str]:
    """Ids of the instrument's cells, one for each outline of the window."""
    numbers = window.cells.number[window.drawn.cell]
    return [f"cell-{n}{'b' if h else ''}" for n, h in zip(numbers, window.drawn.half, strict=True)]


def outline_rows(plan: Plan, window: Window) -> pa.Table:
    """The block's rows of ``nucleus_boundaries.parquet``: closed rings of the outlines of its own cells."""
    x, y = window.drawn.corners()
    middle = window.drawn.centre
    here = window.own[window.drawn.cell] & ((middle >= 0) & (middle < plan.side)).all(axis=1)
    kept = np.flatnonzero(here)
    ring = np.arange(x.shape[1] + 1) % x.shape[1]
    names = pa.array(outline_names(window), pa.string()).take(pa.array(np.repeat(kept, len(ring))))
    corners = [part[kept][:, ring].ravel().astype(np.float32) for part in (x, y)]
    return pa.table({"cell_id": names, "vertex_x": corners[0], "vertex_y": corners[1]})


def cell_rows(plan: Plan, window: Window, mixture: np.ndarray) -> pa.Table:
    """The block's rows of ``true_cells.parquet``: its own cells that take part in the section.

    `mixture` (n, K) is the share of each programme in each of the window's cells.
    """
    area, x, y = _measure(plan, window)
    fault = window.drawn.fault
    kept = np.flatnonzero(window.own & (area > 0))
    types = pa.array([f"P{k + 1:02d}" for k in range(mixture.shape[1])])
    nucleus = np.where(fault == Fault.ABSENT, 0.0, window.nuclei.area)
    return pa.table(
        {
            "cell": window.cells.number[kept].astype(np.int32),
            "type": types.take(pa.array(mixture[kept].argmax(axis=1))),
            "type_share": mixture[kept].max(axis=1).astype(np.float32),
            "x_centroid": x[kept].astype(np.float32),
            "y_centroid": y[kept].astype(np.float32),
            "area": area[kept].astype(np.float32),
            "nucleus_area": nucleus[kept].astype(np.float32),
            "fault": pa.array(FAULT_NAMES).take(pa.array(fault[kept].astype(np.int64))),
        }
    )


def _measure(plan: Plan, window: Window) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean area (µm²) over the section's depth and centroid of every cell, from places 1.5 µm apart."""
    step, margin = 1.5, 30.0
    xmin, ymin, xmax, ymax = window.box
    # Places are counted from the tissue's corner, so that every block looks at the same ones.
    low = [max(np.floor((corner - margin) / step), 0) for corner in (xmin, ymin)]
    high = [np.floor(min(corner + margin, plan.side) / step) for corner in (xmax, ymax)]
    axes = [(np.arange(a, b) + 0.5) * step for a, b in zip(low, high, strict=True)]
    planes = max(3, round(3 * plan.settings.depth / 8))
    depth = plan.settings.depth * (np.arange(planes) + 0.5) / planes
    x, y, z = (part.ravel() for part in np.meshgrid(*axes, depth, indexing="ij"))
    found = locate(plan.warp, shelve(window.cells), x, y, z) + 1
    size = len(window.cells) + 1
    count = np.bincount(found, minlength=size)[1:]
    centre = [np.bincount(found, part, minlength=size)[1:] / np.maximum(count, 1) for part in (x, y)]
    return count * step**2 / len(depth), centre[0], centre[1]
