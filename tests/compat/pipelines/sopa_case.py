"""Runs sopa's own segmentation by proseg, as its users do; prints what came of it as JSON.

Usage: sopa_case.py toy|bins|TRANSCRIPTS.parquet [SUFFIX ...]
"""

import json
import sys
import warnings

warnings.simplefilter("ignore")


def toy():
    import sopa

    data = sopa.io.toy_dataset(length=500, cell_density=4e-4, include_image=False, include_he_image=False)
    sopa.make_transcript_patches(data, patch_width=None, prior_shapes_key="cells", min_points_per_patch=0)
    return data


def xenium(path):
    """A crop of a Xenium run: all columns of its table, the instrument's cells as prior."""
    import pandas as pd
    import sopa
    from spatialdata import SpatialData
    from spatialdata.models import PointsModel
    from spatialdata.transformations import Identity

    rows = pd.read_parquet(path)
    axes = {axis: f"{axis}_location" for axis in "xyz"}
    rows["feature_name"] = rows["feature_name"].astype(str)
    points = PointsModel.parse(
        rows,
        coordinates=axes,
        feature_key="feature_name",
        transformations={"global": Identity(), "microns": Identity()},
    )
    data = SpatialData(points={"transcripts": points})
    options = {"prior_shapes_key": "cell_id", "unassigned_value": -1, "min_points_per_patch": 0}
    sopa.make_transcript_patches(data, patch_width=None, **options)
    return data


def bins(side=48):
    """Square bins of 2 µm, as of Visium HD, over twelve round cells of two kinds."""
    import anndata
    import geopandas
    import numpy as np
    import pandas as pd
    import shapely
    from scipy.sparse import csr_matrix
    from spatialdata import SpatialData
    from spatialdata.models import ShapesModel, TableModel
    from spatialdata.transformations import Identity, Scale

    rng = np.random.default_rng(0)
    row, column = (part.ravel() for part in np.mgrid[:side, :side])
    middle = np.array([(x, y) for x in (8, 20, 32, 44) for y in (10, 24, 38)])
    gap = np.hypot(column[:, None] + 0.5 - middle[:, 0], row[:, None] + 0.5 - middle[:, 1])
    rate = np.full((side * side, 12), 0.02)
    for cell in range(len(middle)):
        own = np.arange(12) % 2 == cell % 2
        rate[np.ix_(gap[:, cell] < 5, own)] = 1.5
    counts = csr_matrix(rng.poisson(rate).astype(np.float32))
    world = {"global": Identity(), "microns": Scale([2.0, 2.0], axes=("x", "y"))}
    squares = geopandas.GeoDataFrame(geometry=shapely.box(column, row, column + 1, row + 1))
    nuclei = geopandas.GeoDataFrame(geometry=shapely.buffer(shapely.points(middle), 3))
    table = anndata.AnnData(counts, var=pd.DataFrame(index=[f"gene{g}" for g in range(12)]))
    table.obs["region"] = pd.Categorical(["bins"] * table.n_obs)
    table.obs["bin"] = np.arange(table.n_obs)
    keys = {"region": "bins", "region_key": "region", "instance_key": "bin"}
    shapes = {"bins": ShapesModel.parse(squares, transformations=world)}
    shapes["nuclei"] = ShapesModel.parse(nuclei, transformations=world)
    return SpatialData(shapes=shapes, tables={"counts": TableModel.parse(table, **keys)})


def main(what, suffix):
    import sopa

    options = {"command_line_suffix": suffix}
    if what == "bins":
        data = bins()
        options |= {"prior_shapes_key": "nuclei", "bins_key": "counts"}
        transcripts = int(data.tables["counts"].X.sum())
    else:
        data = toy() if what == "toy" else xenium(what)
        transcripts = len(data.points["transcripts"])
    sopa.segmentation.proseg(data, **options)
    table, shapes = data.tables["table"], data.shapes["proseg_boundaries"]
    told = {
        "cells": table.n_obs,
        "genes": table.n_vars,
        "counts": int(table.X.sum()),
        "valid": bool(shapes.is_valid.all()),
        "same": list(shapes.index) == list(table.obs["cell_id"]),
        "areas": [float(area) for area in table.obs["area"]],
        "transcripts": transcripts,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], " ".join(sys.argv[2:]))
