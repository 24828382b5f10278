"""``cellcarve baysor``: Baysor's commands and options."""

from collections.abc import Callable
from typing import Any

import click

from cellcarve.algebra import one_thread
from cellcarve.compat.baysor.config import keys
from cellcarve.compat.baysor.options import options_of
from cellcarve.compat.baysor.overrides import split
from cellcarve.errors import SettingsError

# What programs that ask for Baysor's version compare with.
VERSION = "0.7.1"
_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _keys_help() -> str:
    """Every key of the configuration with its default, as an epilog that keeps its lines."""
    lines = [f"--config.{name.replace('_', '-')}={item.default}" for name, item in keys().items()]
    return "\b\nKeys of the configuration, each with its default:\n" + "\n".join(lines)


def _options(*options: Decorator) -> Decorator:
    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def _output(default: str) -> Decorator:
    return click.option("-o", "--output", metavar="PATH", default=default, show_default=True,
                        help="File to write, or the folder for it.")  # fmt: skip


_TABLE = _options(
    click.argument("coordinates"),
    click.option("-c", "--config", metavar="TOML", help="Configuration file, or the name of a preset."),
    click.option("-x", "--x-column", "data__x", metavar="NAME", help="Column with x."),
    click.option("-y", "--y-column", "data__y", metavar="NAME", help="Column with y."),
    click.option("-z", "--z-column", "data__z", metavar="NAME", help="Column with z."),
    click.option("-g", "--gene-column", "data__gene", metavar="NAME", help="Column with the gene."),
    click.option("-m", "--min-molecules-per-cell", "data__min_molecules_per_cell", metavar="NUMBER",
                 help="Usual lower bound of the molecules of a cell; others are derived from it."),
)  # fmt: skip
_COMPUTE = _options(
    click.option("--threads", type=click.IntRange(0), default=0, metavar="NUMBER",
                 help="CPU threads; 0 = all, or JULIA_NUM_THREADS. The result does not depend on it."),
    click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, metavar="NUMBER",
                 help="Same input, options and seed give the same bytes."),
    click.version_option(VERSION, message="%(version)s"),
)  # fmt: skip


@click.group(context_settings=_HELP)
@click.version_option(VERSION, message="%(version)s")
def _baysor() -> None:
    """Baysor's commands, files and options, done by cellcarve."""


@_baysor.command("run", context_settings=_HELP, epilog=_keys_help())
@_TABLE
@click.argument("prior_segmentation", default="")
@click.option(
    "-s",
    "--scale",
    "segmentation__scale",
    metavar="NUMBER",
    help="Expected radius of a cell, in the units of the coordinates; not measured from the prior then.",
)
@click.option(
    "--scale-std", "segmentation__scale_std", metavar="SPREAD", help='Its spread: "25%" of it, or a number.'
)
@click.option("--n-clusters", "segmentation__n_clusters", metavar="NUMBER", help="Clusters of molecules.")
@click.option(
    "--prior-segmentation-confidence",
    "segmentation__prior_segmentation_confidence",
    metavar="NUMBER",
    help="0 (the prior is ignored) to 1 (it is not contradicted).",
)
@click.option(
    "--polygon-format",
    default="FeatureCollection",
    show_default=True,
    metavar="FORMAT",
    help="FeatureCollection, GeometryCollection, GeometryCollectionLegacy or none.",
)
@click.option(
    "--count-matrix-format",
    default="loom",
    show_default=True,
    metavar="FORMAT",
    help="loom, tsv or h5ad; several separated by commas.",
)
@click.option("-p", "--plot", is_flag=True, help="Write pages with the borders of cells and on the run.")
@_output("segmentation.csv")
@click.option(
    "--prior-pixel-size",
    type=float,
    metavar="NUMBER",
    default=1.0,
    show_default=True,
    help="Side of a pixel of the prior's image, in the units of the coordinates.",
)
@click.option(
    "--prior-offset",
    metavar="X,Y",
    default="0,0",
    show_default=True,
    help="Where the middle of the first pixel of the prior's image lies.",
)
@click.option(
    "--compat",
    type=click.Choice(["", "0.7"]),
    default="",
    metavar="VERSION",
    help="0.7 restores the rules of Baysor 0.7 where the result would differ.",
)
@click.option("--drop-small-cells", is_flag=True, help="Molecules of cells with fewer than -m are noise.")
@click.option(
    "--resume",
    is_flag=True,
    help="Go on from the checkpoint that an interrupted run left, to the same bytes.",
)
@click.option("--skip-ncv", is_flag=True, help="Leave out the colours of neighbourhood compositions.")
@_COMPUTE
def _run(**given: Any) -> None:
    """Segment cells.

    COORDINATES is a csv (gzipped or not) or parquet table of molecules, or a Xenium folder. PRIOR_SEGMENTATION is
    a label image or mask (tif, npy, mat, png), or a column of the table written as :NAME.
    """
    from cellcarve.compat.baysor.run import run

    with one_thread():
        run(options_of(_gathered(given)))


@_baysor.command("preview", context_settings=_HELP, epilog=_keys_help())
@_TABLE
@_output("preview.html")
@_COMPUTE
def _preview(**given: Any) -> None:
    """Look at molecules before they are segmented: compositions, noise and genes, as one page."""
    from cellcarve.compat.baysor.preview import preview

    with one_thread():
        preview(options_of(_gathered(given)))


@_baysor.command("segfree", context_settings=_HELP, epilog=_keys_help())
@_TABLE
@click.option(
    "-k",
    "--k-neighbors",
    type=click.IntRange(0),
    default=0,
    metavar="NUMBER",
    help="Neighbours whose genes make up a composition; 0 = worked out.",
)
@_output("ncvs.loom")
@_COMPUTE
def _segfree(**given: Any) -> None:
    """Write the gene composition around every molecule, without segmenting."""
    from cellcarve.compat.baysor.segfree import segfree

    with one_thread():
        segfree(options_of(_gathered(given)))


def _gathered(given: dict[str, Any]) -> dict[str, Any]:
    """Options as click gave them, with the overrides and the words of the command line."""
    return given | click.get_current_context().obj


def main(tokens: list[str]) -> None:
    """Run one command of Baysor's command line.

    Parameters
    ----------
    tokens
        Words after ``baysor``.

    Raises
    ------
    CellcarveError
        An option, the input or the machine does not allow it.
    """
    rest, overrides = split(tokens)
    facts = {"overrides": overrides, "words": tokens}
    try:
        _baysor.main(rest, prog_name="baysor", standalone_mode=False, obj=facts)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
    except click.ClickException as error:
        raise SettingsError(f"{error.format_message().rstrip('.')}; see --help") from error
    except click.Abort:
        raise KeyboardInterrupt from None
