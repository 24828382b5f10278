"""Every platform's real files are read whole, and every row is accounted for."""

import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cellcarve.data.table import Status
from cellcarve.errors import InputError, SettingsError
from cellcarve.read import read
from cellcarve.settings import ReadSettings

CROPS = {
    "xenium_breast": ("xenium", 186_146),
    "xenium_breast/transcripts_head40k.csv.gz": ("xenium", 40_000),
    "xenium_lung/10x_preview_non-diseased_human_lung_10k_transcripts": ("xenium", 10_000),
    "xenium_prime_tiny_bundle": ("xenium", 1_985),
    "cosmx_lung12": ("cosmx", 25_825),
    "merscope_brain/small_with_images": ("merscope", 80_343),
    "merscope_brain/large_no_images": ("merscope", 154_159),
}


@pytest.mark.parametrize("crop", CROPS)
def test_real_crops(data_folder, crop):
    platform, rows = CROPS[crop]
    table = read(data_folder / crop, ReadSettings())
    assert table.platform == platform
    assert len(table) == rows
    assert sum(table.losses().values()) == rows
    assert table.genes == sorted(table.genes)
    assert table.gene.min() == 0
    assert table.gene.max() == len(table.genes) - 1
    assert np.isfinite(table.x).all()
    assert table.cell.max(initial=0) == len(table.cell_names)


def test_csv_and_parquet_agree(data_folder):
    csv = read(data_folder / "xenium_breast" / "transcripts_head40k.csv.gz", ReadSettings())
    parquet = read(data_folder / "xenium_breast" / "transcripts.parquet", ReadSettings())
    assert csv.ids.equals(parquet.ids[:40_000])
    np.testing.assert_allclose(csv.x, parquet.x[:40_000], atol=1e-3)
    names = [["", *t.cell_names] for t in (csv, parquet)]
    first = [names[0][c] for c in csv.cell[:2000].tolist()]
    assert first == [names[1][c] for c in parquet.cell[:2000].tolist()]
    assert (csv.nucleus == parquet.nucleus[:40_000]).all()


def test_cosmx_cells_are_unique_across_fields(data_folder):
    table = read(data_folder / "cosmx_lung12", ReadSettings())
    raw = pd.read_csv(data_folder / "cosmx_lung12" / "Lung12_tx_file.csv")
    known = raw[raw.cell_ID > 0]
    assert len(table.cell_names) == len(known.groupby(["fov", "cell_ID"]))
    np.testing.assert_allclose(table.x, raw.x_global_px * 0.12028, rtol=1e-5)
    assert (table.nucleus == (raw.CellComp == "Nuclear")).all()


def test_bins_by_named_columns(data_folder):
    path = data_folder / "stereoseq_small" / "SS200000135TL_D1_bin1_small.gem.gz"
    table = read(path, ReadSettings(platform="table", gene_column="geneID", scale=0.5))
    assert len(table) == 77_634
    assert len(table.genes) == 10_631
    assert table.x.max() < 0.5 * 20_000


def test_status_counts_the_first_reason(spots, tmp_path):
    spots.to_parquet(tmp_path / "spots.parquet")
    table = read(tmp_path / "spots.parquet", ReadSettings(genes_exclude=("B",), roi="0,0,15,30"))
    control, excluded = spots.gene.str.startswith("Neg"), spots.gene == "B"
    low = spots.qv < 20
    expected = np.select(
        [control, excluded, low, spots.x >= 15],
        [Status.CONTROL, Status.EXCLUDED_GENE, Status.LOW_QUALITY, Status.OUTSIDE],
        Status.KEPT,
    )
    assert (table.status == expected).all()


def test_same_from_memory_and_from_any_file(spots, tmp_path):
    spots.to_csv(tmp_path / "a.csv", index=False)
    spots.to_csv(tmp_path / "a.tsv", index=False, sep="\t")
    spots.to_parquet(tmp_path / "a.parquet")
    pq.write_table(pa.Table.from_pandas(spots), tmp_path / "b.parquet", use_dictionary=False)
    sources = [
        spots,
        pa.Table.from_pandas(spots),
        *(tmp_path / n for n in ("a.csv", "a.tsv", "a.parquet", "b.parquet")),
    ]
    tables = [read(source, ReadSettings()) for source in sources]
    for table in tables[1:]:
        np.testing.assert_allclose(table.x, tables[0].x, atol=1e-5)
        assert (table.gene == tables[0].gene).all()
        assert (table.cell == tables[0].cell).all()
        assert table.cell_names == tables[0].cell_names
        assert table.ids.to_pylist() == spots.transcript_id.tolist()


def test_large_cell_ids_and_none(spots):
    table = read(spots, ReadSettings())
    assert (table.cell == 0).sum() == (spots.cell < 0).sum()
    assert str(2**40) in table.cell_names
    assert "0" in table.cell_names


def test_zero_means_none_where_nothing_else_does(spots):
    table = read(spots.assign(cell=spots.cell.clip(lower=0)), ReadSettings())
    assert "0" not in table.cell_names


def test_bytes_as_gene_names(spots, tmp_path):
    table = pa.Table.from_pandas(spots)
    column = pa.array([g.encode() for g in spots.gene], pa.binary())
    pq.write_table(table.set_column(table.column_names.index("gene"), "gene", column), tmp_path / "b.parquet")
    assert read(tmp_path / "b.parquet", ReadSettings()).genes == ["A", "B", "NegControlProbe_1"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x": ["far"] + ["1"] * 499}, ["column 'x'", "row 1", "far"]),
        ({"x": [1.0] * 9 + [np.inf] + [1.0] * 490}, ["column 'x'", "row 10"]),
        ({"transcript_id": [7] * 500}, ["id 7", "rows 1 and 2"]),
        ({"gene": ["A"] * 3 + [None] + ["A"] * 496}, ["column 'gene'", "row 4"]),
    ],
)
def test_faulty_rows_are_named(spots, tmp_path, change, words):
    path = tmp_path / "spots.csv"
    spots.assign(**change).to_csv(path, index=False)
    with pytest.raises(InputError) as error:
        read(path, ReadSettings())
    for word in [*words, "spots.csv"]:
        assert word in str(error.value)


def test_column_that_is_not_there(spots):
    with pytest.raises(InputError, match=r"genes.*did you mean 'gene'.*--gene-column"):
        read(spots, ReadSettings(gene_column="genes"))


def test_broken_gzip(tmp_path):
    path = tmp_path / "spots.csv.gz"
    path.write_bytes(gzip.compress(b"x,y,gene\n" + b"1,2,A\n" * 100_000)[:-500])
    with pytest.raises(InputError, match=r"spots\.csv\.gz"):
        read(path, ReadSettings())


def test_pixels_for_microns(spots):
    wide = pd.concat([spots] * 4, ignore_index=True).assign(transcript_id=range(2000), gene="A", qv=40)
    rng = np.random.default_rng(1)
    wide["x"], wide["y"] = rng.uniform(0, 90_000, 2000), rng.uniform(0, 90_000, 2000)
    with pytest.raises(InputError, match="--scale"):
        read(wide, ReadSettings())


@pytest.mark.parametrize("roi", ["1,2,3", "5,5,1,9", "a,b,c,d"])
def test_roi_that_is_none(spots, roi):
    with pytest.raises(SettingsError, match="roi"):
        read(spots, ReadSettings(roi=roi))
