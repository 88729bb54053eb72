"""Path tokens: what lies ahead on the own lane's path and on those beside it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import I4, U1, bundle, jit, wrap_angle
from waytrace.planners.ahead import YELLOW_BRAKE_MPS2, base_path, place_others
from waytrace.planners.expert import ExpertConfig
from waytrace.planners.moment import OTHERS, Moment, Others
from waytrace.planners.speed import DRIVER, Driver, speed_caps
from waytrace.scenario import LaneControl, LightState
from waytrace.scenario.index import MAP_INDEX, ROUTE_INDEX, MapIndex, RouteIndex
from waytrace.scenario.lanes import route_entry
from waytrace.scenario.paths import PATH, STEP_M, Path, empty_path, pose_at, project
from waytrace.sim.traffic.idm import STANDSTILL_GAP_M, idm

from .columns import PATH as NAMES
from .columns import PATH_POINTS_M, PREVIEW_S
from .conflicts import next_zone
from .scaling import EGO, FAR_AT_M, Ego, cut, far, fine, near
from .ways import write_ways

Array = NDArray[np.float64]

REACH_M = 130.0
"""How far ahead a path is followed."""

DRIVER_NOW = ExpertConfig().driver
UNLIMITED_MPS = ExpertConfig().unlimited_mps
"""Where the map has no limit, this counts, or what the ego drove at the start if that was faster."""

CLEARANCE_M = 0.25
"""Less room than this beside another and it is in the way."""

DRIFT_S = 1.5
"""Who will be in the way within this time at its present speed across counts already."""

POINTS = np.array(PATH_POINTS_M)
PREVIEW = np.array(PREVIEW_S)
SLOW_MPS = 4.0
"""Below this speed the path is looked at as far ahead as at it."""

BEFORE_END_M = 3.0
"""A lane that does not lead on is left at least so far before its end."""
_OFFSET, _TURNED, _ROOM, _ON_ROUTE = (NAMES.index(n) for n in ("offset", "turned", "room_left", "on_route"))
_LEAVES, _ENDS, _LIGHT, _STOPS = (NAMES.index(n) for n in ("leaves_route", "ends", "has_light", "has_stop"))
_YIELDS, _HALTS, _JUNCTION = (NAMES.index(n) for n in ("has_yield_entry", "has_stop_entry", "in_junction"))
_LEAD, _REAR, _CAP, _ACCEL, _PREVIEW, _POINTS = (
    NAMES.index(n) for n in ("has_lead", "has_rear", "cap", "idm_free", "in_0.5_pursuit", "at_0_x")
)
_RED, _YELLOW, _GREEN = int(LightState.RED), int(LightState.YELLOW), int(LightState.GREEN)
_YIELD, _STOP = int(LaneControl.YIELD), int(LaneControl.STOP)
_NOTHING = 1.0e9


class Lamps(NamedTuple):
    """Lights as they are now."""

    lane: I4
    """[K] lane at whose entry each stands."""
    state: U1


LAMPS = bundle(Lamps)


class EgoPath(NamedTuple):
    """One path beside or under the ego, and everybody's place on it."""

    path: Path
    samples: int
    s0: float
    """Where the rear axle is."""
    d0: float
    place: Array
    """[A, 6] see ``place_others``."""
    caps: Array
    """[P] the speed that limits and curves allow."""
    run_m: float
    """How far the lane leads along the route; infinity for to its end, or off the route."""


def ego_paths(moment: Moment, unlimited_mps: float) -> tuple[EgoPath | None, EgoPath | None, EgoPath | None]:
    """The own lane's path along the route, and those of its left and its right neighbour; None where there is none.

    ``unlimited_mps`` counts as the limit where the map has none.
    """
    x, y, heading, _ = (float(v) for v in moment.axle)
    index = moment.roads.index
    lane = moment.roads.start_lane(x, y, heading, -1)
    if lane < 0:
        return None, None, None
    found = [
        _ego_path(moment, side, x, y, unlimited_mps)
        for side in (lane, int(index.lane_left[lane]), int(index.lane_right[lane]))
    ]
    return found[0], found[1], found[2]


