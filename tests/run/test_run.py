import json
from pathlib import Path

import numpy as np
import pytest

from cellcarve.config import flatten, gather
from cellcarve.errors import InputError, MemoryBudgetError
from cellcarve.progress import Silent
from cellcarve.run import segment
from cellcarve.settings import OutputSettings, Settings

HERE = OutputSettings(Path("somewhere"))


class Heard(Silent):
    def __init__(self):
        self.stages, self.notes = [], []

    def stage(self, name, total=0, unit=""):
        self.stages.append(name)

    def note(self, text):
        self.notes.append(text)


def test_stages_run_in_order_and_output_is_checked_first(stages):
    segment("in", Settings(), HERE, Silent())
    assert stages.calls == ["check", "read", "lay", "carve", "summarise", "write"]


def test_without_output_nothing_is_written(stages):
    segment("in", Settings(), None, Silent())
    assert stages.calls == ["read", "lay", "carve", "summarise"]


def test_losses_are_told_and_add_up(stages):
    heard = Heard()
    run = segment("in", Settings(), None, heard)
    assert "5 rows read: 3 kept, 1 control probe, 1 excluded gene; 1 genes" in heard.notes
    rows = dict(run.record["rows"])
    assert rows.pop("read") == sum(rows.values()) == 5


def test_notes_of_every_stage_are_shown_and_recorded(stages):
    heard = Heard()
    run = segment("in", Settings(), None, heard)
    assert run.record["notes"] == heard.notes
    assert {"read a small table", "prior made up"} <= set(heard.notes)


@pytest.mark.parametrize(("kind", "told"), [("nuclei", 0), ("none", 1)])
def test_the_mixture_is_named_where_there_is_no_prior(stages, kind, told):
    heard, stages.kind = Heard(), kind
    segment("in", Settings(), None, heard)
    assert sum("--method mixture" in note for note in heard.notes) == told


def test_nothing_kept_is_refused(stages):
    stages.table = stages.small_table(status=(1, 2, 3, 4))
    with pytest.raises(InputError, match=r"no transcript is left .*4 rows read: 0 kept"):
        segment("in", Settings(), None, Silent())
    assert "lay" not in stages.calls


def test_too_little_memory_is_refused_before_the_work(stages):
    with pytest.raises(MemoryBudgetError, match=r"may use 10 MB.*--roi"):
        segment("in", gather({"memory": "10M"}), None, Silent())
    assert "carve" not in stages.calls


def test_record_is_json_and_holds_every_setting(stages):
    settings = gather({"min_qv": 12.5, "genes_exclude": "A,B*", "seed": 7, "tile": 300})
    record = json.loads(json.dumps(segment("in", settings, None, Silent()).record))
    assert gather(record["settings"]) == settings
    assert record["settings"] == flatten(settings)
    assert record["seed"] == 7
    assert record["model"] == {"kappa": 1000.0}
    assert {"cellcarve", "numpy", "numba", "python"} <= set(record["versions"])
    assert record["result"]["transcripts_assigned"] + record["result"]["transcripts_unassigned"] == 3
    assert [t["stage"] for t in record["timings"]] == ["read", "lay prior"]
    assert record["peak_memory"] > 1e6


def test_input_files_are_fingerprinted(stages, tmp_path):
    file = tmp_path / "t.csv"
    file.write_bytes(b"a" * 10)
    stages.table.files = (file, tmp_path)
    (entry,) = segment("in", Settings(), None, Silent()).record["inputs"]
    assert entry["bytes"] == 10
    assert entry["path"] == str(file)


def test_tables_are_left_as_they_were_read(stages):
    before = stages.table.status.copy()
    segment("in", Settings(), None, Silent())
    assert np.array_equal(stages.table.status, before)
