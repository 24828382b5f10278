"""The ring around a cell's transcripts: the hull, drawn in where transcripts of others lie between."""

import numpy as np
from numba import njit

_MOST_SWEEPS = 100


@njit(cache=True, nogil=True)
def beside(corner, points):
    """(T, 3) int32 triangle across each edge (corner s to s + 1), -1 at the border."""
    key = np.empty(3 * len(corner), np.int64)
    for t in range(len(corner)):
        for s in range(3):
            a, b = corner[t, s], corner[t, (s + 1) % 3]
            key[3 * t + s] = np.int64(min(a, b)) * points + max(a, b)
    order = np.argsort(key, kind="mergesort")
    out = np.full((len(corner), 3), -1, np.int32)
    for e in range(len(order) - 1):
        one, two = order[e], order[e + 1]
        if key[one] == key[two]:
            out[one // 3, one % 3], out[two // 3, two % 3] = two // 3, one // 3
    return out


@njit(cache=True, nogil=True)
def holds(x, y, corners, fx, fy):
    """Whether any of the points (fx, fy) lies in the triangle, or it is flat."""
    a, b, c = corners
    ux, uy, vx, vy = x[b] - x[a], y[b] - y[a], x[c] - x[a], y[c] - y[a]
    area = ux * vy - uy * vx
    if area <= 0:
        return True
    for f in range(len(fx)):
        dx, dy = fx[f] - x[a], fy[f] - y[a]
        u, v = (dx * vy - dy * vx) / area, (ux * dy - uy * dx) / area
        if u >= 0 and v >= 0 and u + v < 1:
            return True
    return False


@njit(cache=True, nogil=True)
def carve_in(x, y, corner, fx, fy):
    """(T,) bool, the triangles that stay, and (T, 3) int32 what lies across their edges, -1 = nothing.

    A triangle with one edge on the border goes where a foreign point lies in it, unless its far corner is on the
    border too: the region stays in one piece without pinches. Flat triangles go first, with which a ring would touch
    itself.
    """
    next_to = beside(corner, len(x))
    alive = np.ones(len(corner), np.bool_)
    on_border = np.zeros(len(x), np.int32)
    for t in range(len(corner)):
        for s in range(3):
            if next_to[t, s] < 0:
                on_border[corner[t, s]] += 1
                on_border[corner[t, (s + 1) % 3]] += 1
    mesh = corner, next_to, alive, on_border
    for many in (0, len(fx)):
        _sweeps(x, y, mesh, (fx[:many], fy[:many]))
    return alive, next_to


@njit(cache=True, nogil=True)
def _sweeps(x, y, mesh, foreign):
    for _ in range(_MOST_SWEEPS):
        gone = 0
        for t in range(len(mesh[0])):
            gone += _drop(x, y, mesh, t, foreign)
        if gone == 0:
            return


@njit(cache=True, nogil=True)
def _drop(x, y, mesh, t, foreign):
    """Remove one triangle if its turn has come; 1 where it went."""
    corner, next_to, alive, on_border = mesh
    if not alive[t]:
        return 0
    open_edges, side = 0, 0
    for s in range(3):
        if next_to[t, s] < 0:
            open_edges += 1
            side = s
    a, b, apex = corner[t, side], corner[t, (side + 1) % 3], corner[t, (side + 2) % 3]
    if open_edges != 1 or on_border[apex] > 0 or not holds(x, y, (a, b, apex), foreign[0], foreign[1]):
        return 0
    alive[t] = False
    # The edge a-b is replaced by a-apex and apex-b.
    on_border[apex] += 2
    for s in range(1, 3):
        u = next_to[t, (side + s) % 3]
        for v in range(3):
            if next_to[u, v] == t:
                next_to[u, v] = -1
    return 1


@njit(cache=True, nogil=True)
def walk(corner, alive, next_to, points):
    """The border of the living triangles as a ring of point indices, counter-clockwise and not closed; empty if none."""
    after = np.full(points, -1, np.int32)
    first = -1
    for t in range(len(corner)):
        if not alive[t]:
            continue
        for s in range(3):
            if next_to[t, s] < 0:
                a = corner[t, s]
                after[a] = corner[t, (s + 1) % 3]
                first = a if first < 0 else first
    ring = np.empty(points + 1, np.int32)
    many, at = 0, first
    while at >= 0 and many <= points:
        ring[many] = at
        many += 1
        at = after[at]
        if at == first:
            return ring[:many].copy()
    return ring[:0].copy()
