"""Roundabouts: a ring driven counter-clockwise that has priority, arms whose entries yield."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import LaneControl

from .curves import ReferenceLine
from .draws import Draw
from .layouts import Layout, Path
from .roads import Road, RoadBuilder

Array = NDArray[np.float64]

_SECTION_M = 6.0
"""Least length of the ring between an entry and the next exit."""

_LEAST_RADIUS_M = 8.5
_VERGE_M = 1.0
"""Drivable surface beyond the outermost lane boundaries."""


@dataclass(frozen=True)
class Roundabout(Layout):
    """Arms are counted counter-clockwise, as the ring is driven: from entry k the next exit is that of arm k + 1.

    With two lanes the outer one leads from each entry to the next exit only; whoever goes further keeps the inner one.
    """

    past: tuple[int, ...] = ()
    """Ring lane from the exit of each arm to its entry."""
    between: tuple[tuple[int, ...], ...] = ()
    """Ring lanes from the entry of each arm to the exit of the next one, inner first."""
    entries: tuple[tuple[int, ...], ...] = ()
    """Connectors from each arm into the ring, inner first."""
    exits: tuple[tuple[int, ...], ...] = ()
    """Connectors from the ring into each arm, inner first."""

    def round(self, start: int, steps: int, lane: int) -> tuple[int, ...]:
        """Lanes from the ring at entry ``start`` to the end of the arm ``steps`` further on."""
        count = len(self.roads)
        ring = [self.between[start][lane]]
        for k in range(1, steps):
            at = (start + k) % count
            ring += [self.past[at], self.between[at][0]]
        out = (start + steps) % count
        return (*ring, self.exits[out][lane], *self.roads[out].forward_sequence(lane))

    def through(self, start: int, steps: int, lane: int) -> Path:
        """The path of an approach lane into the ring and out of it ``steps`` arms further on."""
        approach = self.roads[start].backward_sequence(lane)
        return self.path((*approach, self.entries[start][lane], *self.round(start, steps, lane)))

    def circulating(self, start: int, steps: int) -> Path:
        """The path of somebody who is in the ring before entry ``start`` and leaves ``steps`` arms further on."""
        return self.path((self.past[start], *self.round(start, steps, 0)))

    def groups(self, start: int, steps: int) -> tuple[tuple[int, ...], ...]:
        """Route of lane groups from an arm through the ring and out ``steps`` arms further on."""
        before, count = self.roads[start], len(self.roads)
        if steps == 1:
            ring: list[tuple[int, ...]] = [before.backward[0], self.entries[start], self.between[start]]
        else:
            ring = [before.backward[0][:1], self.entries[start][:1], self.between[start][:1]]
        for k in range(1, steps):
            at = (start + k) % count
            ring += [(self.past[at],), self.between[at] if k == steps - 1 else self.between[at][:1]]
        out = (start + steps) % count
        return (*reversed(before.backward[1:]), *ring, self.exits[out], *self.roads[out].forward)


def roundabout(
    key: str, draw: Draw, *, limit_kmh: float, arms: int, lanes: int, radius_m: float, arm_m: Sequence[float]
) -> Roundabout:
    """A ring of ``lanes`` lanes, the inner one with a centre line of ``radius_m`` (more where the arms need it).

    Arm ``k`` is ``arm_m[k]`` long with ``lanes`` lanes in and out; its reference line runs outward.
    """
    limit = limit_kmh / 3.6
    width = draw.uniform("width", (3.5, 3.75))
    angles = _angles(draw, arms)
    apart = min((b - a) % (2.0 * math.pi) for a, b in zip(angles, [*angles[1:], angles[0]], strict=True))
    bend = max(_LEAST_RADIUS_M, draw.uniform("entry radius", (9.0, 16.0))) + (lanes - 1) * width
    radius = radius_m
    while _entry_radius(radius, width, 0.5 * (apart - _SECTION_M / radius)) < _LEAST_RADIUS_M + (lanes - 1) * width:
        radius += 0.5
    reach = _reach(radius, width, bend, 0.5 * (apart - _SECTION_M / radius))
    tangent = (radius * math.sin(reach) - 0.5 * width) / math.cos(reach)
    mouth = radius * math.cos(reach) + tangent * math.sin(reach) + tangent + draw.uniform("mouth", (1.0, 5.0))
    origin = np.array([draw.uniform("x", (-50.0, 50.0)), draw.uniform("y", (-50.0, 50.0))])

    builder = RoadBuilder()
    roads = [
        _arm(builder, draw.sub("arm", k), k, origin, angles[k], mouth, lanes, width, limit, arm_m[k])
        for k in range(arms)
    ]
    ring = _Ring(builder, origin, radius, width, limit)
    past = tuple(ring.lane(f"past{k}", 0, angles[k] - reach, angles[k] + reach) for k in range(arms))
    between = tuple(
        tuple(ring.lane(f"ring{k}-{i}", i, angles[k] + reach, _after(angles, k) - reach) for i in range(lanes))
        for k in range(arms)
    )
    entries, exits = [], []
    for k in range(arms):
        builder.follow(past[k], between[k][0])
        builder.follow(between[k][0], past[(k + 1) % arms])
        if lanes > 1:
            builder.beside(between[k][0], between[k][1])
        into = [
            builder.connector(
                f"in{k}-{i}", roads[k].backward[0][i], between[k][i], width, limit, control=LaneControl.YIELD
            )[0]
            for i in range(lanes)
        ]
        out = [
            builder.connector(
                f"out{k}-{i}", between[k - 1][i], roads[k].forward[0][i], width, limit, control=LaneControl.NONE
            )[0]
            for i in range(lanes)
        ]
        for group in (into, out):
            for left, right in pairwise(group):
                builder.beside(left, right)
            builder.cover(group, _VERGE_M)
        for lane in roads[k].backward[0]:
            builder.stop_line(lane)
        entries.append(tuple(into))
        exits.append(tuple(out))
        builder.drivable(ring.sector(angles[k], _after(angles, k), lanes))
    figures = {
        "arms": arms, "lanes": lanes, "radius_m": radius, "width_m": width, "limit_kmh": limit_kmh,
        "angles_rad": angles, "mouth_m": mouth,
    }  # fmt: skip
    return Roundabout(
        key, builder.build(), limit, tuple(roads), figures=figures, past=past, between=between,
        entries=tuple(entries), exits=tuple(exits),
    )  # fmt: skip


def _angles(draw: Draw, arms: int) -> list[float]:
    """Directions of the arms, counter-clockwise: three at right angles or spread out, more of them about even."""
    turn = draw.uniform("heading", (-math.pi, math.pi))
    even = [2.0 * math.pi * k / arms for k in range(arms)]
    if arms == 3 and draw.chance("tee", 0.6):
        missing = draw.integer("missing", 3)
        even = [0.5 * math.pi * (k + (k > missing)) for k in range(3)]
    jitter = math.radians(12.0 if arms < 5 else 5.0)
    return [turn + a + draw.uniform(f"skew {k}", (-jitter, jitter)) for k, a in enumerate(even)]


def _after(angles: Sequence[float], k: int) -> float:
    """Direction of the arm after ``k``, as an angle greater than that of arm ``k``."""
    following = angles[(k + 1) % len(angles)]
    return angles[k] + (following - angles[k]) % (2.0 * math.pi)


def _entry_radius(radius: float, width: float, reach: float) -> float:
    """Radius of the bend from the innermost lane of an arm into the ring, ``reach`` radians beyond the arm."""
    tangent = (radius * math.sin(reach) - 0.5 * width) / math.cos(reach)
    return tangent / math.tan(0.5 * (0.5 * math.pi - reach))


def _reach(radius: float, width: float, bend: float, most: float) -> float:
    """How far from an arm's direction its entry meets the ring, for a bend of that radius or of the widest possible."""
    low, high = 0.05, most
    for _ in range(40):
        middle = 0.5 * (low + high)
        if _entry_radius(radius, width, middle) < bend:
            low = middle
        else:
            high = middle
    return high


