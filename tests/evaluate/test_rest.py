from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cellcarve.errors import InputError
from cellcarve.evaluate import evaluate, format_table, read_assignment, rules
from cellcarve.evaluate.baselines import nearest_centre, nearest_transcript, nuclei_only
from cellcarve.evaluate.coexpression import relative_coexpression
from cellcarve.evaluate.comparison import compare
from cellcarve.evaluate.reference import against_reference, read_reference


@pytest.fixture(scope="module")
def tissue(tmp_path_factory):
    from cellcarve.simulate import SimulateSettings, simulate

    folder = tmp_path_factory.mktemp("tissue") / "a"
    simulate(SimulateSettings(transcripts=80_000, seed=2, image=False), folder)
    return folder


@pytest.fixture(scope="module")
def table(tissue):
    return read_assignment(tissue)


def test_rules_agree_with_slow_twins(case):
    table = read_assignment(case[0])
    core = np.flatnonzero(table.nucleus & (table.cell > 0))
    middle = {
        c: np.mean([(table.x[i], table.y[i]) for i in core if table.cell[i] == c], 0)
        for c in set(table.cell[core])
    }
    near, centre = nearest_transcript(table, 2.0), nearest_centre(table, 6.0)
    for t in range(0, len(table), 50):
        away = np.hypot(table.x[core] - table.x[t], table.y[core] - table.y[t])
        assert near[t] == (table.cell[core[away.argmin()]] if away.min() < 2 else 0)
        gap = {c: np.hypot(*(place - (table.x[t], table.y[t]))) for c, place in middle.items()}
        best = min(gap, key=gap.get)
        assert centre[t] == (best if gap[best] < 6 else 0)


def test_rules_land_where_real_tissue_lands(tissue, table):
    score = {n: evaluate(replace(table, cell=c), truth=tissue)["truth"] for n, c in rules(table).items()}
    assert 0.70 < score["nearest nuclear transcript"]["f1"] < 0.82
    # The rarest pairs of so small a tissue are partly chance: in a larger one the ratio is about 1.6.
    assert 1.3 < score["nearest nuclear transcript"]["spurious_coexpr"] < 2.6
    assert score["nuclei only"]["precision"] > score["nearest nuclear transcript"]["precision"] + 0.1
    assert score["nuclei only"]["spurious_coexpr"] < 1


def test_rules_need_nuclei_and_places(table):
    with pytest.raises(InputError, match="lie in nuclei"):
        rules(replace(table, nucleus=None))
    with pytest.raises(InputError, match="no positions"):
        rules(replace(table, x=None))


def test_the_more_is_mixed_the_higher_the_coexpression(table):
    mixed = np.where(table.cell > 0, np.random.default_rng(0).permutation(table.cell), 0)
    cells = (nuclei_only(table), table.cell, nearest_centre(table, 10.0), mixed)
    found = [relative_coexpression(replace(table, cell=part), table) for part in cells]
    nuclei, vendor, grown, random = (part["log2_ratio"] for part in found)
    # Only which cells have enough transcripts differs between the two sides.
    assert abs(nuclei) < 0.1
    assert nuclei + 0.3 < vendor < grown < random
    assert all(part["pairs"] == found[0]["pairs"] > 20 and part["expanded"] >= 1 for part in found)


def test_conditional_coexpression_against_a_slow_twin():
    from scipy.sparse import csr_matrix

    from cellcarve.evaluate.coexpression import COUNTS, _conditional, _thinned

    rng = np.random.default_rng(1)
    counts = rng.poisson(2, (30, 12)).astype(float)
    counts[:, 0] += 40
    seen = _thinned(csr_matrix(counts), 0)
    assert set(seen.data) == {1.0}
    assert (counts[seen.toarray() > 0] > 0).all()
    few = _thinned(csr_matrix(np.tile([1.0, 0, 99], (4000, 1))), 0).toarray().mean(axis=0)
    assert few == pytest.approx([1 - 0.99**COUNTS, 0, 1], abs=0.03)
    dense, found = seen.toarray(), _conditional(seen)
    for i in range(12):
        for j in range(12):
            with_j = dense[dense[:, j] > 0]
            share = with_j[:, i].mean() if len(with_j) else 0
            assert found[i, j] == pytest.approx(max(share, 0.05))


def test_a_segmentation_agrees_with_itself(table):
    same = compare(table, table)
    assert same["ari"] == same["agreement"] == 1
    assert same["divided_cells"] == 0
    assert same["divided_likeness"] is None


