"""What is read, and how its columns are called."""

from dataclasses import dataclass
from pathlib import Path

Row = tuple[float, float, float]


@dataclass(frozen=True)
class InputOptions:
    """Input and columns.

    Parameters
    ----------
    xenium
        Preset: columns of a Xenium transcripts table.
    cosmx
        Preset: columns of a CosMx ``*_tx_file``, positions in pixels.
    cosmx_micron
        Preset: columns of a table made by stitch-cosmx, positions in µm.
    merscope
        Preset: columns of MERSCOPE's detected_transcripts.
    merfish
        Preset: columns of older MERFISH tables; deprecated, use --merscope.
    visiumhd
        Preset: the input is a Visium HD binned_outputs folder.
    zarr
        The input is a SpatialData zarr store.
    anndata
        The input is an AnnData zarr store.
    spatialdata_table
        With --zarr: read counts from this table of the store instead of its points.
    anndata_coordinate_key
        Key of obsm that holds the positions of an AnnData table.
    zarr_shape
        Name of the shapes element of the store that serves as prior.
    zarr_shape_geometry_column
        Column of that element with the polygons.
    zarr_shape_cell_id_column
        Column of that element with the cell ids.
    excluded_genes
        Regular expression; transcripts whose gene name matches anywhere are left out.
    include_neg_ctrls
        Keep the control probes that the preset leaves out.
    use_cell_initialization
        Start from whole cells: every assigned transcript counts as nuclear.
    non_unique_cell_ids
        Cell ids are unique within a field of view only.
    gene_column
        Column with the gene.
    transcript_id_column
        Column with the transcript ids.
    x_column
        Column with the x position.
    y_column
        Column with the y position.
    z_column
        Column with the z position.
    compartment_column
        Column with the compartment of the cell.
    compartment_nuclear
        Value of that column that means nucleus.
    fov_column
        Column with the field of view.
    cell_assignment_column
        Column that says whether a transcript is assigned to a cell.
    cell_assignment_unassigned
        Value of that column that means unassigned.
    cell_id_column
        Column with the cell id.
    cell_id_unassigned
        Value of that column that means unassigned.
    qv_column
        Column with the quality of each transcript.
    ignore_z_coord
        Put every transcript at z = 0.
    min_qv
        Leave out transcripts of lower quality.
    coordinate_scale
        Multiply x and y by this.
    max_transcript_nucleus_distance
        Leave out transcripts farther than this (µm) from the centre of every prior cell; inf leaves out none.
    spaceranger_barcode_mappings
        Space Ranger's barcode_mappings.parquet, the prior of Visium HD.
    cellpose_masks
        Label image (npy, npy.gz or tif): the prior.
    cellpose_masks_fixed
        Label image of the same shape with cells that never change.
    unmodeled_fixed_cells
        Transcripts in fixed cells belong to them for sure.
    cellpose_cellprobs
        Cell probabilities (logits) of the same shape.
    cellpose_cellprob_discount
        How far the probabilities are trusted.
    cellpose_scale
        µm per pixel of the label image.
    cellpose_x_transform
        Three numbers a b c: x = a*column + b*row + c, in µm.
    cellpose_y_transform
        Three numbers a b c: y = a*column + b*row + c, in µm.
    expand_initialized_cells
        Grow the prior cells by so many voxels before the start.
    """

    xenium: bool = False
    cosmx: bool = False
    cosmx_micron: bool = False
    merscope: bool = False
    merfish: bool = False
    visiumhd: bool = False
    zarr: bool = False
    anndata: bool = False
    spatialdata_table: str | None = None
    anndata_coordinate_key: str = "spatial"
    zarr_shape: str | None = None
    zarr_shape_geometry_column: str | None = None
    zarr_shape_cell_id_column: str | None = None
    excluded_genes: str | None = None
    include_neg_ctrls: bool = False
    use_cell_initialization: bool = False
    non_unique_cell_ids: bool = False
    gene_column: str | None = None
    transcript_id_column: str | None = None
    x_column: str | None = None
    y_column: str | None = None
    z_column: str | None = None
    compartment_column: str | None = None
    compartment_nuclear: str | None = None
    fov_column: str | None = None
    cell_assignment_column: str | None = None
    cell_assignment_unassigned: str | None = None
    cell_id_column: str | None = None
    cell_id_unassigned: str | None = None
    qv_column: str | None = None
    ignore_z_coord: bool = False
    min_qv: float | None = None
    coordinate_scale: float | None = None
    max_transcript_nucleus_distance: float = 60.0
    spaceranger_barcode_mappings: Path | None = None
    cellpose_masks: Path | None = None
    cellpose_masks_fixed: Path | None = None
    unmodeled_fixed_cells: bool = False
    cellpose_cellprobs: Path | None = None
    cellpose_cellprob_discount: float = 0.85
    cellpose_scale: float | None = None
    cellpose_x_transform: Row | None = None
    cellpose_y_transform: Row | None = None
    expand_initialized_cells: int = 0
