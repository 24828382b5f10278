"""The method mixture, from the table of transcripts to a fitted mixture."""

from dataclasses import asdict

import numpy as np

from cellcarve.chain.streams import MIXTURE_STREWN
from cellcarve.data import flat
from cellcarve.data.prior import Prior
from cellcarve.data.table import Table
from cellcarve.mixture.assemble import assemble, trace_of
from cellcarve.mixture.clusters import cluster
from cellcarve.mixture.compartments import compartments, gene_codes
from cellcarve.mixture.compositions import neighbours_for
from cellcarve.mixture.graph import NOBODYS
from cellcarve.mixture.intensity import believe_by_cells
from cellcarve.mixture.merge import distinctness
from cellcarve.mixture.model import Marked, build, rules_of, wanted_cells
from cellcarve.mixture.prepare import Prepared, prepare
from cellcarve.mixture.rates import rates
from cellcarve.mixture.result import MixtureRun
from cellcarve.mixture.sampler import Plan, course_of, polish, refresh, settle, steps
from cellcarve.mixture.state import State
from cellcarve.mixture.tally import NONE
from cellcarve.mixture.watch import Nobody, Watch
from cellcarve.progress import Progress
from cellcarve.settings import ComputeSettings, MixtureSettings

# Round by which cells are known well enough to tell noise by the distance to them, where there are no nuclei.
_KNOWN = 30


def fit(
    table: Table,
    prior: Prior,
    settings: MixtureSettings,
    compute: ComputeSettings,
    progress: Progress,
    watch: Watch | None = None,
) -> MixtureRun:
    """Fit the mixture: which transcripts make up cells, and which are noise.

    Outlines and colours are not made yet: see `add_outlines` and `add_colours`.

    Parameters
    ----------
    table
        N rows of input; K of them kept.
    prior
        Prior cells laid over them, perhaps none.
    settings, compute
        Of the method and of the run.
    progress
        Who is told how far it is.
    watch
        Who looks on, if anybody.

    Returns
    -------
    MixtureRun
        Of the K kept rows.

    Raises
    ------
    InputError
        No row is kept, or the prior has too few segments to measure the size of cells.
    SettingsError
        The size of cells is not given and there is no prior to measure it from, or marker genes are unknown.
    """
    progress.stage("finding neighbours and noise", int((table.status == 0).sum()), "transcripts")
    ready = prepare(table, prior, settings, compute.threads, compute.seed)
    notes: list[str] = []
    marked = mark(ready, table.genes, settings, compute, notes)
    rules = rules_of(ready, prior, settings)
    state = build(ready, marked, rules, settings, compute.threads, compute.seed)
    refresh(state)
    plan = Plan(
        settings.iterations,
        0.0 if settings.compat else settings.tolerance,
        ready.fewest,
        ready.molecules.genes,
        settings.merges and not settings.compat,
        settings.splits and not settings.compat,
        settings.births and not settings.compat,
        compute.seed,
        compute.threads,
    )
    progress.stage("fitting cells", settings.iterations, "rounds")
    watch = watch or Nobody()
    course = watch.begin(state, course_of(plan))
    progress.advance(state.sweep)
    for _ in steps(state, plan, course):
        if state.sweep == _KNOWN and not (settings.compat or state.rules.placed):
            away = ready.molecules.from_input(ready.noise.distance)
            generator = np.random.Generator(np.random.Philox(key=[compute.seed, MIXTURE_STREWN]))
            believe_by_cells(state, ready.molecules, away, ready.noise.neighbour, generator)
        watch.went(state, course)
        progress.advance(1)
    params = _params(ready, settings, state, plan)
    trace = trace_of(course, ready.fewest)
    share, second = settle(state, course.history)
    course.history = None
    if not settings.compat:
        polish(state, compute.threads, share, second)
    # Votes are not asked for again until all is gathered.
    share, second = flat.aside(share), flat.aside(second)
    # Where nuclei are known, cells are told apart by them.
    anchored = state.rules.bonus > 0
    distinct = None if anchored else distinctness(state)
    rate = flat.aside(rates(state, compute.threads)) if anchored else None
    # Neighbours and counts take more memory than all else here, and nobody asks for them any more.
    state.graph = ready.graph = NOBODYS
    state.counts = state.counts._replace(genes=NONE, segments=NONE)
    state.scene = state.scene._replace(beside=state.scene.beside[:0].copy(), gap=state.scene.gap[:0].copy())
    row = ready.molecules.row
    axes = (table.x, table.y) if table.z is None or settings.force_2d else (table.x, table.y, table.z)
    place = [flat.take(axis, row) for axis in axes]
    run = assemble(ready, marked, state, trace, (share, second), (place, params, notes))
    run.distinctness = distinct
    if rate is not None:
        run.rate = ready.molecules.to_input(rate)
    return run


def mark(
    ready: Prepared, genes: list[str], settings: MixtureSettings, compute: ComputeSettings, notes: list[str]
) -> Marked:
    """Compartments and molecule clusters, where they are asked for; sentences for the user go to `notes`."""
    m = ready.molecules
    chances, course, nuclear, markers = None, None, ready.nuclear, np.empty(0, np.int32)
    if settings.nuclei_genes:
        codes = [
            gene_codes(settings.nuclei_genes, genes, "nuclei_genes"),
            gene_codes(settings.cyto_genes, genes, "cyto_genes"),
        ]
        markers = np.concatenate(codes)
        chances, course = compartments(m, ready.graph, ready.confidence, (codes[0], codes[1]), ready.scale)
        nuclear = (1 - chances[:, 1]).astype(np.float32)
        missing = sorted(set(settings.nuclei_genes + settings.cyto_genes) - set(genes))
        if missing:
            notes.append(f"compartment genes that the data lack: {', '.join(missing)}")
    labels, clustering = ready.cluster, None
    if settings.molecule_clusters > 1:
        how = compute.seed, compute.threads, bool(settings.compat)
        labels, clustering, found = cluster(m, ready.graph, ready.confidence, settings.molecule_clusters, how)
        if not found:
            notes.append(
                "molecule clusters start from the tissue's profile: no independent components were found"
            )
    return Marked(labels, clustering, chances, course, nuclear, markers)


def _params(ready: Prepared, settings: MixtureSettings, state: State, plan: Plan) -> dict[str, object]:
    """Every value in force."""
    genes = ready.molecules.genes
    classic = bool(settings.compat)
    rules = {
        key: value for key, value in state.rules._asdict().items() if key not in ("scale", "spread", "fewest")
    }
    return {
        **asdict(settings),
        "cell_scale": float(ready.scale),
        "cell_scale_std": float(ready.spread),
        "min_transcripts_per_cell": int(ready.fewest),
        "min_transcripts_per_segment": int(ready.least_segment),
        "noise_neighbour": int(ready.noise.neighbour),
        "cells_init": wanted_cells(ready, state.rules, settings),
        "ncv_neighbours": settings.ncv_neighbours or neighbours_for(genes, ready.fewest, classic),
        "rounds": state.sweep,
        "history": plan.history,
        "model": rules,
    }
