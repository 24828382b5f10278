"""Matrices of counts as molecules: Visium HD, AnnData and Stereo-seq."""

import gzip
import json

import anndata
import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.io import mmwrite
from scipy.sparse import csc_matrix, csr_matrix, random_array

from cellcarve.errors import InputError
from cellcarve.read import read
from cellcarve.read.sparse import SparseStream, distinct
from cellcarve.settings import ReadSettings


def tally(table):
    """Molecules by place and gene, as a dictionary."""
    names = np.array(table.genes)[table.gene]
    frame = pd.DataFrame({"x": table.x, "y": table.y, "gene": names})
    return frame.groupby(["x", "y", "gene"]).size().to_dict()


@pytest.mark.parametrize("most", [1, 7, 1 << 17])
def test_molecules_add_up_to_the_counts(monkeypatch, tmp_path, most):
    monkeypatch.setattr("cellcarve.read.sparse._ROWS", most)
    rng = np.random.default_rng(3)
    counts = csr_matrix(rng.poisson(0.4, (30, 8)))
    stream = SparseStream(
        tmp_path, counts, list("ABCDEFGH"), {"x": pa.array(np.arange(30.0)), "y": pa.array(np.zeros(30))}
    )
    batches = list(stream.batches(["gene", "x"]))
    frame = pd.concat([b.to_pandas() for b in batches])
    got = frame.groupby(["x", "gene"], observed=False).size().unstack(fill_value=0)
    want = pd.DataFrame(counts.toarray(), columns=list("ABCDEFGH"))
    assert (got.to_numpy() == want.loc[got.index.astype(int)].to_numpy()).all()
    assert len(frame) == counts.sum()


def test_a_matrix_without_counts(tmp_path):
    places = {"x": pa.array([1.0]), "y": pa.array([1.0])}
    assert (
        list(SparseStream(tmp_path, csr_matrix((1, 2), dtype=int), ["A", "B"], places).batches(["x"])) == []
    )


@pytest.mark.parametrize(("value", "sentence"), [(0.5, "fractions"), (-1, "below 0")])
def test_what_is_no_count(tmp_path, value, sentence):
    with pytest.raises(InputError, match=sentence):
        SparseStream(tmp_path, csr_matrix(np.array([[value]])), ["A"], {})


def test_names_that_come_again():
    assert distinct(["A", "A-1", "A", "B", "A"]) == ["A", "A-1", "A-2", "B", "A-3"]


@pytest.fixture
def slide(tmp_path):
    """A slide of 3 x 4 bins turned by 30 degrees, one bin of it off the matrix; and what it holds."""
    folder = tmp_path / "outs" / "binned_outputs" / "square_002um"
    (folder / "spatial").mkdir(parents=True)
    row, column = np.divmod(np.arange(12), 4)
    u, v = column * 8.0, row * 8.0
    frame = pd.DataFrame(
        {
            "barcode": [f"s_002um_{r:05d}_{c:05d}-1" for r, c in zip(row, column, strict=True)],
            "in_tissue": 1,
            "array_row": row,
            "array_col": column,
            "pxl_row_in_fullres": 1000 + u * np.sin(0.5) + v * np.cos(0.5),
            "pxl_col_in_fullres": 2000 + u * np.cos(0.5) - v * np.sin(0.5),
        }
    )
    frame.sample(frac=1, random_state=1).to_parquet(folder / "spatial" / "tissue_positions.parquet")
    (folder / "spatial" / "scalefactors_json.json").write_text(json.dumps({"microns_per_pixel": 0.25}))
    counts = csr_matrix(np.random.default_rng(1).poisson(1.0, (11, 3)))
    return folder, frame.iloc[:11], counts


def write_h5(path, barcodes, counts):
    with h5py.File(path, "w") as file:
        matrix = csc_matrix(counts.T)
        group = file.create_group("matrix")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(matrix, name)
        group["shape"] = matrix.shape
        group["barcodes"] = np.array(barcodes, "S")
        group["features/name"] = np.array(["A", "B", "A"], "S")


def write_mtx(folder, barcodes, counts):
    folder.mkdir()
    with gzip.open(folder / "features.tsv.gz", "wt") as file:
        file.write("".join(f"ENS{i}\t{name}\tGene Expression\n" for i, name in enumerate(["A", "B", "A"])))
    with gzip.open(folder / "barcodes.tsv.gz", "wt") as file:
        file.write("".join(f"{b}\n" for b in barcodes))
    with gzip.open(folder / "matrix.mtx.gz", "wb") as file:
        mmwrite(file, counts.T)


