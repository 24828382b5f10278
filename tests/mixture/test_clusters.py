"""Molecule clusters, compartments and the size of cells."""

import numpy as np
import pytest

from cellcarve.errors import InputError, SettingsError
from cellcarve.mixture.clusters import cluster
from cellcarve.mixture.compartments import compartments, confidences, gene_codes, weakened
from cellcarve.mixture.cooccurrence import cooccurrence
from cellcarve.mixture.graph import FULL, build_graph
from cellcarve.mixture.molecules import arrange
from cellcarve.mixture.near import lay_grid
from cellcarve.mixture.scale import from_centres, settle_scale
from cellcarve.mixture.start import even_seeds


@pytest.fixture(scope="module")
def halves(kit):
    """Two halves of a tissue with genes of their own, and a few genes of both."""
    rng = np.random.default_rng(3)
    at = rng.uniform(0, 40, (3000, 2))
    side = (at[:, 0] > 20).astype(int)
    gene = np.where(rng.random(3000) < 0.3, rng.integers(20, 24, 3000), rng.integers(0, 10, 3000) + 10 * side)
    molecules = arrange(kit.table(at[:, 0], at[:, 1], gene, 24))
    return molecules, build_graph(molecules, lay_grid(molecules.at), 1), molecules.from_input(side)


def test_clusters_find_the_halves(halves):
    molecules, graph, side = halves
    found, course, _ = cluster(molecules, graph, np.ones(3000, np.float32), 2, (0, 1, False))
    right = np.mean((found == 2) == side)
    assert max(right, 1 - right) > 0.97
    assert set(np.unique(found)) == {1, 2}
    assert course.changed[-1] < course.changed[0]
    strict, _, _ = cluster(molecules, graph, np.ones(3000, np.float32), 2, (0, 2, True))
    assert max(np.mean(strict == found), np.mean(strict != found)) > 0.97


def test_cooccurrence_is_the_sum_over_neighbours(halves):
    molecules, graph, _ = halves
    sure = (np.arange(3000) % 3 > 0).astype(np.float32)
    expected, total = np.zeros((24, 24)), np.zeros(24)
    for i in range(3000):
        for e in range(graph.start[i], graph.start[i + 1]):
            j = graph.neighbour[e]
            if sure[i] and sure[j]:
                a, b, w = molecules.gene[i], molecules.gene[j], graph.weight[e] / FULL
                expected[a, b] += w
                total[a] += w
                total[b] += w
    expected /= np.maximum(np.sqrt(np.outer(total, total)), 0.1)
    assert np.allclose(cooccurrence(molecules.gene, 24, graph, sure).toarray(), expected, rtol=1e-4)


def test_compartments_follow_their_markers(halves):
    molecules, graph, side = halves
    codes = np.arange(0, 10, dtype=np.int32), np.arange(10, 20, dtype=np.int32)
    chances, course = compartments(molecules, graph, np.ones(3000, np.float32), codes, 20.0)
    assert np.allclose(chances.sum(1), 1)
    assert np.mean((chances[:, 1] > chances[:, 0]) == side) > 0.95
    assert chances[:, 2].max() < 0.9
    assert course.largest[-1] < 0.01
    weaker = weakened(graph, chances)
    assert np.all(weaker.weight <= graph.weight)
    border = weaker.weight < 0.5 * graph.weight
    owner = np.repeat(np.arange(3000), np.diff(graph.start))
    assert border.any()
    assert np.all(chances[owner[border], 0] > 0.25)


def test_far_from_markers_is_neither(kit):
    rng = np.random.default_rng(1)
    at = np.vstack([rng.uniform(0, 5, (60, 2)), rng.uniform(100, 105, (60, 2))])
    gene = np.append(np.arange(60) % 3, np.full(60, 2))
    molecules = arrange(kit.table(at[:, 0], at[:, 1], gene, 3))
    graph = build_graph(molecules, lay_grid(molecules.at), 1)
    codes = np.array([0], np.int32), np.array([1], np.int32)
    chances, _ = compartments(molecules, graph, np.ones(120, np.float32), codes, 4.0)
    assert np.all(molecules.to_input(chances.argmax(1))[60:] == 2)


def test_confidence_of_components_is_a_quantile():
    rng = np.random.default_rng(0)
    label, chance = rng.integers(0, 5, 200).astype(np.int32), rng.random(200).astype(np.float32)
    found = confidences(label, chance, 7)
    for k in range(5):
        assert found[k] == pytest.approx(np.quantile(chance[label == k], 0.9), rel=1e-5)
    assert found[5] == found[6] == 1


def test_markers_must_be_in_the_data():
    assert gene_codes(("B", "X", "A"), ["A", "B"], "nuclei_genes").tolist() == [0, 1]
    with pytest.raises(SettingsError, match=r"none of nuclei_genes \(Bb\) is in the data.*did you mean 'B'"):
        gene_codes(("Bb",), ["A", "B"], "nuclei_genes")


def test_scale_of_even_random_cells(kit):
    rng = np.random.default_rng(0)
    at = rng.uniform(0, 1, (100_000, 2))
    molecules = arrange(kit.table(at[:, 0], at[:, 1], np.zeros(100_000), 1))
    scale, spread = from_centres(molecules, rng.integers(0, 1000, 100_000).astype(np.int32))
    # Centres of 100 random places each lie like points of a normal of deviation 0.029.
    assert 2e-4 < scale < 1.5e-3
    assert 0 < spread < scale


def test_scale_is_measured_given_or_refused(kit):
    field = kit.field(seed=0)
    molecules = arrange(field.table)
    segment = molecules.from_input(np.where(field.core, field.cell, 0).astype(np.int32))
    scale, spread = settle_scale(kit.settings(cell_scale=None), molecules, segment)
    assert scale == pytest.approx(7.0, abs=0.5)
    assert spread >= 0.05 * scale
    assert settle_scale(kit.settings(cell_scale_std="1.5"), molecules, segment) == (4.0, 1.5)
    assert (
        settle_scale(kit.settings(cell_scale=None, cell_scale_std="50%"), molecules, segment)[1] == scale / 2
    )
    assert settle_scale(kit.settings(), molecules, segment) == (4.0, 1.0)
    with pytest.raises(SettingsError, match="give cell_scale"):
        settle_scale(kit.settings(cell_scale=None), molecules, 0 * segment)
    with pytest.raises(InputError, match="2 segments"):
        settle_scale(kit.settings(cell_scale=None), molecules, np.where(segment < 3, segment, 0))


@pytest.mark.parametrize("classic", [False, True])
@pytest.mark.parametrize("wanted", [5, 23, 55, 1000])
def test_seeds_are_as_many_as_wanted(kit, wanted, classic):
    molecules = arrange(kit.field(seed=0, side=2).table)
    candidates = np.arange(0, len(molecules), 2)
    found = even_seeds(molecules, candidates, wanted, classic)
    assert len(found) == len(np.unique(found)) == min(wanted, len(candidates))
    assert np.isin(found, candidates).all()
