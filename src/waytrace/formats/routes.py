"""Routes as lane groups, from the way a vehicle went.

The log's poses are matched to a lane sequence (heading-aware, connected lanes preferred); every lane of it is widened
to all parallel lanes of its road, and the route goes on past the log's end, so that neither the log's lane changes nor
its stopping point show.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import Polylines, arc_lengths, jit, point_segment_distance2, project, wrap
from waytrace.scenario import LaneKind, RoadMap, Route

from .lanegraph import end_headings

Array = NDArray[np.float64]

BEYOND_M = 150.0
"""How far a route goes on past the end of the log, where the map does."""
MATCH_TOLERANCE_M = 1.5
NEAREST_LANE_M = 8.0
POSE_SPACING_M = 2.0
MAX_HEADING_GAP_RAD = np.deg2rad(75.0)
LOST = 30.0
"""Cost of a step between lanes that no short way joins."""
CHANGE = 1.0
FOLLOW = 0.05
MAX_BRIDGE_M = 250.0
MAX_GROUPS = 200


@jit("f8", "f8[:,:]", "i8", "i8", "f8", "f8")
def _distance(xy: Array, lo: int, hi: int, x: float, y: float) -> float:
    """Distance from a point to the simple polygon ``xy[lo:hi]`` (even-odd rule), 0 inside."""
    best, inside = 1e300, False
    for i in range(lo, hi):
        j = i + 1 if i + 1 < hi else lo
        x0, y0, x1, y1 = xy[i, 0], xy[i, 1], xy[j, 0], xy[j, 1]
        best = min(best, point_segment_distance2(x, y, x0, y0, x1, y1))
        if (y0 > y) != (y1 > y) and x < (x1 - x0) * (y - y0) / (y1 - y0) + x0:
            inside = not inside
    return 0.0 if inside else math.sqrt(best)


@jit("void", "f8[:,:]", "f8[:,:]", "f8[:]")
def _distances(polygon: Array, points: Array, out: Array) -> None:
    """Distance from each point to one polygon into ``out``."""
    for q in range(len(points)):
        out[q] = _distance(polygon, 0, len(polygon), points[q, 0], points[q, 1])


@jit("void", "f8[:,:]", "i4[:]", "f8[:,:]", "f8[:,:]", "f8", "f8[:]")
def _nearest_polygon(
    xy: Array, start: NDArray[np.int32], boxes: Array, points: Array, enough: float, out: Array
) -> None:
    """Distance from each point to the nearest of several polygons into ``out``; any not over ``enough`` will do."""
    for q in range(len(points)):
        x, y = points[q, 0], points[q, 1]
        best = 1e300
        for k in range(len(boxes)):
            dx = max(boxes[k, 0] - x, x - boxes[k, 2], 0.0)
            dy = max(boxes[k, 1] - y, y - boxes[k, 3], 0.0)
            if math.hypot(dx, dy) < best:
                best = min(best, _distance(xy, start[k], start[k + 1], x, y))
                if best <= enough:
                    break
        out[q] = best


def polygon_distance(polygon: Array, points: Array) -> Array:
    """Distance in metres [Q] from points to a polygon [P, 2]; 0 inside."""
    out = np.empty(len(points))
    _distances(np.ascontiguousarray(polygon), np.ascontiguousarray(points), out)
    return out


class Locator:
    """Which lanes of a map lie under given points."""

    def __init__(self, road: RoadMap) -> None:
        self.road = road
        self.polygons = [np.concatenate([a, b[::-1]]) for a, b in zip(road.left, road.right, strict=True)]
        self._outlines = Polylines.of(self.polygons)
        self.boxes = np.array([[*p.min(0), *p.max(0)] for p in self.polygons]).reshape(-1, 4)

    def distance(self, points: Array, enough_m: float = 0.0) -> Array:
        """Distance [Q] from points [Q, 2] to the nearest lane; exact where it is over ``enough_m``."""
        out = np.empty(len(points))
        outlines = self._outlines
        _nearest_polygon(outlines.xy, outlines.start, self.boxes, np.ascontiguousarray(points), enough_m, out)
        return out

    def near(self, points: Array, tolerance_m: float) -> list[tuple[int, NDArray[np.intp], Array]]:
        """Per lane within reach: its row, rows of the points within ``tolerance_m`` of it, and those distances."""
        out = []
        low, high = points.min(0) - tolerance_m, points.max(0) + tolerance_m
        for lane in np.flatnonzero((self.boxes[:, :2] <= high).all(1) & (self.boxes[:, 2:] >= low).all(1)):
            box = self.boxes[lane]
            inside = (points >= box[:2] - tolerance_m).all(1) & (points <= box[2:] + tolerance_m).all(1)
            rows = np.flatnonzero(inside)
            if not len(rows):
                continue
            distance = polygon_distance(self.polygons[lane], points[rows])
            close = distance <= tolerance_m
            if close.any():
                out.append((int(lane), rows[close], distance[close]))
        return out

    def heading_at(self, lane: int, points: Array) -> tuple[Array, Array]:
        """Heading of the lane beside each point, and the point's offset from its centre line (left positive)."""
        centre = self.road.centre[lane]
        at, offset = project(centre, points)
        s = arc_lengths(centre)
        k = np.clip(np.searchsorted(s, at, side="right") - 1, 0, len(s) - 2)
        d = centre[k + 1] - centre[k]
        return np.arctan2(d[:, 1], d[:, 0]), offset


