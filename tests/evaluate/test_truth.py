"""Measures by truth against slow twins, written without arrays where that is clearer."""

import json
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellcarve.evaluate import evaluate
from cellcarve.evaluate.calibration import calibration
from cellcarve.evaluate.overlap import adjusted_rand, match, overlap


def slow_match(true, found):
    pairs = Counter((t, f) for t, f in zip(true, found, strict=True) if t > 0 and f > 0)
    order = {f: i for i, f in enumerate(dict.fromkeys(found))}
    match, taken = {}, set()
    for (t, f), _ in sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0][0], order[pair[0][1]])):
        if t not in match and f not in taken:
            match[t] = f
            taken.add(f)
    return match


def slow_measures(frame):
    """The measures of a frame with the columns true_cell, guess, leaked, feature_name."""
    frame = frame[frame.true_cell >= 0]
    true, found = frame.true_cell.tolist(), frame.guess.tolist()
    match = slow_match(true, found)
    hit = [t > 0 and f > 0 and match.get(t) == f for t, f in zip(true, found, strict=True)]
    out = {
        "assigned": np.mean([f > 0 for f in found]),
        "precision": sum(hit) / sum(f > 0 for f in found),
        "recall": sum(hit) / sum(t > 0 for t in true),
        "noise_rejected": np.mean([f == 0 for t, f in zip(true, found, strict=True) if t == 0]),
        "leaked_home": np.mean([h for h, k, t in zip(hit, frame.leaked, true, strict=True) if k and t > 0]),
    }
    out["f1"] = 2 * out["precision"] * out["recall"] / (out["precision"] + out["recall"])
    genes = sorted(set(frame.feature_name))
    count = {side: defaultdict(Counter) for side in ("true_cell", "guess")}
    for side, cells in count.items():
        for cell, gene in zip(frame[side], frame.feature_name, strict=True):
            cells[cell][gene] += 1
    real = [c for c, n in count["true_cell"].items() if c > 0 and n.total() >= 10]
    held = Counter(t for t, h in zip(true, hit, strict=True) if h)
    score = [
        2
        * held[c]
        / (count["true_cell"][c].total() + (count["guess"][match[c]].total() if c in match else 0))
        for c in real
    ]
    out["cells_recovered"] = np.mean(np.array(score) > 0.5)
    alike = []
    for c in real:
        if c in match:
            a, b = (
                np.log1p([n[g] for g in genes]) for n in (count["true_cell"][c], count["guess"][match[c]])
            )
            alike.append(np.corrcoef(a, b)[0, 1])
    out["profile_cor"] = sum(alike) / len(real)
    large = [n for c, n in count["guess"].items() if c > 0 and n.total() >= 10]
    out["spurious_coexpr"] = slow_spurious([count["true_cell"][c] for c in real], large, genes)
    out["cells_true"], out["cells_found"] = len(real), len(large)
    return out


def slow_spurious(real, large, genes):
    share = {g: np.mean([n[g] > 0 for n in real]) for g in genes}
    pairs = list(combinations([g for g in genes if share[g] > 0.05], 2))
    both = np.array([np.mean([n[a] > 0 and n[b] > 0 for n in real]) for a, b in pairs])
    lift = both / np.array([share[a] * share[b] for a, b in pairs])
    rare = lift <= np.quantile(lift, 0.02) + 1e-12
    later = [
        np.mean([n[a] > 0 and n[b] > 0 for n in large]) for (a, b), r in zip(pairs, rare, strict=True) if r
    ]
    return np.mean(later) / max(both[rare].mean(), 1e-9)


def slow_rand(a, b):
    """By counting pairs of transcripts that are together."""
    pairs = list(combinations(range(len(a)), 2))
    together = [[s[i] == s[j] and s[i] > 0 for i, j in pairs] for s in (a, b)]
    same, in_a, in_b = sum(map(all, zip(*together, strict=True))), sum(together[0]), sum(together[1])
    chance = in_a * in_b / comb(len(a), 2)
    return (same - chance) / ((in_a + in_b) / 2 - chance)


def test_measures_agree_with_slow_twins(case):
    folder, frame = case
    found = evaluate(folder / "guess.parquet", truth=folder)["truth"]
    slow = slow_measures(frame)
    for name, value in slow.items():
        assert found[name] == pytest.approx(value, abs=1e-9), name


def test_measures_agree_with_the_score_tool(case, data_folder):
    tool = data_folder.parent / "tools" / "score.py"
    if not tool.is_file():
        pytest.skip(f"no {tool}")
    folder, _ = case
    command = [sys.executable, tool, folder, folder / "guess.parquet", "--zero-none"]
    scored = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    found = evaluate(folder / "guess.parquet", truth=folder)["truth"]
    same = {"cells_f1_50": "cells_recovered", "cells_pred": "cells_found"}
    for name, value in scored.items():
        if name != "name":
            # The tool rounds its last measure to three digits.
            tolerance = 6e-4 if name == "spurious_coexpr" else 1e-4
            assert found[same.get(name, name)] == pytest.approx(value, abs=tolerance), name


def test_the_truth_itself_is_perfect(case):
    folder, frame = case
    frame[["transcript_id"]].assign(cell=frame.true_cell.clip(0)).to_parquet(folder / "perfect.parquet")
    found = evaluate(folder / "perfect.parquet", truth=folder / "truth.parquet")["truth"]
    for name in ("ari", "precision", "recall", "f1", "noise_rejected", "leaked_home", "cells_recovered"):
        assert found[name] == 1, name
    assert found["profile_cor"] == pytest.approx(1)
    assert found["spurious_coexpr"] == pytest.approx(1)


