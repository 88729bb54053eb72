"""The part of a map that a drive can see, in as few points as a drawing needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MARGIN_M = 100.0
"""How far beyond any pose of the ego the map is kept."""
TOLERANCE_M = 0.04
"""Largest distance of a dropped point from the drawn line; rounding to a centimetre adds at most 0.007 m."""


@dataclass(frozen=True)
class Region:
    """A rectangle around the ego's poses, and the poses themselves (thinned), in the world frame."""

    low: Array
    high: Array
    path: Array
    """[Q, 2]."""

    @classmethod
    def around(cls, xy: Array, margin_m: float = MARGIN_M) -> Region:
        """The region within ``margin_m`` of points [P, 2] (at least one)."""
        cell = np.unique(np.floor(xy / 10.0).astype(np.int64), axis=0, return_index=True)[1]
        return cls(xy.min(0) - margin_m, xy.max(0) + margin_m, xy[np.sort(cell)])

    def near(self, xy: Array, within_m: float) -> bool:
        """Whether a polyline [P, 2], P >= 2, comes within ``within_m`` of one of the ego's (thinned) poses."""
        a, d = xy[:-1], np.diff(xy, axis=0)
        rel = self.path[:, None] - a
        t = np.clip((rel * d).sum(-1) / np.maximum((d**2).sum(-1), 1e-18), 0.0, 1.0)
        return bool((((rel - t[..., None] * d) ** 2).sum(-1) <= within_m**2).any())


def clip_line(xy: Array, low: Array, high: Array) -> list[Array]:
    """The parts of a polyline [P, 2] inside a rectangle (Liang-Barsky per segment), in order."""
    if len(xy) < 2 or (xy.max(0) < low).any() or (xy.min(0) > high).any():
        return []
    if (xy.min(0) >= low).all() and (xy.max(0) <= high).all():
        return [xy]
    a, d = xy[:-1], np.diff(xy, axis=0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        t_low, t_high = (low - a) / d, (high - a) / d
    still = d == 0.0
    outside = (still & ((a < low) | (a > high))).any(-1)
    enter = np.where(still, 0.0, np.minimum(t_low, t_high)).max(-1).clip(0.0, None)
    leave = np.where(still, 1.0, np.maximum(t_low, t_high)).min(-1).clip(None, 1.0)
    inside = (enter < leave) & ~outside
    parts: list[Array] = []
    points: list[Array] = []
    for i in np.flatnonzero(inside):
        begin, end = a[i] + enter[i] * d[i], a[i] + leave[i] * d[i]
        if enter[i] > 0.0 or not points:
            if len(points) > 1:
                parts.append(np.array(points))
            points = [begin]
        points.append(end)
        if leave[i] < 1.0:
            parts.append(np.array(points))
            points = []
    if len(points) > 1:
        parts.append(np.array(points))
    return parts


def clip_polygon(xy: Array, low: Array, high: Array) -> Array:
    """A polygon [P, 2] cut to a rectangle (Sutherland-Hodgman), [Q, 2]; Q = 0 where nothing is left."""
    if len(xy) and (xy.min(0) >= low).all() and (xy.max(0) <= high).all():
        return xy
    for axis in (0, 1):
        for bound, sign in ((low[axis], 1.0), (high[axis], -1.0)):
            if len(xy) == 0:
                return xy
            depth = sign * (xy[:, axis] - bound)
            following, next_depth = np.roll(xy, -1, axis=0), np.roll(depth, -1)
            crosses = (depth >= 0) != (next_depth >= 0)
            with np.errstate(divide="ignore", invalid="ignore"):
                t = np.where(crosses, depth / (depth - next_depth), 0.0)
            cut = xy + t[:, None] * (following - xy)
            both = np.stack([xy, cut], axis=1).reshape(-1, 2)
            xy = both[np.stack([depth >= 0, crosses], axis=1).ravel()]
    return xy


def counter_clockwise(polygon: Array) -> Array:
    """A polygon [P, 2] with its points in counter-clockwise order, so that overlapping ones fill as a union."""
    x, y = polygon.T
    area = float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
    return polygon if area >= 0.0 else polygon[::-1]


def simplify(parts: list[Array], tolerance_m: float = TOLERANCE_M) -> list[Array]:
    """Polylines with every point left out that lies within ``tolerance_m`` of what remains (Douglas-Peucker).

    All polylines are split together, one level of the recursion at a time. Distances are to the chord's segment, not
    its line, so closed shapes keep their form.
    """
    if not parts:
        return []
    xy = np.concatenate(parts)
    end = np.cumsum([len(p) for p in parts])
    start = end - [len(p) for p in parts]
    keep = np.zeros(len(xy), dtype=np.bool_)
    keep[start] = keep[end - 1] = True
    first, last = start, end - 1
    while True:
        open_ = last - first > 1
        first, last = first[open_], last[open_]
        if not len(first):
            break
        inner = last - first - 1
        offset = np.cumsum(inner) - inner
        owner = np.repeat(np.arange(len(first)), inner)
        point = np.arange(int(inner.sum())) - offset[owner] + first[owner] + 1
        a, d = xy[first][owner], (xy[last] - xy[first])[owner]
        rel = xy[point] - a
        t = np.clip((rel * d).sum(-1) / np.maximum((d**2).sum(-1), 1e-18), 0.0, 1.0)
        away = ((rel - t[:, None] * d) ** 2).sum(-1)
        worst = np.maximum.reduceat(away, offset)
        at = np.flatnonzero(away == worst[owner])
        farthest = point[at[np.searchsorted(owner[at], np.arange(len(first)))]]
        split = worst > tolerance_m**2
        keep[farthest[split]] = True
        first = np.concatenate([first[split], farthest[split]])
        last = np.concatenate([farthest[split], last[split]])
    return [xy[s:e][keep[s:e]] for s, e in zip(start, end, strict=True)]
