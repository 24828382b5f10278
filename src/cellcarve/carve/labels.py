"""The compiled steps of the model: soft labels of pixels, the leak, and the cell of each transcript.

Shapes: P pixels, K candidates of a pixel, V transcripts of a view, C cells (entry 0 unused), Q expression types,
G genes. Column K of `label` and `mine` stands for "no cell". See ``docs/model.md`` for the equations.
"""

import math

import numpy as np
from numba import njit

# Sums over programmes may be taken in any order: several terms at once.
_REORDER = {"reassoc"}
# Below e to this a share of a label is taken for none.
_NONE = np.float32(-16)


@njit(cache=True, nogil=True, fastmath=_REORDER)
def share_of(weight, profile, c, g):
    """lambda_cg: share of gene g in cell c, a mixture of the types' profiles."""
    total = np.float32(0)
    for k in range(weight.shape[1]):
        total += weight[c, k] * profile[g, k]
    return total


@njit(cache=True, nogil=True, fastmath=_REORDER)
def parts_of(weight, profile, c, g, part):
    """What each programme of a cell makes of a gene, into `part` (Q,); returns their sum."""
    for q in range(len(part)):
        part[q] = weight[c, q] * profile[g, q]
    # In a loop of its own: what also writes is added up several terms at once or one by one, as arrays happen to lie.
    total = np.float32(1e-30)
    for q in range(len(part)):
        total += part[q]
    return total


@njit(cache=True, nogil=True, fastmath=_REORDER)
def shares(cell, gene, weight, profile):
    """lambda_cg of each pair of a cell and a gene, (V,) float32."""
    out = np.empty(len(cell), np.float32)
    for t in range(len(cell)):
        out[t] = share_of(weight, profile, cell[t], gene[t])
    return out


@njit(cache=True, nogil=True, fastmath=_REORDER)
def expected_rates(gene, pixel, candidate, weight, profile, density, rate):
    """D_c lambda_cg of each transcript's gene in its pixel's candidates, into `rate` (V, K)."""
    for t in range(len(gene)):
        for k in range(candidate.shape[1]):
            c = candidate[pixel[t], k]
            rate[t, k] = density[c] * share_of(weight, profile, c, gene[t]) if c else np.float32(0)


@njit(cache=True, nogil=True)
def prior_scores(candidate, gap, unit, shift, beta, nothing, bonus, score):
    """Log prior of each pixel's labels, into `score` (P, K + 1): -beta rho^2, plus `bonus` for core pixels."""
    P, K = candidate.shape
    for v in range(P):
        score[v, K] = -beta * nothing**2
        for k in range(K):
            c = candidate[v, k]
            rho = 1 + gap[v, k] / unit[c] + shift[c]
            score[v, k] = -beta * rho**2 + bonus[v, k] if c else np.float32(-1e9)


@njit(cache=True, nogil=True)
def subtract_cost(prior, cost, candidate, score):
    """Log prior of each pixel's labels less what each cell costs, into `score` (P, K + 1)."""
    for v in range(len(candidate)):
        for k in range(candidate.shape[1]):
            score[v, k] = prior[v, k] - cost[candidate[v, k]]
        score[v, -1] = prior[v, -1]


@njit(cache=True, nogil=True)
def normalise(score, label):
    """Softmax of each row of `score`, into `label`."""
    for v in range(len(score)):
        _softmax(score[v], label[v])


@njit(cache=True, nogil=True)
def correct(candidate, pixel, gap, here, unit, shift, strength):
    """exp(strength (rho^2 at the pixel's middle - rho^2 at the transcript)), (V, K) float32; `here` is the latter rho."""
    within = np.ones(here.shape, np.float32)
    for t in range(len(pixel)):
        v = pixel[t]
        for k in range(here.shape[1]):
            c = candidate[v, k]
            if c:
                rho = np.float32(1) + gap[v, k] / unit[c] + shift[c]
                change = strength * (rho * rho - here[t, k] * here[t, k])
                within[t, k] = math.exp(min(max(change, np.float32(-9)), np.float32(9)))
    return within