def test_wrongly_merged_cells_have_unlike_parts():
    rng = np.random.default_rng(3)
    number = 8000
    cell = rng.integers(1, 41, number).astype(np.int32)
    profile = rng.dirichlet(np.full(25, 0.3), 2)
    gene = np.array([rng.choice(25, p=profile[c % 2]) for c in cell]).astype(np.int32)
    base = dict(ids=None, best=None, probability=None, gene=gene, genes=list("abcdefghijklmnopqrstuvwxy"))
    from cellcarve.evaluate.assignment import Assignment

    def made(cells):
        return Assignment(cell=cells.astype(np.int32), x=None, y=None, nucleus=None, **base)

    unlike = compare(made((cell + 1) // 2), made(cell))
    alike = compare(made(cell), made(cell * 2 + rng.integers(0, 2, number)))
    assert unlike["divided_cells"] >= 15
    assert alike["divided_cells"] >= 30
    assert alike["divided_likeness"] > unlike["divided_likeness"] + 0.3


def test_basics(table):
    found = evaluate(table)
    size = pd.Series(table.cell[table.cell > 0]).value_counts()
    assert found["transcripts"] == len(table)
    assert found["cells"] == len(size)
    assert found["cells_of_10"] == (size >= 10).sum()
    assert found["transcripts_per_cell"] == size.median()
    genes = (
        pd.DataFrame({"cell": table.cell, "gene": table.gene})
        .query("cell > 0")
        .groupby("cell")
        .gene.nunique()
    )
    assert found["genes_per_cell"] == genes.median()


def test_reference_tells_clean_cells_from_mixed_ones(data_folder):
    table = read_assignment(data_folder / "xenium_breast")
    reference = read_reference(data_folder / "xenium_breast" / "sc_breast.csv")
    clean = against_reference(table, reference)
    cells = table.cell.copy()
    held = np.flatnonzero(cells)
    cells[held] = np.random.default_rng(0).permutation(cells[held])
    mixed = against_reference(replace(table, cell=cells), reference)
    assert clean["genes"] > 200
    assert clean["types"] > 3
    assert clean["type_likeness"] > mixed["type_likeness"] + 0.05


def test_reference_purity_by_hand(tmp_path):
    """Two types with a gene of their own each; a tenth of what type A shows of B's gene is foreign."""
    pd.DataFrame(
        {"cell_type": ["A", "B"], **{f"s{i}": [1.0, 1.0] for i in range(9)}, "a": [9.0, 0], "b": [0, 9.0]}
    ).to_csv(tmp_path / "ref.csv", index=False)
    genes = [*(f"s{i}" for i in range(9)), "a", "b"]
    rows = []
    for cell in range(1, 41):
        own, other = ("a", "b") if cell % 2 else ("b", "a")
        rows += [(cell, gene) for gene in [*genes[:9], *[own] * 9, *([other] if cell <= 20 else [])]]
    frame = pd.DataFrame(rows, columns=["cell", "gene"])
    frame.to_parquet(tmp_path / "t.parquet")
    reference = read_reference(tmp_path / "ref.csv")
    found = evaluate(tmp_path / "t.parquet", reference=tmp_path / "ref.csv")["reference"]
    foreign = (1 / 19 / 2) / (1 / 19 / 2 + (9 / 19 + 9 / 18) / 2)
    assert found["negative_marker_purity"] == pytest.approx(1 - foreign)
    assert found["types"] == 2
    assert list(reference.index) == ["A", "B"]
    frame.assign(gene="a").to_parquet(tmp_path / "u.parquet")
    with pytest.raises(InputError, match="share 1 genes"):
        evaluate(tmp_path / "u.parquet", reference=tmp_path / "ref.csv")


def test_reference_from_anndata(tmp_path):
    anndata = pytest.importorskip("anndata")
    counts = np.array([[1, 3], [3, 5], [0, 8]], float)
    obs = pd.DataFrame({"cell_type": ["T", "T", "B"]}, index=list("xyz"))
    anndata.AnnData(counts, obs, pd.DataFrame(index=["g", "h"])).write_h5ad(tmp_path / "r.h5ad")
    found = read_reference(tmp_path / "r.h5ad")
    assert found.loc["T"].tolist() == [2, 4]
    assert found.loc["B"].tolist() == [0, 8]


def test_table_lines_up(case):
    folder, _ = case
    whole = evaluate(folder / "guess.parquet", truth=folder)
    lines = format_table({"mine": whole, "a longer name": {"assigned": 0.5}}).split("\n")
    assert len({len(line) for line in lines}) == 1
    assert f"{whole['truth']['f1']:.3f}" in lines[1]
    assert lines[2].startswith("a longer name")
    assert lines[2].split()[-1] == "-"


def test_importing_costs_nothing():
    import subprocess
    import sys

    code = "import sys, cellcarve.evaluate, cellcarve.simulate; print({'numba', 'pandas'} & {*sys.modules})"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "set()"
