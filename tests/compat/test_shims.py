"""Programs under other programs' names."""

import subprocess

import pytest

from cellcarve.cli import status
from cellcarve.compat.shims import NAMES, write_shims
from cellcarve.errors import OutputError


def test_each_runs_its_stand_in_with_the_words_it_was_given(tmp_path):
    folder = tmp_path / "a folder"
    assert status(["shims", str(folder)]) == 0
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
    shown = subprocess.run(
        [folder / "proseg-to-baysor", "--help"], capture_output=True, text=True, check=True
    )
    assert "--output-transcript-metadata" in shown.stdout
    refused = subprocess.run([folder / "proseg-to-baysor", "no such store"], capture_output=True, text=True)
    assert refused.returncode == 2
    assert "'no such store'" in refused.stderr


def test_other_programs_are_not_replaced_unasked(tmp_path):
    other = tmp_path / "proseg"
    other.write_text("#!/bin/sh\necho mine\n")
    with pytest.raises(OutputError, match="another program"):
        write_shims(tmp_path)
    assert "mine" in other.read_text()
    assert not (tmp_path / "baysor").exists()
    write_shims(tmp_path, overwrite=True)
    write_shims(tmp_path)
    assert "mine" not in other.read_text()


def test_place_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        write_shims(tmp_path / "file" / "shims")
