import os
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run the statistical and large checks too")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--slow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="slow: run with --slow"))


@pytest.fixture(scope="session", autouse=True)
def _one_thread_of_linear_algebra():
    """As whenever a method is called by name: its sums are then taken in one order."""
    with threadpool_limits(1, "blas"):
        yield


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder with the real data; tests that need it are skipped where it is absent."""
    root = Path(__file__).parents[1]
    folder = Path(os.environ.get("CELLCARVE_DATA", root / "../shared/data"))
    if not folder.is_dir():
        pytest.skip(f"real data absent: no folder {folder}; set CELLCARVE_DATA")
    return folder
