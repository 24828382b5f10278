import pytest

from cellcarve import memory
from cellcarve.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "amount"),
    [("8G", 8 * 2**30), ("500m", 500 * 2**20), ("2.5 GiB", 2.5 * 2**30), ("1024", 1024), ("1TB", 2**40)],
)
def test_amounts(text, amount):
    assert memory.parse(text) == amount


@pytest.mark.parametrize("text", ["", "G", "-1G", "8X", "8 G B", "1e3"])
def test_other_texts_are_refused(text):
    with pytest.raises(SettingsError):
        memory.parse(text)


def test_budget_is_what_was_said_or_what_there_is():
    assert memory.budget("1G") == 2**30
    assert memory.budget(None) == memory.available()


def test_machine_has_memory():
    assert 2**28 < memory.available() < 2**50
