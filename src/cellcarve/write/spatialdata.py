"""``segmentation.zarr``: a SpatialData store with points, shapes, labels and a table."""

import os
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cellcarve.data.result import Run
from cellcarve.write.boundaries import boundaries_of
from cellcarve.write.raster import label_image
from cellcarve.write.transcripts import transcripts_of

if TYPE_CHECKING:
    from anndata import AnnData


def write_store(run: Run, counts: "AnnData", transcripts: Path, path: Path) -> None:
    """Write the store.

    The library writes it with the first transcript alone, so that all metadata are its own; the file of
    points is then replaced by that of all transcripts, which takes neither its time nor its memory.

    Parameters
    ----------
    run
        A finished run.
    counts
        What `anndata_of` made of it.
    transcripts
        What `write_transcripts` made of it.
    path
        The store to make.

    Raises
    ------
    OSError
        It cannot be written.
    """
    from spatialdata import SpatialData

    elements = {"points": {"transcripts": _points(run)}}
    if len(run.summary.outlines.cell):
        elements |= {
            "shapes": {"cell_boundaries": _shapes(run)},
            "labels": {"cell_labels": _labels(run)},
            "tables": {"table": _table(run, counts)},
        }
    with warnings.catch_warnings():
        # What the libraries have to say to each other, users can do nothing about.
        warnings.simplefilter("ignore")
        SpatialData(**elements).write(path)
    _replace(path / "points" / "transcripts" / "points.parquet", transcripts)


def _replace(folder: Path, transcripts: Path) -> None:
    """Put the file of all transcripts where the library put the few it was given."""
    for part in folder.glob("*"):
        part.unlink()
    part = folder / "part.0.parquet"
    try:
        # One file under two names: neither is ever changed in place.
        os.link(transcripts, part)
    except OSError:
        shutil.copyfile(transcripts, part)


def _points(run: Run) -> Any:
    from spatialdata.models import PointsModel
    from spatialdata.transformations import Identity

    few = transcripts_of(run, slice(0, 1)).to_pandas()
    axes = {axis: axis for axis in "xyz" if axis in few.columns}
    options = {"feature_key": "gene", "transformations": {"global": Identity()}}
    return PointsModel.parse(few, coordinates=axes, **options)


def _shapes(run: Run) -> Any:
    from spatialdata.models import ShapesModel
    from spatialdata.transformations import Identity

    return ShapesModel.parse(boundaries_of(run).set_index("cell_id"), transformations={"global": Identity()})


def _labels(run: Run) -> Any:
    """Cell numbers, as in the table's column ``label``."""
    from spatialdata.models import Labels2DModel
    from spatialdata.transformations import Scale, Sequence, Translation

    image, side, corner = label_image(run.summary.outlines)
    place = Sequence([Scale([side, side], axes=("x", "y")), Translation(list(corner), axes=("x", "y"))])
    return Labels2DModel.parse(image, dims=("y", "x"), transformations={"global": place})


def _table(run: Run, counts: "AnnData") -> "AnnData":
    """Counts of the cells that have a polygon."""
    import pandas as pd
    from spatialdata.models import TableModel

    drawn = run.summary.outlines.cell
    table = counts[drawn - 1].copy()
    # As plain objects: newer string types would be written in a form that older readers lack.
    table.obs["cell_id"] = pd.Series(table.obs_names.to_numpy(object), table.obs_names, dtype=object)
    table.obs["label"] = drawn
    table.obs["region"] = pd.Categorical(np.full(len(drawn), "cell_boundaries", object))
    return TableModel.parse(table, region="cell_boundaries", region_key="region", instance_key="cell_id")
