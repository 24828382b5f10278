"""Counts as 10x Genomics lays them out: one HDF5 file, or a folder of three."""

import gzip
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

# Readers of Xenium expect features of these kinds beside genes; one each, never counted.
CONTROLS = {
    "no control probe": "Negative Control Probe",
    "no control codeword": "Negative Control Codeword",
    "no unassigned codeword": "Unassigned Codeword",
}


def write_h5(
    path: Path,
    counts: csr_matrix,
    cells: list[str],
    genes: list[str],
    controls: Mapping[str, str] = CONTROLS,
) -> None:
    """Write one HDF5 file, as ``cell_feature_matrix.h5``.

    Parameters
    ----------
    path
        File to make.
    counts
        (C, G) transcripts.
    cells, genes
        Their names.
    controls
        Features that stand behind the genes and are never counted: their kinds by their names.

    Raises
    ------
    OSError
        It cannot be written.
    """
    import h5py

    names, kinds = _features(genes, controls)
    with h5py.File(path, "w") as file:
        matrix = file.create_group("matrix")
        matrix["barcodes"] = _bytes(cells)
        matrix["data"] = counts.data.astype(np.int32)
        matrix["indices"] = counts.indices.astype(np.int64)
        matrix["indptr"] = counts.indptr.astype(np.int64)
        matrix["shape"] = np.array([len(names), len(cells)], np.int32)
        features = matrix.create_group("features")
        features["id"], features["name"], features["feature_type"] = (
            _bytes(names),
            _bytes(names),
            _bytes(kinds),
        )
        features["genome"] = _bytes(["Unknown"] * len(names))
        features["_all_tag_keys"] = _bytes(["genome"])


def write_mex(
    path: Path,
    counts: csr_matrix,
    cells: list[str],
    genes: list[str],
    controls: Mapping[str, str] = CONTROLS,
) -> None:
    """Write a folder, as ``cell_feature_matrix/``: ``barcodes.tsv.gz``, ``features.tsv.gz`` and ``matrix.mtx.gz``.

    Parameters
    ----------
    path
        Folder to make.
    counts
        (C, G) transcripts.
    cells, genes
        Their names.
    controls
        Features that stand behind the genes and are never counted: their kinds by their names.

    Raises
    ------
    OSError
        It cannot be written.
    """
    names, kinds = _features(genes, controls)
    path.mkdir()
    _text(path / "barcodes.tsv.gz", "\n".join(cells) + "\n")
    lines = (f"{name}\t{name}\t{kind}\n" for name, kind in zip(names, kinds, strict=True))
    _text(path / "features.tsv.gz", "".join(lines))
    cell = np.repeat(np.arange(1, counts.shape[0] + 1), np.diff(counts.indptr))
    entries = np.column_stack([counts.indices + 1, cell, counts.data]).astype(np.int64)
    with _packed(path / "matrix.mtx.gz") as file:
        file.write(b"%%MatrixMarket matrix coordinate integer general\n")
        file.write(f"{len(names)} {len(cells)} {counts.nnz}\n".encode())
        np.savetxt(file, entries, "%d")


def _features(genes: list[str], controls: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Names and kinds of all features."""
    return genes + list(controls), ["Gene Expression"] * len(genes) + list(controls.values())


def _bytes(words: list[str]) -> np.ndarray:
    return np.array([word.encode() for word in words])


def _text(path: Path, text: str) -> None:
    with _packed(path) as file:
        file.write(text.encode())


def _packed(path: Path) -> gzip.GzipFile:
    """A gzip file whose bytes do not tell when it was made."""
    return gzip.GzipFile(path, "wb", 4, mtime=0)
