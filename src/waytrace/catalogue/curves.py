"""Plane curves that roads are drawn with: reference lines of given curvature, and smooth joins of two poses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Pose = tuple[float, float, float]
"""x, y (m), heading (rad)."""

_FINE_M = 0.5


@dataclass(frozen=True)
class ReferenceLine:
    """The line a road is built along; ``s`` is arc length in metres from its start, ``d`` an offset to its left."""

    s: Array
    xy: Array
    heading: Array

    @classmethod
    def of(cls, start: Pose, length_m: float, knots: Sequence[tuple[float, float]] = ()) -> ReferenceLine:
        """A line of ``length_m`` from ``start`` whose curvature (1/m) runs linearly between (s, curvature) knots.

        No knots: straight. Linear curvature makes the bends clothoids, so that a vehicle can steer along them.
        """
        count = max(2, math.ceil(length_m / _FINE_M) + 1)
        s = np.linspace(0.0, length_m, count)
        step = s[1]
        middle = s[:-1] + 0.5 * step
        if knots:
            at, value = (np.array(column, dtype=np.float64) for column in zip(*knots, strict=True))
            bend = np.interp(middle, at, value) * step
        else:
            bend = np.zeros(count - 1)
        heading = start[2] + np.concatenate([[0.0], np.cumsum(bend)])
        chord = heading[:-1] + 0.5 * bend
        steps = step * np.stack([np.cos(chord), np.sin(chord)], axis=-1)
        xy = np.array(start[:2]) + np.concatenate([[[0.0, 0.0]], np.cumsum(steps, axis=0)])
        return cls(s, xy, heading)

    @property
    def length_m(self) -> float:
        """Arc length."""
        return float(self.s[-1])

    def offset(self, s: Array, d: Array | float) -> Array:
        """Points [Q, 2] at arc lengths ``s`` [Q] and offsets ``d`` (left positive)."""
        heading = np.interp(s, self.s, self.heading)
        x = np.interp(s, self.s, self.xy[:, 0]) - d * np.sin(heading)
        y = np.interp(s, self.s, self.xy[:, 1]) + d * np.cos(heading)
        return np.stack([x, y], axis=-1)

    def pose(self, s: float, d: float = 0.0) -> Pose:
        """Pose along the line at arc length ``s``, offset ``d``."""
        x, y = self.offset(np.array([s]), d)[0]
        return float(x), float(y), float(np.interp(s, self.s, self.heading))


def stations(start_m: float, end_m: float, spacing_m: float = 2.0) -> Array:
    """Arc lengths from ``start_m`` to ``end_m``, evenly and at most ``spacing_m`` apart."""
    return np.linspace(start_m, end_m, max(2, math.ceil((end_m - start_m) / spacing_m) + 1))


def side(xy: Array, heading: Array, d: float) -> Array:
    """A curve [P, 2] moved ``d`` metres to its left, given its heading at every point."""
    return xy + d * np.stack([-np.sin(heading), np.cos(heading)], axis=-1)


def join(start: Pose, end: Pose, spacing_m: float = 1.0) -> tuple[Array, Array, float]:
    """A smooth curve from one pose to another: points [P, 2], headings [P], smallest radius (m).

    Where the two tangents meet ahead of the start and behind the end: straight, a circular arc as wide as fits,
    straight. Elsewhere (parallel or nearly so) a cubic Hermite curve.
    """
    x0, y0, h0 = start
    x1, y1, h1 = end
    turn = (h1 - h0 + math.pi) % (2.0 * math.pi) - math.pi
    dx, dy = x1 - x0, y1 - y0
    if abs(turn) > math.radians(12.0):
        cross = math.sin(turn)
        ahead = (dx * math.sin(h1) - dy * math.cos(h1)) / cross
        behind = (dy * math.cos(h0) - dx * math.sin(h0)) / cross
        if min(ahead, behind) > 0.5:
            return _fillet(start, end, turn, ahead, behind, spacing_m)
    return _hermite(start, end, spacing_m)


def _fillet(
    start: Pose, end: Pose, turn: float, ahead: float, behind: float, spacing_m: float
) -> tuple[Array, Array, float]:
    tangent = min(ahead, behind)
    radius = tangent / math.tan(abs(turn) / 2.0)
    first, arc, last = ahead - tangent, radius * abs(turn), behind - tangent
    total = first + arc + last
    s = stations(0.0, total, spacing_m)
    on_arc = np.clip(s - first, 0.0, arc)
    heading = start[2] + np.sign(turn) * on_arc / radius
    sign = math.copysign(1.0, turn)
    before = np.minimum(s, first)
    after = np.clip(s - first - arc, 0.0, last)
    # the arc in closed form, so that the end is met to rounding whatever the spacing
    x = start[0] + before * math.cos(start[2]) + sign * radius * (np.sin(heading) - math.sin(start[2]))
    y = start[1] + before * math.sin(start[2]) - sign * radius * (np.cos(heading) - math.cos(start[2]))
    xy = np.stack([x + after * math.cos(end[2]), y + after * math.sin(end[2])], axis=-1)
    return xy, heading, radius


def _hermite(start: Pose, end: Pose, spacing_m: float) -> tuple[Array, Array, float]:
    gap = math.hypot(end[0] - start[0], end[1] - start[1])
    p0, p1 = np.array(start[:2]), np.array(end[:2])
    t0 = gap * np.array([math.cos(start[2]), math.sin(start[2])])
    t1 = gap * np.array([math.cos(end[2]), math.sin(end[2])])
    u = stations(0.0, 1.0, spacing_m / max(gap, 1e-6))[:, None]
    xy = (
        (2 * u**3 - 3 * u**2 + 1) * p0 + (u**3 - 2 * u**2 + u) * t0
        + (-2 * u**3 + 3 * u**2) * p1 + (u**3 - u**2) * t1
    )  # fmt: skip
    d1 = (6 * u**2 - 6 * u) * (p0 - p1) + (3 * u**2 - 4 * u + 1) * t0 + (3 * u**2 - 2 * u) * t1
    d2 = (12 * u - 6) * (p0 - p1) + (6 * u - 4) * t0 + (6 * u - 2) * t1
    curvature = np.abs(d1[:, 0] * d2[:, 1] - d1[:, 1] * d2[:, 0]) / np.maximum((d1**2).sum(-1) ** 1.5, 1e-9)
    heading = np.unwrap(np.arctan2(d1[:, 1], d1[:, 0]))
    return xy, heading, float(1.0 / max(curvature.max(), 1e-6))
