"""``segmentation_params.dump.toml``: every value in force."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cellcarve import __version__
from cellcarve.compat.baysor.config import SECTIONS, Config
from cellcarve.compat.baysor.options import Options


def write_params(path: Path, config: Config, options: Options) -> None:
    """Write the configuration with the values that were worked out; it can be given to ``--config`` again.

    Parameters
    ----------
    path
        The file.
    config
        In force.
    options
        The command line and the seed, for the comments on top.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    lines = [f"# CLI params: {options.line}", f"# cellcarve {__version__}, seed {options.seed}"]
    values = asdict(config)
    for section in SECTIONS:
        lines += ["", f"[{section}]", *(f"{key} = {_toml(value)}" for key, value in values[section].items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    # JSON's strings are TOML's basic strings.
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
