"""Baysor's configuration: every key, its default, and how layers of them are put on top of each other."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from cellcarve.compat.baysor.values import fitted
from cellcarve.errors import SettingsError, nearest

PRESETS = Path(__file__).parent / "presets"


def _low(default: Any, low: float, high: float = float("inf")) -> Any:
    """A key whose value lies in `low` .. `high`."""
    return field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True)
class Data:
    """How the table is read.

    Parameters
    ----------
    x, y, z, gene
        Names of the columns.
    force_2d
        Leave z out.
    min_molecules_per_gene
        Molecules of rarer genes are left out.
    exclude_genes
        Genes to leave out, separated by commas; ``*`` stands for anything, ``?`` for one character, and
        ``regex:`` in front makes the rest a regular expression found anywhere in the name.
    min_molecules_per_cell
        Usual lower bound of the molecules of a cell; has to be given.
    min_molecules_per_segment
        Prior segments with fewer molecules are ignored; 0 = a quarter of `min_molecules_per_cell`.
    confidence_nn_id
        Which nearest neighbour tells noise from cells; 0 = half of `min_molecules_per_cell`.
    """

    x: str = "x"
    y: str = "y"
    z: str = "z"
    gene: str = "gene"
    force_2d: bool = False
    min_molecules_per_gene: int = _low(1, 0)
    exclude_genes: str = ""
    min_molecules_per_cell: int = _low(0, 0)
    min_molecules_per_segment: int = _low(0, 0)
    confidence_nn_id: int = _low(0, 0)


@dataclass(frozen=True)
class Segmentation:
    """How molecules are gathered into cells.

    Parameters
    ----------
    scale
        Expected radius of a cell in the units of the coordinates; 0 or less = measured from the prior.
    scale_std
        Its spread: "25%" of it, or a number.
    estimate_scale_from_centers
        Measure the scale from the prior.
    n_clusters
        Clusters of molecules; 0 or 1 = none.
    prior_segmentation_confidence
        0 (the prior is ignored) to 1 (it is not contradicted).
    iters
        Most rounds of the sampler.
    n_cells_init
        Cells to start with; 0 = worked out.
    nuclei_genes, cyto_genes
        Genes of the nuclei and of the cytoplasm, separated by commas; both or none.
    unassigned_prior_label
        What the prior's column says of molecules in no segment.
    """

    scale: float = -1.0
    scale_std: str = "25%"
    estimate_scale_from_centers: bool = True
    n_clusters: int = _low(4, 0, 200)
    prior_segmentation_confidence: float = _low(0.2, 0, 1)
    iters: int = _low(500, 1)
    n_cells_init: int = _low(0, 0)
    nuclei_genes: str = ""
    cyto_genes: str = ""
    unassigned_prior_label: str = "0"


@dataclass(frozen=True)
class Plotting:
    """How pictures are drawn.

    Parameters
    ----------
    gene_composition_neigborhood
        Neighbours whose genes make up the composition around a molecule; 0 = worked out.
    min_pixels_per_cell
        Pixels along the side of a cell.
    max_plot_size
        Most pixels along the side of a picture.
    ncv_method
        How compositions are reduced to colours: ri, dense or sparse.
    """

    gene_composition_neigborhood: int = _low(0, 0)
    min_pixels_per_cell: int = _low(15, 1, 1000)
    max_plot_size: int = _low(3000, 50, 20000)
    ncv_method: str = field(default="ri", metadata={"choices": ("ri", "dense", "sparse")})


@dataclass(frozen=True)
class Config:
    """Every key in force.

    Parameters
    ----------
    data, segmentation, plotting
        The sections.
    given
        Keys (``section.key``) that someone set, at whatever value.
    """

    data: Data = field(default_factory=Data)
    segmentation: Segmentation = field(default_factory=Segmentation)
    plotting: Plotting = field(default_factory=Plotting)
    given: frozenset[str] = frozenset()


SECTIONS: dict[str, type] = {"data": Data, "segmentation": Segmentation, "plotting": Plotting}
_ALIASES = {"molecules": "data", "prior": "segmentation"}
_KEY_ALIASES = {"gene_composition_neighborhood": "gene_composition_neigborhood"}
Layer = Mapping[str, Any]


def keys() -> dict[str, Any]:
    """Every key as ``section.key`` with the field of its dataclass."""
    return {f"{name}.{item.name}": item for name, kind in SECTIONS.items() for item in fields(kind)}


def find(dotted: str, where: str) -> str:
    """The key meant by a spelling of it, as ``section.key``.

    Parameters
    ----------
    dotted
        ``section.key`` with ``-`` or ``_``, sections in any case.
    where
        Who says so, for the message.

    Raises
    ------
    SettingsError
        There is no such key; the message names the nearest.
    """
    section, dot, key = dotted.replace("-", "_").partition(".")
    section = _ALIASES.get(section.lower(), section.lower())
    name = f"{section}.{_KEY_ALIASES.get(key, key)}" if dot else section
    if name in keys():
        return name
    raise SettingsError(f"{where}: there is no key '{dotted}'{_nearest(section, key)}")


def _nearest(section: str, key: str) -> str:
    """Advice: a key of the same section where the section is right, else of any."""
    known = [name for name in keys() if name.startswith(f"{section}.")]
    advice = nearest(f"{section}.{key}", known or keys())
    if not known:
        # A key of another section, or without one.
        same = [name for name in keys() if name.endswith(f".{key or section}")]
        advice = f"; did you mean '{same[0]}'?" if same else nearest(section, SECTIONS)
    return advice


def resolve(layers: list[tuple[str, Layer]]) -> Config:
    """Put layers of keys on top of each other.

    Parameters
    ----------
    layers
        (who says so, ``{section.key: value}``), weakest first.

    Raises
    ------
    SettingsError
        A key is unknown or its value does not fit.
    """
    known, given = keys(), set()
    chosen: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    for where, layer in layers:
        for dotted, value in layer.items():
            name = find(dotted, where)
            section, key = name.split(".")
            chosen[section][key] = fitted(f"{where}: {name}", value, known[name])
            given.add(name)
    parts = {name: kind(**chosen[name]) for name, kind in SECTIONS.items()}
    return Config(**parts, given=frozenset(given))


def from_file(path: str) -> dict[str, Any]:
    """The keys of a TOML file, or of a preset where there is no such file.

    Raises
    ------
    SettingsError
        There is no such file, it is no TOML, or something stands outside of a section.
    """
    file = Path(path)
    if not file.exists():
        names = sorted(preset.stem for preset in PRESETS.glob("*.toml"))
        if path not in names:
            raise SettingsError(
                f"there is no configuration file '{path}'; check --config (presets: {', '.join(names)})"
            )
        file = PRESETS / f"{path}.toml"
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file} cannot be read as TOML ({error}); correct it") from error
    layer: dict[str, Any] = {}
    for section, part in content.items():
        if not isinstance(part, dict):
            raise SettingsError(
                f"{file}: '{section}' stands outside of the sections [data], [segmentation] and [plotting]; move it"
            )
        layer.update({f"{section}.{key}": value for key, value in part.items()})
        if not part:
            _check_section(section, str(file))
    return layer


def _check_section(section: str, where: str) -> None:
    """An empty section has no key that would be found unknown."""
    if _ALIASES.get(section.lower(), section.lower()) not in SECTIONS:
        raise SettingsError(f"{where}: there is no section '{section}'{nearest(section, SECTIONS)}")
