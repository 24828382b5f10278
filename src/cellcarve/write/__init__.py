"""Finished runs to files and to the objects that other tools use, and back."""

from cellcarve.write.anndata import anndata_of
from cellcarve.write.boundaries import boundaries_of
from cellcarve.write.folder import check_output, write_run
from cellcarve.write.load import load_run
from cellcarve.write.transcripts import transcripts_of

__all__ = ["anndata_of", "boundaries_of", "check_output", "load_run", "transcripts_of", "write_run"]
