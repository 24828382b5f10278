import pytest

from cellcarve.errors import OutputError
from cellcarve.fresh import fresh


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_folder_appears_with_its_parents_and_nothing_else(tmp_path):
    with fresh(tmp_path / "a" / "b", overwrite=False) as folder:
        (folder / "file").write_text("new")
    assert names(tmp_path) == ["a", "a/b", "a/b/file"]


def test_nothing_is_left_of_a_failure(tmp_path):
    def fail():
        with fresh(tmp_path / "b", overwrite=False) as folder:
            (folder / "file").write_text("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert names(tmp_path) == []


def test_used_folder_is_refused_and_kept(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine").write_text("old")
    with pytest.raises(OutputError, match="--overwrite"), fresh(tmp_path / "b", overwrite=False):
        pass
    assert names(tmp_path) == ["b", "b/mine"]


@pytest.mark.parametrize("failing", [False, True])
def test_overwritten_files_go_only_when_all_went_well(tmp_path, failing):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine").write_text("old")

    def work():
        with fresh(tmp_path / "b", overwrite=True) as folder:
            assert names(folder) == []
            (folder / "other").write_text("new")
            if failing:
                raise ValueError

    if failing:
        with pytest.raises(ValueError):
            work()
    else:
        work()
    assert names(tmp_path) == ["b", "b/mine" if failing else "b/other"]


def test_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "b").write_text("mine")
    with pytest.raises(OutputError, match="is a file"), fresh(tmp_path / "b", overwrite=True):
        pass
    with pytest.raises(OutputError, match="cannot write"), fresh(tmp_path / "b" / "c", overwrite=True):
        pass
    assert (tmp_path / "b").read_text() == "mine"
