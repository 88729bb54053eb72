"""Ragged sets of polylines, and arc length along them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Polylines:
    """A ragged list of point sequences: polyline ``i`` is ``xy[start[i]:start[i + 1]]``.

    ``xy`` is float64 [P, 2] in metres; ``start`` is int32 [N + 1], rising, from 0 to P. Polygons are stored
    open (the last point joins the first).
    """

    xy: Array
    start: NDArray[np.int32]

    @classmethod
    def of(cls, parts: Iterable[Array]) -> Polylines:
        """Pack point arrays, each [n_i, 2]."""
        arrays = [np.asarray(p, dtype=np.float64).reshape(-1, 2) for p in parts]
        start = np.zeros(len(arrays) + 1, dtype=np.int32)
        np.cumsum([len(a) for a in arrays], out=start[1:])
        xy = np.concatenate(arrays) if arrays else np.zeros((0, 2))
        return cls(np.ascontiguousarray(xy), start)

    def __len__(self) -> int:
        return len(self.start) - 1

    def __getitem__(self, index: int) -> Array:
        return self.xy[self.start[index] : self.start[index + 1]]

    def __iter__(self) -> Iterator[Array]:
        return (self[i] for i in range(len(self)))


def arc_lengths(xy: Array) -> Array:
    """Distance in metres along a polyline [P, 2] from its first point to each point, [P]."""
    steps = np.hypot(*np.diff(xy, axis=0).T) if len(xy) > 1 else np.zeros(0)
    return np.concatenate([[0.0], np.cumsum(steps)])


def resample(xy: Array, at_m: Array) -> Array:
    """Points [Q, 2] at distances ``at_m`` [Q] along a polyline [P, 2]; clamped to its ends."""
    s = arc_lengths(xy)
    return np.stack([np.interp(at_m, s, xy[:, 0]), np.interp(at_m, s, xy[:, 1])], axis=-1)


def deduplicate(xy: Array, tolerance_m: float = 1e-6) -> Array:
    """A polyline [P, 2] without repeated neighbouring points; its ends are kept."""
    if len(xy) < 2:
        return xy
    keep = np.concatenate([[True], np.hypot(*np.diff(xy, axis=0).T) > tolerance_m])
    kept: Array = xy[keep]
    return kept


def headings(xy: Array) -> Array:
    """Heading in radians at each point of a polyline [P, 2]: of the segment that begins there, [P]."""
    d = np.diff(xy, axis=0)
    h = np.arctan2(d[:, 1], d[:, 0])
    return np.concatenate([h, h[-1:]])


def project(xy: Array, points: Array) -> tuple[Array, Array]:
    """Arc length and signed lateral offset (left positive) of points [Q, 2] on a polyline [P, 2].

    Exact for every segment, clamped to the ends; both results are [Q], metres.
    """
    a, d = xy[:-1], np.diff(xy, axis=0)
    length2 = np.maximum((d**2).sum(-1), 1e-18)
    rel = points[:, None, :] - a[None]
    t = np.clip((rel * d).sum(-1) / length2, 0.0, 1.0)
    off = rel - t[..., None] * d
    best = np.argmin((off**2).sum(-1), axis=1)
    row = np.arange(len(points))
    s = arc_lengths(xy)[best] + t[row, best] * np.sqrt(length2[best])
    cross = d[best, 0] * rel[row, best, 1] - d[best, 1] * rel[row, best, 0]
    distance = np.sqrt((off[row, best] ** 2).sum(-1))
    return s, np.where(cross >= 0, distance, -distance)


def polygon_contains(polygon: Array, points: Array) -> NDArray[np.bool_]:
    """Which points [Q, 2] lie inside a simple polygon [P, 2] (even-odd rule)."""
    x, y = points[:, None, 0], points[:, None, 1]
    x0, y0 = polygon[:, 0], polygon[:, 1]
    x1, y1 = np.roll(x0, -1), np.roll(y0, -1)
    crosses = (y0 > y) != (y1 > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = (x1 - x0) * (y - y0) / (y1 - y0) + x0
    inside: NDArray[np.bool_] = (np.sum(crosses & (x < at), axis=1) % 2).astype(np.bool_)
    return inside
