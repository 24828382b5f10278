"""A finished chain made by hand: three cells and a speck on a small lattice, with everything the files tell."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import coo_matrix, csr_matrix

from cellcarve.data.table import Table
from cellcarve.voxels.result import VoxelRun

SIZE, LAYERS, X0, Y0 = 0.5, 2, 10.0, -4.0
GENES = ["Actb", "Cd3e", "Krt8", "Mki67", "Ptprc"]
STRATA = 3


def counted(cell, gene, cells):
    held = np.flatnonzero(cell)
    one = np.ones(len(held), np.int32)
    matrix = coo_matrix((one, (cell[held] - 1, gene[held])), (cells, len(GENES))).tocsr()
    matrix.sum_duplicates()
    return matrix


def lattice(rng, cells=6, side=24):
    """Discs of random size that eat into each other, sprinkled with noise; label per (layer, row, column)."""
    label = np.zeros((LAYERS, side, side), np.int32)
    row, column = np.mgrid[:side, :side]
    for c in range(1, cells + 1):
        y, x, r = rng.uniform(2, side - 2), rng.uniform(2, side - 2), rng.uniform(2, 6)
        for k in range(LAYERS):
            label[k][np.hypot(row - y, column - x - k) < r] = c
    noise = rng.random(label.shape) < 0.1
    label[noise] = rng.integers(0, cells + 1, noise.sum())
    for c in range(1, cells + 1):
        if not (label == c).any():
            label[0, c, 0] = c
    return label


def chain_of(label, rng, transcripts=800):
    """A `VoxelRun` whose last state is `label`, and the table it could have read."""
    cells = int(label.max())
    k, j, i = np.nonzero(label)
    order = np.lexsort((i, j, k, label[k, j, i]))
    k, j, i = k[order], j[order], i[order]
    owner = label[k, j, i].astype(np.int32)
    layers, ny, nx = label.shape
    seen = np.column_stack([rng.integers(0, n, transcripts) for n in (nx, ny, layers)])
    inside = rng.random((transcripts, 3))
    step, low = np.array([SIZE, SIZE, 1 / layers]), np.array([X0, Y0, 0.0])
    place = low + (seen + inside) * step
    moved = np.column_stack(
        [rng.integers(-1, 2, transcripts), rng.integers(-1, 2, transcripts), np.zeros(transcripts)]
    )
    now = np.clip(seen + moved, 0, [nx - 1, ny - 1, layers - 1]).astype(int)
    moved = (now - seen).astype(np.int16)
    gene = rng.integers(0, len(GENES), transcripts).astype(np.int32)
    at = label[now[:, 2], now[:, 1], now[:, 0]]
    cell = np.where(rng.random(transcripts) < 0.85, at, 0).astype(np.int32)
    best = np.where(rng.random(transcripts) < 0.1, 0, at).astype(np.int32)
    held = np.zeros(label.shape, np.int32)
    np.add.at(held, (now[:, 2], now[:, 1], now[:, 0]), 1)
    number = np.bincount(owner, minlength=cells + 1)[1:]
    centre = low + (np.column_stack([i, j, k]) + 0.5) * step
    centroid = np.column_stack([np.bincount(owner, c, cells + 1)[1:] / number for c in centre.T])
    background = rng.gamma(1, 1, (len(GENES), layers, STRATA)).astype(np.float32)
    counts = counted(cell, gene, cells)
    rows = np.sort(rng.choice(transcripts + 50, transcripts, replace=False))
    alone, factors = 3, 2
    z = place[:, 2]
    run = VoxelRun(
        voxel_size=SIZE,
        layers=layers,
        x0=X0,
        y0=Y0,
        shape=(ny, nx),
        voxel_cell=owner,
        voxel_i=i.astype(np.int32),
        voxel_j=j.astype(np.int32),
        voxel_k=k.astype(np.int32),
        voxel_count=held[k, j, i],
        row=rows,
        gene=gene,
        x=place[:, 0].astype(np.float32),
        y=place[:, 1].astype(np.float32),
        z=z.astype(np.float32),
        moved=moved,
        observed_layer=seen[:, 2].astype(np.uint8),
        stratum=rng.integers(0, STRATA, transcripts).astype(np.uint8),
        cell=cell,
        background=cell == 0,
        best=best,
        probability=rng.random(transcripts).astype(np.float32),
        runner_up=np.zeros(transcripts, np.int32),
        runner_up_probability=np.zeros(transcripts, np.float32),
        kept=(best > 0) & (rng.random(transcripts) < 0.9),
        weighted=csr_matrix(counts.multiply(0.8), dtype=np.float32),
        names=[f"nucleus-{c}" for c in range(1, cells + 1)],
        prior=np.arange(1, cells + 1, dtype=np.int32),
        fixed=np.zeros(cells, bool),
        centroid=centroid.astype(np.float32),
        component=rng.integers(0, 4, cells).astype(np.int32),
        volume=(number * SIZE**2 / layers).astype(np.float32),
        surface=rng.integers(10, 99, cells).astype(np.int32),
        scale=np.ones(cells, np.float32),
        counts=counts,
        expected=csr_matrix(counts.multiply(0.9), dtype=np.float32),
        transitions=csr_matrix(rng.integers(0, 3, (cells, cells)).astype(np.int32)),
        genes=GENES,
        gene_index=np.arange(len(GENES), dtype=np.int32),
        gene_total=np.bincount(gene, minlength=len(GENES)),
        gene_expected=np.asarray(counts.sum(0)).ravel().astype(np.float32) * 0.9,
        background_rate=background,
        dispersion=rng.gamma(2, 1, (4, alone + factors)).astype(np.float32),
        odds=rng.gamma(2, 1, (4, alone + factors)).astype(np.float32),
        latent=csr_matrix(rng.integers(0, 4, (cells, alone + factors)).astype(np.float32)),
        loadings=rng.dirichlet([1.0] * (len(GENES) - alone), factors).astype(np.float32),
        factors=rng.gamma(2, 1, (cells, factors)).astype(np.float32),
    )
    return run, table_of(run, transcripts + 50)


def table_of(run, rows):
    gene = np.zeros(rows, np.int32)
    gene[run.row] = run.gene
    x, y, z = (np.zeros(rows, np.float32) for _ in range(3))
    x[run.row], y[run.row], z[run.row] = run.x, run.y, 10 * run.z
    return Table(
        platform="xenium",
        files=(),
        ids=pa.array(np.arange(rows, dtype=np.uint64) + 2**60),
        x=x,
        y=y,
        z=z,
        gene=gene,
        genes=GENES,
        quality=np.linspace(20, 40, rows, dtype=np.float32),
        fov=None,
        fovs=[],
        cell=np.zeros(rows, np.int32),
        cell_names=[],
        nucleus=None,
        status=np.zeros(rows, np.uint8),
    )


@pytest.fixture
def label():
    return lattice(np.random.default_rng(5))


@pytest.fixture
def chain(label):
    """A chain and its table."""
    return chain_of(label, np.random.default_rng(6))


@pytest.fixture
def make_chain():
    """Makes a chain and its table from labels and a generator."""
    return chain_of
