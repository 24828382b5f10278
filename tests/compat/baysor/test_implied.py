"""Columns that Baysor 0.7 takes for granted: used by its rules, and by no others."""

import numpy as np
import pandas as pd
import pytest

from cellcarve.compat.baysor.command import main
from cellcarve.compat.baysor.loading import load
from cellcarve.compat.baysor.prior import lay_prior
from cellcarve.errors import InputError

OLD = ["--compat", "0.7"]


@pytest.fixture
def go(tmp_path):
    """Run on a table; the table of molecules and that of cells."""

    def run(table, *words, prior=()):
        table.to_csv(tmp_path / "in.csv", index=False)
        few = ["--config.segmentation.iters=20", "--skip-ncv", "--threads=1", "--polygon-format=none"]
        main(
            [
                "run",
                "-m",
                "8",
                "-s",
                "4",
                *few,
                *words,
                "-o",
                f"{tmp_path}/out.csv",
                str(tmp_path / "in.csv"),
                *prior,
            ]
        )
        found = [pd.read_csv(tmp_path / f"out{end}.csv") for end in ("", "_cell_stats")]
        return found[0].assign(cell=found[0].cell.str.split("-").str[1]), found[1]

    return run


@pytest.mark.parametrize("compat", ["", "0.7"])
def test_a_prior_that_nobody_named_is_one_by_the_old_rules(tmp_path, ask, log, molecules, compat):
    """As it is: no label is taken for none but 0, and small segments stay."""
    sparse = np.where(molecules.index < 3, 1000, 3 * molecules.nucleus)
    molecules.assign(prior_segmentation=sparse).to_csv(tmp_path / "m.csv", index=False)
    options = ask(tmp_path / "m.csv", compat=compat, segmentation__scale="4")
    found = lay_prior(load(options, log), options, log)
    if not compat:
        assert found.segment is None
        assert not found.prior.cell.any()
        return
    assert np.array_equal(found.segment, sparse)
    assert len(found.prior.names) == len(np.unique(sparse[sparse > 0]))
    assert any("prior_segmentation" in text for text in log.warnings)


def test_it_acts_as_if_it_had_been_named(go, molecules):
    sure = ["--prior-segmentation-confidence=1", "--config.data.min-molecules-per-segment=1"]
    table = molecules.assign(prior_segmentation=molecules.nucleus)
    implied, _ = go(table, *OLD, *sure)
    assert implied.prior_segmentation.equals(molecules.nucleus)
    named, _ = go(table, *OLD, *sure, prior=[":nucleus"])
    assert implied.cell.equals(named.cell)
    assert implied.confidence.equals(named.confidence)
    without, _ = go(molecules, *OLD, *sure)
    assert not implied.confidence.equals(without.confidence)
    ignored, _ = go(table, *sure)
    assert ignored.confidence.equals(go(molecules, *sure)[0].confidence)


@pytest.mark.parametrize("clusters", ["1", "3"])
def test_clusters_count_where_none_are_made(go, molecules, clusters):
    """By the numbers that they have in the table, 0 and gaps included."""
    kind = np.where(molecules.truth % 2, 7, 0)
    first, stats = go(molecules.assign(cluster=kind), *OLD, f"--n-clusters={clusters}", "-p")
    other, _ = go(molecules, *OLD, f"--n-clusters={clusters}")
    assert first.cell.equals(other.cell) == (clusters == "3")
    if clusters == "1":
        assert first.cluster.tolist() == kind.tolist()
        assert set(stats.cluster) == {0, 7}
        assert "cluster" not in other
        assert go(molecules.assign(cluster=kind), "--n-clusters=1")[1].get("cluster") is None


def test_chances_to_lie_in_a_nucleus_move_the_middle_of_cells(go, molecules):
    """Those of the first compartment weigh; genes of compartments take their place."""
    table = molecules.assign(nuclei_probs=np.where(molecules.x % 12 > 10, 1.0, 0.05))
    genes = ["--config.segmentation.nuclei-genes=G00,G04", "--config.segmentation.cyto-genes=G01,G05"]
    for words, equal in ((OLD, False), ([], True), ([*OLD, *genes, "--n-clusters=1"], True)):
        found, plain = go(table, *words)[0], go(molecules, *words)[0]
        assert found.cell.equals(plain.cell) == equal
    assert go(table, *OLD)[0].nuclei_probs.equals(table.nuclei_probs)


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("prior_segmentation", "a", "'a' beside whole numbers"),
        ("cluster", -1, "'-1' beside whole numbers"),
        ("cluster", np.nan, "rows without a value"),
        ("nuclei_probs", np.nan, "row 5: no number"),
    ],
)
def test_what_such_a_column_cannot_hold_is_refused(go, molecules, column, value, what):
    table = molecules.assign(**{column: pd.Series(1, molecules.index, object)})
    table.loc[4, column] = value
    with pytest.raises(InputError, match=f"{column}.*{what}.*rename it or leave it out"):
        go(table, *OLD, "--n-clusters=1")


def test_too_many_clusters_are_refused(go, molecules):
    with pytest.raises(InputError, match="holds 1200 values, more than 255"):
        go(molecules.assign(cluster=molecules.index), *OLD, "--n-clusters=1")
