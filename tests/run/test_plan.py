"""What a run may take decides how it is cut up, and hardly what comes out."""

import numpy as np
import pyarrow as pa
import pytest

from cellcarve import memory
from cellcarve.config import gather
from cellcarve.data.prior import Prior
from cellcarve.data.table import Table
from cellcarve.errors import MemoryBudgetError
from cellcarve.plan import plan
from cellcarve.progress import Silent
from cellcarve.run import segment
from cellcarve.settings import OutputSettings
from cellcarve.simulate import SimulateSettings, simulate


def spread(n=400_000, side=1000.0):
    """Transcripts spread evenly over a square, with 100 prior cells."""
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, side, (2, n)).astype(np.float32)
    none = np.zeros(n, np.int32)
    table = Table(
        "memory", (), pa.array(np.arange(n)), x, y, None, none, ["g"], None, None, [], none, [], None,
        np.zeros(n, np.uint8),
    )  # fmt: skip
    return table, Prior(none, none > 0, [f"n{i}" for i in range(100)], "nuclei", "made up")


@pytest.fixture(scope="module")
def even():
    return spread()


def chosen(parts, **settings):
    made = plan(*parts, gather({"threads": 4, **settings}))
    return made.settings.carve.tile, made.settings.compute.threads, made


def megabytes(least):
    return f"{int(least / 2**20)}M"


def test_with_room_enough_tiles_are_wide(even):
    tile, threads, made = chosen(even, memory="8G")
    assert (tile, threads) == (400.0, 4)
    assert "8.0 GB allowed" in made.sentence


def test_methods_that_cannot_be_cut_up_are_refused_where_they_do_not_fit(even, monkeypatch):
    """The mixture keeps more of what it works on in files than the voxels do."""
    # What writing takes does not depend on the method.
    monkeypatch.setattr(memory, "BASE", 0)
    need = {m: plan(*even, gather({"method": m, "memory": "8G"})).needed for m in ("voxel", "mixture")}
    assert need["mixture"] < need["voxel"]
    between = megabytes((need["mixture"] + need["voxel"]) / 2)
    plan(*even, gather({"method": "mixture", "memory": between}))
    with pytest.raises(MemoryBudgetError, match="of memory at the least"):
        plan(*even, gather({"method": "voxel", "memory": between}))


def test_less_memory_means_smaller_tiles_then_fewer_threads_then_refusal(even, monkeypatch):
    # What writing takes does not depend on tiles.
    monkeypatch.setattr(memory, "BASE", 0)
    wide = chosen(even, memory="8G")[2].needed
    seen, allowed = [], wide + 2**20
    while True:
        try:
            tile, threads, made = chosen(even, memory=megabytes(allowed))
        except MemoryBudgetError as error:
            refusal = str(error)
            break
        assert made.needed <= allowed
        seen.append((tile, threads))
        allowed *= 0.98
    assert seen[0] == (400.0, 4)
    assert {tile for tile, _ in seen} >= {400.0, 100.0}
    assert seen == sorted(seen, key=lambda pair: (-pair[0], -pair[1]))
    assert seen[-1][1] < 4
    assert "--memory" in refusal
    assert "--roi" in refusal


def test_dense_tissue_is_cut_finer():
    assert chosen(spread(2_000_000, 600.0), memory="64G")[0] <= 200.0


def test_a_side_that_was_asked_for_stays(even):
    assert chosen(even, memory="8G", tile=80)[0] == 80.0
    with pytest.raises(MemoryBudgetError):
        chosen(even, memory=megabytes(memory.BASE + 90 * 2**20), tile=2000)


def test_estimate_grows_with_rows_up_to_what_may_stay_in_memory():
    small, large = spread(100_000), spread(1_000_000)
    budgets = (1 << 40, memory.BASE + 2 * 2**20)
    grown = [memory.estimate(*large, b, 0) - memory.estimate(*small, b, 0) for b in budgets]
    assert grown[0] > 2 * grown[1] > 0


@pytest.fixture(scope="module")
def tissue(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tissue")
    simulate(SimulateSettings(transcripts=30_000, seed=3, image=False), folder)
    return folder


@pytest.fixture(scope="module")
def answer(tissue):
    return segment(tissue, gather({"threads": 2}), None, Silent())


def test_arrays_in_files_give_the_same_bytes(tissue, answer, monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "room", lambda budget: 0)
    heard = []
    monkeypatch.setattr(Silent, "note", lambda self, text: heard.append(text))
    other = segment(tissue, gather({"threads": 2}), OutputSettings(tmp_path / "out"), Silent())
    assert any("arrays are kept in files" in note for note in heard)
    for part, names in {
        "table": ("x", "y", "z", "gene", "cell", "quality", "status"),
        "prior": ("cell", "core"),
        "segmentation": ("cell", "best", "probability", "runner_up", "background", "cluster"),
    }.items():
        for name in names:
            one, two = getattr(getattr(answer, part), name), getattr(getattr(other, part), name)
            assert one.tobytes() == two.tobytes(), name
    assert answer.table.ids.equals(other.table.ids)
    for name in ("cell", "x", "y", "start"):
        np.testing.assert_array_equal(
            getattr(answer.summary.outlines, name), getattr(other.summary.outlines, name)
        )
    assert (answer.summary.counts != other.summary.counts).nnz == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_little_memory_cuts_finer_and_changes_little(tissue, answer, monkeypatch):
    """Tiles of 100 µm instead of one: at most 1.5 % of transcripts may lie differently."""
    # What writing takes does not depend on tiles, and on a small tissue it is the most.
    monkeypatch.setattr(memory, "BASE", 0)
    needed = plan(answer.table, answer.prior, gather({"threads": 1, "tile": 100})).needed
    other = segment(tissue, gather({"threads": 1, "memory": megabytes(needed + 2**20)}), None, Silent())
    assert other.record["settings"]["tile"] == 100.0
    assert answer.record["settings"]["tile"] > 100.0
    one, two = (np.array(["", *r.segmentation.names])[r.segmentation.cell] for r in (answer, other))
    kept = answer.table.status == 0
    assert (one == two)[kept].mean() >= 0.985
