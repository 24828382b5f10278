"""Linear algebra of the stand-ins, whose sums must not depend on the processors of the machine."""

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from cellcarve import cli

COMMANDS = {
    "baysor run": "cellcarve.compat.baysor.run.run",
    "baysor preview": "cellcarve.compat.baysor.preview.preview",
    "baysor segfree": "cellcarve.compat.baysor.segfree.segfree",
    "proseg": "cellcarve.compat.proseg.run.run",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_linear_algebra_has_one_thread_whatever_the_host_gives_it(monkeypatch, tmp_path, command):
    seen = []

    def look(*_):
        seen.extend(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")

    monkeypatch.setattr(COMMANDS[command], look)
    (tmp_path / "in.csv").touch()
    with threadpool_limits(2, "blas"):
        assert cli.status([*command.split(), str(tmp_path / "in.csv")]) == 0
    assert set(seen) == {1}
