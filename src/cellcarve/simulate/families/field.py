"""A whole field of a family: its cells, nuclei and molecules as a window of the tissue's own kind."""

from dataclasses import dataclass, replace

import numpy as np

from cellcarve.simulate.block import Molecules, found
from cellcarve.simulate.cells import Cells
from cellcarve.simulate.families.expression import Repertoire, genes_of, make_repertoire
from cellcarve.simulate.families.kinds import FAMILIES
from cellcarve.simulate.families.layout import lay_cells, round_nuclei, side_of
from cellcarve.simulate.families.molecules import births, how_many
from cellcarve.simulate.nuclei import Nuclei, in_nucleus
from cellcarve.simulate.plan import FULL, Plan
from cellcarve.simulate.prior import Drawn, draw_nuclei
from cellcarve.simulate.settings import SimulateSettings
from cellcarve.simulate.window import Window


@dataclass
class Field:
    """A field of cells before it is written.

    Attributes
    ----------
    plan
        Settings and extent; nothing is deformed.
    window
        Cells and nuclei; all are the window's own.
    repertoire
        What the cells express.
    molecules
        All that is found in it.
    """

    plan: Plan
    window: Window
    repertoire: Repertoire
    molecules: Molecules


def make_field(settings: SimulateSettings, rng: np.random.Generator) -> Field:
    """Make a field of the family that the settings name."""
    family = FAMILIES[settings.family]
    number = max(1, round(settings.transcripts * (1 - settings.haze) / settings.per_cell))
    angle = None if settings.angle is None else float(np.deg2rad(settings.angle))
    cells = lay_cells(family, number, settings.seed, settings.depth, angle)
    counts = how_many(cells, settings.per_cell)
    plan = _plan(settings, side_of(cells), int(counts.sum()))
    nuclei = round_nuclei(cells)
    drawn = _draw_layers(nuclei, plan, cells) if family.layers else draw_nuclei(cells, nuclei, settings)
    window = Window((0.0, 0.0, plan.side, plan.side), cells, nuclei, drawn, np.ones(len(cells), bool))
    kind = family.expression if settings.expression == "auto" else settings.expression
    repertoire = make_repertoire(kind, cells, family.spacing, settings.seed, settings.genes)
    blurred = replace(
        plan, settings=replace(settings, blur_um=float(np.hypot(family.blur, settings.blur_um)))
    )
    return Field(plan, window, repertoire, _molecules(blurred, window, repertoire, counts, rng))


def _plan(settings: SimulateSettings, side: float, molecules: int) -> Plan:
    """A plan without deformation, regions and gradients."""
    still = np.zeros((2, 0, 5))
    return Plan(settings, side, 1, molecules / side**2 / FULL, still, (), (), still[0])


def _draw_layers(nuclei: Nuclei, plan: Plan, cells: Cells) -> Drawn:
    """Draw nuclei that lie above each other."""
    # The layers are laid out side by side meanwhile: from above, one nucleus would hide another.
    aside = cells.kind * (plan.side + 100.0)
    apart = nuclei.shape.copy()
    apart[:, 0] += aside
    drawn = draw_nuclei(cells, Nuclei(apart, nuclei.shown), plan.settings)
    drawn.centre[:, 0] -= aside[drawn.cell]
    return replace(drawn, height=cells.z[drawn.cell])


def _molecules(
    plan: Plan, window: Window, repertoire: Repertoire, counts: np.ndarray, rng: np.random.Generator
) -> Molecules:
    """All molecules that are found in the field."""
    (x, y, z), made = births(plan, window.cells, counts, rng)
    nuclear = in_nucleus(window.nuclei.shape, made, x, y, z)
    gene = genes_of(repertoire, window.cells, made, nuclear, rng)
    return found(plan, repertoire.panel, window, Molecules(x, y, z, gene, made), rng)
