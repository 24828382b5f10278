"""How well transcripts are explained as one cell: the log evidence of a component's places, genes and number."""

import math

import numpy as np
from numba import njit

from cellcarve.mixture.tally import count_of

# Pseudo-transcripts behind the shape of a cell, and its usual standard deviation as a share of the radius: that of a
# disc along an axis.
_SHAPE_WEIGHT = 4.0
_DISC, _BALL = 0.5, 0.4472
# What a cell half as large again as usual costs, in nats and standard deviations: in even tissue places say nothing
# of how many cells there are, and their usual size must.
_SIZE_WEIGHT = 4.0


@njit(cache=True, nogil=True)
def log_places(s, n, rules):
    """Log likelihood of the places of n transcripts with sums `s` under their own, slightly shrunk Gaussian."""
    mx, my, mz = s[0] / n, s[1] / n, s[2] / n
    usual = rules.scale * (_DISC if rules.dims == 2 else _BALL)
    own, kept = n / (n + _SHAPE_WEIGHT), _SHAPE_WEIGHT / (n + _SHAPE_WEIGHT) * usual * usual
    xx, yy = s[3] / n - mx * mx, s[6] / n - my * my
    xy = s[4] / n - mx * my
    a, d, b = own * xx + kept, own * yy + kept, own * xy
    det = a * d - b * b
    inside = (d * xx - 2 * b * xy + a * yy) / det
    if rules.dims == 3:
        xz, yz, zz = s[5] / n - mx * mz, s[7] / n - my * mz, s[8] / n - mz * mz
        f, c, e = own * zz + kept, own * xz, own * yz
        flat = det
        det = a * (d * f - e * e) - b * (b * f - c * e) + c * (b * e - c * d)
        inside = (d * f - e * e) * xx + (a * f - c * c) * yy + flat * zz
        inside += 2 * ((c * e - b * f) * xy + (b * e - c * d) * xz + (b * c - a * e) * yz)
        inside /= det
    return -0.5 * n * (rules.dims * math.log(2 * math.pi) + math.log(det) + inside)


@njit(cache=True, nogil=True)
def log_genes(tally, k, other, alpha, profile):
    """Log evidence of the genes of a component, together with those of `other` (0 = alone): Dirichlet-multinomial."""
    total, n = 0.0, 0
    for side in range(2):
        owner = k if side == 0 else other
        if owner == 0:
            continue
        for slot in range(tally.start[owner], tally.start[owner] + tally.size[owner]):
            c = tally.held[slot]
            if c <= 0:
                continue
            g = tally.key[slot]
            beside = count_of(tally, other, g) if side == 0 and other > 0 else 0
            if side == 1 and count_of(tally, k, g) > 0:
                n += c
                continue
            weight = alpha * profile[g]
            total += math.lgamma(c + beside + weight) - math.lgamma(weight)
            n += c
    return total + math.lgamma(alpha) - math.lgamma(n + alpha)


@njit(cache=True, nogil=True)
def size_of(s, n, rules):
    """Size of n transcripts in standard deviations: the log of the radius of the disc (ball) of their covariance."""
    mx, my, mz = s[0] / n, s[1] / n, s[2] / n
    xx, xy, yy = s[3] / n - mx * mx, s[4] / n - mx * my, s[6] / n - my * my
    det = max(xx * yy - xy * xy, 1e-12 * rules.scale**4)
    radius = math.sqrt(math.sqrt(det)) / _DISC
    if rules.dims == 3:
        xz, yz, zz = s[5] / n - mx * mz, s[7] / n - my * mz, s[8] / n - mz * mz
        det = zz * det - xx * yz * yz - yy * xz * xz + 2 * xy * xz * yz
        radius = max(det, 1e-18 * rules.scale**6) ** (1 / 6) / _BALL
    return math.log(radius / rules.scale) * rules.scale / rules.spread


@njit(cache=True, nogil=True)
def log_size(s, n, rules):
    """Log prior of the size of n transcripts: log-normal in its radius, of less weight where they are few."""
    z = size_of(s, n, rules)
    return -_SIZE_WEIGHT * min(z * z, 9.0) * n / (n + 10.0)


@njit(cache=True, nogil=True)
def shape_price(n, dims):
    """Price of a further cell: half the log of its transcripts for each number of its shape and place."""
    return 0.5 * (dims + dims * (dims + 1) / 2) * math.log(n)


@njit(cache=True, nogil=True)
def gain_in_likelihood(a, b, cells, tally, profile, rules):
    """Log evidence of places, genes and numbers of two components as one, over that of the two."""
    na, nb = cells.n[a], cells.n[b]
    n = na + nb
    place = (
        log_places(cells.sums[a] + cells.sums[b], n, rules)
        - log_places(cells.sums[a], na, rules)
        - log_places(cells.sums[b], nb, rules)
    )
    number = n * math.log(n) - na * math.log(na) - nb * math.log(nb)
    large = a if na >= nb else b
    alpha = rules.alpha if rules.alpha > 0 else 2 * math.sqrt(profile.shape[1])
    joint = log_genes(tally, a, b, alpha, profile[cells.kind[large]])
    apart = log_genes(tally, a, 0, alpha, profile[cells.kind[a]]) + log_genes(
        tally, b, 0, alpha, profile[cells.kind[b]]
    )
    return place + number + joint - apart


@njit(cache=True, nogil=True)
def gain_of_one(a, b, cells, tally, profile, rules, largest):
    """Log evidence of two components as one, over that of the two; above 0 they are one.

    Nothing is one cell that is more than `largest` standard deviations above the usual size.
    """
    na, nb = cells.n[a], cells.n[b]
    n = na + nb
    both = cells.sums[a] + cells.sums[b]
    if size_of(both, n, rules) > largest:
        return -math.inf
    size = log_size(both, n, rules) - log_size(cells.sums[a], na, rules) - log_size(cells.sums[b], nb, rules)
    gain = gain_in_likelihood(a, b, cells, tally, profile, rules)
    return gain + size + shape_price(min(na, nb), rules.dims)


@njit(cache=True, nogil=True)
def gains(pairs, largest, cells, tally, profile, rules):
    """(P,) float64 `gain_of_one` of each pair, `largest` (P,) being the bound on each."""
    out = np.empty(len(pairs))
    for p in range(len(pairs)):
        out[p] = gain_of_one(pairs[p, 0], pairs[p, 1], cells, tally, profile, rules, largest[p])
    return out


@njit(cache=True, nogil=True)
def margins(pairs, cells, tally, profile, rules):
    """(P,) float64: by how much two components are better explained as two, per transcript of the smaller one."""
    out = np.empty(len(pairs))
    for p in range(len(pairs)):
        a, b = pairs[p, 0], pairs[p, 1]
        gain = gain_in_likelihood(a, b, cells, tally, profile, rules)
        out[p] = -gain / min(cells.n[a], cells.n[b])
    return out
