"""Which prior is taken, and what real deliveries give."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from cellcarve.errors import InputError
from cellcarve.priors import lay
from cellcarve.read import read
from cellcarve.settings import PriorSettings, ReadSettings

AUTO = PriorSettings()


@pytest.fixture
def outlined(table, vertices, tmp_path):
    """Put an outline file beside the table."""

    def add(what):
        path = tmp_path / f"{what}_boundaries.parquet"
        vertices.to_parquet(path)
        table.boundaries[what] = (path,)
        return path

    return add


def middle(table, radius=4):
    """Rows near a centre: what an instrument would flag as nuclear, in a cell or not."""
    return np.minimum(*(np.hypot(table.x - x, table.y - 20) for x in (20, 60))) < radius


def test_instrument_nuclei_come_first(celled, outlined):
    outlined("nucleus")
    outlined("cell")
    celled.nucleus = middle(celled)
    prior = lay(celled, AUTO)
    kept = celled.status == 0
    assert prior.kind == "nuclei"
    assert (prior.cell == celled.cell).all()
    assert (prior.core == (celled.nucleus & kept)).all()
    assert np.diff(prior.outline_start).tolist() == [60, 60]


def test_outlines_of_nuclei_come_second(celled, outlined):
    outlined("nucleus")
    outlined("cell")
    prior = lay(celled, AUTO)
    assert prior.kind == "nuclei"
    assert "nucleus_boundaries" in prior.source


def test_instrument_cells_come_third(celled, outlined):
    outlined("cell")
    prior = lay(celled, AUTO)
    assert (prior.kind, prior.source) == ("cells", "the input's cells")
    assert (prior.cell == celled.cell).all()
    assert prior.core.sum() == pytest.approx(0.4 * (prior.cell > 0).sum(), abs=2)


def test_outlines_of_cells_come_fourth(table, discs, outlined):
    outlined("cell")
    prior = lay(table, AUTO)
    assert prior.kind == "cells"
    assert (prior.cell == discs).mean() > 0.99


def test_nothing_comes_last(table):
    prior = lay(table, AUTO)
    assert prior.kind == "none"
    assert prior.names == []
    assert not prior.cell.any()
    assert not prior.core.any()
    assert "none" in prior.notes[0]


def test_flags_that_are_all_false_fall_back(celled):
    celled.nucleus = np.zeros(len(celled), bool)
    prior = lay(celled, AUTO)
    assert prior.kind == "cells"
    assert any("flagged" in note for note in prior.notes)


def test_none_on_request(celled):
    assert lay(celled, PriorSettings(prior="none")).kind == "none"


def test_what_the_user_says_of_cells_holds(celled):
    celled.nucleus = middle(celled)
    cells = lay(celled, PriorSettings(prior_holds="cells"))
    assert cells.kind == "cells"
    celled.nucleus = None
    nuclei = lay(celled, PriorSettings(prior_holds="nuclei"))
    assert nuclei.kind == "nuclei"
    assert (nuclei.core == (nuclei.cell > 0)).all()


def test_cells_without_a_core_go_and_the_rest_close_up(celled):
    celled.cell_names = ["left", "lost", "right"]
    celled.cell = np.where(celled.cell == 2, 3, celled.cell).astype(np.int32)
    celled.cell[np.flatnonzero(celled.cell == 0)[:50]] = 2
    celled.nucleus = middle(celled)
    celled.nucleus[celled.cell == 2] = False
    prior = lay(celled, AUTO)
    assert prior.names == ["left", "right"]
    assert not prior.cell[celled.cell == 2].any()
    assert (prior.cell[celled.cell == 3] == 2).all()


def test_only_kept_rows_lie_in_cells(celled):
    celled.status[celled.x > 40] = 4
    celled.nucleus = middle(celled)
    prior = lay(celled, AUTO)
    assert prior.names == ["left"]
    assert not prior.cell[celled.status > 0].any()
    assert not prior.core[celled.status > 0].any()


def test_no_row_kept(celled):
    celled.status[:] = 1
    assert lay(celled, AUTO).kind == "none"


def test_confidence_is_passed_on(celled):
    assert lay(celled, PriorSettings(prior_confidence=0.4)).confidence == 0.4
    assert lay(celled, PriorSettings(prior="none", prior_confidence=0.4)).confidence == 0.4


def test_damaged_outlines_only_spoil_the_drawing(celled, outlined):
    outlined("nucleus").write_bytes(b"PAR1")
    celled.nucleus = middle(celled)
    prior = lay(celled, AUTO)
    assert prior.kind == "nuclei"
    assert len(prior.outline_x) == 0
    assert any("not drawn" in note for note in prior.notes)


def test_outline_is_the_largest_and_may_be_missing(celled, vertices, tmp_path):
    small = vertices[vertices.cell_id == "right"].copy()
    small[["vertex_x", "vertex_y"]] = small[["vertex_x", "vertex_y"]] / 4 + 45
    fine = small.loc[small.index.repeat(2)]
    path = tmp_path / "nucleus_boundaries.parquet"
    rings = pd.concat([vertices[vertices.cell_id == "right"], fine])
    rings.assign(label_id=[1] * 60 + [2] * 120).to_parquet(path)
    celled.boundaries["nucleus"] = (path,)
    celled.nucleus = middle(celled)
    prior = lay(celled, AUTO)
    assert prior.outline_start.tolist() == [0, 0, 60]


@pytest.mark.parametrize("name", ["absent.tif", "Auto"])
def test_missing_file(table, tmp_path, name):
    with pytest.raises(InputError, match=rf"{name} does not exist"):
        lay(table, PriorSettings(prior=str(tmp_path / name)))


@pytest.mark.parametrize("name", ["nuclei.zarr", "nuclei.txt", "nuclei"])
def test_unknown_format(table, tmp_path, name):
    (tmp_path / name).write_text("x")
    with pytest.raises(InputError, match=rf"{name} is neither"):
        lay(table, PriorSettings(prior=str(tmp_path / name)))


@pytest.mark.parametrize("crumb", ["10k", "15k"])
def test_nucleus_outlines_agree_with_the_flags(data_folder, crumb):
    folder = data_folder / "xenium_lung" / f"10x_preview_non-diseased_human_lung_{crumb}_transcripts"
    table = read(folder, ReadSettings())
    flags = lay(table, AUTO)
    outlines = lay(replace(table, nucleus=None), AUTO)
    assert outlines.kind == "nuclei"
    assert (flags.core == outlines.core)[table.status == 0].mean() > 0.95
    both = flags.core & outlines.core
    names = [np.array(["", *prior.names])[prior.cell[both]] for prior in (flags, outlines)]
    assert (names[0] == names[1]).mean() > 0.99
    assert len(flags.outline_start) == len(flags.names) + 1


def test_prime_bundle(data_folder):
    folder = data_folder / "xenium_prime_tiny_bundle"
    table = read(folder, ReadSettings())
    prior = lay(table, AUTO)
    known = set(pq.read_table(folder / "cell_boundaries.parquet")["cell_id"].to_pylist())
    assert prior.kind == "nuclei"
    assert prior.names
    assert set(prior.names) <= known
    cells = lay(
        replace(table, nucleus=None, cell=np.zeros_like(table.cell)), PriorSettings(prior_holds="cells")
    )
    assert cells.kind == "cells"
    assert "cell_boundaries" in cells.source


@pytest.mark.parametrize("size", ["small_with_images", "large_no_images"])
def test_merscope_outlines_are_turned(data_folder, size):
    table = read(data_folder / "merscope_brain" / size, ReadSettings())
    prior = lay(table, AUTO)
    assert prior.kind == "cells"
    assert any("negated" in note for note in prior.notes)
    assert 0.3 < (prior.cell > 0).mean() < 0.8
    assert all(len(name) > 30 for name in prior.names)
