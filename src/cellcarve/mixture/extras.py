"""What can be made of a fitted mixture later, each on its own: outlines, colours and compositions."""

import numpy as np
from scipy.sparse import csr_matrix

from cellcarve.data.table import Table
from cellcarve.mixture.colours import colours
from cellcarve.mixture.compositions import Compositions, compositions, reduce
from cellcarve.mixture.graph import usual_distance
from cellcarve.mixture.molecules import Points, arrange
from cellcarve.mixture.near import lay_grid
from cellcarve.mixture.outlines import outline, outline_slices
from cellcarve.mixture.result import MixtureRun
from cellcarve.settings import ComputeSettings

_DIMS = 20


def add_outlines(run: MixtureRun, table: Table, compute: ComputeSettings) -> None:
    """Outline the cells of a run, in the plane and, in three dimensions, per layer of z; sets `rings` and `slices`.

    Parameters
    ----------
    run
        Changed in place.
    table
        The table it was fitted to.
    compute
        Threads.
    """
    z = run.cells.z is not None and table.z is not None
    depth = table.z[run.row] if z and table.z is not None else np.zeros(len(run.row), np.float32)
    at = Points(table.x[run.row], table.y[run.row], depth)
    usual = usual_distance(at, lay_grid(at), compute.threads)
    run.rings = outline(at, run.cell, usual, compute.threads)
    run.slices = outline_slices(at, depth, run.cell, usual, compute.threads) if z else []


def composition_colours(
    table: Table,
    confidence: np.ndarray,
    neighbours: int,
    how: tuple[str, bool],
    compute: ComputeSettings,
) -> np.ndarray:
    """Colours of the kept rows by what surrounds them.

    Parameters
    ----------
    table
        K kept rows.
    confidence
        (K,) float32 in the order of input rows.
    neighbours
        How many make up a composition.
    how
        How compositions are reduced, "ri", "dense" or "sparse", and whether their logs are, as Baysor 0.7 has it.
    compute
        Seed and threads.

    Returns
    -------
    numpy.ndarray
        (K, 3) uint8 RGB in the order of input rows.
    """
    molecules = arrange(table)
    source = compositions(molecules, lay_grid(molecules.at), neighbours, compute.threads)
    vectors = reduce(source, how[0], _DIMS, (compute.seed, compute.threads, how[1]))
    found = colours(vectors, molecules.from_input(confidence), compute.seed, compute.threads)
    return molecules.to_input(found)


def add_colours(run: MixtureRun, table: Table, compute: ComputeSettings) -> None:
    """Colour the transcripts of a run by the composition around them; sets `colour`.

    Parameters
    ----------
    run
        Changed in place.
    table
        The table it was fitted to.
    compute
        Seed and threads.
    """
    how = str(run.params["ncv_method"]), bool(run.params["compat"])
    near = int(run.params["ncv_neighbours"])
    run.colour = composition_colours(table, run.confidence, near, how, compute)


def composition_rows(
    table: Table, neighbours: int, compute: ComputeSettings
) -> tuple[csr_matrix, np.ndarray]:
    """Compositions of all kept rows, for use without cells.

    Parameters
    ----------
    table
        K kept rows.
    neighbours
        How many make up a composition, the transcript itself included.
    compute
        Threads.

    Returns
    -------
    tuple
        (K, G) float32 rows that add up to 1, in the order of input rows, and (K,) int64 input rows.
    """
    molecules = arrange(table)
    source: Compositions = compositions(molecules, lay_grid(molecules.at), neighbours, compute.threads)
    back = np.argsort(molecules.place, kind="stable")
    return source.rows(0, len(molecules))[back], molecules.row
