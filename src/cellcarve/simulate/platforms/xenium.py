"""A tissue as a Xenium output folder."""

import json

import numpy as np
import pyarrow as pa

from cellcarve.simulate.block import Molecules
from cellcarve.simulate.picture import PIXEL, Picture
from cellcarve.simulate.plan import Plan
from cellcarve.simulate.platforms.files import Files
from cellcarve.simulate.programmes import Panel
from cellcarve.simulate.rows import outline_rows, transcript_rows
from cellcarve.simulate.window import Window

IMAGE = "morphology.ome.tif"


class XeniumFiles(Files):
    """``transcripts.parquet``, ``nucleus_boundaries.parquet``, ``experiment.xenium`` and the stain."""

    def __enter__(self) -> "XeniumFiles":
        super().__enter__()
        self._transcripts, self._truth = self._sink("transcripts"), self._sink("truth")
        self._outlines = self._sink("nucleus_boundaries")
        return self

    def add_cells(self, plan: Plan, window: Window, mixture: np.ndarray) -> None:
        """Take in the window's own cells and their outlines; nuclei above each other have none."""
        super().add_cells(plan, window, mixture)
        if window.drawn.height is None:
            self._outlines.add(outline_rows(plan, window))

    def add_transcripts(
        self, plan: Plan, panel: Panel, window: Window, molecules: Molecules, rng: np.random.Generator
    ) -> None:
        """Take in molecules that were made in the window; they are numbered from 1."""
        parts = transcript_rows(plan, panel, window, molecules, rng)
        after = self.rows + len(parts[0])
        ids = pa.array(np.arange(self.rows + 1, after + 1, dtype=np.uint64))
        for sink, part in zip((self._transcripts, self._truth), parts, strict=True):
            sink.add(part.add_column(0, "transcript_id", ids))
        self.rows = after

    def finish(self, plan: Plan, panel: Panel, picture: Picture | None) -> None:
        """Write the file by which a Xenium output folder is known, and the stain."""
        experiment = {"run_name": "simulated tissue", "pixel_size": PIXEL}
        images = {}
        if picture is not None:
            picture.write(self.out / IMAGE)
            images = {"images": {"morphology_filepath": IMAGE}}
        (self.out / "experiment.xenium").write_text(json.dumps(experiment | images, indent=2) + "\n")