@njit(cache=True, nogil=True)
def frame(place, start, nx):
    """Box of pixels around each cell, and where in it each of the cell's pixels lies.

    Parameters
    ----------
    place
        (n,) int32 pixels where each cell is a candidate, cell after cell.
    start
        (C + 2,) where each cell's pixels begin; entry 0 stands for none.
    nx
        Pixels in a row.

    Returns
    -------
    inside
        (n,) int32 place in the cell's box, column by column.
    box
        (C + 1, 2) int32 columns and rows of each box.
    """
    inside = np.zeros(len(place), np.int32)
    box = np.zeros((len(start) - 1, 2), np.int32)
    for c in range(1, len(start) - 1):
        first, last = start[c], start[c + 1]
        x0, x1, y0, y1 = 1 << 30, -1, 1 << 30, -1
        for i in range(first, last):
            y = place[i] // nx
            x = place[i] - y * nx
            x0, x1, y0, y1 = min(x0, x), max(x1, x), min(y0, y), max(y1, y)
        box[c] = max(x1 - x0 + 1, 0), max(y1 - y0 + 1, 0)
        for i in range(first, last):
            y = place[i] // nx
            inside[i] = (place[i] - y * nx - x0) * box[c, 1] + y - y0
    return inside, box


@njit(cache=True, nogil=True)
def leak(label, lists, start, box, decay, leaked):
    """Laplace-smoothed copy of each cell's soft label, into `leaked` (P, K).

    A first-order recursive filter forwards and backwards along both axes, within the cell's bounding box. `lists` are the
    pixels where each cell is a candidate, its column there, and the place in its box; see `frame` for the rest.
    """
    place, slot, inside = lists
    norm = (1 - decay) / (1 + decay)
    for c in range(1, len(start) - 1):
        if start[c] == start[c + 1]:
            continue
        # A filter along the rows works on all columns at once: the box is turned in between.
        soft = np.zeros((box[c, 0], box[c, 1]), np.float32)
        flat = soft.ravel()
        for i in range(start[c], start[c + 1]):
            flat[inside[i]] = label[place[i], slot[i]]
        _smooth(soft, decay, norm)
        soft = np.ascontiguousarray(soft.T)
        _smooth(soft, decay, norm)
        flat = np.ascontiguousarray(soft.T).ravel()
        for i in range(start[c], start[c + 1]):
            leaked[place[i], slot[i]] = flat[inside[i]]


@njit(cache=True, nogil=True)
def _smooth(box, decay, norm):
    """Filter each column, from the first row to the last and back."""
    rows, columns = box.shape
    ahead = np.zeros((rows + 1, columns), np.float32)
    state = np.zeros(columns, np.float32)
    for r in range(rows):
        for i in range(columns):
            ahead[r + 1, i] = box[r, i] + decay * ahead[r, i]
    for r in range(rows - 1, -1, -1):
        for i in range(columns):
            here = box[r, i]
            box[r, i] = norm * (ahead[r + 1, i] + state[i])
            state[i] = decay * (state[i] + here)


@njit(cache=True, nogil=True)
def choose_cells(where, rate, within, soft, background, share, mine):
    """Posterior of each transcript over its pixel's candidates and "no cell", into `mine` (V, K + 1).

    The rate of gene g at a place is sum_c D_c lambda_cg [(1 - pi) q(c) + pi leaked(c)] + b_g; `within` corrects q for
    the place of the transcript within its pixel. `where` is (pixel, gene), `soft` (label, leaked).
    """
    pixel, gene = where
    label, leaked = soft
    K = rate.shape[1]
    for t in range(len(pixel)):
        v = pixel[t]
        norm = label[v, K]
        for k in range(K):
            norm += label[v, k] * within[t, k]
        total = background[gene[t]]
        for k in range(K):
            if rate[t, k] == 0:
                mine[t, k] = 0
                continue
            mine[t, k] = rate[t, k] * ((1 - share) * label[v, k] * within[t, k] / norm + share * leaked[v, k])
            total += mine[t, k]
        mine[t, K] = background[gene[t]]
        for k in range(K + 1):
            mine[t, k] /= total


