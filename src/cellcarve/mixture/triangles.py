"""Delaunay triangles of few points, cell after cell in compiled code (Bowyer 1981, Watson 1981)."""

import numpy as np
from numba import njit

# The first triangle's corners lie this many extents away, so that it hides next to nothing of the hull.
_AWAY = 1e4
# Points are moved by up to this share of the extent while they are joined: four on a circle or three in a line, as on a
# lattice, would else be judged by rounding errors that contradict each other.
_JITTER = 1e-6
# Triangles of a smaller share of the extent's square are those of points in one line.
_FLAT = 1e-9


@njit(cache=True, nogil=True)
def in_circle(px, py, a, b, c, d):
    """Whether point d lies in the circle through a, b, c (counter-clockwise)."""
    ax, ay, bx, by = px[a] - px[d], py[a] - py[d], px[b] - px[d], py[b] - py[d]
    cx, cy = px[c] - px[d], py[c] - py[d]
    aa, bb, cc = ax * ax + ay * ay, bx * bx + by * by, cx * cx + cy * cy
    return ax * (by * cc - bb * cy) - ay * (bx * cc - bb * cx) + aa * (bx * cy - by * cx) > 0


@njit(cache=True, nogil=True)
def _hole(corner, many, edge, px, py, d):
    """Remove the triangles whose circle holds d; their outer edges go to `edge`. Returns both numbers."""
    edges, t = 0, 0
    while t < many:
        if not in_circle(px, py, corner[t, 0], corner[t, 1], corner[t, 2], d):
            t += 1
            continue
        for s in range(3):
            a, b = corner[t, s], corner[t, (s + 1) % 3]
            e = 0
            while e < edges and not (edge[e, 0] == b and edge[e, 1] == a):
                e += 1
            if e < edges:
                edges -= 1
                edge[e] = edge[edges]
            else:
                edge[edges, 0], edge[edges, 1] = a, b
                edges += 1
        many -= 1
        corner[t] = corner[many]
    return many, edges


@njit(cache=True, nogil=True)
def _moved(i, axis):
    """-1 .. 1 by a point's number and axis."""
    word = np.uint64(2 * i + axis + 1) * np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return np.float64(word >> np.uint64(32)) / 2**31 - 1


@njit(cache=True, nogil=True)
def _twice_area(x, y, a, b, c):
    return (x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a])


@njit(cache=True, nogil=True)
def triangulate(x, y):
    """Delaunay triangles of n points, (T, 3) int32 corners counter-clockwise; none where all lie in one line."""
    n = len(x)
    size = max(x.max() - x.min(), y.max() - y.min())
    if n < 3 or size <= 0:
        return np.empty((0, 3), np.int32)
    px, py = np.empty(n + 3), np.empty(n + 3)
    mx, my = (x.max() + x.min()) / 2, (y.max() + y.min()) / 2
    for i in range(n):
        px[i] = (x[i] - mx) / size + _JITTER * _moved(i, 0)
        py[i] = (y[i] - my) / size + _JITTER * _moved(i, 1)
    px[n], py[n] = -2 * _AWAY, -_AWAY
    px[n + 1], py[n + 1] = 2 * _AWAY, -_AWAY
    px[n + 2], py[n + 2] = 0.0, 2 * _AWAY
    corner, edge = np.empty((2 * n + 8, 3), np.int32), np.empty((6 * n + 24, 2), np.int32)
    corner[0, 0], corner[0, 1], corner[0, 2] = n, n + 1, n + 2
    many = 1
    for d in range(n):
        many, edges = _hole(corner, many, edge, px, py, d)
        for e in range(edges):
            corner[many, 0], corner[many, 1], corner[many, 2] = edge[e, 0], edge[e, 1], d
            many += 1
    kept, covered = 0, 0.0
    for t in range(many):
        a, b, c = corner[t, 0], corner[t, 1], corner[t, 2]
        if max(a, b, c) < n:
            corner[kept, 0], corner[kept, 1], corner[kept, 2] = a, b, c
            covered += _twice_area(x, y, a, b, c)
            kept += 1
    return corner[: kept if covered > _FLAT * size**2 else 0].copy()
