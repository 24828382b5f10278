"""Sopa's own path through Baysor's command line; run by an interpreter that has sopa, with `baysor` on the path."""

import sys

import sopa
from sopa.io import toy_dataset

if __name__ == "__main__":
    data = toy_dataset(
        length=500, cell_density=2e-4, n_points_per_cell=100, include_image=False, include_he_image=False
    )
    sopa.make_transcript_patches(
        data, patch_width=32, patch_overlap=8, min_points_per_patch=200, prior_shapes_key="cells"
    )
    sopa.segmentation.baysor(data, min_area=1)
    table, shapes = data["table"], data["baysor_boundaries"]
    truth = len(data["cells"])
    sys.stdout.write(
        f"cells {len(shapes)} true {truth} counted {int(table.X.sum())} of {len(data['transcripts'])}\n"
    )
    sys.stdout.write(
        f"valid {bool(shapes.is_valid.all())} same {set(table.obs_names) == set(shapes.index)}\n"
    )
