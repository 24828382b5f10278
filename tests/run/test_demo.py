from types import SimpleNamespace

import numpy as np

from cellcarve.demo import simple_rules


def test_rules_by_hand():
    """Two nuclei at 0 and 20 µm; a row between, one far off, and one that was left out."""
    table = SimpleNamespace(
        x=np.array([0, 20, 4, 26, 1], np.float32), y=np.zeros(5, np.float32), status=np.array([0, 0, 0, 0, 1])
    )
    prior = SimpleNamespace(cell=np.array([1, 2, 1, 0, 1]), core=np.array([True, True, False, False, True]))
    rules = simple_rules(SimpleNamespace(table=table, prior=prior))
    assert {name: cell.tolist() for name, cell in rules.items()} == {
        "nearest nucleus": [1, 2, 1, 2, 0],
        "nuclei grown by 5 µm": [1, 2, 1, 0, 0],
        "nuclei alone": [1, 2, 0, 0, 0],
    }
