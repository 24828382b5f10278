"""Any csv, tsv or parquet table: columns by their usual names, or as the user names them."""

from dataclasses import replace
from pathlib import Path

from cellcarve.errors import InputError
from cellcarve.read.intake import Columns
from cellcarve.read.platform import Found, present
from cellcarve.read.stream import Stream, open_stream
from cellcarve.settings import ReadSettings

USUAL = {
    "x": ("x", "x_location", "global_x", "x_um", "x_micron", "x_global_px", "x_coord", "pxl_x"),
    "y": ("y", "y_location", "global_y", "y_um", "y_micron", "y_global_px", "y_coord", "pxl_y"),
    "z": ("z", "z_location", "global_z", "z_um", "z_micron"),
    "gene": ("gene", "feature_name", "target", "gene_name", "geneID", "genes", "feature"),
    "quality": ("qv", "quality"),
    "cell": ("cell", "cell_id", "cell_ID", "prior_cell"),
    "nucleus": ("overlaps_nucleus", "in_nucleus", "nucleus"),
    "fov": ("fov", "fov_name"),
    "id": ("transcript_id", "molecule_id", "id"),
    "category": ("is_gene", "codeword_category"),
}


def recognise(path: Path) -> Found:
    """A table by the usual names of columns; what is missing is found out when it is read."""
    if path.is_dir():
        raise InputError(
            f"{path} holds no transcripts: looked for transcripts.parquet or .csv(.gz) (Xenium), *_tx_file.csv (CosMx), "
            "detected_transcripts.csv or .parquet (MERSCOPE) and binned_outputs (Visium HD); name the folder that holds one "
            "of them, or the table itself"
        )
    return of_stream(open_stream(path), "table", f"{path.name} is a table")


def of_stream(stream: Stream, platform: str, why: str) -> Found:
    """Columns of any table by their usual names."""
    got = {what: present(stream.names, *choices) for what, choices in USUAL.items()}
    # A column that has to be there keeps its plain name, so that the message names it.
    x, y, gene = (got.pop(what) or what for what in ("x", "y", "gene"))
    return Found(platform, why, stream, Columns(x, y, gene, **got))


def renamed(columns: Columns, settings: ReadSettings) -> Columns:
    """Columns with those that the user named put in place."""
    named = {
        what: getattr(settings, f"{what}_column")
        for what in ("x", "y", "z", "gene", "cell", "nucleus", "id", "quality")
        if getattr(settings, f"{what}_column") is not None
    }
    return replace(columns, **named)
