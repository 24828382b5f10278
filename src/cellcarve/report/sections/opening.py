"""How to go on with the result."""

from cellcarve.data.result import Run
from cellcarve.report.numbers import Numbers
from cellcarve.report.pieces import Code, Columns, Section, Text

SCANPY = """\
import anndata, scanpy as sc

cells = anndata.read_h5ad("counts.h5ad")
sc.pp.filter_cells(cells, min_counts=10)
sc.pp.normalize_total(cells)
sc.pp.log1p(cells)
sc.pp.pca(cells)
sc.pp.neighbors(cells)
sc.tl.leiden(cells)  # pip install leidenalg
sc.pl.embedding(cells, "spatial", color="leiden")"""

SPATIALDATA = """\
import spatialdata

tissue = spatialdata.read_zarr("segmentation.zarr")
print(tissue)  # points, shapes, table

# look at it: pip install napari-spatialdata
from napari_spatialdata import Interactive
Interactive(tissue).run()"""

SEURAT = """\
library(zellkonverter)   # Bioconductor
library(Seurat)

cells <- readH5AD("counts.h5ad", X_name = "counts")
tissue <- as.Seurat(
  cells, counts = "counts", data = NULL
)"""

TABLES = """\
import geopandas, pandas

cells = pandas.read_parquet("cells.parquet")
outlines = geopandas.read_parquet(
    "boundaries.parquet"
)
sure = pandas.read_parquet(
    "transcripts.parquet",
    filters=[("probability", ">", 0.9)],
)"""


def opening(run: Run, numbers: Numbers) -> Section:
    """Lines to copy for the usual programs."""
    text = "Run these from the folder that holds this report."
    codes = [
        Code("Scanpy", SCANPY),
        Code("SpatialData and napari", SPATIALDATA),
        Code("Seurat (R)", SEURAT),
        Code("Tables and outlines", TABLES),
    ]
    return Section("next", "Open the result", [Text(text), Columns(codes)])
