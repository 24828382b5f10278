"""A folder for compiled code where Numba would find none."""

import os
import sys
import tempfile

import numba
import pytest

from cellcarve import numba_cache
from cellcarve.numba_cache import VARIABLE, can_be_kept, keep_compiled_code, own_folder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is done")


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"cellcarve-{os.getuid()}"


def test_folders_that_can_be_written_to_or_made(tmp_path):
    (tmp_path / "file").write_text("")
    assert can_be_kept(["", str(tmp_path / "new" / "er")])
    assert not can_be_kept(["", "~/.cache", str(tmp_path / "file" / "below"), str(tmp_path / "file")])


def test_ours_is_found_again(temporary):
    assert own_folder() == own_folder() == str(temporary)
    assert temporary.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("how", ["open", "link"])
def test_what_others_may_have_put_there_is_not_used(temporary, tmp_path, how):
    if how == "link":
        (tmp_path / "theirs").mkdir(mode=0o700)
        temporary.symlink_to(tmp_path / "theirs")
    else:
        temporary.mkdir(mode=0o755)
    assert own_folder() != str(temporary)


@pytest.mark.parametrize("somewhere", [True, False])
def test_numba_is_told_only_where_it_would_find_none(temporary, monkeypatch, somewhere):
    monkeypatch.setenv(VARIABLE, "/dev/null/nowhere")
    monkeypatch.setattr(numba.config, "CACHE_DIR", "before")
    monkeypatch.setattr(numba_cache, "can_be_kept", lambda folders: somewhere)
    keep_compiled_code()
    told = os.environ[VARIABLE], numba.config.CACHE_DIR
    assert told == (("/dev/null/nowhere", "before") if somewhere else (str(temporary),) * 2)
