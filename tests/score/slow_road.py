"""The road for the slow judge: what it means to be on a lane, wholly in one, against its direction, along the route.

The centre lines are those of the compiled map (the recorded ones, resampled evenly: ``docs/score.md``), with their half
widths; connections, limits, kinds, drivable polygons and the route are the scenario's own. No grid is used and no hint
from the tick before but the one that a rule names.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from waytrace.scenario import Scenario
from waytrace.scenario.index import compile_maps

from .slow_geometry import Point, edges, in_polygon, to_segment, wrapped

REACH_CELLS, CELL_M = 2, 4.0
EDGE_M = 0.1
DRIVEN_KINDS = (0, 1)


@dataclass(frozen=True)
class Lane:
    points: np.ndarray
    left_m: np.ndarray
    right_m: np.ndarray
    length_m: float
    kind: int
    junction: bool
    limit_mps: float
    leads_to: tuple[int, ...]
    comes_from: tuple[int, ...]

    @property
    def step_m(self) -> float:
        return self.length_m / (len(self.points) - 1)

    @cached_property
    def vertex_headings(self) -> list[float]:
        """At the ends that of the segment, between two segments the mean of both."""
        d = np.diff(self.points, axis=0)
        segment = np.unwrap(np.arctan2(d[:, 1], d[:, 0]))
        inner = [0.5 * (a + b) for a, b in pairwise(segment)]
        return [float(h) for h in (segment[0], *inner, segment[-1])]

    def project(self, p: Point) -> tuple[float, float, float]:
        """(s, d, distance): metres along, metres to the left, and distance from the nearest point.

        Beyond the ends s runs on along the first or last segment, and d is measured from its straight continuation.
        """
        a, b = self.points[:-1], self.points[1:]
        square = ((b - a) ** 2).sum(1)
        raw = ((np.asarray(p) - a) * (b - a)).sum(1) / square
        held = np.clip(raw, 0.0, 1.0)
        away = np.asarray(p) - a - held[:, None] * (b - a)
        distances = np.hypot(away[:, 0], away[:, 1])
        k = int(np.argmin(distances))
        t, distance = float(raw[k]), float(distances[k])
        (ax, ay), (bx, by) = a[k], b[k]
        d = float(((bx - ax) * (p[1] - ay) - (by - ay) * (p[0] - ax)) / math.sqrt(square[k]))
        inside = 0.0 <= t <= 1.0
        beyond = (t < 0.0 and k == 0) or (t > 1.0 and k == len(a) - 1)
        if not inside and not beyond:  # in the wedge outside a corner
            t, d = float(held[k]), math.copysign(distance, d)
        return (k + t) * self.step_m, d, distance

    def holds(self, p: Point) -> bool:
        """Whether a point lies between the boundaries, 0.1 m forgiven."""
        s, d, _ = self.project(p)
        if not -EDGE_M <= s <= self.length_m + EDGE_M:
            return False
        side = self.left_m if d >= 0.0 else self.right_m
        return abs(d) <= np.interp(s, np.arange(len(side)) * self.step_m, side) + EDGE_M


class Road:
    """Map and route of one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        m, compiled = scenario.map, compile_maps([scenario]).index
        self.lanes: list[Lane] = []
        for lane in range(len(m)):
            span = slice(int(compiled.point_lo[lane]), int(compiled.point_lo[lane + 1]))
            self.lanes.append(
                Lane(
                    np.stack([compiled.point_x[span], compiled.point_y[span]], -1),
                    compiled.point_left[span], compiled.point_right[span], float(compiled.lane_length[lane]),
                    int(m.lane_kind[lane]), bool(m.in_intersection[lane]), float(m.speed_limit_mps[lane]),
                    tuple(int(i) for i in m.successors(lane)),
                    tuple(i for i in range(len(m)) if lane in m.successors(i)),
                )
            )  # fmt: skip
        self.corner = (float(compiled.grid_x[0]), float(compiled.grid_y[0]))
        self.drivable = [[(float(x), float(y)) for x, y in ring] for ring in m.drivable]
        self.route = scenario.route.groups
        pieces = [(i, k) for i, lane in enumerate(self.lanes) for k in range(len(lane.points) - 1)]
        self.piece_lane = np.array([i for i, _ in pieces])
        self.piece_at = np.array([k for _, k in pieces])
        self.a = np.array([self.lanes[i].points[k] for i, k in pieces])
        self.b = np.array([self.lanes[i].points[k + 1] for i, k in pieces])
        self.heading = np.array([self.lanes[i].vertex_headings[k] for i, k in pieces])
        self.middle_cell = self._cell((self.a + self.b) / 2)

    def _cell(self, xy: np.ndarray) -> np.ndarray:
        return np.floor((xy - np.asarray(self.corner)) / CELL_M)

    def lane_of(self, p: Point, heading: float, before: int | None) -> int | None:
        """The lane that somebody drives on: nearest centre line, heading and the lane of the tick before regarded."""
        near = np.abs(self.middle_cell - self._cell(np.asarray(p))).max(1) <= REACH_CELLS
        best: tuple[float, int] | None = None
        for j in np.flatnonzero(near):
            lane = int(self.piece_lane[j])
            cost = to_segment(p, tuple(self.a[j]), tuple(self.b[j]))
            cost += 1.75 * abs(wrapped(heading - float(self.heading[j])))
            if self.lanes[lane].kind not in DRIVEN_KINDS:
                cost += 1.0
            if before is not None and (lane == before or lane in self.lanes[before].leads_to):
                cost -= 0.5
            if best is None or (cost, lane) < best:
                best = (cost, lane)
        return None if best is None else best[1]

    def keeps_one_lane(self, own: int | None, centre: Point, corners: list[Point]) -> bool:
        """Whether one lane, with those it leads to and comes from, holds all corners: the own, or one at the centre."""
        tried = [i for i, lane in enumerate(self.lanes) if i == own or lane.holds(centre)]
        return any(
            all(
                any(self.lanes[k].holds(c) for k in (i, *self.lanes[i].leads_to, *self.lanes[i].comes_from))
                for c in corners
            )
            for i in tried
        )

    def in_junction(self, lane: int | None) -> bool:
        return lane is not None and self.lanes[lane].junction

    def off_road_m(self, corners: list[Point]) -> float:
        """How far the outermost corner is from the drivable area."""
        return max(self._off(c) for c in corners) if self.drivable else 0.0

    def _off(self, p: Point) -> float:
        if any(in_polygon(p, ring) for ring in self.drivable):
            return 0.0
        return min(to_segment(p, a, b) for ring in self.drivable for a, b in edges(ring))

    def against_m(self, own: int | None, start: Point, end: Point) -> float:
        """Metres that a move goes against the lane at its end; of several lanes there the one that suits it best."""
        move = (end[0] - start[0], end[1] - start[1])
        if math.hypot(*move) < 1e-6:
            return 0.0
        if own is not None and self._agrees(self.lanes[own], move, end):
            return 0.0
        forward = [
            (move[0] * dx + move[1] * dy) / math.hypot(dx, dy) for dx, dy in self._directions_at(end)
        ]  # fmt: skip
        return max(0.0, -max(forward)) if forward else 0.0

    def _agrees(self, lane: Lane, move: Point, end: Point) -> bool:
        s, _, _ = lane.project(end)
        at = min(max(int(s / lane.step_m), 0), len(lane.points) - 2)
        h = lane.vertex_headings[at]
        return move[0] * math.cos(h) + move[1] * math.sin(h) >= 0.0 and lane.holds(end)

    def _directions_at(self, p: Point) -> Iterator[Point]:
        """Direction of every piece of a lane for vehicles that has the point between its boundaries."""
        for j in np.flatnonzero(np.abs(self.a - np.asarray(p)).max(1) < 20.0):
            lane, at = self.lanes[int(self.piece_lane[j])], int(self.piece_at[j])
            if lane.kind not in DRIVEN_KINDS:
                continue
            dx, dy = self.b[j] - self.a[j]
            n = math.hypot(dx, dy)
            rx, ry = np.asarray(p) - self.a[j]
            along, across = (rx * dx + ry * dy) / n, (dx * ry - dy * rx) / n
            if -0.1 <= along <= n + 0.1 and -lane.right_m[at] <= across <= lane.left_m[at]:
                yield float(dx), float(dy)

    def limit_mps(self, lane: int | None) -> float | None:
        """Speed limit; a lane without one in an intersection has the highest of those it joins."""
        if lane is None:
            return None
        own = self.lanes[lane]
        if not math.isnan(own.limit_mps):
            return own.limit_mps
        if not own.junction:
            return None
        joined = [self.lanes[i].limit_mps for i in (*own.leads_to, *own.comes_from)]
        known = [limit for limit in joined if not math.isnan(limit)]
        return max(known) if known else None

    def along_route(self, p: Point, before: float | None) -> tuple[float | None, float | None]:
        """(metres since the route's start, metres beside the nearest centre line of the route).

        Only lanes within 50 m of where one was before count; (before, None) where there is none. Each group is as long
        as its longest lane, and its other lanes are stretched to that.
        """
        best, gone = (math.inf, before, None), 0.0
        for group in self.route:
            longest = max((self.lanes[i].length_m for i in group), default=0.0)
            for i in group:
                lane = self.lanes[i]
                if before is not None and not (before - 50.0 <= gone + longest and gone <= before + 50.0):
                    continue
                s, d, distance = lane.project(p)
                if distance < best[0]:
                    share = min(max(s, 0.0), lane.length_m) / lane.length_m
                    best = (distance, gone + share * longest, d)
            gone += longest
        return best[1], best[2]
