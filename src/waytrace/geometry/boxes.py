"""Oriented boxes: corners, overlap, distance. A box is its centre, heading, length (along heading) and width."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ._jit import jit

Array = NDArray[np.float64]


def corners(xy: Array, heading_rad: Array, length_m: Array, width_m: Array) -> Array:
    """Corners [..., 4, 2] of boxes: front left, rear left, rear right, front right (counter-clockwise)."""
    cos, sin = np.cos(heading_rad), np.sin(heading_rad)
    along = np.stack([cos, sin], axis=-1) * (np.asarray(length_m) / 2)[..., None]
    across = np.stack([-sin, cos], axis=-1) * (np.asarray(width_m) / 2)[..., None]
    return np.stack(
        [xy + along + across, xy - along + across, xy - along - across, xy + along - across],
        axis=-2,
    )


@jit("b1", *["f8"] * 10)
def boxes_overlap(
    ax: float, ay: float, ah: float, al: float, aw: float,
    bx: float, by: float, bh: float, bl: float, bw: float,
) -> bool:  # fmt: skip
    """Whether two boxes (centre x, y, heading, length, width) share a point, touching included (SAT)."""
    dx, dy = bx - ax, by - ay
    reach = 0.5 * (math.hypot(al, aw) + math.hypot(bl, bw))
    if dx * dx + dy * dy > reach * reach:
        return False
    ca, sa = math.cos(ah), math.sin(ah)
    cb, sb = math.cos(bh), math.sin(bh)
    c, s = abs(ca * cb + sa * sb), abs(ca * sb - sa * cb)
    al, aw, bl, bw = 0.5 * al, 0.5 * aw, 0.5 * bl, 0.5 * bw
    if abs(dx * ca + dy * sa) > al + bl * c + bw * s:
        return False
    if abs(-dx * sa + dy * ca) > aw + bl * s + bw * c:
        return False
    if abs(dx * cb + dy * sb) > bl + al * c + aw * s:
        return False
    return not abs(-dx * sb + dy * cb) > bw + al * s + aw * c


@jit("f8", *["f8"] * 6)
def point_segment_distance2(px: float, py: float, x0: float, y0: float, x1: float, y1: float) -> float:
    """Squared distance from a point to a segment."""
    dx, dy = x1 - x0, y1 - y0
    n = dx * dx + dy * dy
    t = 0.0
    if n > 0.0:
        t = min(1.0, max(0.0, ((px - x0) * dx + (py - y0) * dy) / n))
    ex, ey = px - x0 - t * dx, py - y0 - t * dy
    return ex * ex + ey * ey


@jit("f8", *["f8"] * 7)
def point_box_distance2(px: float, py: float, bx: float, by: float, bh: float, bl: float, bw: float) -> float:
    """Squared distance from a point to a box; 0 inside."""
    c, s = math.cos(bh), math.sin(bh)
    dx, dy = px - bx, py - by
    u = max(0.0, abs(c * dx + s * dy) - 0.5 * bl)
    v = max(0.0, abs(-s * dx + c * dy) - 0.5 * bw)
    return u * u + v * v


@jit("f8", *["f8"] * 10)
def boxes_distance(
    ax: float, ay: float, ah: float, al: float, aw: float,
    bx: float, by: float, bh: float, bl: float, bw: float,
) -> float:  # fmt: skip
    """Distance in metres between two boxes, 0 where they overlap.

    Two disjoint convex polygons are nearest at a corner of one of them, so eight point-to-box distances suffice.
    """
    if boxes_overlap(ax, ay, ah, al, aw, bx, by, bh, bl, bw):
        return 0.0
    best = math.inf
    ca, sa, cb, sb = math.cos(ah), math.sin(ah), math.cos(bh), math.sin(bh)
    for i in range(4):
        u = 0.5 if i < 2 else -0.5
        v = 0.5 if i % 2 == 0 else -0.5
        x, y = ax + u * al * ca - v * aw * sa, ay + u * al * sa + v * aw * ca
        best = min(best, point_box_distance2(x, y, bx, by, bh, bl, bw))
        x, y = bx + u * bl * cb - v * bw * sb, by + u * bl * sb + v * bw * cb
        best = min(best, point_box_distance2(x, y, ax, ay, ah, al, aw))
    return math.sqrt(best)


@jit("b1", *["f8"] * 9)
def segment_hits_box(
    x0: float,
    y0: float,
    x1: float,
    y1: float,
    bx: float,
    by: float,
    bh: float,
    bl: float,
    bw: float,
) -> bool:
    """Whether a segment passes through a box (slab test in the box's frame)."""
    c, s = math.cos(bh), math.sin(bh)
    u0, v0 = c * (x0 - bx) + s * (y0 - by), -s * (x0 - bx) + c * (y0 - by)
    u1, v1 = c * (x1 - bx) + s * (y1 - by), -s * (x1 - bx) + c * (y1 - by)
    low, high = 0.0, 1.0
    du, dv = u1 - u0, v1 - v0
    if abs(du) < 1e-12:
        if abs(u0) > 0.5 * bl:
            return False
    else:
        t0, t1 = (-0.5 * bl - u0) / du, (0.5 * bl - u0) / du
        low, high = max(low, min(t0, t1)), min(high, max(t0, t1))
    if abs(dv) < 1e-12:
        if abs(v0) > 0.5 * bw:
            return False
    else:
        t0, t1 = (-0.5 * bw - v0) / dv, (0.5 * bw - v0) / dv
        low, high = max(low, min(t0, t1)), min(high, max(t0, t1))
    return low <= high
