"""The page as a whole: what it says, that it holds for any run, and that it stays small and alone."""

import re
import time
import tracemalloc
from html.parser import HTMLParser

import numpy as np
import pytest

from cellcarve.data.table import Image
from cellcarve.errors import OutputError
from cellcarve.report import numbers, report
from cellcarve.report.numbers import numbers_of
from cellcarve.report.page import page_of

pytestmark = pytest.mark.filterwarnings("error")
VOID = {"meta", "input", "br", "img", "link"}


class Balance(HTMLParser):
    """Fails on a tag that closes nothing; keeps what is open, the ids, the references and the text."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.references, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.ids += [value for key, value in attrs if key == "id"]
        self.references += [value for key, value in attrs if key in ("href", "src", "action", "data")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)


def read(page):
    reader = Balance()
    reader.feed(page)
    assert reader.open == []
    return reader


def test_real_tissue_gives_a_small_page_that_loads_nothing(breast, tmp_path):
    report(breast, tmp_path)
    file = tmp_path / "report.html"
    assert file.stat().st_size < 8e6
    page = file.read_text(encoding="utf-8")
    reader = read(page)
    assert len(set(reader.ids)) == len(reader.ids)
    assert all(r.startswith(("#", "data:image/")) for r in reader.references)
    assert {r[1:] for r in reader.references if r.startswith("#")} <= set(reader.ids)
    assert "url(http" not in page
    assert "@import" not in page


def test_page_states_the_numbers_of_the_run(breast):
    text = " ".join(read(page_of(breast)).text)
    cell, kept = breast.segmentation.cell, breast.table.status == 0
    size = np.bincount(cell[cell > 0], minlength=len(breast.segmentation.names) + 1)[1:]
    assert f"{len(breast.table):,}" in text
    assert f"{int(kept.sum()):,} were kept" in text
    assert f"assigned to {len(breast.segmentation.names):,} cells" in text
    assert f"{100 * (cell > 0).sum() / kept.sum():.1f} %" in text
    assert f"{np.median(size):g}" in text
    assert "nan" not in text.lower().replace("nanolog", "")


def test_same_run_same_bytes(breast):
    assert page_of(breast) == page_of(breast)


@pytest.mark.parametrize("prior", [True, False])
@pytest.mark.parametrize(("rows", "cells"), [(0, 0), (1, 1), (1, 0), (2, 2), (60, 3), (500, 0), (3, 400)])
def test_tiny_runs_give_a_report(scattered, rows, cells, prior):
    run = scattered(rows, cells, prior=prior)
    text = " ".join(read(page_of(run)).text).lower()
    assert re.search(r"\b(nan|inf)\b", text) is None


def test_everything_left_out_gives_a_report(scattered):
    run = scattered(40, 4)
    run.table.status[:] = 3
    run.segmentation.cell[:] = 0
    run.segmentation.best[:] = 0
    run.summary.counts.data[:] = 0
    assert "0.0 %" in page_of(run)


def test_coordinates_far_apart_and_far_from_the_origin_stay_bounded(scattered):
    run = scattered(2000, 20)
    run.table.x += np.float32(1e5)
    run.table.x[0], run.table.y[0] = 5e6, -5e6
    start = time.process_time()
    assert len(page_of(run)) < 8e6
    assert time.process_time() - start < 5


def test_names_are_escaped(scattered):
    run = scattered(300, 6)
    evil = "<script>alert('x')</script>&amp;\""
    run.table.genes[:] = [f"{evil}{k}" for k in range(len(run.table.genes))]
    run.table.notes.append(evil)
    run.prior.source = evil
    run.segmentation.model = {evil: evil}
    run.record |= {"settings": {evil: evil}, "machine": evil, "inputs": [{"path": evil}]}
    page = page_of(run)
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;") > 8
    assert "".join(read(page).text).count(evil[:10]) > 8


def test_an_image_that_cannot_be_drawn_is_named(scattered, tmp_path):
    run = scattered(200, 4)
    run.table.images = (Image(tmp_path / "absent.tif", "DAPI", 0.5),)
    page = page_of(run)
    assert "The image DAPI" in page
    assert "absent.tif" in page
    assert 'data-layer="photo"' not in page


def test_a_record_without_entries_is_enough(scattered):
    run = scattered(100, 3)
    run.record.clear()
    assert "Settings in force" not in page_of(run)


def test_unwritable_folder_is_named(scattered, tmp_path):
    with pytest.raises(OutputError, match=r"report\.html"):
        report(scattered(10, 1), tmp_path / "absent")


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "cells", "most"), [(1_000_000, 10_000, 3), (3_000_000, 30_000, 5)])
def test_costs(scattered, rows, cells, most, tmp_path):
    run = scattered(rows, cells, 300, side=rows**0.5)
    start = time.process_time()
    report(run, tmp_path)
    assert time.process_time() - start < most
    assert (tmp_path / "report.html").stat().st_size < 8e6
    tracemalloc.start()
    page_of(run)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6


def test_blocks_count_every_row_once(scattered, monkeypatch):
    run = scattered(1000, 7)
    whole = numbers_of(run)
    monkeypatch.setattr(numbers, "BLOCK", 64)
    cut = numbers_of(run)
    np.testing.assert_array_equal(whole.gene_kept, cut.gene_kept)
    assert whole.gene_kept.sum() == whole.kept == 1000
    assert whole.assigned + whole.background + whole.unsure == whole.kept
