"""What every method returns: a cell for each transcript, and what is known of each cell."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix


class Origin(IntEnum):
    """Where a cell comes from."""

    PRIOR = 0
    NEW = 1
    MERGED = 2
    SPLIT = 3


ORIGIN_NAMES = ("prior", "new", "merged", "split")


def existence_of(amount: np.ndarray, doubt: np.ndarray | float) -> np.ndarray:
    """Score 0 .. 1 that cells exist, float32: 1 - d exp(-E / 10), E their expected transcripts and d the doubt without them."""
    return (1 - doubt * np.exp(-amount / 10)).astype(np.float32)


@dataclass
class Segmentation:
    """A cell for every input row; N rows in input order, C cells, G genes.

    Attributes
    ----------
    cell
        (N,) int32: 0 = in no cell, else cell number 1 .. C. Rows that were not kept are 0.
    best
        (N,) int32: the likeliest cell, before the purity threshold; 0 where "no cell" is likelier.
    probability
        (N,) float32, 0 .. 1: calibrated probability that `best` is right; 0 where `best` is 0.
    runner_up
        (N,) int32: the second likeliest cell, 0 = none.
    background
        (N,) bool: "no cell" is likelier than any cell.
    names
        The C cell ids as strings, unique.
    origin
        (C,) uint8 of `Origin`.
    prior
        (C,) int32: the prior cell's number (index into `Prior.names` plus one), 0 = none.
    existence
        (C,) float32, 0 .. 1: score that the cell exists.
    cluster
        (C,) int32: number of the cell's most likely expression type.
    expected
        (C, G) float32 expected counts: sums of the transcripts' probabilities.
    model
        Learned values, JSON-ready; stored with the run.
    """

    cell: np.ndarray
    best: np.ndarray
    probability: np.ndarray
    runner_up: np.ndarray
    background: np.ndarray
    names: list[str]
    origin: np.ndarray
    prior: np.ndarray
    existence: np.ndarray
    cluster: np.ndarray
    expected: csr_matrix
    model: dict[str, Any] = field(default_factory=dict)
