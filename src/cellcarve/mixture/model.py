"""From what is known of the transcripts to the chain at its start: the model's numbers and first components."""

from dataclasses import dataclass

import numpy as np

from cellcarve.chain.streams import MIXTURE_SHARPNESS
from cellcarve.data.prior import Prior
from cellcarve.mixture.compartments import weakened
from cellcarve.mixture.molecules import Molecules
from cellcarve.mixture.nuclei import measure_nuclei
from cellcarve.mixture.prepare import Prepared
from cellcarve.mixture.reach import KEPT, anchors_of, reach
from cellcarve.mixture.result import Convergence
from cellcarve.mixture.sharpness import BEYOND_SEEN, learn_sharpness
from cellcarve.mixture.start import begin, choose_seeds, place_noise
from cellcarve.mixture.state import Rules, Scene, State
from cellcarve.mixture.ways import lay_ways
from cellcarve.settings import MixtureSettings

_FIELD = 0.1
_UNLIKE = 0.25
# Usual deviation over scale, and how far numbers of transcripts count, with anchors and without: in even tissue large
# cells would swallow their neighbours if they counted in full.
_ANCHORED, _FREE = (0.5, 0.0), (0.7, 0.3)
# Scales beyond which no nucleus is looked for.
_FURTHEST = 12.0


@dataclass
class Marked:
    """What is known of transcripts besides their place and gene; N in Morton order.

    Attributes
    ----------
    cluster
        (N,) uint8 molecule cluster, or all 0.
    clustering
        Course of the clusters, or None.
    compartment
        (N, 3) float64 chances of nucleus, cytoplasm and neither, or None.
    compartments
        Their course, or None.
    nuclear
        (N,) float32 chance to lie in a nucleus, or (0,).
    markers
        Codes of the genes that mark compartments.
    """

    cluster: np.ndarray
    clustering: Convergence | None
    compartment: np.ndarray | None
    compartments: Convergence | None
    nuclear: np.ndarray
    markers: np.ndarray


def rules_of(ready: Prepared, prior: Prior, settings: MixtureSettings) -> Rules:
    """The model's numbers from the settings."""
    classic = settings.compat == "0.7"
    dims = 3 if ready.molecules.deep else 2
    alpha = 0.0 if classic or settings.composition == "classic" else 2 * np.sqrt(ready.molecules.genes)
    anchored = settings.anchors and not classic and prior.confidence > 0 and bool(ready.segment.any())
    width, power = (1.0, 1.0) if classic else _ANCHORED if anchored else _FREE
    doubt = 1 - prior.confidence
    bonus = (-1.3 * float(np.log(doubt)) if doubt > 0 else np.inf) if anchored else 0.0
    return Rules(
        scale=float(ready.scale),
        spread=float(ready.spread),
        fewest=float(max(ready.fewest, 1)),
        dims=dims,
        width=width,
        power=power,
        typical=float(np.log(4 * max(ready.fewest, 1))),
        temper=1.0,
        near=width,
        fair=width,
        blur=0.0,
        rim=0.0,
        field=_FIELD,
        unlike=0.0 if alpha > 0 else float(np.log(_UNLIKE)),
        exempt=0,
        noise=place_noise(dims, ready.scale),
        alpha=float(alpha),
        trust=float(prior.confidence),
        bonus=bonus,
        placed=anchored,
        classic=classic,
    )


def wanted_cells(ready: Prepared, rules: Rules, settings: MixtureSettings) -> int:
    """Components to begin with, as many as the whole tissue may hold; 0 where nuclei are known to begin all of them."""
    if ready.whole and rules.placed and not settings.cells_init:
        return 0
    return max(settings.cells_init or 2 * (len(ready.molecules) // max(ready.fewest, 3)), 1)


def near_nuclei(
    m: Molecules, owner: np.ndarray, components: int, rules: Rules, threads: int, seed: int
) -> tuple[np.ndarray, np.ndarray, Rules]:
    """The nearest anchored components of each transcript, as `reach` has them, and rules that nuclei have told of.

    Parameters
    ----------
    m
        N transcripts.
    owner
        (N,) int32 component whose anchor each is, 0 = of none.
    components
        How many there are.
    rules
        The model's numbers.
    threads, seed
        Threads to use, and the seed of the run.
    """
    furthest = _FURTHEST * rules.scale
    nuclei = measure_nuclei(m.at, owner, components + 1)
    anchors, edges = anchors_of(m.at, owner), (nuclei.inset, lay_ways(m.at, nuclei, rules.scale))
    found = reach(m.at, anchors, edges, rules.scale, furthest, threads)
    rules = rules._replace(rim=nuclei.rim)
    generator = np.random.Generator(np.random.Philox(key=[seed, MIXTURE_SHARPNESS]))
    near = learn_sharpness(m, found, (anchors, edges, furthest), rules, generator, threads)
    return *found, rules._replace(fair=BEYOND_SEEN * near)


def build(
    ready: Prepared,
    marked: Marked,
    rules: Rules,
    settings: MixtureSettings,
    threads: int = 1,
    seed: int = 0,
) -> State:
    """The chain at its start."""
    m, n = ready.molecules, len(ready.molecules)
    nothing = np.zeros(n, np.int32)
    gene, graph = m.gene, ready.graph
    if marked.compartment is not None and not rules.classic:
        gene = np.where(np.isin(gene, marked.markers), -1, gene).astype(np.int32)
        graph = weakened(graph, marked.compartment)
    anchored = ready.segment if rules.bonus > 0 else nothing
    seeds = choose_seeds(
        m, ready.graph, ready.confidence, anchored, rules, wanted_cells(ready, rules, settings)
    )
    beside, gap = np.zeros((0, KEPT), np.int32), np.zeros((0, KEPT), np.uint16)
    if anchored.any():
        beside, gap, rules = near_nuclei(m, seeds.owner[anchored], seeds.count, rules, threads, seed)
    calm = np.zeros(n, np.uint8)
    scene = Scene(
        gene,
        m.place,
        ready.confidence,
        marked.cluster,
        ready.segment,
        nothing,
        calm,
        beside,
        gap,
        marked.nuclear,
    )
    size = np.bincount(ready.segment, minlength=1).astype(np.int32)
    if len(seeds.owner) < len(size):
        seeds.owner = np.zeros(len(size), np.int32)
    return begin(m, graph, scene, seeds, size, rules)