def _arm(
    builder: RoadBuilder, draw: Draw, number: int, origin: Array, angle: float, mouth: float, lanes: int,
    width: float, limit: float, length: float,
) -> Road:  # fmt: skip
    """A road outward from the mouth, straight or with one gentle bend."""
    bend = draw.uniform("bend", (-0.35, 0.35)) * draw.chance("bent", 0.6)
    first = 0.3 * length
    knots = [(0.0, 0.0), (first, 0.0), (0.5 * (first + length), 2.0 * bend / (length - first)), (length, 0.0)]
    start = float(origin[0] + mouth * math.cos(angle)), float(origin[1] + mouth * math.sin(angle)), angle
    line = ReferenceLine.of(start, length, knots if bend else ())
    return builder.road(
        f"arm{number}", line, forward=lanes, backward=lanes, width_m=width, limit_mps=limit,
        cuts=(min(100.0, 0.5 * length),), shoulder_m=0.8,
    )  # fmt: skip


@dataclass(frozen=True)
class _Ring:
    builder: RoadBuilder
    origin: Array
    radius: float
    width: float
    limit: float

    def arc(self, radius: float, start: float, end: float, count: int) -> Array:
        """``count`` points on a circle, counter-clockwise."""
        angle = np.linspace(start, end, count)
        return self.origin + radius * np.stack([np.cos(angle), np.sin(angle)], axis=-1)

    def lane(self, name: str, index: int, start: float, end: float) -> int:
        """A lane of the ring; ``index`` counts outward."""
        radius = self.radius + index * self.width
        count = max(3, math.ceil(radius * (end - start) / 1.2) + 1)
        half = 0.5 * self.width
        centre, left, right = (self.arc(radius + d, start, end, count) for d in (0.0, -half, half))
        return self.builder.lane(name, centre, left, right, self.limit, control=LaneControl.PRIORITY)

    def sector(self, start: float, end: float, lanes: int) -> Array:
        """The surface of a part of the ring, a little longer than asked for."""
        count = math.ceil(self.radius * (end - start) / 1.5) + 2
        inside = self.radius - 0.5 * self.width - _VERGE_M
        outside = self.radius + (lanes - 0.5) * self.width + _VERGE_M
        edges = [self.arc(r, start - 0.05, end + 0.05, count) for r in (outside, inside)]
        return np.concatenate([edges[0], edges[1][::-1]])
