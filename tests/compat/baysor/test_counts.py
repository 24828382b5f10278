"""Statistics and counts of cells: columns, and round trips through readers that people use."""

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix, random

from cellcarve.compat.baysor.outputs.cell_stats import significant
from cellcarve.compat.baysor.outputs.loom import write_loom

STATS = ["cell", "x", "y", "z", "cluster", "n_transcripts", "density", "elongation", "area", "avg_confidence",
         "avg_assignment_confidence", "max_cluster_frac", "lifespan"]  # fmt: skip


def test_statistics_of_cells(run, read, molecules):
    out = run()
    stats = pd.read_csv(out / "segmentation_cell_stats.csv")
    found = read(out)
    assert list(stats.columns) == STATS
    inside = found[~found.is_noise]
    by_cell = inside.groupby("cell")
    assert dict(zip(stats.cell, stats.n_transcripts, strict=True)) == by_cell.size().to_dict()
    assert stats.set_index("cell").x.to_dict() == pytest.approx(by_cell.x.mean().to_dict(), abs=1e-3)


def test_counts_are_those_of_the_table(run, read):
    out = run("--count-matrix-format", "loom,tsv,h5ad")
    found = read(out)
    inside = found[~found.is_noise]
    expected = pd.crosstab(inside.gene, inside.cell)
    tsv = pd.read_csv(out / "segmentation_counts.tsv", sep="\t", index_col=0)
    assert (tsv.loc[expected.index, expected.columns] == expected).all(axis=None)
    assert tsv.to_numpy().sum() == len(inside)
    ann = anndata.read_h5ad(out / "segmentation_counts.h5ad")
    assert (ann.to_df().T.loc[expected.index, expected.columns] == expected).all(axis=None)
    with h5py.File(out / "segmentation_counts.loom") as file:
        assert file["matrix"].dtype == np.int64
        genes, cells = file["row_attrs/Name"].asstr()[:], file["col_attrs/Name"].asstr()[:]
        loom = pd.DataFrame(file["matrix"][:], genes, cells)
        assert file["col_attrs/CellID"][:].tolist() == list(np.arange(1.0, len(cells) + 1))
        assert set(file["col_attrs"]) == {"CellID", "Name", *STATS} - {"cell"}
        assert file["attrs/LOOM_SPEC_VERSION"].asstr()[()] == "3.0.0"
        assert {"layers", "row_graphs", "col_graphs"} <= set(file)
    assert (loom.loc[expected.index, expected.columns] == expected).all(axis=None)


@pytest.mark.parametrize("shape", [(0, 0), (3, 0), (0, 4), (1, 1), (70, 70), (65, 5000)])
def test_looms_of_any_shape(tmp_path, shape):
    matrix = csr_matrix(random(*shape, density=0.05, random_state=1, data_rvs=lambda n: np.arange(1, n + 1)))
    matrix = matrix.astype(np.int64)
    write_loom(
        tmp_path / "a.loom", matrix, {"Name": np.arange(shape[0]).astype(str)}, {"n": np.arange(shape[1])}
    )
    with h5py.File(tmp_path / "a.loom") as file:
        assert np.array_equal(file["matrix"][:], matrix.toarray())


@pytest.mark.parametrize(
    ("value", "rounded"),
    [(123456.0, 123500.0), (0.00123456, 0.001235), (-2.0, -2.0), (9.99996, 10.0), (1e-12, 1e-12)],
)
def test_significant_digits(value, rounded):
    assert significant(np.array([value]))[0] == rounded


def test_significant_digits_of_nothing():
    assert np.isnan(significant(np.array([np.nan]))[0])
    assert significant(np.array([np.inf, 0.0])).tolist() == [np.inf, 0.0]
