"""Expression rates of a cell: found in its small table, or drawn on request where it has no counts of the gene."""

from numba import float32, njit

from cellcarve.chain.compiled import LEAF
from cellcarve.chain.draws import GAMMA_STEP, gamma
from cellcarve.chain.streams import RATE


@njit(**LEAF)
def slot_of(start, key, cell, gene):
    """Where the pair's entry lies, or ~(where it would go): negative if the cell has no counts of the gene.

    Parameters
    ----------
    start, key
        As in `Rates`.
    cell, gene
        The pair.
    """
    first = start[cell]
    mask = start[cell + 1] - first - 1
    if mask < 0:
        return -1
    place = (gene * 2654435761 >> 12) & mask
    while key[first + place] >= 0:
        if key[first + place] == gene:
            return first + place
        place = (place + 1) & mask
    return -(first + place) - 1


@njit(**LEAF)
def known_rate(start, key, value, cell, gene):
    """Rate of a gene that the cell has counts of; -1 if it has none, and 0 for the background (cell 0)."""
    if cell == 0:
        return 0.0
    slot = slot_of(start, key, cell, gene)
    return float(value[slot]) if slot >= 0 else -1.0


@njit(**LEAF, fastmath={"reassoc", "nsz"})
def dot(left, right):
    """Sum of the products of two rows, float32 (n,), in an order that suits the machine."""
    total = float32(0.0)
    for n in range(left.size):
        total += left[n] * right[n]
    return total


@njit(**LEAF)
def unseen(rates, component, exposed, cell, gene):
    """Rate of a gene that the cell has no counts of: a draw that is the same whenever it is asked for in a sweep."""
    factor, loading = rates.factor, rates.loading
    plain = rates.background.shape[0] - loading.shape[0]
    if gene >= plain:
        return float(dot(factor[cell], loading[gene - plain]))
    r, s = rates.size[gene, component[cell]], rates.odds[gene, component[cell]]
    drawn = gamma(r, rates.address[0], RATE, rates.address[1], cell, gene * GAMMA_STEP)
    return drawn * s / (1.0 + s * exposed[cell])


@njit(**LEAF)
def rate_of(rates, cells, cell, gene):
    """a_c lambda_cg, transcripts per µm² of layer-averaged area; 0 for the background (cell 0)."""
    if cell == 0:
        return 0.0
    slot = slot_of(rates.start, rates.key, cell, gene)
    if slot >= 0:
        return cells.scale[cell] * float(rates.value[slot])
    return cells.scale[cell] * unseen(rates, cells.component, cells.exposed, cell, gene)
