"""Lanes that cross others, for maps that do not (fully) say which lanes lie within an intersection."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import jit

Array = NDArray[np.float64]

MIN_SINE = math.sin(math.radians(15.0))
MAX_POINTS = 32
"""Centre lines are thinned to this many points: where two lanes cross need not be known to the metre."""


def crossing_lanes(centres: Sequence[Array]) -> NDArray[np.bool_]:
    """Which of some centre lines [P, 2] cut another one, inside both, at more than 15 degrees."""
    thin = [_thinned(c) for c in centres]
    out = np.zeros(len(thin), np.bool_)
    if len(thin) < 2:
        return out
    boxes = np.array([[*c.min(0), *c.max(0)] for c in thin])
    for i, a in enumerate(thin):
        meets = (boxes[i + 1 :, :2] <= boxes[i, 2:]).all(1) & (boxes[i + 1 :, 2:] >= boxes[i, :2]).all(1)
        for j in map(int, i + 1 + np.flatnonzero(meets)):
            if not (out[i] and out[j]) and _cross(a, thin[j], MIN_SINE):
                out[i] = out[j] = True
    return out


def _thinned(centre: Array) -> Array:
    if len(centre) <= MAX_POINTS:
        return np.ascontiguousarray(centre)
    return np.ascontiguousarray(centre[np.linspace(0, len(centre) - 1, MAX_POINTS).round().astype(int)])


@jit("b1", "f8[:,:]", "f8[:,:]", "f8")
def _cross(a: Array, b: Array, min_sine: float) -> bool:
    """Whether two polylines properly intersect at an angle of at least that sine."""
    for i in range(len(a) - 1):
        ax, ay = a[i + 1, 0] - a[i, 0], a[i + 1, 1] - a[i, 1]
        for j in range(len(b) - 1):
            bx, by = b[j + 1, 0] - b[j, 0], b[j + 1, 1] - b[j, 1]
            det = ax * by - ay * bx
            if abs(det) <= min_sine * math.hypot(ax, ay) * math.hypot(bx, by):
                continue
            rx, ry = b[j, 0] - a[i, 0], b[j, 1] - a[i, 1]
            t, u = (rx * by - ry * bx) / det, (rx * ay - ry * ax) / det
            if 0.0 < t < 1.0 and 0.0 < u < 1.0:
                return True
    return False
