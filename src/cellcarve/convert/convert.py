"""A finished segmentation in another tool's form."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cellcarve.convert.geojson import write_geojson
from cellcarve.convert.h5ad import write_h5ad
from cellcarve.convert.pixels import Pixels
from cellcarve.convert.qupath import write_qupath
from cellcarve.convert.seurat import write_bundle
from cellcarve.convert.source import Finished, load
from cellcarve.convert.spatialdata import write_spatialdata
from cellcarve.convert.xenium_ranger import write_ranger
from cellcarve.errors import OutputError, SettingsError, nearest
from cellcarve.staged import staged


@dataclass(frozen=True)
class Target:
    """A form that results can take.

    Parameters
    ----------
    ending
        What is added to the name of the source, where no name is given.
    write
        Writes a file or folder.
    next_step
        The next tool's command; ``{out}`` is what was written.
    """

    ending: str
    write: Callable[[Finished, Path], None]
    next_step: str


FORMATS = {
    "h5ad": Target(".h5ad", write_h5ad, 'anndata.read_h5ad("{out}")'),
    "seurat": Target("-seurat", write_bundle, 'Seurat::LoadXenium("{out}", segmentations = "cell")'),
    "xenium-ranger": Target(
        "-xenium-ranger",
        write_ranger,
        "xeniumranger import-segmentation --id=ID --xenium-bundle=BUNDLE "
        "--transcript-assignment={out}/transcript-assignment.csv --viz-polygons={out}/cell-polygons.geojson "
        "--units=microns",
    ),
    "qupath": Target("-qupath.geojson", write_qupath, "drag {out} onto the image in QuPath"),
    "spatialdata": Target("-spatialdata.zarr", write_spatialdata, 'spatialdata.read_zarr("{out}")'),
    "geojson": Target(".geojson", write_geojson, 'geopandas.read_file("{out}")'),
}


def convert(
    folder: Path, to: str, out: Path | None = None, overwrite: bool = False, pixels: Pixels | None = None
) -> tuple[Path, str]:
    """Write a finished segmentation in another tool's form.

    Parameters
    ----------
    folder
        A run's folder, or a store that proseg or its stand-in wrote.
    to
        A key of `FORMATS`.
    out
        File or folder to make; by default in the working folder, named after `folder`.
    overwrite
        Replace what is there.
    pixels
        Pixels of the image that QuPath shows; by default those of the run's first image.

    Returns
    -------
    out, next_step
        What was written, and the next tool's command.

    Raises
    ------
    SettingsError
        There is no such form, or pixels are given for one that has none.
    InputError
        The folder holds no finished segmentation, or not what the form needs.
    OutputError
        Something is there already, or it cannot be written.
    """
    if to not in FORMATS:
        raise SettingsError(f"--to '{to}' is no known form{nearest(to, FORMATS)}")
    if pixels is not None and to != "qupath":
        raise SettingsError(f"--pixel-size and --origin are for --to qupath; {to} is in µm")
    target = FORMATS[to]
    if out is None:
        out = Path(folder.resolve().name.removesuffix(".zarr") + target.ending)
    if out.exists() and not overwrite:
        raise OutputError(f"'{out}' is there already; name another with -o, or replace it with --overwrite")
    if out.resolve() == folder.resolve() or out.resolve() in folder.resolve().parents:
        raise OutputError(f"'{out}' holds what is to be converted; name another with -o")
    finished = load(folder)
    write = target.write if pixels is None else partial(write_qupath, pixels=pixels)
    with staged() as stage:
        write(finished, stage.place(out))
    return out, target.next_step.format(out=out)
