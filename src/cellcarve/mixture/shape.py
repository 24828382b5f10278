"""M-step: the shape of each component from its transcripts, held near the usual size of a cell."""

import math

import numpy as np
from numba import njit

# Smallest variance of a component, as a share of the scale squared.
_FLAT = 1e-4
# Baysor 0.7's least determinant of a shape, and what goes to the diagonal below it, first and from step to step: numbers
# in the units of the coordinates, whatever those are.
_LEAST_DET, _LIFT, _MORE, _STEPS = 1e-10, 1e-4, 1.5, 100


@njit(cache=True, nogil=True)
def pulled(variance, n, scale, spread, fewest):
    """Variance along an axis, pulled towards the scale: large deviations count by their square root."""
    d = math.sqrt(max(variance, 0.0)) - scale
    a = scale + math.copysign((math.sqrt(abs(d) / spread + 1) - 1) * spread, d)
    return max(((fewest * scale + n * a) / (fewest + n)) ** 2, _FLAT * scale * scale)


@njit(cache=True, nogil=True)
def shape_flat(c, n, rules):
    """Pulled covariance (xx, xy, yy) in two dimensions, by the two axes of the ellipse."""
    xx, xy, yy = c[0], c[1], c[3]
    if rules.classic and xy / max(max(xx, yy), 1e-300) < 1e-5:
        xy = 0.0
    half, gap = 0.5 * (xx + yy), 0.5 * (xx - yy)
    root = math.sqrt(gap * gap + xy * xy)
    long = pulled(half + root, n, rules.width * rules.scale, rules.width * rules.spread, rules.fewest)
    short = pulled(half - root, n, rules.width * rules.scale, rules.width * rules.spread, rules.fewest)
    if root <= 0:
        return long, 0.0, long
    cos2, sin2 = gap / root, xy / root
    mean, half_gap = 0.5 * (long + short), 0.5 * (long - short)
    return mean + half_gap * cos2, half_gap * sin2, mean - half_gap * cos2


@njit(cache=True, nogil=True)
def shape_deep(c, n, rules):
    """Pulled covariance (xx, xy, xz, yy, yz, zz) in three dimensions."""
    m = np.empty((3, 3))
    m[0, 0], m[0, 1], m[0, 2], m[1, 1], m[1, 2], m[2, 2] = c[0], c[1], c[2], c[3], c[4], c[5]
    if rules.classic and m[0, 1] / max(max(m[0, 0], m[1, 1]), 1e-300) < 1e-5:
        m[0, 1] = 0.0
    m[1, 0], m[2, 0], m[2, 1] = m[0, 1], m[0, 2], m[1, 2]
    value, axis = np.linalg.eigh(m)
    out = np.zeros(6)
    for a in range(3):
        v = pulled(value[a], n, rules.width * rules.scale, rules.width * rules.spread, rules.fewest)
        x, y, z = axis[0, a], axis[1, a], axis[2, a]
        out += v * np.array([x * x, x * y, x * z, y * y, y * z, z * z])
    return out


@njit(cache=True, nogil=True)
def lift(c, dims):
    """Widen a covariance (xx, xy, xz, yy, yz, zz) in place as Baysor 0.7 does, where its determinant is small."""
    added = _LIFT
    for _ in range(_STEPS):
        det = c[0] * c[3] - c[1] * c[1]
        if dims == 3:
            det = det * c[5] - c[0] * c[4] * c[4] + c[2] * (2 * c[1] * c[4] - c[2] * c[3])
        if det > _LEAST_DET:
            return
        c[0] += added
        c[3] += added
        if dims == 3:
            c[5] += added
        added *= _MORE


@njit(cache=True, nogil=True)
def spread_of(sums, n, mx, my, mz):
    """Sample covariance (xx, xy, xz, yy, yz, zz) with divisor n around a centre."""
    ax, ay, az = sums[0] / n, sums[1] / n, sums[2] / n
    return (
        sums[3] / n - mx * (2 * ax - mx),
        sums[4] / n - mx * ay - my * ax + mx * my,
        sums[5] / n - mx * az - mz * ax + mx * mz,
        sums[6] / n - my * (2 * ay - my),
        sums[7] / n - my * az - mz * ay + my * mz,
        sums[8] / n - mz * (2 * az - mz),
    )


@njit(cache=True, nogil=True)
def write_form(form, covariance, dims, classic):
    """Inverse covariance and log normaliser of a component into its row of forms."""
    xx, xy, xz, yy, yz, zz = covariance
    if dims == 2:
        xz, yz, zz = 0.0, 0.0, 1.0
    a, b, c = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    det = max(xx * a + xy * b + xz * c, 1e-300)
    form[3], form[4], form[5] = a / det, b / det, c / det
    form[6], form[7], form[8] = (
        (xx * zz - xz * xz) / det,
        (xy * xz - xx * yz) / det,
        (xx * yy - xy * xy) / det,
    )
    if dims == 2:
        form[5], form[7], form[8] = 0.0, 0.0, 0.0
    halves = 1.5 if classic else 0.5 * dims
    form[9] = -halves * math.log(2 * math.pi) - 0.5 * math.log(det)


@njit(cache=True, nogil=True)
def centre(sums, n, weighted):
    """Mean position; with compartments, weighted by the chance to lie in the nucleus."""
    if weighted and sums[9] > 0:
        return sums[10] / sums[9], sums[11] / sums[9], sums[12] / sums[9]
    return sums[0] / n, sums[1] / n, sums[2] / n


@njit(cache=True, nogil=True)
def refit(cells, rules, weighted):
    """Means, covariances and weights of all components that changed.

    `weighted` is (C,) float64 confidence of each component, or (0,) without compartments.
    """
    for k in range(1, len(cells.n)):
        if not cells.touched[k]:
            continue
        cells.touched[k] = False
        n = cells.n[k]
        if n == 0:
            cells.form[k, 10] = -np.inf
            continue
        form = cells.form[k]
        mx, my, mz = centre(cells.sums[k], n, len(weighted) > 0)
        form[0], form[1], form[2] = mx, my, mz
        if n > rules.dims:
            around = spread_of(cells.sums[k], n, mx, my, mz)
            if rules.dims == 2:
                xx, xy, yy = shape_flat(around, n, rules)
                cells.covariance[k, 0], cells.covariance[k, 1], cells.covariance[k, 3] = xx, xy, yy
            else:
                cells.covariance[k] = shape_deep(around, n, rules)
            if rules.classic:
                lift(cells.covariance[k], rules.dims)
        write_form(form, cells.covariance[k], rules.dims, rules.classic)
        form[10] = rules.power * math.log(n) + (1 - rules.power) * rules.typical
        form[10] += math.log(max(weighted[k], 1e-6)) if len(weighted) else 0.0