@pytest.mark.parametrize("form", ["h5", "mtx"])
@pytest.mark.parametrize("up", [0, 1, 2, 3])
def test_visium_hd(slide, form, up):
    folder, frame, counts = slide
    if form == "h5":
        write_h5(folder / "filtered_feature_bc_matrix.h5", frame.barcode, counts)
    else:
        write_mtx(folder / "raw_feature_bc_matrix", frame.barcode, counts)
    path = [folder, *folder.parents][up]
    table = read(path, ReadSettings())
    x = (frame.pxl_col_in_fullres * 0.25).astype(np.float32)
    y = (frame.pxl_row_in_fullres * 0.25).astype(np.float32)
    dense = counts.toarray()
    expected = {
        (x[b], y[b], ["A", "B", "A-1"][g]): int(dense[b, g])
        for b in range(11)
        for g in range(3)
        if dense[b, g]
    }
    assert tally(table) == expected
    assert table.platform == "visium_hd"
    assert not table.cell.any()


def test_visium_hd_with_space_ranger_cells(slide):
    folder, frame, counts = slide
    write_h5(folder / "raw_feature_bc_matrix.h5", frame.barcode, counts)
    mappings = pd.DataFrame(
        {
            "square_002um": frame.barcode.iloc[:6],
            "cell_id": ["c1", "c1", None, "c2", "c2", "c2"],
            "in_nucleus": [True, False, False, True, True, None],
        }
    )
    mappings.to_parquet(folder.parent.parent / "barcode_mappings.parquet")
    table = read(folder.parent.parent, ReadSettings())
    bin_of = np.repeat(np.arange(11), np.asarray(counts.sum(1)).ravel())
    cell = [table.cell_names[c - 1] if c else None for c in table.cell]
    known = ["c1", "c1", None, "c2", "c2", "c2", *[None] * 5]
    assert cell == [known[b] for b in bin_of]
    assert table.nucleus.tolist() == [
        [True, False, False, True, True, False, *[False] * 5][b] for b in bin_of
    ]


SPOILT = {
    "no matrix": (lambda f: (f / "raw_feature_bc_matrix.h5").unlink(), "none of filtered"),
    "no positions": (lambda f: (f / "spatial" / "tissue_positions.parquet").unlink(), "tissue_positions"),
    "no scale": (lambda f: (f / "spatial" / "scalefactors_json.json").write_text("{}"), "microns_per_pixel"),
    "cut": (lambda f: (f / "raw_feature_bc_matrix.h5").write_bytes(b"\x89HDF"), "cannot be read"),
}


@pytest.mark.parametrize("fault", SPOILT)
def test_visium_hd_that_is_damaged(slide, fault):
    folder, frame, counts = slide
    write_h5(folder / "raw_feature_bc_matrix.h5", frame.barcode, counts)
    spoil, sentence = SPOILT[fault]
    spoil(folder)
    with pytest.raises(InputError, match=sentence):
        read(folder, ReadSettings())


def test_visium_hd_bins_without_a_position(slide):
    folder, frame, counts = slide
    write_h5(folder / "raw_feature_bc_matrix.h5", ["other", *frame.barcode[1:]], counts)
    with pytest.raises(InputError, match="1 bins, such as other"):
        read(folder, ReadSettings())


def test_empty_layout_is_told_apart_from_a_damaged_one(data_folder):
    with pytest.raises(InputError, match="holds no transcripts"):
        read(data_folder / "visiumhd_layout", ReadSettings())


@pytest.fixture
def adata():
    counts = random_array(
        (20, 5), density=0.4, rng=2, data_sampler=lambda size: np.arange(1, size + 1) % 4, dtype=int
    )
    table = anndata.AnnData(csr_matrix(counts).astype(np.float32))
    table.var_names = [f"g{i}" for i in range(5)]
    table.var["symbol"] = pd.Categorical([f"s{i}" for i in range(5)])
    table.obs["prior"] = np.arange(20) % 3
    table.obs["named"] = pd.Categorical([f"c{i % 3}" for i in range(20)])
    table.obsm["spatial"] = np.random.default_rng(0).uniform(0, 50, (20, 2))
    return table