def test_rows_of_unknown_truth_do_not_count(case, tmp_path):
    folder, frame = case
    whole = evaluate(folder / "guess.parquet", truth=folder)["truth"]
    known = frame[frame.true_cell >= 0]
    known[["transcript_id", "true_cell", "leaked", "feature_name"]].to_parquet(tmp_path / "truth.parquet")
    known[["transcript_id", "feature_name"]].to_parquet(tmp_path / "transcripts.parquet")
    less = evaluate(folder / "guess.parquet", truth=tmp_path)["truth"]
    assert {k: v for k, v in less.items() if k not in ("profile_cor", "spurious_coexpr", "pairs")} == {
        k: whole[k] for k in less if k not in ("profile_cor", "spurious_coexpr", "pairs")
    }


def test_order_of_rows_and_names_of_cells_do_not_matter(case, tmp_path):
    folder, frame = case
    shuffled = frame.sample(frac=1, random_state=1)
    name = shuffled.guess.map(lambda c: f"cell {(c * 7919) % 1009}" if c else None)
    shuffled[["transcript_id"]].assign(cell=name).to_csv(tmp_path / "guess.csv.gz", index=False)
    one = evaluate(tmp_path / "guess.csv.gz", truth=folder)["truth"]
    two = evaluate(folder / "guess.parquet", truth=folder)["truth"]
    for measure in ("assigned", "ari", "f1", "cells_found", "noise_rejected"):
        # Cells of equal overlap are matched in order of appearance.
        assert one[measure] == pytest.approx(two[measure], abs=2e-3), measure


def test_rows_that_a_program_dropped_count_as_unassigned(case, tmp_path):
    folder, frame = case
    part = frame[frame.index % 2 == 0]
    part[["transcript_id"]].assign(cell=part.guess).to_parquet(tmp_path / "half.parquet")
    blank = frame.assign(guess=np.where(frame.index % 2 == 0, frame.guess, 0))
    found = evaluate(tmp_path / "half.parquet", truth=folder)["truth"]
    slow = slow_measures(blank)
    for name, value in slow.items():
        assert found[name] == pytest.approx(value, abs=1e-9), name


def test_containment_counts_the_cell_that_holds_the_transcript(case, tmp_path):
    _, frame = case
    inside = frame.guess.to_numpy()
    truth = frame[["transcript_id", "true_cell"]].assign(inside_cell=inside)
    truth.to_parquet(tmp_path / "truth.parquet")
    frame[["transcript_id"]].assign(cell=inside).to_parquet(tmp_path / "cells.parquet")
    found = evaluate(tmp_path / "cells.parquet", truth=tmp_path)["truth"]
    assert found["containment_f1"] == 1
    assert found["f1"] < 0.95


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=25))
def test_adjusted_rand_counts_pairs(rows):
    a, b = np.array(rows).T
    if len(set(a)) + len(set(b)) < 3 or not (a > 0).any() or not (b > 0).any():
        return
    try:
        slow = slow_rand(a.tolist(), b.tolist())
    except ZeroDivisionError:
        return
    assert adjusted_rand(a, b) == pytest.approx(slow, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=60))
def test_match_is_one_to_one_and_greedy(rows):
    a, b = np.array(rows).T
    found = match(overlap(a, b), int(a.max()))
    used = found[found > 0]
    assert len(set(used.tolist())) == len(used)
    pairs = Counter((t, f) for t, f in rows if t > 0 and f > 0)
    # Whoever is left without its best partner lost it to at least as large an overlap.
    for (t, f), count in pairs.items():
        if found[t] != f:
            rival = np.flatnonzero(found == f)
            kept = [pairs[t, int(found[t])]] if found[t] else []
            assert max(kept + [pairs[int(r), f] for r in rival]) >= count


def test_calibration_by_hand():
    probability = np.array([0.05, 0.95, 0.95, 1.0, 0.55, 0.55])
    right = np.array([False, True, True, False, True, False])
    found = calibration(probability, right)
    # Bins: .0-.1 promises .05, gets 0; .5-.6 promises 1.1, gets 1; .9-1 promises 2.9, gets 2.
    assert found["ece"] == pytest.approx((0.05 + 0.1 + 0.9) / 6)
    assert found["bias"] == pytest.approx((4.05 - 3) / 6)
    assert [part["rows"] for part in found["bins"]] == [1, 2, 3]


def test_calibrated_probabilities_have_no_error(case, tmp_path):
    folder, frame = case
    rng = np.random.default_rng(0)
    probability = rng.uniform(0.2, 1, len(frame))
    right = rng.random(len(frame)) < probability
    cell = np.where(right, frame.true_cell.clip(0), 61 + rng.integers(0, 40, len(frame)))
    frame[["transcript_id"]].assign(cell=cell, probability=probability)[frame.true_cell > 0].to_parquet(
        tmp_path / "p.parquet"
    )
    found = evaluate(tmp_path / "p.parquet", truth=folder)["truth"]["calibration"]
    assert found["ece"] < 0.03
    assert abs(found["bias"]) < 0.02


def test_the_simulators_folder_is_a_truth(tmp_path):
    from cellcarve.simulate import SimulateSettings, simulate

    simulate(SimulateSettings(transcripts=10_000, image=False), tmp_path / "tissue")
    found = evaluate(tmp_path / "tissue", truth=tmp_path / "tissue")["truth"]
    assert 0.4 < found["f1"] < 0.95
    assert pd.notna(found["spurious_coexpr"])
