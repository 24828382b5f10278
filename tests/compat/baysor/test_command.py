"""The command line itself: wrong words, version and help."""

import pytest

from cellcarve.errors import InputError, SettingsError


def test_wrong_words_are_refused_in_one_sentence(truth_as_method, table_file, tmp_path):
    with pytest.raises(SettingsError, match=r"No such option.*--scal"):
        truth_as_method(["run", "--scal=3", str(table_file)])
    with pytest.raises(SettingsError, match="Missing argument"):
        truth_as_method(["run"])
    with pytest.raises(
        SettingsError, match=r"there is no key 'segmentation.iter'; did you mean 'segmentation.iters'"
    ):
        truth_as_method(["run", "--config.segmentation.iter=3", str(table_file)])
    with pytest.raises(InputError, match="does not exist"):
        truth_as_method(["run", "-m", "5", "-s", "4", "-o", str(tmp_path), str(tmp_path / "no.csv")])


def test_the_version_is_one_that_callers_can_compare(truth_as_method, capsys):
    for words in (["--version"], ["run", "--version"]):
        truth_as_method(words)
        assert capsys.readouterr().out == "0.7.1\n"


def test_help_names_every_key(truth_as_method, capsys):
    truth_as_method(["run", "--help"])
    text = capsys.readouterr().out
    assert "--config.segmentation.unassigned-prior-label=0" in text
    assert "--prior-segmentation-confidence" in text
