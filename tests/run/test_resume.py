"""An interrupted `segment` goes on from its checkpoint to the bytes of a run that was left alone."""

import pytest

from cellcarve.cli import status
from cellcarve.mixture.kept import Kept as KeptMixture
from cellcarve.simulate import SimulateSettings, simulate
from cellcarve.voxels.kept import Kept as KeptVoxel

RESULTS = ("transcripts.parquet", "cells.parquet", "boundaries.parquet")
CHAINS = {
    "mixture": (KeptMixture, "went", ("--iterations", "60"), 14),
    "voxel": (KeptVoxel, "swept", ("--burnin-samples", "6", "--samples", "8", "--recorded-samples", "4"), 12),
}


@pytest.fixture(scope="module")
def tissue(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tissue")
    simulate(SimulateSettings(transcripts=3000, genes=40, seed=3, image=False), folder)
    return folder


@pytest.mark.parametrize("method", CHAINS)
def test_an_interrupted_run_goes_on_to_the_same_bytes(tissue, tmp_path, monkeypatch, capsys, method):
    kept, name, few, stop = CHAINS[method]
    whole, again = tmp_path / "whole", tmp_path / "new" / "again"

    def go(folder, *words):
        return status(["segment", str(tissue), "-o", str(folder), "--method", method, *few, *words])

    assert go(whole, "--threads", "1") == 0
    looks, count = getattr(kept, name), []

    def stopping(self, state, other):
        looks(self, state, other)
        count.append(state)
        if len(count) == stop:
            raise KeyboardInterrupt

    monkeypatch.setenv("CELLCARVE_CHECKPOINT", "0")
    with monkeypatch.context() as patch:
        patch.setattr(kept, name, stopping)
        assert go(again) == 130
    checkpoint = again.with_name(".again.checkpoint")
    assert checkpoint.is_file()
    assert not again.exists()
    assert go(again, "--resume", "--seed", "5") == 2
    assert "other options" in capsys.readouterr().err
    assert go(again, "--resume", "--threads", "2") == 0
    assert "goes on after" in capsys.readouterr().err
    assert not checkpoint.exists()
    for file in RESULTS:
        assert (again / file).read_bytes() == (whole / file).read_bytes(), file


def test_a_method_without_a_chain_has_nothing_to_go_on_from(tissue, tmp_path, capsys):
    assert status(["segment", str(tissue), "-o", str(tmp_path / "out"), "--resume"]) == 2
    assert "carve leaves none" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
