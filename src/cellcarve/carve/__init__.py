"""The default method: soft labels around nuclei, fitted to place and expression; see ``docs/model.md``."""

from cellcarve.carve.method import carve

__all__ = ["carve"]
