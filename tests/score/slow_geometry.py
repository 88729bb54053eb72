"""Plain geometry for the slow judge: boxes as four corners, everything edge by edge. Nothing here is clever or fast.

Points are (x, y) in metres; polygons are open lists of points, those of boxes counter-clockwise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Point = tuple[float, float]


def box(x: float, y: float, heading: float, length: float, width: float) -> list[Point]:
    """Corners of a box: front left, rear left, rear right, front right."""
    along = (math.cos(heading), math.sin(heading))
    half = [(0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5), (0.5, -0.5)]
    return [
        (x + f * length * along[0] - s * width * along[1], y + f * length * along[1] + s * width * along[0])
        for f, s in half
    ]


def edges(polygon: Sequence[Point]) -> list[tuple[Point, Point]]:
    return list(zip(polygon, [*polygon[1:], polygon[0]], strict=True))


def turn(a: Point, b: Point, c: Point) -> float:
    """Twice the signed area of a triangle: positive where c lies to the left of a -> b."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def segments_meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether a-b and c-d share a point. Collinear ones are left to the tests of their ends."""
    return turn(a, b, c) * turn(a, b, d) <= 0.0 and turn(c, d, a) * turn(c, d, b) <= 0.0


def in_convex(point: Point, polygon: Sequence[Point]) -> bool:
    return all(turn(a, b, point) >= 0.0 for a, b in edges(polygon))


def convex_meet(one: Sequence[Point], other: Sequence[Point]) -> bool:
    """Whether two convex polygons share a point: a corner in the other, or two edges that cross."""
    return (
        any(in_convex(p, other) for p in one)
        or any(in_convex(p, one) for p in other)
        or any(segments_meet(a, b, c, d) for a, b in edges(one) for c, d in edges(other))
    )


def segment_meets(a: Point, b: Point, polygon: Sequence[Point]) -> bool:
    """Whether a segment shares a point with a convex polygon."""
    return in_convex(a, polygon) or in_convex(b, polygon) or any(segments_meet(a, b, c, d) for c, d in edges(polygon))


def to_segment(p: Point, a: Point, b: Point) -> float:
    """Distance from a point to a segment."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    square = dx * dx + dy * dy
    t = 0.0 if square == 0.0 else min(1.0, max(0.0, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / square))
    return math.dist(p, (a[0] + t * dx, a[1] + t * dy))


def in_polygon(p: Point, polygon: Sequence[Point]) -> bool:
    """Even-odd: how often a ray to the right crosses the outline."""
    inside = False
    for a, b in edges(polygon):
        if (a[1] > p[1]) != (b[1] > p[1]) and p[0] < a[0] + (p[1] - a[1]) * (b[0] - a[0]) / (b[1] - a[1]):
            inside = not inside
    return inside


def wrapped(angle: float) -> float:
    """The same angle within a half turn of 0."""
    return math.remainder(angle, math.tau)
