"""Paths along lanes, as kernels: centre lines sampled at even steps, lateral shifts, road users in path coordinates.

A *base path* is the centre line of a chain of lanes, sampled every ``STEP_M`` from behind the vehicle on. A *path* is
a base path shifted sideways by a smooth function of the distance; coordinate ``s`` always runs along the base.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import F8, I4, bundle, jit, point_segment_distance2, wrap_angle

from .index import MAP_INDEX, MapIndex
from .lanes import lane_pose

Array = NDArray[np.float64]

STEP_M = 1.0
BEHIND_M = 25.0
"""A base path begins this far behind the vehicle, as far as there are lanes: those who follow are on it too."""


class Path(NamedTuple):
    """A path of P samples; sample ``i`` lies at ``s = i * STEP_M`` along the base."""

    x: F8
    y: F8
    heading: F8
    """Continuous (unwrapped)."""
    curvature: F8
    """1/m, left positive."""
    stretch: F8
    """Metres driven per metre of ``s``."""
    offset: F8
    """Lateral shift from the base, metres, left positive."""
    limit: F8
    """Speed limit, m/s; NaN for none."""
    lane: I4
    lane_s: F8


PATH = bundle(Path)


@jit("i8", MAP_INDEX, "i4[:]", "f8", PATH)
def sample_chain(m: MapIndex, lanes: NDArray[np.int32], s_first: float, out: Path) -> int:
    """Fill ``out`` with samples of a chain of lanes from ``s_first`` on the first lane; returns how many fit."""
    k, s, n = 0, s_first, 0
    turned = 0.0
    while n < len(out.x):
        while s > m.lane_length[lanes[k]] and k + 1 < len(lanes):
            s -= m.lane_length[lanes[k]]
            k += 1
        if s > m.lane_length[lanes[k]]:
            break
        x, y, h = lane_pose(m, lanes[k], s, 0.0)
        if n > 0:
            h = out.heading[n - 1] + wrap_angle(h - out.heading[n - 1])
        out.x[n], out.y[n], out.heading[n] = x, y, h
        out.offset[n], out.stretch[n] = 0.0, 1.0
        out.limit[n], out.lane[n], out.lane_s[n] = m.lane_limit[lanes[k]], lanes[k], s
        n += 1
        s += STEP_M
    for i in range(n):  # over 4 m, so that kinks where lanes join do not look like bends
        lo, hi = max(0, i - 2), min(n - 1, i + 2)
        turned = out.heading[hi] - out.heading[lo]
        out.curvature[i] = turned / max((hi - lo) * STEP_M, STEP_M)
    return n


@jit("f8", "f8", "f8", "f8", "f8", "f8")
def shift(u: float, length: float, d0: float, slope0: float, d1: float) -> float:
    """Quintic from (d0, slope0, no curvature) at u = 0 to (d1, 0, 0) at u = length; held outside."""
    if u <= 0.0:
        return d0 + slope0 * u
    if u >= length:
        return d1
    t = u / length
    a = d1 - d0
    b = slope0 * length
    t3 = t * t * t
    return d0 + b * t + t3 * ((10.0 * a - 6.0 * b) + t * ((-15.0 * a + 8.0 * b) + t * (6.0 * a - 3.0 * b)))


@jit("void", PATH, "i8", "f8[:]", PATH)
def shifted(base: Path, count: int, offset: Array, out: Path) -> None:
    """The path at lateral ``offset`` [P] beside ``base``, over the first ``count`` samples."""
    for i in range(count):
        d, h = offset[i], base.heading[i]
        out.x[i], out.y[i] = base.x[i] - d * math.sin(h), base.y[i] + d * math.cos(h)
        out.offset[i], out.limit[i], out.lane[i], out.lane_s[i] = d, base.limit[i], base.lane[i], base.lane_s[i]
    for i in range(count):
        lo, hi = max(0, i - 1), min(count - 1, i + 1)
        slope = (offset[hi] - offset[lo]) / max((hi - lo) * STEP_M, STEP_M)
        along = max(1.0 - base.curvature[i] * offset[i], 0.2)
        out.heading[i] = base.heading[i] + math.atan2(slope, along)
        out.stretch[i] = math.hypot(along, slope)
    for i in range(count):
        lo, hi = max(0, i - 1), min(count - 1, i + 1)
        run = 0.5 * (out.stretch[lo] + out.stretch[hi]) * (hi - lo) * STEP_M
        out.curvature[i] = (out.heading[hi] - out.heading[lo]) / max(run, 0.5)


@jit("f8,f8,f8", PATH, "i8", "f8")
def pose_at(path: Path, count: int, s: float) -> tuple[float, float, float]:
    """(x, y, heading) at ``s``; straight on beyond the ends."""
    u = s / STEP_M
    i = min(max(math.floor(u), 0), count - 2)
    t = u - i
    x = path.x[i] + t * (path.x[i + 1] - path.x[i])
    y = path.y[i] + t * (path.y[i + 1] - path.y[i])
    c = min(max(t, 0.0), 1.0)
    return x, y, path.heading[i] + c * (path.heading[i + 1] - path.heading[i])


@jit("f8,f8", PATH, "i8", "f8", "f8", "f8", "f8")
def project(path: Path, count: int, x: float, y: float, hint: float, reach: float) -> tuple[float, float]:
    """(s, d) of a point, nearest among the samples within ``reach`` metres of ``hint`` (all where it is negative)."""
    first, last = 0, count - 1
    if reach >= 0.0:
        first = min(max(int((hint - reach) / STEP_M), 0), count - 2)
        last = max(min(int((hint + reach) / STEP_M) + 1, count - 1), first + 1)
    best, where = 1.0e18, first
    for i in range(first, last):
        dist2 = point_segment_distance2(x, y, path.x[i], path.y[i], path.x[i + 1], path.y[i + 1])
        if dist2 < best:
            best, where = dist2, i
    dx, dy = path.x[where + 1] - path.x[where], path.y[where + 1] - path.y[where]
    n = math.hypot(dx, dy)
    rx, ry = x - path.x[where], y - path.y[where]
    t = (rx * dx + ry * dy) / (n * n)
    d = (dx * ry - dy * rx) / n
    if (t < 0.0 and where > 0) or (t > 1.0 and where < count - 2):
        t = min(max(t, 0.0), 1.0)
        d = math.copysign(math.sqrt(best), d)
    return (where + t) * STEP_M, d


def empty_path(samples: int) -> Path:
    """Room for a path of that many samples."""
    f = [np.zeros(samples) for _ in range(8)]
    return Path._make([*f[:7], np.zeros(samples, np.int32), f[7]])
