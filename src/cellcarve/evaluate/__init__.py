"""Quality of any segmentation, by any program: with a truth, with a reference, or with nothing but itself."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cellcarve.evaluate.assignment import Columns, read_assignment
    from cellcarve.evaluate.baselines import rules
    from cellcarve.evaluate.measure import evaluate
    from cellcarve.evaluate.table import format_table

__all__ = ["Columns", "evaluate", "format_table", "read_assignment", "rules"]

_HOME = {
    "Columns": "assignment",
    "read_assignment": "assignment",
    "rules": "baselines",
    "evaluate": "measure",
    "format_table": "table",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
