"""Expression known from dissociated cells, and whether a segmentation shows what a cell type never does."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from cellcarve.errors import InputError
from cellcarve.evaluate.assignment import Assignment
from cellcarve.evaluate.profiles import SMALLEST, count_genes

# A gene of which a type makes less than this share of all types' expression is not made by it.
NEVER = 0.005
TYPE_COLUMNS = ("cell_type", "celltype", "CellType", "type")
FEWEST_GENES = 10


def read_reference(path: Path) -> pd.DataFrame:
    """Mean expression by cell type.

    Parameters
    ----------
    path
        CSV with one row per profile, a column ``cell_type`` and a column per gene; or AnnData (.h5ad) with
        the type in a column of ``obs``. Rows of one type are averaged.

    Returns
    -------
    pandas.DataFrame
        Types by genes, float64.

    Raises
    ------
    InputError
        The file is absent or names no types.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no file '{path}'; check the path of the reference")
    if path.suffix == ".h5ad":
        return _from_anndata(path)
    table = pd.read_csv(path)
    types = table[_type_column(path, list(table.columns))].astype(str)
    return table.select_dtypes("number").groupby(types).mean()


def _type_column(path: Path, names: list[str]) -> str:
    for name in TYPE_COLUMNS:
        if name in names:
            return name
    raise InputError(f"the reference '{path}' names no cell types; add a column '{TYPE_COLUMNS[0]}'")


def _from_anndata(path: Path) -> pd.DataFrame:
    import anndata

    data = anndata.read_h5ad(path)
    types = data.obs[_type_column(path, list(data.obs.columns))].astype(str)
    code, names = pd.factorize(types, sort=True)
    member = csr_matrix((np.ones(len(code)), (code, np.arange(len(code)))))
    total = member @ data.X
    total = total.toarray() if hasattr(total, "toarray") else np.asarray(total)
    return pd.DataFrame(total / np.bincount(code)[:, None], index=names, columns=data.var_names)


def against_reference(found: Assignment, reference: pd.DataFrame) -> dict[str, Any]:
    """Type every cell by its likest profile and look for genes that its type never makes.

    Parameters
    ----------
    found
        A segmentation with genes.
    reference
        Types by genes, mean expression.

    Returns
    -------
    dict
        ``negative_marker_purity``: 1 = genes show no more expression in types that do not make them than in
        the reference; ``type_likeness``: mean correlation of a cell with its type's profile; ``genes`` in
        common; ``types`` found; ``cells`` typed.

    Raises
    ------
    InputError
        Segmentation and reference have hardly any gene in common.
    """
    common = [name for name in found.genes if name in reference.columns]
    if found.gene is None or len(common) < FEWEST_GENES:
        raise InputError(
            f"segmentation and reference share {len(common)} genes, too few to tell types; check names"
        )
    profile = reference[common].to_numpy(np.float64)
    counts = count_genes(found.cell, found.gene, int(found.cell.max(initial=0)), len(found.genes))
    column = {name: i for i, name in enumerate(found.genes)}
    counts = counts[:, [column[name] for name in common]]
    counts = counts[np.asarray(counts.sum(axis=1)).ravel() >= SMALLEST]
    if not counts.shape[0]:
        return {
            "negative_marker_purity": None,
            "type_likeness": None,
            "genes": len(common),
            "types": 0,
            "cells": 0,
        }
    kind, alike = _types(counts, profile)
    present = np.unique(kind)
    mean = _mean_by_type(counts, kind, len(profile))[present]
    return {
        "negative_marker_purity": _purity(mean, profile[present]),
        "type_likeness": float(alike.mean()),
        "genes": len(common),
        "types": len(present),
        "cells": counts.shape[0],
    }


def _types(counts: csr_matrix, profile: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Likest profile of each cell, (n,) int64, and the correlation with it, (n,) float64."""
    logs, genes = counts.log1p(), counts.shape[1]
    centred = np.log1p(profile) - np.log1p(profile).mean(axis=1, keepdims=True)
    mean = np.asarray(logs.mean(axis=1)).ravel()
    spread = np.asarray(logs.multiply(logs).sum(axis=1)).ravel() - genes * mean**2
    norm = np.sqrt(np.maximum(spread, 1e-12))[:, None] * np.sqrt(np.maximum((centred**2).sum(axis=1), 1e-12))
    # The profiles are centred, so that the cells need not be.
    alike = (logs @ centred.T) / norm
    return alike.argmax(axis=1), alike.max(axis=1)


def _mean_by_type(counts: csr_matrix, kind: np.ndarray, types: int) -> np.ndarray:
    """(types, G) float64 mean share of each gene in the cells of each type."""
    share = counts.multiply(1 / counts.sum(axis=1)).tocsr()
    member = csr_matrix((np.ones(len(kind)), (kind, np.arange(len(kind)))), shape=(types, len(kind)))
    return (member @ share).toarray() / np.maximum(np.bincount(kind, minlength=types), 1)[:, None]


def _purity(mean: np.ndarray, profile: np.ndarray) -> float | None:
    """1 minus the expression that types show of genes they do not make, beyond the reference's."""
    shown, known = (part / np.maximum(part.sum(axis=0, keepdims=True), 1e-12) for part in (mean, profile))
    never = (known < NEVER) & (profile.sum(axis=0) > 0) & (mean.sum(axis=0) > 0)
    if not never.any():
        return None
    return float(1 - max(0.0, shown[never].mean() - known[never].mean()))
