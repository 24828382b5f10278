"""Cells below the least size made noise, where that is asked for."""

from dataclasses import fields

import numpy as np

from cellcarve.mixture.result import MixtureRun


def drop_small_cells(run: MixtureRun, least: int) -> int:
    """Make noise of the molecules of small cells, before outlines are made.

    Parameters
    ----------
    run
        Changed in place; the cells that stay are numbered without gaps.
    least
        Molecules that a cell has to have.

    Returns
    -------
    int
        Cells that went.
    """
    stays = run.cells.n_transcripts >= least
    number = np.zeros(len(stays) + 1, np.int32)
    number[1:][stays] = np.arange(1, np.count_nonzero(stays) + 1)
    run.assignment_confidence = np.where(
        (run.cell > 0) & (number[run.cell] == 0), 0, run.assignment_confidence
    ).astype(np.float32)
    run.cell, run.runner_up = number[run.cell], number[run.runner_up]
    run.counts = run.counts[np.flatnonzero(stays)]
    for item in fields(run.cells):
        values = getattr(run.cells, item.name)
        setattr(run.cells, item.name, None if values is None else values[stays])
    return int(np.count_nonzero(~stays))