@dataclass(frozen=True)
class _Hop:
    cost: float
    lane: int
    length_m: float
    chain: tuple[tuple[int, bool], ...]
    """Lanes on the way and whether each was reached by following (rather than by changing) lanes."""


def _ways(road: RoadMap, lane: int, reach_m: float) -> dict[int, _Hop]:
    """Cheapest way from ``lane`` to every lane that begins within ``reach_m`` of its end."""
    done: dict[int, _Hop] = {}
    queue: list[tuple[float, int, float, tuple[tuple[int, bool], ...]]] = [(0.0, lane, 0.0, ())]
    while queue:
        cost, at, length, chain = heapq.heappop(queue)
        if at in done:
            continue
        done[at] = _Hop(cost, at, length, chain)
        if len(chain) > 40:
            continue
        ahead = length + (0.0 if at == lane else lane_length(road, at))
        if ahead <= reach_m:
            for follower in road.successors(at):
                if int(follower) not in done:
                    heapq.heappush(
                        queue,
                        (
                            cost + FOLLOW + 0.002 * (ahead - length),
                            int(follower),
                            ahead,
                            (*chain, (int(follower), True)),
                        ),
                    )
        for side in (road.left_neighbor[at], road.right_neighbor[at]):
            if side >= 0 and int(side) not in done:
                heapq.heappush(queue, (cost + CHANGE, int(side), length, (*chain, (int(side), False))))
    return done


def lane_length(road: RoadMap, lane: int) -> float:
    """Length of a lane's centre line, metres."""
    return float(arc_lengths(road.centre[lane])[-1])


def _candidates(locator: Locator, xy: Array, heading_rad: Array) -> list[dict[int, float]]:
    """Per pose: lanes it may be on and what that costs."""
    road = locator.road
    out: list[dict[int, float]] = [{} for _ in xy]
    for lane, rows, distance in locator.near(xy, MATCH_TOLERANCE_M):
        kind = road.lane_kind[lane]
        extra = 0.0 if kind == LaneKind.VEHICLE else 1.0 if kind == LaneKind.BUS else 4.0
        lane_heading, offset = locator.heading_at(lane, xy[rows])
        gap = np.abs(wrap(heading_rad[rows] - lane_heading))
        cost = 0.5 * (offset / 1.75) ** 2 + 0.5 * (gap / np.deg2rad(20.0)) ** 2 + 2.0 * distance + extra
        for row, g, c in zip(rows, gap, cost, strict=True):
            if g <= MAX_HEADING_GAP_RAD:
                out[row][lane] = float(c)
    return out


def match(locator: Locator, xy: Array, heading_rad: Array) -> list[int]:
    """Lane sequence under a vehicle's poses ([n, 2], [n]), repeats removed; consecutive lanes need not be joined.

    Viterbi over poses about 2 m apart. Poses off every lane are passed over; if all are, the nearest lane of agreeing
    heading within 8 m is the answer, else none.
    """
    s = arc_lengths(xy)
    picks = [0]
    for i in range(1, len(xy)):
        if s[i] - s[picks[-1]] >= POSE_SPACING_M:
            picks.append(i)
    options = _candidates(locator, xy[picks], heading_rad[picks])
    layers = [(i, o) for i, o in zip(picks, options, strict=True) if o]
    if not layers:
        return _nearest(locator, xy[:1], heading_rad[:1])
    ways: dict[int, dict[int, _Hop]] = {}
    score = layers[0][1]
    back: list[dict[int, int]] = []
    for (i, _), (j, option) in pairwise(layers):
        gone = float(s[j] - s[i])
        best: dict[int, tuple[float, int]] = {}
        for lane, base in score.items():
            if lane not in ways:
                ways[lane] = _ways(locator.road, lane, 30.0)
            for target, cost in option.items():
                hop = ways[lane].get(target)
                step = LOST if hop is None or hop.length_m > gone + 5.0 else hop.cost
                total = base + step + cost
                if target not in best or total < best[target][0]:
                    best[target] = (total, lane)
        score = {lane: total for lane, (total, _) in best.items()}
        back.append({lane: origin for lane, (_, origin) in best.items()})
    lane = min(score, key=lambda k: (score[k], k))
    sequence = [lane]
    for origin in reversed(back):
        lane = origin[lane]
        if lane != sequence[-1]:
            sequence.append(lane)
    return sequence[::-1]


