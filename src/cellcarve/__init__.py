"""Decides which cell every RNA molecule of a spatial-transcriptomics experiment belongs to.

``segment`` does the main job; ``simulate``, ``evaluate``, ``report`` and ``demo`` are the other verbs. They
are loaded when first used, so that importing the package costs nothing.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from cellcarve.numba_cache import keep_compiled_code

if TYPE_CHECKING:
    from cellcarve.api import Result, segment

__version__ = "0.1.0"
__all__ = ["Result", "__version__", "convert", "demo", "evaluate", "report", "segment", "simulate"]

_LAZY = {"Result", "convert", "demo", "evaluate", "report", "segment", "simulate"}


class _Package(ModuleType):
    """This package, whose verbs stay functions although some share their name with a sub-package."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _LAZY and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
# Before anything that is compiled is imported.
keep_compiled_code()


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module("cellcarve.api"), name)
    raise AttributeError(f"module 'cellcarve' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
