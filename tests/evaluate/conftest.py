import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def case(tmp_path_factory):
    """Folder with a table and a truth of 60 cells in 30 genes, and the same as one frame.

    Column `guess` is a segmentation with mistakes of every kind: swaps, losses, merges, noise taken in.
    """
    rng = np.random.default_rng(4)
    number, cells, genes = 6000, 60, 30
    true = np.where(rng.random(number) < 0.05, 0, rng.integers(1, cells + 1, number))
    profile = rng.dirichlet(np.full(genes, 0.3), 6)
    gene = np.array([rng.choice(genes, p=profile[c % 6]) for c in true])
    x, y = (true % 8) * 12 + rng.normal(0, 3, number), (true // 8) * 12 + rng.normal(0, 3, number)
    guess = np.where(rng.random(number) < 0.15, rng.integers(1, cells + 1, number), true)
    guess[rng.random(number) < 0.1] = 0
    guess[guess == 7] = 8
    guess[rng.random(number) < 0.02] = 61
    frame = pd.DataFrame(
        {
            "transcript_id": rng.permutation(number).astype(np.uint64) + 10**12,
            "feature_name": [f"g{g}" for g in gene],
            "x_location": x.astype(np.float32),
            "y_location": y.astype(np.float32),
            "cell_id": [f"c{c}" if c else "UNASSIGNED" for c in true],
            "overlaps_nucleus": (rng.random(number) < 0.5).astype(np.uint8),
            "true_cell": np.where(rng.random(number) < 0.03, -1, true).astype(np.int32),
            "leaked": (rng.random(number) < 0.1) & (true > 0),
            "guess": guess,
            "probability": np.clip(rng.beta(5, 1, number), 0, 1).astype(np.float32),
        }
    )
    folder = tmp_path_factory.mktemp("case")
    frame.drop(columns=["true_cell", "leaked", "guess", "probability"]).to_parquet(
        folder / "transcripts.parquet"
    )
    frame[["transcript_id", "true_cell", "leaked"]].to_parquet(folder / "truth.parquet")
    guessed = frame[["transcript_id", "probability"]].assign(
        cell_id=np.where(guess > 0, guess, 0).astype(str)
    )
    guessed.to_parquet(folder / "guess.parquet")
    return folder, frame
