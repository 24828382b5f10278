"""Whether the outputs can be written, before hours are spent on them."""

import tempfile
from pathlib import Path

from cellcarve.compat.proseg.options import OutputOptions
from cellcarve.compat.proseg.outputs.tables import format_of
from cellcarve.errors import OutputError, SettingsError

# Outputs whose format their name or an option tells.
TABLES = (
    "output_cell_metadata",
    "output_transcript_metadata",
    "output_gene_metadata",
    "output_metagene_rates",
    "output_metagene_loadings",
    "output_rates",
)
OTHERS = (
    "output_counts",
    "output_expected_counts",
    "output_cell_polygons",
    "output_union_cell_polygons",
    "output_cell_polygon_layers",
    "output_voxel_counts",
    "output_cell_masks",
)
# Written while the chain runs.
MONITOR = "monitor_cell_polygons"


def check_outputs(options: OutputOptions) -> None:
    """See to it that all outputs can be written.

    Parameters
    ----------
    options
        Which files are wanted, and where.

    Raises
    ------
    SettingsError
        The format of a table is not told, or two outputs have one name.
    OutputError
        The store is there already, or a folder is not, or cannot be written to.
    """
    store = options.path(options.output_spatialdata)
    if store.exists() and not options.overwrite:
        raise OutputError(
            f"'{store}' is there already; name another --output-spatialdata, or replace it with --overwrite"
        )
    if store.exists() and not (store / ".zgroup").is_file() and not (store / "zarr.json").is_file():
        raise OutputError(
            f"'{store}' is no zarr store and is not replaced; name another --output-spatialdata"
        )
    files = wanted(options)
    for name in TABLES:
        if name in files:
            format_of(files[name], getattr(options, f"{name}_fmt"))
    files |= _named(options, (MONITOR,))
    taken: dict[Path, str] = {store.resolve(): "output_spatialdata"}
    for name, file in files.items():
        other = taken.setdefault(file.resolve(), name)
        if other != name:
            flags = " and ".join(f"--{word.replace('_', '-')}" for word in (other, name))
            raise SettingsError(f"{flags} have the same name '{file}'; give each its own")
        if file.is_dir():
            raise OutputError(f"'{file}' is a folder; name a file for --{name.replace('_', '-')}")
    for folder in {file.resolve().parent for file in [store, *files.values()]}:
        _check_folder(folder)


def wanted(options: OutputOptions) -> dict[str, Path]:
    """Where each file that was asked for goes, by the name of its option."""
    return _named(options, TABLES + OTHERS)


def _named(options: OutputOptions, names: tuple[str, ...]) -> dict[str, Path]:
    return {name: options.path(getattr(options, name)) for name in names if getattr(options, name)}


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise OutputError(f"there is no folder '{folder}' to write to; make it first, or name another place")
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OutputError(f"cannot write to '{folder}': {error.strerror}; name another place") from error
