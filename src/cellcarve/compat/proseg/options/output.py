"""Which files are written, and how."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Format = Literal["infer", "csv", "csv-gz", "parquet"]


@dataclass(frozen=True)
class OutputOptions:
    """Output.

    Parameters
    ----------
    output_path
        Folder in front of every output; it must exist.
    output_spatialdata
        SpatialData zarr store; always written.
    exclude_spatialdata_transcripts
        Leave the transcripts out of the store.
    overwrite
        Replace an earlier store.
    output_counts
        Cells by genes, whole numbers (gzipped MatrixMarket).
    output_counts_fmt
        Format of --output-counts where it is to be a table.
    output_expected_counts
        Cells by genes, averaged over iterations (gzipped MatrixMarket).
    output_cell_metadata
        Table of cells.
    output_cell_metadata_fmt
        Its format, where its ending is not to tell.
    output_transcript_metadata
        Table of transcripts.
    output_transcript_metadata_fmt
        Its format.
    output_gene_metadata
        Table of genes.
    output_gene_metadata_fmt
        Its format.
    output_metagene_rates
        Cells by factors.
    output_metagene_rates_fmt
        Its format.
    output_metagene_loadings
        Genes by factors.
    output_metagene_loadings_fmt
        Its format.
    output_rates
        Cells by genes, Poisson rates.
    output_rates_fmt
        Its format.
    output_cell_polygons
        Consensus outlines (gzipped GeoJSON).
    output_union_cell_polygons
        Outlines of all layers united (gzipped GeoJSON).
    output_cell_polygon_layers
        Outlines per layer (gzipped GeoJSON).
    output_voxel_counts
        Transcripts by voxel (gzipped CSV).
    output_cell_masks
        Label image of the consensus cells, for Xenium Ranger and others (not in proseg).
    cells_per_chunk
        Cells whose counts are worked on at a time.
    monitor_cell_polygons
        Consensus outlines (gzipped GeoJSON), written again and again while the sampler runs.
    monitor_cell_polygons_freq
        Iterations between two such writings.
    """

    output_path: Path | None = None
    output_spatialdata: Path = Path("proseg-output.zarr")
    exclude_spatialdata_transcripts: bool = False
    overwrite: bool = False
    output_counts: Path | None = None
    output_counts_fmt: Format = "infer"
    output_expected_counts: Path | None = None
    output_cell_metadata: Path | None = None
    output_cell_metadata_fmt: Format = "infer"
    output_transcript_metadata: Path | None = None
    output_transcript_metadata_fmt: Format = "infer"
    output_gene_metadata: Path | None = None
    output_gene_metadata_fmt: Format = "infer"
    output_metagene_rates: Path | None = None
    output_metagene_rates_fmt: Format = "infer"
    output_metagene_loadings: Path | None = None
    output_metagene_loadings_fmt: Format = "infer"
    output_rates: Path | None = None
    output_rates_fmt: Format = "infer"
    output_cell_polygons: Path | None = None
    output_union_cell_polygons: Path | None = None
    output_cell_polygon_layers: Path | None = None
    output_voxel_counts: Path | None = None
    output_cell_masks: Path | None = None
    cells_per_chunk: int = 100
    monitor_cell_polygons: Path | None = None
    monitor_cell_polygons_freq: int = 10

    def path(self, file: Path) -> Path:
        """Where a file goes: behind ``output_path`` where that is given."""
        return file if self.output_path is None else self.output_path / file
