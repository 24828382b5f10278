"""Small fields of round cells whose truth is known."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from cellcarve.data.prior import Prior
from cellcarve.data.table import Table
from cellcarve.mixture.molecules import Points
from cellcarve.progress import Silent
from cellcarve.settings import ComputeSettings, MixtureSettings


def make_table(x, y, gene, genes, z=None):
    n = len(x)
    zeros = np.zeros(n, np.int32)
    z = None if z is None else np.asarray(z, np.float32)
    return Table(
        platform="memory",
        files=(),
        ids=pa.array(np.arange(n)),
        x=np.asarray(x, np.float32),
        y=np.asarray(y, np.float32),
        z=z,
        gene=np.asarray(gene, np.int32),
        genes=[f"g{g}" for g in range(genes)],
        quality=None,
        fov=None,
        fovs=[],
        cell=zeros,
        cell_names=[],
        nucleus=None,
        status=np.zeros(n, np.uint8),
    )


def no_prior(table):
    n = len(table)
    return Prior(np.zeros(n, np.int32), np.zeros(n, bool), [], "none", "")


def nuclei(cell, core, confidence=0.9):
    held = np.where(core, cell, 0).astype(np.int32)
    return Prior(held, held > 0, [f"c{k}" for k in range(1, cell.max() + 1)], "nuclei", "", confidence)


@dataclass
class Field:
    """A table, the true cell of each row (0 = noise) and whether it lies near the middle of it."""

    table: Table
    cell: np.ndarray
    core: np.ndarray


def make_field(seed=0, side=5, gap=14.0, per_cell=60, genes=20, noise=0.05, deep=False):
    """Round cells of radius 4 on a lattice, each with a profile from Dirichlet(0.1), and even noise."""
    rng = np.random.default_rng(seed)
    column, row = (v.ravel() for v in np.meshgrid(np.arange(side), np.arange(side)))
    centre = np.column_stack([column + 0.5 * (row % 2), 0.87 * row]) * gap
    count = np.maximum(rng.poisson(per_cell, len(centre)), 10)
    owner = np.repeat(np.arange(len(centre)), count)
    at = centre[owner] + rng.normal(0, 2.0, (len(owner), 2))
    profile = rng.dirichlet(np.full(genes, 0.1), len(centre))
    gene = (rng.random(len(owner))[:, None] > np.cumsum(profile[owner], 1)[:, :-1]).sum(1)
    core = np.hypot(*(at - centre[owner]).T) < 2.0
    many = int(noise * len(owner))
    at = np.vstack([at, rng.uniform(at.min(0) - 5, at.max(0) + 5, (many, 2))])
    gene = np.append(gene, rng.integers(0, genes, many))
    cell = np.append(owner + 1, np.zeros(many, np.int64)).astype(np.int32)
    core = np.append(core, np.zeros(many, bool))
    z = rng.normal(0, 1.0, len(cell)) if deep else None
    order = rng.permutation(len(cell))
    z = None if z is None else z[order]
    return Field(make_table(at[order, 0], at[order, 1], gene[order], genes, z), cell[order], core[order])


def settings(**values):
    return MixtureSettings(
        **({"cell_scale": 4.0, "min_transcripts_per_cell": 10, "iterations": 100} | values)
    )


def compute(**values):
    return ComputeSettings(**({"threads": 1, "seed": 1} | values))


def points(*axes):
    x, y, *z = (np.asarray(axis, np.float32) for axis in axes)
    return Points(x, y, z[0] if z else np.zeros(len(x), np.float32))


def share_right(true, found):
    """Share of transcripts in the right cell under the best one-to-one match, noise being a class of its own."""
    from scipy.optimize import linear_sum_assignment

    table = np.zeros((true.max() + 1, found.max() + 1))
    np.add.at(table, (true, found), 1)
    hit = table[1:, 1:][linear_sum_assignment(-table[1:, 1:])].sum()
    return (hit + table[0, 0]) / len(true)


@pytest.fixture(scope="session")
def kit():
    """Makers of small inputs, and the measure."""
    return SimpleNamespace(
        table=make_table,
        field=make_field,
        nuclei=nuclei,
        no_prior=no_prior,
        points=points,
        settings=settings,
        compute=compute,
        share_right=share_right,
        silent=Silent(),
    )


@pytest.fixture(scope="session")
def rules():
    """A maker of the model's numbers."""
    from cellcarve.mixture.state import Rules

    plain = {
        "scale": 4.0,
        "spread": 1.0,
        "fewest": 10.0,
        "width": 1.0,
        "power": 1.0,
        "typical": 0.0,
        "rim": 0.0,
        "temper": 1.0,
        "near": 1.0,
        "fair": 1.0,
        "blur": 0.0,
    }
    plain |= {
        "field": 0.1,
        "unlike": -1.4,
        "exempt": 0,
        "noise": -9.0,
        "alpha": 0.0,
        "trust": 0.2,
        "bonus": 0.0,
        "placed": False,
    }
    return lambda dims=2, classic=False, **values: Rules(dims=dims, classic=classic, **(plain | values))


@pytest.fixture(scope="session")
def sums():
    """A maker of the sums of a component, from (n, 3) places."""

    def add_up(at):
        x, y, z = at.T
        return np.array([v.sum() for v in (x, y, z, x * x, x * y, x * z, y * y, y * z, z * z)] + [0.0] * 4)

    return add_up
