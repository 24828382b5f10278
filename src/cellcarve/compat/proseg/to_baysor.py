"""The command ``proseg-to-baysor``: a store of proseg to the files that Xenium Ranger imports."""

import sys
from pathlib import Path

import click

from cellcarve.compat.commands import answered
from cellcarve.convert.ranger import accepted, check, write_assignment, write_rings
from cellcarve.convert.source import load, load_files
from cellcarve.errors import InputError
from cellcarve.staged import staged

CSV = Path("proseg-to-baysor-transcript-metadata.csv")
GEOJSON = Path("proseg-to-baysor-cell-polygons.geojson")


def main(tokens: list[str]) -> None:
    """Run the command.

    Parameters
    ----------
    tokens
        The words after its name.

    Raises
    ------
    SettingsError
        The arguments do not fit.
    InputError
        The store cannot be used; or, where files were to be checked, they break a rule.
    OutputError
        The files cannot be written.
    """
    answered(_command, tokens, "proseg-to-baysor")


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path), metavar="ZARR")
@click.option(
    "--output-transcript-metadata",
    "assignment",
    type=click.Path(path_type=Path),
    default=CSV,
    show_default=True,
    help="Cell of each transcript, as CSV.",
)
@click.option(
    "--output-cell-polygons",
    "outlines",
    type=click.Path(path_type=Path),
    default=GEOJSON,
    show_default=True,
    help="One ring per cell, as GeoJSON.",
)
@click.option(
    "--xenium-bundle",
    "bundle",
    type=click.Path(path_type=Path),
    help="Xenium output folder to import into: ids and qualities are checked against it (not in proseg).",
)
@click.option(
    "--check",
    "only_check",
    is_flag=True,
    help="Write nothing; say which of Xenium Ranger's rules the two files break (not in proseg).",
)
@click.version_option(
    "3.2.0", "-V", "--version", prog_name="proseg-to-baysor", message="%(prog)s %(version)s"
)
def _command(
    sources: tuple[Path, ...], assignment: Path, outlines: Path, bundle: Path | None, only_check: bool
) -> None:
    """Turn proseg's store into the files that `xeniumranger import-segmentation` reads.

    As with proseg 2, a table of transcripts and outlines may be given instead of the store.
    """
    if not only_check:
        if len(sources) not in (1, 2):
            raise click.UsageError("name the store that proseg wrote, such as proseg-output.zarr")
        to_baysor(sources, assignment, outlines)
    broken = check(assignment, outlines, bundle)
    for item in broken:
        sys.stderr.write(f"proseg-to-baysor: {item.rule}: {item.sentence}\n")
    if only_check and broken:
        raise InputError(
            f"Xenium Ranger would refuse '{assignment}' and '{outlines}' (rules broken: {len(broken)})"
        )
    if only_check:
        print("no rule of Xenium Ranger is broken")


def to_baysor(sources: tuple[Path, ...], assignment: Path, outlines: Path) -> None:
    """Write the two files.

    Parameters
    ----------
    sources
        A store that proseg or its stand-in wrote, transcripts included; or its table of transcripts and its
        outlines.
    assignment
        CSV to make.
    outlines
        GeoJSON to make.

    Raises
    ------
    InputError
        It is no such store, or was written without transcripts.
    OutputError
        The files cannot be written.
    """
    finished = load(sources[0]) if len(sources) == 1 else load_files(*sources)
    if not finished.parts:
        raise InputError(
            f"'{sources[0]}' holds no transcripts; run proseg without --exclude-spatialdata-transcripts"
        )
    keep = accepted(finished)
    for reason, number in keep.dropped.items():
        if number:
            sys.stderr.write(
                f"proseg-to-baysor: left out, {reason}: {number:,} of {finished.cells:,} cells\n"
            )
    with staged() as stage:
        write_assignment(stage.place(assignment), finished, keep)
        write_rings(stage.place(outlines), keep)
