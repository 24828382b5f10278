"""A tissue as Space Ranger's output of a Visium HD slide."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy.sparse import csr_matrix

from cellcarve.data.tenx import write_h5, write_mex
from cellcarve.simulate.block import Molecules
from cellcarve.simulate.picture import PIXEL, Picture
from cellcarve.simulate.plan import Plan
from cellcarve.simulate.platforms.files import Files
from cellcarve.simulate.prior import nearest_outline
from cellcarve.simulate.programmes import Panel
from cellcarve.simulate.rows import CONTROLS, transcript_rows
from cellcarve.simulate.window import Window

# Side of a bin in µm, and how many of them lie along the sides of the larger ones.
BIN = 2.0
LARGER = {8: 4, 16: 8}
SQUARE = Path("binned_outputs") / "square_002um"
IMAGE = Path("microscope_image") / "tissue_image.ome.tif"


class VisiumFiles(Files):
    """The 2 µm bins, the cells that Space Ranger would find, and the stain; the tissue fills the slide.

    Bins and molecules wait in memory until all are there, since a matrix goes bin by bin.
    """

    def __enter__(self) -> "VisiumFiles":
        super().__enter__()
        self._bin: list[np.ndarray] = []
        self._gene: list[np.ndarray] = []
        self._truth: list[pa.Table] = []
        self._cell = self._nucleus = np.zeros((0, 0), np.int64)
        return self

    def add_cells(self, plan: Plan, window: Window, mixture: np.ndarray) -> None:
        """Take in the window's own cells, and which drawn cell each of its bins belongs to."""
        super().add_cells(plan, window, mixture)
        if not self._cell.size:
            self._cell = np.zeros((_side(plan), _side(plan)), np.int64)
            self._nucleus = np.zeros(self._cell.shape, bool)
        column, row = (_bins_between(plan, *window.box[axis::2]) for axis in (0, 1))
        here = np.ix_(row, column)
        x, y = (part.ravel() for part in np.meshgrid(_middle(column), _middle(row)))
        outline, gap = nearest_outline(window.drawn, x, y)
        code = np.append(_codes(window), 0)[outline]
        self._cell[here] = code.reshape(len(row), len(column))
        self._nucleus[here] = (gap < 0).reshape(len(row), len(column))

    def add_transcripts(
        self, plan: Plan, panel: Panel, window: Window, molecules: Molecules, rng: np.random.Generator
    ) -> None:
        """Take in molecules that were made in the window; each is found in the middle of its bin."""
        last = _side(plan) - 1
        column, row = (np.minimum((v / BIN).astype(np.int64), last) for v in (molecules.x, molecules.y))
        caught = replace(molecules, x=_middle(column), y=_middle(row))
        transcripts, truth = transcript_rows(plan, panel, window, caught, rng)
        names = pa.array([*panel.genes, *CONTROLS])
        self._gene.append(pc.index_in(transcripts["feature_name"], names).to_numpy())
        self._bin.append(row * (last + 1) + column)
        self._truth.append(truth)
        self.rows += len(truth)

    def finish(self, plan: Plan, panel: Panel, picture: Picture | None) -> None:
        """Write the matrices, the bins' places and cells, the truth and the stain."""
        features = [*panel.genes, *(CONTROLS if plan.settings.blank else ())]
        key = np.concatenate(self._bin) * len(features) + np.concatenate(self._gene)
        truth = pa.concat_tables(self._truth).combine_chunks()
        order = np.lexsort((truth["true_cell"].to_numpy(), key))
        key, bins = key[order], _bin_table(len(self._cell))
        folder = self.out / SQUARE
        (folder / "spatial").mkdir(parents=True)
        self._write_counts(folder, key, bins["barcode"].to_pylist(), features)
        _write_places(folder / "spatial", bins)
        self._write_mappings(bins)
        where, gene = np.divmod(key, len(features))
        columns = {
            "transcript_id": np.arange(len(key), dtype=np.uint64),
            "barcode": bins["barcode"].take(pa.array(where)),
            "gene": pa.array(features).take(pa.array(gene)),
        }
        truth = truth.take(pa.array(order))
        columns |= {name: truth[name] for name in truth.column_names}
        pq.write_table(pa.table(columns), self.out / "truth.parquet", compression="zstd")
        _write_slice(self.out / "feature_slice.h5", len(self._cell))
        if picture is not None:
            (self.out / IMAGE).parent.mkdir()
            picture.write(self.out / IMAGE)

    def _write_counts(self, folder: Path, key: np.ndarray, barcodes: list[str], features: list[str]) -> None:
        """The matrix as HDF5 and as text; all bins lie under the tissue, so that raw and filtered are the same."""
        entry, number = np.unique(key, return_counts=True)
        where, gene = np.divmod(entry, len(features))
        counts = csr_matrix((number, (where, gene)), shape=(len(barcodes), len(features)))
        write_h5(folder / "filtered_feature_bc_matrix.h5", counts, barcodes, features, controls={})
        write_mex(folder / "raw_feature_bc_matrix", counts, barcodes, features, controls={})

    def _write_mappings(self, bins: pa.Table) -> None:
        code = self._cell.ravel()
        number, half = (pa.array(part).cast(pa.string()) for part in (code // 2, code % 2 + 1))
        name = _join("cellid_", pc.utf8_lpad(number, 9, "0"), "-", half)
        names = {"square_002um": bins["barcode"]}
        for size, along in LARGER.items():
            names[f"square_{size:03d}um"] = _barcodes(size, *(_line(bins, axis) // along for axis in _AXES))
        cell = {
            "cell_id": pc.if_else(pa.array(code > 0), name, None),
            "in_nucleus": self._nucleus.ravel(),
            "in_cell": code > 0,
        }
        pq.write_table(pa.table(names | cell), self.out / "barcode_mappings.parquet", compression="zstd")


_AXES = ("array_row", "array_col")


def _side(plan: Plan) -> int:
    """Bins along each side of the tissue; what lies beyond the last middle belongs to the last one."""
    return int((plan.side + BIN / 2) / BIN)


def _middle(place: np.ndarray) -> np.ndarray:
    """Middle of bins in µm."""
    return (place + 0.5) * BIN


def _bins_between(plan: Plan, low: float, high: float) -> np.ndarray:
    """Bins along one axis whose middle lies between two places (µm)."""
    every = np.arange(_side(plan))
    return every[(_middle(every) >= low) & (_middle(every) <= high)]


def _codes(window: Window) -> np.ndarray:
    """(m,) int64, a number from 2 up for each outline: twice the cell's, and one more for a second half."""
    return 2 * window.cells.number[window.drawn.cell] + window.drawn.half


def _line(bins: pa.Table, axis: str) -> np.ndarray:
    return bins[axis].to_numpy()


def _join(*parts: str | pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def _barcodes(size: int, row: np.ndarray, column: np.ndarray) -> pa.Array:
    """Space Ranger's names of bins, as ``s_002um_00012_00345-1``."""
    place = [pc.utf8_lpad(pa.array(part).cast(pa.string()), 5, "0") for part in (row, column)]
    return _join(f"s_{size:03d}um_", place[0], "_", place[1], "-1")


def _bin_table(side: int) -> pa.Table:
    """Rows of ``tissue_positions.parquet``, line by line."""
    row, column = (part.astype(np.int32) for part in np.divmod(np.arange(side * side), side))
    return pa.table(
        {
            "barcode": _barcodes(2, row, column),
            "in_tissue": np.ones(len(row), np.int32),
            "array_row": row,
            "array_col": column,
            "pxl_row_in_fullres": _middle(row) / PIXEL,
            "pxl_col_in_fullres": _middle(column) / PIXEL,
        }
    )


def _write_places(spatial: Path, bins: pa.Table) -> None:
    pq.write_table(bins, spatial / "tissue_positions.parquet", compression="zstd")
    scales = {
        "spot_diameter_fullres": BIN / PIXEL,
        "bin_size_um": BIN,
        "microns_per_pixel": PIXEL,
        "tissue_lowres_scalef": 0.05,
        "tissue_hires_scalef": 0.5,
    }
    (spatial / "scalefactors_json.json").write_text(json.dumps(scales, indent=2) + "\n")


def _write_slice(path: Path, side: int) -> None:
    """The file that tells how the array lies on the image; its matrices turn (column, row, 1)."""
    import h5py

    pixels = BIN / PIXEL
    onto = [pixels, 0.0, pixels / 2, 0.0, pixels, pixels / 2, 0.0, 0.0, 1.0]
    back = [1 / pixels, 0.0, -0.5, 0.0, 1 / pixels, -0.5, 0.0, 0.0, 1.0]
    layout = {"file_format": "1.0", "transform": [BIN, 0, 0, 0, BIN, 0, 0, 0, 1]}
    metadata = {
        "nrows": side,
        "ncols": side,
        "spot_pitch": BIN,
        "hd_layout_json": json.dumps(layout),
        "transform_matrices": {
            "spot_colrow_to_microscope_colrow": onto,
            "microscope_colrow_to_spot_colrow": back,
        },
    }
    with h5py.File(path, "w") as file:
        file.attrs["metadata_json"] = json.dumps(metadata)
