"""What a run records of itself: parameters and log."""

import tomllib

import pytest

from cellcarve.compat.baysor.config import from_file, resolve


def test_parameters_are_those_in_force_and_can_be_given_again(run, tmp_path):
    out = run("--config.segmentation.iters=77", "--scale-std", "30%")
    dump = out / "segmentation_params.dump.toml"
    assert dump.read_text().startswith("# CLI params: run -m 8")
    values = tomllib.loads(dump.read_text())
    assert values["segmentation"]["iters"] == 77
    assert values["segmentation"]["scale"] == 4.0
    assert float(values["segmentation"]["scale_std"]) == pytest.approx(1.2)
    assert values["segmentation"]["n_cells_init"] == 300
    assert values["data"]["min_molecules_per_segment"] == 2
    assert values["data"]["confidence_nn_id"] == 5
    assert values["plotting"]["gene_composition_neigborhood"] == 8
    again = resolve([("dump", from_file(str(dump)))])
    assert again.segmentation.iters == 77


def test_the_log_tells_what_happened(run):
    lines = (run() / "segmentation_log.log").read_text().splitlines()
    assert all(line[0] == "[" and line[3] == ":" for line in lines)
    text = "\n".join(lines)
    assert "Info: Loaded 1200 transcripts, 12 genes." in text
    assert "Info: All done!" in text


def test_a_least_size_above_every_cell_is_warned_of(run):
    log = (run("--min-molecules-per-cell=500") / "segmentation_log.log").read_text()
    assert "Warning: no cell has 500 molecules" in log
