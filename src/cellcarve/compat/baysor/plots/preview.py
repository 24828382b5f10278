"""``preview.html``: molecules by composition and by confidence, the fit of noise, and genes."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from cellcarve.compat.baysor.config import Config
from cellcarve.compat.baysor.plots.frame import frame_for
from cellcarve.compat.baysor.plots.map import assets, map_of
from cellcarve.compat.baysor.plots.raster import picture
from cellcarve.data.table import Table
from cellcarve.mixture.result import NoiseFit
from cellcarve.report.charts import Steps, colour_bar, histogram
from cellcarve.report.colours import BEFORE, GREY, OURS, SEQUENTIAL, ramp
from cellcarve.report.page import render
from cellcarve.report.pieces import Bar, Columns, Fact, Facts, Figure, Grid, Key, Piece, Section, Text
from cellcarve.report.svg import tag

_HELP = "Drag to move; click a map and turn the wheel to zoom. Both maps move together. y runs downwards."
_BINS = 80
# Distances beyond this quantile are left out of the histogram, which they would squeeze.
_FURTHEST = 0.995
_GENES = 150


@dataclass(frozen=True)
class Look:
    """What the page shows; K molecules, G genes.

    Attributes
    ----------
    table
        The molecules.
    confidence
        (K,) that they are no noise.
    noise
        How that was found.
    colour
        (K, 3) uint8 by composition.
    place
        (G, 2) of the genes.
    """

    table: Table
    confidence: np.ndarray
    noise: NoiseFit
    colour: np.ndarray
    place: np.ndarray


def preview_page(look: Look, config: Config) -> str:
    """The page as HTML text.

    Parameters
    ----------
    look
        What was found out.
    config
        Sizes of the picture.
    """
    sections = [
        Section("summary", "Summary", [_facts(look)]),
        Section("molecules", "Molecules", [Text(_HELP), Columns(_maps(look, config))]),
        Section("noise", "Noise", [_noise(look.noise)]),
        Section("genes", "Genes", _genes(look)),
    ]
    style, script = assets()
    return render("Preview of the molecules", sections, style, script)


def _facts(look: Look) -> Facts:
    surely, expected = float(np.mean(look.confidence < 0.01)), float(np.mean(1 - look.confidence))
    return Facts(
        [
            Fact(f"{len(look.table):,}", "molecules"),
            Fact(f"{len(look.table.genes):,}", "genes"),
            Fact(f"{surely:.1%}", "minimal noise level", "confidence below 0.01"),
            Fact(f"{expected:.1%}", "expected noise level", "mean of 1 - confidence"),
        ]
    )


def _maps(look: Look, config: Config) -> list[Figure]:
    x, y = look.table.x, look.table.y
    frame = frame_for(x, y, config)
    shades = ramp(SEQUENTIAL, 256)
    by_noise = shades[np.rint(255 * np.clip(look.confidence, 0, 1)).astype(np.uint8)]
    views = [
        (
            "Neighbourhood composition",
            look.colour,
            "Similar colours mean a similar composition of genes around.",
        ),
        ("Confidence", by_noise, "How likely each molecule is no noise: from dark (noise) to yellow (sure)."),
    ]
    return [
        Figure(map_of(frame, picture(frame, x, y, colour), [], "preview", title), note, title)
        for title, colour, note in views
    ]


def _noise(fit: NoiseFit) -> Piece:
    """Distances with the two distributions that were fitted to them."""
    top = max(float(np.quantile(fit.distance, _FURTHEST)), 1e-12)
    edges = np.linspace(0, top, _BINS + 1)
    middle, wide = (edges[1:] + edges[:-1]) / 2, edges[1]
    layers = [Steps(np.histogram(fit.distance, edges)[0], GREY)]
    for mean, std, weight, ink in zip(fit.mean, fit.std, fit.weight, (OURS, BEFORE), strict=True):
        density = (
            np.exp(-(((middle - mean) / std) ** 2) / 2) / (std * np.sqrt(2 * np.pi))
            if std > 0
            else 0 * middle
        )
        layers.append(Steps(weight * wide * density, ink, filled=False))
    keys = [Key(GREY, "molecules"), Key(OURS, "in cells"), Key(BEFORE, "noise")]
    drawing = histogram(edges, layers, (f"distance to neighbour {fit.neighbour}", "molecules"))
    note = "Two normal distributions fitted to the distance of every molecule to one of its neighbours."
    return Figure(drawing, note, "Noise by distance", keys)


def _genes(look: Look) -> list[Piece]:
    genes = len(look.table.genes)
    count = np.bincount(look.table.gene, minlength=genes)
    real = np.bincount(look.table.gene, look.confidence, genes) / np.maximum(count, 1)
    order = np.argsort(-count, kind="stable")
    rows: list[list[str | Bar]] = [
        [
            look.table.genes[g],
            f"{count[g]:,}",
            f"{count[g] * real[g]:,.0f}",
            Bar(1 - real[g], f"{1 - real[g]:.1%}"),
        ]
        for g in order[:_GENES].tolist()
    ]
    left = f"The {_GENES} commonest of {genes:,} genes." if genes > _GENES else ""
    note = "Genes that lie beside each other in the tissue are close; dots grow with the number of molecules."
    low, high = float(real.min()), float(real.max())
    bar = colour_bar(ramp(SEQUENTIAL, 16), low, high, "mean confidence of the gene's molecules")
    return [
        Figure(_scatter(look, count, real) + bar, note, "Structure of genes"),
        Grid(["gene", "molecules", "expected real", "expected noise"], rows, "lrrl", left),
    ]


def _scatter(look: Look, count: np.ndarray, real: np.ndarray) -> Markup:
    """A dot per gene, its name shown to the pointer, the commonest also in writing."""
    wide, high, margin = 900, 560, 30
    low, span = look.place.min(0), np.maximum(np.ptp(look.place, axis=0), 1e-9)
    at = margin + (look.place - low) / span * (np.array([wide, high]) - 2 * margin)
    radius = 1.5 + 0.6 * np.log1p(count)
    shades = ramp(SEQUENTIAL, 16)
    step = np.rint(15 * (real - real.min()) / (np.ptp(real) or 1)).astype(int)
    named = np.argsort(-count, kind="stable")[:40]
    dots = [
        tag("circle", tag("title", f"{name}: {n:,}"), cx=f"{x:.1f}", cy=f"{y:.1f}", r=f"{r:.1f}", fill=ink, fill_opacity=0.8)
        for name, n, x, y, r, ink in zip(
            look.table.genes, count.tolist(), *at.T.tolist(), radius.tolist(),
            [f"rgb({r},{g},{b})" for r, g, b in shades[step].tolist()], strict=True,
        )
    ]  # fmt: skip
    words = [
        _name(look.table.genes[g], (float(at[g, 0]), float(at[g, 1])), float(radius[g]), wide)
        for g in named.tolist()
    ]
    return tag(
        "svg",
        Markup("").join(dots + words),
        viewBox=f"0 0 {wide} {high}",
        role="img",
        aria_label="Genes by neighbourhood",
    )


def _name(gene: str, place: tuple[float, float], radius: float, wide: int) -> Markup:
    """A gene's name beside its dot, on the side where there is room."""
    x, y = place
    left = x > 0.85 * wide
    at = x - radius - 1 if left else x + radius + 1
    return tag(
        "text", gene, x=f"{at:.1f}", y=f"{y + 4:.1f}", text_anchor="end" if left else "start", class_="tick"
    )
