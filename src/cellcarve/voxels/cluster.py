"""First components of cells: k-means on a random projection of their log expression."""

import warnings

import numpy as np
from scipy.sparse import csr_matrix

from cellcarve.voxels.chain import Chain, counts_of

DIRECTIONS = 25
# Weight of the mean of all cells in a component's first rates, as an area in µm².
USUAL_CELL = 100.0


def profiles(chain: Chain, random: np.random.Generator) -> np.ndarray:
    """(C, 25) float64 random projection of ln(1 + 100 share) of each cell's counts; the flat profile for empty cells."""
    counts = counts_of(chain).astype(np.float64)
    genes = counts.shape[1]
    total = np.asarray(counts.sum(1)).ravel()
    counts.data = np.log1p(100 * counts.data / np.repeat(total, np.diff(counts.indptr)))
    direction = random.standard_normal((genes, DIRECTIONS))
    direction /= np.linalg.norm(direction, axis=0)
    out = np.asarray(counts @ direction)
    out[total == 0] = np.log1p(100 / genes) * direction.sum(0)
    return out


def first_components(chain: Chain, components: int) -> None:
    """Give every cell a component, in place."""
    from scipy.cluster.vq import kmeans2

    random = np.random.Generator(np.random.Philox(key=int(chain.rates.address[0]) + 1))
    points = profiles(chain, random)
    # Cells of one profile have one place along any direction, and there are no more kinds than places.
    wanted = min(components, len(np.unique(points[:, 0])))
    with warnings.catch_warnings():
        # A kind without a cell is none: it is filled, or not, as the chain goes on.
        warnings.filterwarnings("ignore", "One of the clusters is empty")
        _, which = kmeans2(points, wanted, iter=50, minit="++", rng=random, missing="warn")
    chain.cells.component[1:] = which
    first_odds(chain)


def first_odds(chain: Chain) -> None:
    """Odds that give every component the mean rates of its cells, drawn towards the mean of all; in place."""
    cells, rates = chain.cells, chain.rates
    plain = len(rates.background) - len(rates.loading)
    member = csr_matrix(
        (np.ones(len(chain.number) - 1), (cells.component[1:], np.arange(len(chain.number) - 1))),
        shape=(len(chain.log_weight), len(chain.number) - 1),
    )
    counts = np.asarray((member @ counts_of(chain)[:, :plain].astype(np.float64)).todense()).T
    exposed = np.bincount(cells.component[1:], cells.exposed[1:], len(chain.log_weight))
    usual = (counts.sum(1, keepdims=True) + 0.5) / exposed.sum()
    mean = (counts + usual * USUAL_CELL) / (exposed + USUAL_CELL)
    rates.odds[:plain] = mean / rates.size[:plain]
    if rates.factor.shape[1]:
        shared = chain.latent.sum() / (cells.exposed[1:].sum() * rates.factor.shape[1])
        rates.odds[plain:] = shared / rates.size[plain:]