@njit(cache=True, nogil=True)
def gather_evidence(where, rate, leaked, background, numbers, score):
    """Add to `score` (P, K) what the transcripts in each pixel say about its label.

    A transcript can always be a leak or background, rate R, so its pull is bounded: ln((1 - pi) D lambda + R) - ln R.
    `where` is (pixel, gene); `numbers` holds the leak share pi and the weight of the evidence.
    """
    pixel, gene = where
    K = rate.shape[1]
    share, temper = numbers
    for t in range(len(pixel)):
        v = pixel[t]
        rest = background[gene[t]]
        for k in range(K):
            rest += share * leaked[v, k] * rate[t, k]
        for k in range(K):
            if rate[t, k] > 0:
                score[v, k] += temper * math.log(np.float32(1) + (1 - share) * rate[t, k] / rest)


@njit(cache=True, nogil=True)
def relabel(colour, nx, candidate, score, coupling, label):
    """Mean-field update of the labels of one colour of a checkerboard: softmax of score + coupling * neighbours."""
    P, K = candidate.shape
    ny = P // nx
    total = np.empty(K + 1, np.float32)
    for y in range(ny):
        for x in range((y + colour) % 2, nx, 2):
            v = y * nx + x
            if candidate[v, 0] == 0:
                continue
            for k in range(K + 1):
                total[k] = score[v, k]
            if y > 0:
                _agree(v, v - nx, candidate, label, coupling, total)
            if y + 1 < ny:
                _agree(v, v + nx, candidate, label, coupling, total)
            if x > 0:
                _agree(v, v - 1, candidate, label, coupling, total)
            if x + 1 < nx:
                _agree(v, v + 1, candidate, label, coupling, total)
            _softmax(total, label[v])


@njit(cache=True, nogil=True)
def _agree(v, w, candidate, label, coupling, total):
    K = candidate.shape[1]
    total[K] += coupling * label[w, K]
    for k in range(K):
        c = candidate[v, k]
        if c == 0:
            break
        # Next to each other, pixels mostly have the same candidates in the same order.
        if candidate[w, k] == c:
            total[k] += coupling * label[w, k]
            continue
        for m in range(K):
            if candidate[w, m] == c:
                total[k] += coupling * label[w, m]
                break


@njit(cache=True, nogil=True)
def _softmax(score, out):
    top = score[0]
    for k in range(1, len(score)):
        top = max(top, score[k])
    total = np.float32(0)
    for k in range(len(score)):
        d = score[k] - top
        out[k] = math.exp(d) if d > _NONE else np.float32(0)
        total += out[k]
    for k in range(len(score)):
        out[k] /= total


@njit(cache=True, nogil=True)
def recount(pixel, gene, candidate, mine, weight, profile, gained, back):
    """Soft transcripts of each cell's programmes, added to `gained` (C, Q), and of the background's genes, to `back`.

    A transcript's share in a cell is split among the programmes in proportion to weight * profile: one EM step.
    """
    K, number = candidate.shape[1], profile.shape[1]
    part = np.empty(number, np.float32)
    for t in range(len(pixel)):
        g = gene[t]
        for k in range(K):
            c = candidate[pixel[t], k]
            r = mine[t, k]
            # Below a hundredth it changes nothing that is kept.
            if c == 0 or r < 0.01:
                continue
            total = parts_of(weight, profile, c, g, part)
            r /= total
            for q in range(number):
                gained[c, q] += part[q] * r
        back[g] += mine[t, K]


@njit(cache=True, nogil=True)
def total_types(pixel, gene, candidate, mine, weight, profile, totals):
    """Soft transcripts of each gene in each programme, into `totals` (G, Q): what the profiles are refreshed from."""
    number = profile.shape[1]
    part = np.empty(number, np.float32)
    for t in range(len(pixel)):
        g = gene[t]
        for k in range(candidate.shape[1]):
            c = candidate[pixel[t], k]
            if c == 0 or mine[t, k] < 0.01:
                continue
            total = parts_of(weight, profile, c, g, part)
            for q in range(number):
                totals[g, q] += part[q] * (mine[t, k] / total)


@njit(cache=True, nogil=True)
def territory(candidate, label, area):
    """Soft number of pixels of each cell, added to `area` (C + 1,)."""
    for v in range(len(candidate)):
        for k in range(candidate.shape[1]):
            if candidate[v, k]:
                area[candidate[v, k]] += label[v, k]