def _ego_path(moment: Moment, lane: int, x: float, y: float, unlimited_mps: float) -> EgoPath | None:
    if lane < 0:
        return None
    roads = moment.roads
    reach = REACH_M + float(roads.index.lane_length[lane])
    path, count = base_path(moment, roads.chain(lane, reach), REACH_M)
    if count < 3:
        return None
    s0, d0 = project(path, count, x, y, 25.0, 60.0)
    place, caps = np.zeros((len(moment.others.x), 6)), np.zeros(count)
    place_others(path, count, moment.others, place)
    speed_caps(path, count, unlimited_mps, 1.0, DRIVER_NOW, caps)
    entry, run = roads.entry(lane), math.inf
    if entry >= 0 and math.isfinite(roads.run_m[entry]):
        run = float(roads.run_m[entry]) - float(path.lane_s[min(max(int(s0), 0), count - 1)])
    return EgoPath(path, count, s0, d0, place, caps, run)


NO_PATH = EgoPath(empty_path(3), 0, 0.0, 0.0, np.zeros((0, 6)), np.zeros(3), math.inf)


@jit("i8,i8", "f8[:,:]", EGO, "f8")
def neighbours(place: Array, ego: Ego, s0: float) -> tuple[int, int]:
    """(row of who is next ahead on a path, row of who is next behind); -1 for nobody.

    Ahead is who overlaps the way of the ego's body along the path, or will within 1.5 s at its present speed across.
    """
    lead, rear, ahead, behind = -1, -1, _NOTHING, -_NOTHING
    room = 0.5 * ego.width + CLEARANCE_M
    middle = s0 + ego.rear_m
    for a in range(len(place)):
        s, d = place[a, 0], place[a, 1]
        if s == math.inf:
            continue
        later = d + DRIFT_S * place[a, 5]
        nearest = 0.0 if d * later < 0.0 else min(abs(d), abs(later))
        if nearest >= room + place[a, 3]:
            continue
        if s > middle:
            oncoming = place[a, 4] < -1.0
            if (not oncoming or abs(d) < room + place[a, 3] - 0.5) and s - place[a, 2] < ahead:
                lead, ahead = a, s - place[a, 2]
        elif s + place[a, 2] > behind and abs(d) < room + place[a, 3]:
            rear, behind = a, s + place[a, 2]
    return lead, rear


@jit("f8,i8", MAP_INDEX, PATH, "i8", "f8", LAMPS, EGO)
def next_light(
    m: MapIndex, path: Path, count: int, s0: float, lamps: Lamps, ego: Ego
) -> tuple[float, int]:  # fmt: skip
    """(s where the front bumper stops for it, number among the lamps) of the next light on a path; -1 for none."""
    for i in range(1, count):
        lane, before = path.lane[i], path.lane[i - 1]
        if lane == before:
            continue
        s = i * STEP_M - path.lane_s[i]
        line = m.lane_stop_s[before]
        if not math.isnan(line):
            s -= max(0.0, m.lane_length[before] - line)
        if s < s0 + ego.front_m - 1.5:
            continue
        for k in range(len(lamps.lane)):
            if lamps.lane[k] == lane:
                return s - 0.3, k
    return _NOTHING, -1


@jit("void", "f4[:]", "i8", "f8")
def write_gap(out: NDArray[np.float32], at: int, metres: float) -> None:
    """Write that there is something, and how far off: three columns from ``at`` on; nothing beyond 200 m."""
    if metres < 200.0:
        out[at], out[at + 1], out[at + 2] = 1.0, near(metres), far(metres)


