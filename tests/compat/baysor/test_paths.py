"""Names of the files by what was asked for."""

import pytest

from cellcarve.compat.baysor.paths import check_apart, paths_for
from cellcarve.errors import OutputError


@pytest.mark.parametrize(
    ("asked", "main", "beside"),
    [
        ("foo.csv", "foo.csv", "foo_cell_stats.csv"),
        ("", "segmentation.csv", "segmentation_cell_stats.csv"),
        ("foo", "foo_segmentation.csv", "foo_cell_stats.csv"),
        ("a.b.csv", "a.b.csv", "a.b_cell_stats.csv"),
        ("P_segmentation.csv", "P_segmentation.csv", "P_segmentation_cell_stats.csv"),
    ],
)
def test_names(tmp_path, asked, main, beside):
    paths = paths_for(f"{tmp_path}/{asked}", "segmentation.csv")
    assert paths.main == tmp_path / main
    assert paths.beside("cell_stats.csv") == tmp_path / beside


def test_a_folder_gets_the_default_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for asked in (str(tmp_path), ".", "./"):
        assert paths_for(asked, "preview.html").main.resolve() == tmp_path / "preview.html"


def test_a_missing_folder_is_refused_and_not_made(tmp_path):
    for asked in ("missing/", "missing/foo.csv"):
        with pytest.raises(OutputError, match="does not exist"):
            paths_for(f"{tmp_path}/{asked}", "segmentation.csv")
    assert not (tmp_path / "missing").exists()


def test_the_input_is_not_written_over(tmp_path):
    file = tmp_path / "segmentation.csv"
    file.write_text("x")
    with pytest.raises(OutputError, match="is the input"):
        check_apart(tmp_path / "." / "segmentation.csv", file)
