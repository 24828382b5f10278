import subprocess
import sys

import pytest

import cellcarve
from cellcarve.errors import OutputError, SettingsError


def test_result_holds_the_run(stages):
    result = cellcarve.segment("in", min_qv=3)
    assert stages.calls == ["read", "lay", "carve", "summarise"]
    assert repr(result) == "Result(5 transcripts, 1 cells)"
    assert result.run.record["settings"]["min_qv"] == 3


def test_output_is_written_when_asked_for(stages):
    cellcarve.segment("in", output="somewhere")
    assert stages.calls[-1] == "write"


def test_result_can_be_written_later(stages):
    result = cellcarve.segment("in")
    assert str(result.write("somewhere")) == "somewhere"
    assert stages.calls[-2:] == ["check", "write"]


def test_unknown_names_are_refused_before_anything_is_read(stages):
    with pytest.raises(SettingsError, match="did you mean 'min_qv'"):
        cellcarve.segment("in", min_qw=3)
    assert stages.calls == []


def test_simulate_refuses_unknown_names_and_used_folders(tmp_path):
    with pytest.raises(SettingsError, match="did you mean 'transcripts'"):
        cellcarve.simulate(tmp_path / "new", transcript=5000)
    (tmp_path / "mine").write_text("x")
    with pytest.raises(OutputError):
        cellcarve.simulate(tmp_path, transcripts=5000)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_verbs_stay_functions_whatever_was_imported_before():
    code = (
        "import cellcarve.simulate, cellcarve.report, cellcarve, sys\n"
        "from cellcarve.simulate import SimulateSettings\n"
        "assert all(callable(getattr(cellcarve, verb)) for verb in ('segment', 'simulate', 'report', 'demo'))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_import_is_light():
    code = (
        "import cellcarve, sys\n"
        "assert not {'numpy', 'pandas', 'pyarrow', 'numba'} & set(sys.modules)\n"
        "assert 'segment' in dir(cellcarve)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_other_names_do_not_exist():
    with pytest.raises(AttributeError, match="no attribute 'segmnt'"):
        _ = cellcarve.segmnt