@jit(
    "void", MAP_INDEX, ROUTE_INDEX, PATH, "i8", "f8", "f8", "f8[:,:]", "f8[:]", "f8", OTHERS, "f8[:]", LAMPS, EGO,
    DRIVER, "f8", "f8", "i8", "i8[:]", "f4[:]"
)  # fmt: skip
def write_path(
    m: MapIndex, r: RouteIndex, path: Path, count: int, s0: float, d0: float, place: Array, caps: Array, run_m: float,
    others: Others, still_s: Array, lamps: Lamps, ego: Ego, driver: Driver, unlimited_mps: float, care_mps: float,
    which: int, rows: NDArray[np.int64], out: NDArray[np.float32],
) -> None:  # fmt: skip
    """Write the token of path ``which`` (0 own, 1 left, 2 right) to a row that is all 0. Columns: ``columns.PATH``.

    ``care_mps`` is the speed that people and parked vehicles beside the path allow now; infinity for any. ``rows`` is
    working memory, one for each other.
    """
    here = min(max(int(s0), 0), count - 1)
    lane, v, front = path.lane[here], ego.speed, s0 + ego.front_m
    turned = wrap_angle(ego.heading - path.heading[here])
    out[which] = 1.0
    out[_OFFSET], out[_OFFSET + 1] = cut(0.5 * d0, 3.0), fine(d0)
    out[_TURNED], out[_TURNED + 1] = cut(2.0 * turned, 3.0), fine(turned)
    p = m.point_lo[lane] + min(int(path.lane_s[here] / m.lane_step[lane]), m.point_lo[lane + 1] - m.point_lo[lane] - 1)
    out[_ROOM], out[_ROOM + 1] = 0.5 * m.point_left[p], 0.5 * m.point_right[p]
    out[_ON_ROUTE] = 1.0 if route_entry(r, 0, lane) >= 0 else 0.0
    write_gap(out, _LEAVES, run_m)
    left_over = (count - 1) * STEP_M - s0
    if left_over < 120.0:
        write_gap(out, _ENDS, left_over)
    stop_s = _NOTHING
    light_s, light = next_light(m, path, count, s0, lamps, ego)
    if light >= 0:
        gap, state = light_s - front, lamps.state[light]
        out[_LIGHT] = 1.0
        out[_LIGHT + 1], out[_LIGHT + 2], out[_LIGHT + 3] = state == _RED, state == _YELLOW, state == _GREEN
        out[_LIGHT + 4], out[_LIGHT + 5] = near(gap), far(gap)
        brisk = v * v > 2.0 * YELLOW_BRAKE_MPS2 * max(gap, 0.1)
        if state == _RED or (state == _YELLOW and not brisk):
            stop_s = light_s
            write_gap(out, _STOPS, gap)
            out[_STOPS + 3] = cut(v * v / (8.0 * max(gap, 0.5)), 2.0)
    yield_s, halt_s, junction_s = _NOTHING, _NOTHING, _NOTHING
    for i in range(1, count):
        on = path.lane[i]
        if on == path.lane[i - 1]:
            continue
        s = i * STEP_M - path.lane_s[i]
        if m.lane_junction[on] and not m.lane_junction[path.lane[i - 1]] and s > s0:
            junction_s = min(junction_s, s)
        if s > front - 1.0:
            if m.lane_control[on] == _YIELD:
                yield_s = min(yield_s, s)
            elif m.lane_control[on] == _STOP:
                halt_s = min(halt_s, s)
    write_gap(out, _YIELDS, yield_s - front)
    write_gap(out, _HALTS, halt_s - front)
    out[_JUNCTION] = m.lane_junction[lane]
    write_gap(out, _JUNCTION + 1, junction_s - front)
    zone_s = next_zone(m, path, count, s0, front)
    write_gap(out, _JUNCTION + 4, zone_s - front)
    lead, rear = neighbours(place, ego, s0)
    if lead >= 0:
        gap, u = place[lead, 0] - place[lead, 2] - front, max(place[lead, 4], 0.0)
        write_gap(out, _LEAD, gap)
        out[_LEAD + 3], out[_LEAD + 4] = place[lead, 4] / 10.0, (v - u) / 10.0
        out[_LEAD + 5], out[_LEAD + 6] = cut(others.accel[lead] / 3.0, 3.0), min(still_s[lead], 5.0) / 5.0
        closing = max(v - u, 0.0)
        out[_LEAD + 7] = cut(closing * closing / (8.0 * max(gap, 0.5)), 2.0)
        out[_LEAD + 8] = cut(gap / (4.0 * max(v, 1.0)), 2.0)
    if rear >= 0:
        gap = s0 + ego.front_m - ego.length - place[rear, 0] - place[rear, 2]
        write_gap(out, _REAR, gap)
        out[_REAR + 3], out[_REAR + 4] = place[rear, 4] / 10.0, (place[rear, 4] - v) / 10.0
    care = min(care_mps, caps[here])
    out[_CAP], out[_CAP + 1] = caps[here] / 15.0, (caps[here] - v) / 10.0
    out[_CAP + 2], out[_CAP + 3] = care / 15.0, (care - v) / 10.0
    end_s = s0 + min(run_m, left_over if left_over < 120.0 else math.inf) - BEFORE_END_M
    out[_ACCEL] = idm(v, max(care, 0.1), math.inf, 0.0, driver.headway_s, driver.accel_mps2, driver.brake_mps2) / 4.0
    out[_ACCEL + 1] = out[_ACCEL]
    if lead >= 0:
        gap, u = place[lead, 0] - place[lead, 2] - front, max(place[lead, 4], 0.0)
        behind = idm(v, max(care, 0.1), gap, u, driver.headway_s, driver.accel_mps2, driver.brake_mps2)
        out[_ACCEL + 1] = behind / 4.0
    for k in range(4):
        s = stop_s if k == 0 else halt_s - 0.5 if k == 1 else zone_s - 1.0 if k == 2 else end_s
        wanted = out[_ACCEL]
        if s < front + FAR_AT_M:  # the model keeps 2 m: the bumper is to come to rest at the line itself
            rest = s - front + STANDSTILL_GAP_M
            wanted = idm(v, max(care, 0.1), rest, 0.0, driver.headway_s, driver.accel_mps2, driver.brake_mps2) / 4.0
        out[_ACCEL + 2 + k] = wanted
    for k in range(len(PREVIEW)):
        s = s0 + max(v, SLOW_MPS) * PREVIEW[k]
        x, y, _ = pose_at(path, count, min(s, (count - 1) * STEP_M))
        dx, dy = x - ego.axle_x, y - ego.axle_y
        aside = ego.cos * dy - ego.sin * dx
        i = min(max(int(s), 0), count - 1)
        out[_PREVIEW + 2 * k] = cut(aside / (2.0 * PREVIEW[k] * PREVIEW[k]), 3.0)
        out[_PREVIEW + 2 * k + 1] = cut(path.curvature[i] * max(v, SLOW_MPS) ** 2 / 4.0, 3.0)
    must_s = min(stop_s, halt_s, s0 + min(run_m, left_over if left_over < 120.0 else math.inf))
    write_ways(m, path, count, s0, d0, turned, place, others, still_s, must_s, ego, which, rows, out)
    c = _POINTS
    for k in range(len(POINTS)):
        s = s0 + POINTS[k]
        if s <= (count - 1) * STEP_M:
            i = min(max(int(s), 0), count - 1)
            x, y, h = pose_at(path, count, s)
            dx, dy, turn = x - ego.x, y - ego.y, h - ego.heading
            ahead, left = ego.cos * dx + ego.sin * dy, ego.cos * dy - ego.sin * dx
            out[c], out[c + 1], out[c + 2] = far(ahead), cut(left / 20.0, 4.0), near(left)
            out[c + 3], out[c + 4] = math.cos(turn), math.sin(turn)
            out[c + 5] = cut(10.0 * path.curvature[i], 3.0)
            out[c + 6] = (unlimited_mps if math.isnan(path.limit[i]) else path.limit[i]) / 15.0
            out[c + 7] = caps[i] / 15.0
            out[c + 8] = 1.0 if route_entry(r, 0, path.lane[i]) >= 0 else 0.0
            out[c + 9] = 1.0
        c += 10
