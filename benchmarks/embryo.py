"""Tissue with membrane truth: fields of a mouse embryo imaged by seqFISH (Lohoff et al. 2022), as a Xenium-like table.

Every tool gets the same prior: the transcripts of a cell within a disc count as nuclear. The disc covers a quarter of
the cell's area, times a random factor of 0.5 to 1.5, and lies off its centroid by up to 0.3 radii, so that neither
size nor centre of the truth can be read off it. Labels over 726 um2 are background of unknown kind and not scored.
"""

from pathlib import Path

import numpy as np
import pandas as pd

_CORE, _OFF, _LARGEST, _APART = 0.25, 0.3, 726, 300


def make_case(data: Path, fields: list[int], plane: int, seed: int, out: Path) -> None:
    """Write ``transcripts.parquet`` and ``truth.parquet`` for some fields of one plane, laid side by side."""
    rng = np.random.default_rng(seed)
    rows = pd.read_parquet(
        data / "transcripts.parquet", filters=[("plane", "==", plane), ("pos", "in", fields)]
    )
    cells = pd.read_parquet(data / "cells.parquet", filters=[("plane", "==", plane)])
    cells = cells[(cells.area_um2 > 0) & (cells.area_um2 < _LARGEST)]
    across = int(np.ceil(np.sqrt(len(fields))))
    parts, first = [], 1
    for i, field in enumerate(fields):
        known = cells[cells.pos == field].set_index("cell")
        radius = np.sqrt(known.area_um2.to_numpy() / np.pi)
        angle = rng.uniform(0, 2 * np.pi, len(known))
        off = _OFF * radius * np.sqrt(rng.uniform(0, 1, len(known)))
        known = known.assign(
            number=np.arange(first, first + len(known)),
            core_x=known.centroid_x_um + off * np.cos(angle),
            core_y=known.centroid_y_um + off * np.sin(angle),
            core_r=radius * np.sqrt(_CORE * rng.uniform(0.5, 1.5, len(known))),
        )
        first += len(known)
        joined = rows[rows.pos == field].join(known[["number", "core_x", "core_y", "core_r"]], on="cell")
        core = np.hypot(joined.x_um - joined.core_x, joined.y_um - joined.core_y) < joined.core_r
        parts.append(
            pd.DataFrame(
                {
                    "feature_name": joined.gene.astype(str),
                    "x_location": (joined.x_um + (i % across) * _APART).astype(np.float32),
                    "y_location": (joined.y_um + (i // across) * _APART).astype(np.float32),
                    "overlaps_nucleus": core.astype(np.uint8),
                    "true_cell": joined.number.fillna(-1).astype(np.int32),
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    table.insert(0, "transcript_id", np.arange(1, len(table) + 1, dtype=np.uint64))
    table["cell_id"] = np.where(
        table.overlaps_nucleus == 1, "cell-" + table.true_cell.astype(str), "UNASSIGNED"
    )
    table["z_location"], table["qv"], table["fov_name"] = np.float32(0), np.float32(40), "field"
    out.mkdir(parents=True, exist_ok=True)
    table[["transcript_id", "true_cell"]].assign(leaked=False).to_parquet(out / "truth.parquet", index=False)
    table.drop(columns="true_cell").to_parquet(out / "transcripts.parquet", index=False)