@pytest.mark.parametrize("matrix", [csr_matrix, csc_matrix, "dense"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_anndata_stores(adata, tmp_path, matrix, zarr_format):
    adata.X = adata.X.toarray() if matrix == "dense" else matrix(adata.X)
    with anndata.settings.override(zarr_write_format=zarr_format):
        adata.write_zarr(tmp_path / "t.zarr")
    assert (tmp_path / "t.zarr" / "zarr.json").is_file() == (zarr_format == 3)
    table = read(tmp_path / "t.zarr", ReadSettings(cell_column="prior"))
    dense = np.asarray(adata.X if matrix == "dense" else adata.X.toarray()).astype(int)
    x, y = adata.obsm["spatial"].T.astype(np.float32)
    expected = {(x[b], y[b], f"g{g}"): dense[b, g] for b in range(20) for g in range(5) if dense[b, g]}
    assert tally(table) == expected
    place = np.repeat(np.arange(20), dense.sum(1))
    assert [table.cell_names[c - 1] if c else "0" for c in table.cell] == [str(b % 3) for b in place]


def test_anndata_with_depth(adata, tmp_path):
    adata.obsm["spatial"] = np.column_stack([adata.obsm["spatial"], np.arange(20)])
    adata.write_zarr(tmp_path / "t.zarr")
    assert set(read(tmp_path / "t.zarr", ReadSettings()).z) <= set(range(20))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda a: a.obsm.pop("spatial"), "no positions 'spatial'"),
        (lambda a: setattr(a, "X", a.X * 0.5), "fractions"),
        (lambda a: a.obs.pop("prior"), "no column 'prior' in obs"),
        (lambda a: a.obsm.update(spatial=np.zeros((20, 4))), "2 or 3 columns"),
    ],
)
def test_anndata_that_cannot_be_used(adata, tmp_path, spoil, sentence):
    spoil(adata)
    adata.write_zarr(tmp_path / "t.zarr")
    with pytest.raises(InputError, match=sentence):
        read(tmp_path / "t.zarr", ReadSettings(cell_column="prior"))


def test_a_folder_that_is_no_store(tmp_path):
    (tmp_path / "t.zarr").mkdir()
    (tmp_path / "t.zarr" / ".zgroup").write_text('{"zarr_format": 2}')
    with pytest.raises(InputError, match="SpatialData or AnnData"):
        read(tmp_path / "t.zarr", ReadSettings())


GEM = "geneID\tx\ty\t{count}{cell}\nA\t10\t20\t3{c1}\nB\t11\t20\t1{c0}\nA\t12\t21\t2{c2}\n"


@pytest.mark.parametrize("comments", ["", "#FileFormat=GEMv0.1\n#OffsetX=5\n"])
@pytest.mark.parametrize("count", ["MIDCount", "MIDCounts", "UMICount"])
@pytest.mark.parametrize("zipped", [False, True])
def test_gem(tmp_path, comments, count, zipped):
    text = comments + GEM.format(count=count, cell="\tCellID", c0="\t0", c1="\t7", c2="\t9")
    path = tmp_path / ("t.gem.gz" if zipped else "t.gem")
    path.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    table = read(path, ReadSettings())
    assert table.x.tolist() == [5, 5, 5, 5.5, 6, 6]
    assert table.y.tolist() == [10, 10, 10, 10, 10.5, 10.5]
    assert [table.genes[g] for g in table.gene] == ["A", "A", "A", "B", "A", "A"]
    assert [table.cell_names[c - 1] if c else None for c in table.cell] == ["7", "7", "7", None, "9", "9"]


@pytest.mark.parametrize("count", ["1.5", "-1", "x"])
def test_gem_with_a_faulty_count(tmp_path, count):
    (tmp_path / "t.gem").write_text(f"geneID\tx\ty\tMIDCount\nA\t1\t2\t1\nA\t1\t2\t{count}\n")
    with pytest.raises(InputError, match=r"MIDCount.*row 2"):
        read(tmp_path / "t.gem", ReadSettings())


def test_gem_of_a_real_chip(data_folder):
    path = data_folder / "stereoseq_small" / "SS200000135TL_D1_bin1_small.gem.gz"
    raw = pd.read_csv(path, sep="\t")
    table = read(path, ReadSettings())
    assert len(table) == raw.MIDCounts.sum()
    assert sorted(set(table.genes)) == sorted(set(raw.geneID.astype(str)))
