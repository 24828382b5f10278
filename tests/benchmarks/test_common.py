import sys
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from common import measure, once, one_to_one, own_command, proseg_options


def best_match(true, found):
    """Slow twin: tries every one-to-one match."""
    kinds = [sorted(set(part[part > 0])) for part in (true, found)]
    size = max(len(kinds[0]), len(kinds[1]))
    padded = [*kinds[1], *[-1] * (size - len(kinds[1]))]
    hits = max(
        sum(np.count_nonzero((true == a) & (found == b)) for a, b in zip(kinds[0], order, strict=False))
        for order in permutations(padded, size)
    )
    return (hits + np.count_nonzero((true == 0) & (found == 0))) / len(true)


@pytest.mark.parametrize("seed", range(8))
def test_accuracy_is_that_of_the_best_match(seed):
    rng = np.random.default_rng(seed)
    true, found = rng.integers(0, 5, 60), rng.integers(0, 6, 60)
    same = rng.random(60) < 0.4
    found[same] = true[same]
    assert one_to_one(true, found)[0] == pytest.approx(best_match(true, found))


def test_greedy_would_be_wrong_here():
    # The largest overlap (3) leaves 0 for the other; the best match takes 2 and 2.
    true = np.array([1, 1, 1, 1, 1, 2, 2])
    found = np.array([1, 1, 1, 2, 2, 1, 1])
    assert one_to_one(true, found)[0] == pytest.approx(4 / 7)


def test_noise_is_a_class_and_names_do_not_matter():
    true = np.array([1] * 10 + [2] * 10 + [0] * 5)
    assert one_to_one(true, np.array([7] * 10 + [3] * 10 + [0] * 5)) == (1.0, 1.0)
    assert one_to_one(true, np.zeros(25, np.int64)) == (0.2, 0.0)
    assert one_to_one(true, np.array([1] * 20 + [0] * 5)) == (15 / 25, 0.5)


def test_a_case_is_made_once_and_whole(tmp_path):
    made = []

    def make(folder):
        folder.mkdir()
        made.append(folder)
        (folder / "truth.parquet").write_text("x")

    assert once(tmp_path / "case", make) == once(tmp_path / "case", make)
    assert len(made) == 1

    def fail(folder):
        folder.mkdir()
        (folder / "truth.parquet").write_text("x")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        once(tmp_path / "other", fail)
    assert not (tmp_path / "other").exists()


def test_commands_are_measured_and_failures_end_the_run(tmp_path):
    spent = measure([sys.executable, "-c", "b = bytearray(200 << 20); sum(range(3_000_000))"])
    assert 0 < spent.cpu < 30
    assert spent.peak > 200
    with pytest.raises(SystemExit, match="status 3"):
        measure([sys.executable, "-c", "raise SystemExit(3)"])


def test_both_programs_get_two_threads(tmp_path):
    assert "--nthreads 2" in " ".join(proseg_options(tmp_path, tmp_path))
    assert "--threads 2" in " ".join(own_command(tmp_path, tmp_path / "a"))
