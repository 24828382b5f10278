"""The chain's end to a `VoxelRun`, and a `VoxelRun` to a `Segmentation`."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from cellcarve.data.prior import Prior
from cellcarve.data.segmentation import Origin, Segmentation
from cellcarve.data.table import Table
from cellcarve.voxels.chain import Chain, counts_of, shape_of, shed
from cellcarve.voxels.gather import list_steps, voxels_by_cell
from cellcarve.voxels.intake import Intake
from cellcarve.voxels.record import Record
from cellcarve.voxels.result import VoxelRun
from cellcarve.voxels.soft import Answer
from cellcarve.voxels.tally import sparse, tabulate


def _back(order: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values in the chain's order of transcripts to input order."""
    out = np.empty_like(values)
    out[order] = values
    return out


def _voxels(chain: Chain) -> dict[str, Any]:
    """The labelled voxels, sorted by cell, layer, row and column."""
    names = ("voxel_cell", "voxel_i", "voxel_j", "voxel_k", "voxel_count")
    found = voxels_by_cell(chain.frame.grid, chain.labels.label, chain.spots, len(chain.number) - 1)
    return dict(zip(names, found, strict=True))


def _transcripts(chain: Chain, intake: Intake, table: Table) -> dict[str, Any]:
    spots, frame = chain.spots, chain.frame
    moved = np.empty((len(spots.at), 3), np.int16)
    list_steps(frame.grid, spots, chain.order, moved)
    cell = np.where(spots.made, chain.labels.label[spots.at], 0).astype(np.int32)
    strata = len(chain.place_volume) // frame.grid.nl
    made = _back(chain.order, cell)
    return {
        "row": intake.row,
        "gene": intake.gene,
        "x": table.x[intake.row],
        "y": table.y[intake.row],
        "z": intake.z,
        "moved": moved,
        "observed_layer": _back(chain.order, (spots.place // strata).astype(np.uint8)),
        "stratum": _back(chain.order, (spots.place % strata).astype(np.uint8)),
        "cell": made,
        "background": made == 0,
    }


def answered(chain: Chain, answer: Answer) -> dict[str, Any]:
    """The soft answer as `VoxelRun` holds it."""
    names = {
        "best": "best",
        "probability": "chance",
        "runner_up": "second",
        "runner_up_probability": "second_chance",
        "kept": "kept",
    }
    found = {ours: _back(chain.order, getattr(answer, name)) for ours, name in names.items()}
    found["weighted"] = tabulate(
        answer.who[:, None], answer.share[:, None], answer.gene, shape_of(chain), np.float32
    )
    return found


def unanswered(chain: Chain) -> dict[str, Any]:
    """No cell for any transcript: for a chain that is still under way, or where nobody asks."""
    count = len(chain.order)
    none, zero = np.zeros(count, np.int32), np.zeros(count, np.float32)
    return {
        "best": none,
        "probability": zero,
        "runner_up": none,
        "runner_up_probability": zero,
        "kept": np.zeros(count, bool),
        "weighted": csr_matrix(shape_of(chain), dtype=np.float32),
    }


def _averages(chain: Chain, intake: Intake, record: Record) -> dict[str, Any]:
    expected = record.expected(chain.spots.gene, shape_of(chain))
    return {
        "expected": expected,
        "gene_total": np.bincount(intake.gene, minlength=expected.shape[1]),
        "gene_expected": np.asarray(expected.sum(0)).ravel().astype(np.float32),
    }


def _cells(chain: Chain, given: tuple[Intake, Prior], voxels: dict[str, np.ndarray]) -> dict[str, Any]:
    intake, prior = given
    frame, cells, count = chain.frame, chain.cells, len(chain.number)
    held = np.maximum(np.bincount(voxels["voxel_cell"], minlength=count)[1:], 1)
    sums = [
        np.bincount(voxels["voxel_cell"], voxels[n], count)[1:] / held
        for n in ("voxel_i", "voxel_j", "voxel_k")
    ]
    centroid = np.column_stack(
        [
            frame.x0 + (sums[0] + 0.5) * frame.side,
            frame.y0 + (sums[1] + 0.5) * frame.side,
            (sums[2] + 0.5) / frame.grid.nl,
        ]
    )
    lattice = intake.bins or intake.folds
    if lattice is not None:
        centroid[:, 0], centroid[:, 1] = lattice.place(centroid[:, 0], centroid[:, 1])
    return {
        "names": [prior.names[n - 1] for n in chain.number[1:].tolist()],
        "prior": chain.number[1:],
        "fixed": cells.fixed[1:].astype(bool),
        "centroid": centroid.astype(np.float32),
        "component": cells.component[1:],
        "volume": (cells.volume[1:] * frame.voxel).astype(np.float32),
        "surface": cells.edge[1:].sum(1).astype(np.int32),
        "scale": cells.scale[1:],
    }


def _model(chain: Chain) -> dict[str, Any]:
    rates, plain = chain.rates, len(chain.rates.background) - len(chain.rates.loading)
    counts = counts_of(chain)
    latent = csr_matrix(counts[:, :plain])
    if rates.factor.shape[1]:
        from scipy.sparse import hstack

        latent = csr_matrix(hstack([latent, csr_matrix(chain.latent[1:])]))
    strata = len(chain.place_volume) // chain.frame.grid.nl
    return {
        "counts": counts,
        "background_rate": rates.background.reshape(-1, chain.frame.grid.nl, strata),
        "dispersion": np.ascontiguousarray(rates.size.T),
        "odds": np.ascontiguousarray(rates.odds.T),
        "latent": latent,
        "loadings": np.ascontiguousarray(rates.loading.T),
        "factors": rates.factor[1:],
    }


def finish(
    chain: Chain,
    given: tuple[Intake, Prior, Table],
    record: Record,
    ask: Callable[[], dict[str, Any]],
    log: list[dict[str, Any]],
    last: bool,
) -> VoxelRun:
    """Everything that the chain leaves behind.

    Parameters
    ----------
    chain
        The chain; `last` says that it has ended, and then it and the record are used up.
    given
        Transcripts, prior cells and input rows.
    record
        What was recorded.
    ask
        Makes what `answered` or `unanswered` does, when there is room for it.
    log
        As in `VoxelRun`.
    last
        The chain has ended.
    """
    intake, prior, table = given
    frame, count = chain.frame, len(chain.number)
    if last:
        shed(chain)
        record.close(chain.spots.gene, shape_of(chain))
    averages = _averages(chain, intake, record)
    answers = ask()
    voxels = _voxels(chain)
    origin, target = np.divmod(record.moves[0], count)
    moves = sparse(origin, target - 1, record.moves[1].astype(np.int32), (count - 1, count - 1))
    return VoxelRun(
        voxel_size=frame.side,
        layers=frame.grid.nl,
        x0=frame.x0,
        y0=frame.y0,
        shape=(frame.grid.ny, frame.grid.nx),
        transitions=moves,
        genes=[table.genes[g] for g in intake.gene_index.tolist()],
        gene_index=intake.gene_index,
        z_of=intake.z_of,
        bins=intake.bins,
        folds=intake.folds,
        notes=list(intake.notes),
        log=log,
        **voxels,
        **_transcripts(chain, intake, table),
        **answers,
        **averages,
        **_cells(chain, (intake, prior), voxels),
        **_model(chain),
    )


def to_segmentation(run: VoxelRun, table: Table) -> Segmentation:
    """The posterior average as a segmentation.

    Parameters
    ----------
    run
        A finished chain.
    table
        The N input rows.
    """
    rows = len(table)
    best, second, cell = (np.zeros(rows, np.int32) for _ in range(3))
    probability = np.zeros(rows, np.float32)
    background = np.ones(rows, bool)
    best[run.row], second[run.row] = run.best, run.runner_up
    probability[run.row] = np.where(run.best > 0, run.probability, 0)
    background[run.row] = run.best == 0
    cell[run.row] = np.where(run.kept, run.best, 0)
    cells = len(run.names)
    found = run.weighted
    expected = csr_matrix(
        (found.data, run.gene_index[found.indices], found.indptr), (cells, len(table.genes))
    )
    expected.sort_indices()
    return Segmentation(
        cell=cell,
        best=best,
        probability=probability,
        runner_up=second,
        background=background,
        names=run.names,
        origin=np.full(cells, Origin.PRIOR, np.uint8),
        prior=run.prior,
        existence=np.ones(cells, np.float32),
        cluster=run.component,
        expected=expected,
        model={"method": "voxel", "sweeps": run.log},
    )
