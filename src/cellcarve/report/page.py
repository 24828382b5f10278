"""The page: all sections, put through one template."""

from pathlib import Path
from typing import TYPE_CHECKING

from cellcarve.data import flat
from cellcarve.data.result import Run
from cellcarve.errors import OutputError

if TYPE_CHECKING:
    from cellcarve.report.pieces import Section

HERE = Path(__file__).parent


def report(run: Run, folder: Path) -> None:
    """Write ``report.html`` into a folder.

    Parameters
    ----------
    run
        A finished run.
    folder
        An existing folder.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    target = Path(folder) / "report.html"
    page = page_of(run)
    try:
        target.write_text(page, encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{target}: the report cannot be written ({error.strerror}); check the folder"
        ) from error


def page_of(run: Run) -> str:
    """The report as HTML text."""
    from cellcarve.report.numbers import numbers_of
    from cellcarve.report.sections.changes import changes
    from cellcarve.report.sections.distributions import distributions
    from cellcarve.report.sections.genes import genes
    from cellcarve.report.sections.headline import headline
    from cellcarve.report.sections.losses import losses
    from cellcarve.report.sections.model import model
    from cellcarve.report.sections.opening import opening
    from cellcarve.report.sections.probability import probability
    from cellcarve.report.sections.settings import settings
    from cellcarve.report.sections.tissue import tissue

    numbers = numbers_of(run)
    makers = (headline, tissue, changes, probability, distributions, genes, losses, model, settings, opening)
    sections = []
    for make in makers:
        sections.append(make(run, numbers))
        flat.relax()
    return render(_title(run), sections)


def render(title: str, sections: "list[Section]", more_style: str = "", more_script: str = "") -> str:
    """A page of sections as HTML text, with everything it needs inside of it.

    Parameters
    ----------
    title
        Heading.
    sections
        What it shows.
    more_style, more_script
        Put behind those that every page has.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(HERE)
    options = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True, "undefined": StrictUndefined}
    template = Environment(loader=loader, **options).get_template("page.html")  # type: ignore[arg-type]
    style, script = ((HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    return template.render(
        title=title, sections=sections, style=style + more_style, script=script + more_script
    )


def _title(run: Run) -> str:
    """What was segmented, for the head of the page."""
    files = run.table.files
    if not files:
        return "Segmentation report"
    name = files[0].parent.name if len(files) > 1 or files[0].stem == "transcripts" else files[0].name
    return f"Segmentation of {name or files[0].name}"
