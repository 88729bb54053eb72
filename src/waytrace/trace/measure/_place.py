"""Kernels: road users in the coordinates of a path, now and over their history; the lanes that they are on."""

from __future__ import annotations

import math

from waytrace.geometry import F8, I4, B1x2, F8x2, F8x3, jit, wrap_angle
from waytrace.scenario.index import MAP_INDEX, MapIndex
from waytrace.scenario.lanes import locate
from waytrace.scenario.paths import PATH, STEP_M, Path, project

BEYOND_M = 15.0
"""Who is this far beyond an end of the path has no place on it."""


@jit("void", PATH, "i8", "f8[:,:]", "f8[:,:]", "f8[:,:]")
def place_on_path(path: Path, count: int, state: F8x2, size: F8x2, out: F8x2) -> None:
    """Fill ``out`` [n, 7] from ``state`` [n, 4] (x, y, heading, speed) and ``size`` [n, 2] (length, width).

    s, d, half extent along and across, speed along and across (left positive), heading minus the path's. Those beyond
    an end of the path get s = infinity.
    """
    for a in range(len(state)):
        s, d = project(path, count, state[a, 0], state[a, 1], 0.0, -1.0)
        i = min(max(int(s / STEP_M), 0), count - 1)
        turned = wrap_angle(state[a, 2] - path.heading[i])
        c, n = math.cos(turned), math.sin(turned)
        out[a, 0], out[a, 1] = s, d
        out[a, 2] = 0.5 * (abs(c) * size[a, 0] + abs(n) * size[a, 1])
        out[a, 3] = 0.5 * (abs(n) * size[a, 0] + abs(c) * size[a, 1])
        out[a, 4], out[a, 5], out[a, 6] = state[a, 3] * c, state[a, 3] * n, turned
        if s < -BEYOND_M or s > (count - 1) * STEP_M + BEYOND_M:
            out[a, 0] = math.inf


@jit("void", PATH, "i8", "f8[:,:,:]", "b1[:,:]", "f8[:]", "f8[:,:,:]")
def place_history(path: Path, count: int, pose: F8x3, valid: B1x2, s_now: F8, out: F8x3) -> None:
    """Fill ``out`` [t, n, 2] with s, d of past poses [t, n, 3], the last row first to be looked for."""
    for a in range(pose.shape[1]):
        s = s_now[a]
        for t in range(len(pose) - 1, -1, -1):
            if not valid[t, a] or not math.isfinite(s):
                out[t, a, 0], out[t, a, 1] = math.nan, math.nan
                continue
            s, out[t, a, 1] = project(path, count, pose[t, a, 0], pose[t, a, 1], s, 12.0)
            out[t, a, 0] = s


@jit("void", PATH, "i8", "f8[:,:]", "f8[:]", "f8", "f8[:,:]")
def place_points(path: Path, count: int, points: F8x2, driven: F8, origin: float, out: F8x2) -> None:
    """Fill ``out`` [K, 2] with s, d of points [K, ..] of one drive, each looked for near the one before it.

    ``driven`` [K] is the way driven to each; the first is near ``origin``.
    """
    s = origin
    for k in range(len(points)):
        reach = 15.0 + (driven[k] - driven[max(k - 1, 0)])
        s, out[k, 1] = project(path, count, points[k, 0], points[k, 1], s, reach)
        out[k, 0] = s


@jit("void", MAP_INDEX, "f8[:,:]", "i4[:]", "f8[:,:]")
def locate_all(m: MapIndex, state: F8x2, lane: I4, at: F8x2) -> None:
    """Fill the lane [n] (-1 for none) of everyone in ``state`` [n, 4], and s, d on it [n, 2]."""
    for a in range(len(state)):
        lane[a], at[a, 0], at[a, 1] = locate(m, 0, state[a, 0], state[a, 1], state[a, 2], -1)
