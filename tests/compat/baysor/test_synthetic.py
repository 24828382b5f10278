"""Baysor's own test of a whole run: ten far cells, normal in shape, with few genes each, in scattered noise."""

import h5py
import numpy as np
import pandas as pd
import pytest

from cellcarve.compat.baysor.command import main

SIGMA = 0.2


def tissue(seed, deep):
    """Molecules with their true cell, 0 = noise."""
    rng = np.random.default_rng(seed)
    extent = np.array([100, 200, 100])[: 3 if deep else 2]
    truth = np.repeat(np.arange(11), [100, *rng.poisson(50, 10)])
    place = rng.uniform(0, extent, (11, len(extent)))[truth] + rng.normal(0, SIGMA, (len(truth), len(extent)))
    place[truth == 0] = rng.uniform(0, extent, (100, len(extent)))
    profile = rng.dirichlet(np.full(20, 0.1), 11)
    profile[0] = 1 / 20
    gene = [f"G{rng.choice(20, p=profile[cell]):02d}" for cell in truth]
    table = pd.DataFrame(place, columns=list("xyz")[: len(extent)]).assign(gene=gene, truth=truth)
    return table.sample(frac=1, random_state=seed)


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize(
    ("compat", "scale"),
    # Baysor's scale is a standard deviation, where it ought to be a radius; an even disc's is twice as large.
    [("0.7", SIGMA), ("", 2 * SIGMA)],
)
def test_far_cells_are_found_whole(tmp_path, deep, compat, scale):
    table = tissue(7, deep)
    table.to_csv(tmp_path / "in.csv", index=False)
    words = (
        f"run -m 10 --scale-std 5% --config.segmentation.n-cells-init={len(table) // 3} --skip-ncv -p".split()
    )
    main([*words, "-s", str(scale), "--compat", compat, "-o", f"{tmp_path}/", str(tmp_path / "in.csv")])
    found = pd.read_csv(tmp_path / "segmentation.csv", keep_default_na=False)
    inside = found[found.cell != ""]
    shared = pd.crosstab(inside.cell, inside.truth).reindex(columns=range(11), fill_value=0)
    source = shared.idxmax(axis=1)
    assert (shared.max(axis=1) / shared.sum(axis=1))[source > 0].min() > 0.9
    assert (shared.sum(axis=1)[source == 0] <= 3).all()
    held = shared.max() / found.truth.value_counts().reindex(range(11))
    assert (held[1:] > 0.9).mean() > 0.8
    cells = pd.read_csv(tmp_path / "segmentation_cell_stats.csv").cell
    with h5py.File(tmp_path / "segmentation_counts.loom") as file:
        assert set(file["col_attrs/Name"].asstr()[:]) == set(cells) == set(shared.index)
    assert {path.name for path in tmp_path.glob("*.html")} == {
        "segmentation_borders.html",
        "segmentation_diagnostics.html",
    }