def _nearest(locator: Locator, xy: Array, heading_rad: Array) -> list[int]:
    best: tuple[float, int] | None = None
    for lane, _, distance in locator.near(xy, NEAREST_LANE_M):
        lane_heading, _ = locator.heading_at(lane, xy)
        if abs(wrap(heading_rad - lane_heading)[0]) <= MAX_HEADING_GAP_RAD:
            best = min(best or (np.inf, -1), (float(distance[0]), lane))
    return [best[1]] if best else []


def parallel(road: RoadMap, lane: int) -> tuple[int, ...]:
    """A lane and every lane that can be reached from it, or that reaches it, by changing lanes alone; left to right."""
    order = [lane]
    for side in (road.left_neighbor, road.right_neighbor):
        at, seen = lane, {lane}
        while side[at] >= 0 and int(side[at]) not in seen:
            at = int(side[at])
            seen.add(at)
            if at not in order:
                if side is road.left_neighbor:
                    order.insert(0, at)
                else:
                    order.append(at)
    return tuple(order)


def widen(road: RoadMap, sequence: list[int]) -> list[tuple[int, ...]]:
    """Lane groups along a matched sequence, bridged where it skips lanes; cut off where no way leads on."""
    groups = [parallel(road, sequence[0])]
    at = sequence[0]
    for target in sequence[1:]:
        if target in groups[-1]:
            at = target
            continue
        hop = _ways(road, at, MAX_BRIDGE_M).get(target)
        if hop is None:
            break
        for lane, followed in hop.chain:
            if not followed or lane in groups[-1]:
                if lane not in groups[-1]:
                    groups[-1] = (*groups[-1], lane)
                continue
            _append(road, groups, lane)
        at = target
    return groups


def _append(road: RoadMap, groups: list[tuple[int, ...]], lane: int) -> None:
    before = set(groups[-1])
    groups.append(tuple(k for k in parallel(road, lane) if k not in before))


def extend(road: RoadMap, groups: list[tuple[int, ...]], missing_m: float) -> None:
    """Append groups along the straightest way on until ``missing_m`` more metres are covered or the map ends."""
    seen = {lane for group in groups for lane in group}
    while missing_m > 0 and len(groups) < MAX_GROUPS:
        options = []
        for lane in groups[-1]:
            end = end_headings(road.centre[lane])[1]
            for follower in road.successors(lane):
                if int(follower) in seen or road.lane_kind[follower] not in (LaneKind.VEHICLE, LaneKind.BUS):
                    continue
                turn = float(abs(wrap(end_headings(road.centre[int(follower)])[1] - end)))
                options.append((round(turn, 3), int(follower)))
        if not options:
            return
        lane = min(options)[1]
        _append(road, groups, lane)
        seen.update(groups[-1])
        missing_m -= lane_length(road, lane)


def route_along(locator: Locator, xy: Array, heading_rad: Array) -> Route | None:
    """Route from the first of a vehicle's poses ([n, 2], [n]) along its way and at least 150 m beyond.

    None where no lane lies near. Consecutive groups are joined: some lane of each leads on to a lane of the next.
    """
    sequence = match(locator, xy, heading_rad)
    if not sequence:
        return None
    road = locator.road
    groups = widen(road, sequence)
    last = next((lane for lane in reversed(sequence) if lane in groups[-1]), groups[-1][0])
    at = float(project(road.centre[last], xy[-1:])[0][0])
    extend(road, groups, BEYOND_M - max(0.0, lane_length(road, last) - at))
    return Route(tuple(groups))


def route_to(locator: Locator, xy: Array, heading_rad: float, goals: list[int], goal_xy: Array | None) -> Route | None:
    """Route from one pose to the nearest goal that can be reached, and beyond; without goals the straightest way on.

    ``goals`` are lanes; ``goal_xy`` [g, 2] are places (centres of goal areas).
    """
    road = locator.road
    start = match(locator, xy.reshape(1, 2), np.array([heading_rad]))
    if not start:
        return None
    wanted = list(goals)
    if goal_xy is not None and len(goal_xy):
        wanted += [lane for lane, _, _ in locator.near(goal_xy, MATCH_TOLERANCE_M)]
    ways = _ways(road, start[0], 5000.0)
    reachable = sorted((ways[lane].cost, lane) for lane in set(wanted) if lane in ways)
    groups = widen(road, [start[0], reachable[0][1]]) if reachable else [parallel(road, start[0])]
    extend(road, groups, BEYOND_M)
    return Route(tuple(groups))


def connected(road: RoadMap, route: Route) -> bool:
    """Whether every group has a lane that leads on to a lane of the next group."""
    return all(
        any(int(follower) in ahead for lane in here for follower in road.successors(lane))
        for here, ahead in pairwise(route.groups)
    )
