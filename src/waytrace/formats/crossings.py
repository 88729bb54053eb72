"""Lanes that cross others, for maps that do not (fully) say which lanes lie within an intersection."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MIN_ANGLE_RAD = np.deg2rad(15.0)
MAX_POINTS = 32
"""Centre lines are thinned to this many points: where two lanes cross need not be known to the metre."""


def crossing_lanes(centres: Sequence[Array]) -> NDArray[np.bool_]:
    """Which of some centre lines [P, 2] cut another one, inside both, at more than 15 degrees."""
    thin = [c[np.unique(np.linspace(0, len(c) - 1, min(len(c), MAX_POINTS)).round().astype(int))] for c in centres]
    out = np.zeros(len(thin), np.bool_)
    if len(thin) < 2:
        return out
    boxes = np.array([[*c.min(0), *c.max(0)] for c in thin])
    for i, a in enumerate(thin):
        meets = (boxes[i + 1 :, :2] <= boxes[i, 2:]).all(1) & (boxes[i + 1 :, 2:] >= boxes[i, :2]).all(1)
        for j in map(int, i + 1 + np.flatnonzero(meets)):
            if not (out[i] and out[j]) and _cross(a, thin[j]):
                out[i] = out[j] = True
    return out


def _cross(a: Array, b: Array) -> bool:
    """Whether two polylines properly intersect at a sufficient angle."""
    da, db = np.diff(a, axis=0), np.diff(b, axis=0)
    det = da[:, None, 0] * db[None, :, 1] - da[:, None, 1] * db[None, :, 0]
    rel = b[None, :-1] - a[:-1, None]
    lengths = np.hypot(*da.T)[:, None] * np.hypot(*db.T)[None]
    steep = np.abs(det) > np.sin(MIN_ANGLE_RAD) * lengths
    safe = np.where(steep, det, 1.0)
    t = (rel[..., 0] * db[None, :, 1] - rel[..., 1] * db[None, :, 0]) / safe
    u = (rel[..., 0] * da[:, None, 1] - rel[..., 1] * da[:, None, 0]) / safe
    return bool((steep & (t > 0) & (t < 1) & (u > 0) & (u < 1)).any())
