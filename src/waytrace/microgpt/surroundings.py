"""Tokens of pieces of lanes, lights, crosswalks and stop lines."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import jit
from waytrace.planners.moment import OTHERS, Others
from waytrace.scenario import AgentKind, LaneControl
from waytrace.scenario.index import MAP_INDEX, MapIndex
from waytrace.scenario.paths import PATH, STEP_M, Path, project

from .columns import CROSSWALK, LIGHT, MAP, STOP_LINE
from .scaling import EGO, Ego, cut, far, near

Array = NDArray[np.float64]
F4 = NDArray[np.float32]
U1 = NDArray[np.uint8]
I4 = NDArray[np.int32]

_NOWHERE = 1.0e9
_COS, _ROUTE, _KIND, _CONTROL, _LIGHT, _PATHS = (
    MAP.index(n) for n in ("cos", "on_route", "kind_vehicle", "control_none", "light_none", "own_path")
)
_LIMIT = MAP.index("limit")
_LIGHT_STATE, _LIGHT_ROUTE, _LIGHT_PATHS, _LIGHT_GAP = (
    LIGHT.index(n) for n in ("red", "on_route", "own_path", "gap_near")
)
_WALK_COS, _WALK_OWN, _PEOPLE = (CROSSWALK.index(n) for n in ("cos", "crosses_own_path", "people"))
_STOP_COS, _STOP_ROUTE, _STOP_PATHS, _STOP_GAP, _BEFORE = (
    STOP_LINE.index(n) for n in ("cos", "on_route", "own_path", "gap_near", "before_yield")
)
_CYCLIST, _PEDESTRIAN = int(AgentKind.CYCLIST), int(AgentKind.PEDESTRIAN)
_CONTROLS = np.array([LaneControl.YIELD, LaneControl.STOP, LaneControl.SIGNAL], np.int64)
WALK_MARGIN_M = 2.0
"""Who stands so near a crosswalk counts as on it."""


@jit("void", PATH, "i8", "f8", "i8", "u1[:]")
def mark_lanes(path: Path, count: int, s0: float, which: int, on: U1) -> None:
    """Set bit ``which`` of ``on`` [lanes] for the lanes of a path from the ego on."""
    for i in range(min(max(int(s0), 0), count - 1), count):
        on[path.lane[i]] |= 1 << which


@jit("f8", PATH, "i8", "f8", "i8")
def start_of(path: Path, count: int, s0: float, lane: int) -> float:
    """Where a lane begins on a path from the ego on; far away where it is not on it."""
    for i in range(min(max(int(s0), 0), count - 1), count):
        if path.lane[i] == lane:
            return float(i * STEP_M - path.lane_s[i])
    return _NOWHERE


@jit("void", "f4[:]", "i8", "f4", "f4")
def write_xy(out: F4, at: int, x: float, y: float) -> None:
    """Write a point that is in the ego's frame already, like ``write_place``."""
    out[at], out[at + 1], out[at + 2], out[at + 3] = far(x), far(y), near(x), near(y)
    out[at + 4] = near(math.hypot(x, y))


@jit("void", "f4[:]", "i8", "f4", "f4")
def write_route(out: F4, at: int, on_route: float, ahead: float) -> None:
    """Write on_route, route_ahead_near, route_ahead_far from column ``at`` on."""
    out[at], out[at + 1], out[at + 2] = on_route, on_route * near(ahead), on_route * cut(ahead / 100.0, 4.0)


@jit("void", "f4[:]", "i8", "u1")
def write_sides(out: F4, at: int, bits: int) -> None:
    """Write which of the three paths a lane belongs to."""
    out[at], out[at + 1], out[at + 2] = bits & 1, (bits >> 1) & 1, (bits >> 2) & 1


@jit("void", "i4[:]", "f4[:,:]", "i8", "i8", "i2[:]", "b1[:]", "i8[:]")
def pick_rows(
    lanes: I4, rows: F4, route_column: int, ahead_column: int, out: NDArray[np.int16], first: NDArray[np.bool_],
    used: NDArray[np.int64],
) -> None:  # fmt: skip
    """Fill ``out`` with the map rows that get a token, nearest first, -1 after the last.

    Taken in this order while there is room: the first row of each lane (the one that a trace can point at), of lanes
    on the route first; rows of the route that lie ahead, nearest along the route first; the nearest others. ``first``
    [rows] comes back true for lanes' first rows; ``used`` is working memory [rows].
    """
    n = len(lanes)
    left = len(out)
    used[:] = 0
    for i in range(n):
        first[i] = lanes[i] >= 0
        for j in range(i):
            if lanes[j] == lanes[i]:
                first[i] = False
                break
    for want_route in (1, 0):
        for i in range(n):
            if left > 0 and first[i] and used[i] == 0 and (rows[i, route_column] > 0.5) == (want_route == 1):
                used[i] = 1
                left -= 1
    while left > 0:
        best = -1
        for i in range(n):
            ahead = rows[i, ahead_column]
            if (
                lanes[i] >= 0
                and used[i] == 0
                and rows[i, route_column] > 0.5
                and ahead > -5.0
                and (best < 0 or ahead < rows[best, ahead_column])
            ):
                best = i
        if best < 0:
            break
        used[best] = 1
        left -= 1
    for i in range(n):
        if left > 0 and lanes[i] >= 0 and used[i] == 0:
            used[i] = 1
            left -= 1
    k = 0
    for i in range(n):
        if used[i] == 1:
            out[k] = i
            k += 1
    out[k:] = -1


@jit("void", "f4[:,:]", "i4[:]", "i2[:]", "b1[:]", "u1[:]", "f8[:]", "f8", "f8", "f4[:,:]")
def write_map(
    rows: F4, lanes: I4, picked: NDArray[np.int16], first: NDArray[np.bool_], on: U1, starts: Array, front: float,
    unlimited_mps: float, out: F4,
) -> None:  # fmt: skip
    """Write the tokens of the picked rows of an observation's ``map`` [96, 15].

    ``starts`` [lanes] is where lanes begin on the own path (NaN: not on it), ``front`` where the ego's bumper is;
    ``unlimited_mps`` counts as the limit where there is none.
    """
    for k in range(len(picked)):
        i = picked[k]
        if i < 0:
            break
        r, o = rows[i], out[k]
        write_xy(o, 0, r[0], r[1])
        o[_COS], o[_COS + 1], o[_COS + 2], o[_COS + 3] = r[2], r[3], r[4] / 10.0, cut(10.0 * r[5], 3.0)
        o[_COS + 4], o[_COS + 5] = 0.5 * r[6], 0.5 * r[7]
        o[_LIMIT], o[_LIMIT + 1], o[_LIMIT + 2] = (r[8] if r[8] > 0.0 else unlimited_mps) / 15.0, r[8] <= 0.0, r[9]
        o[_KIND + min(int(r[10]), 3)] = 1.0
        o[_CONTROL + min(int(r[11]), 4)] = 1.0
        o[_LIGHT + min(int(r[12]), 5)] = 1.0
        write_route(o, _ROUTE, r[13], r[14])
        write_sides(o, _PATHS, on[lanes[i]])
        o[_PATHS + 3] = first[i]
        if not math.isnan(starts[lanes[i]]):
            o[_PATHS + 4], o[_PATHS + 5] = near(starts[lanes[i]] - front), far(starts[lanes[i]] - front)


@jit("void", "f4[:,:]", "i4[:]", MAP_INDEX, PATH, "i8", "f8", EGO, "u1[:]", "f4[:,:]")
def write_lights(
    rows: F4, lanes: I4, m: MapIndex, path: Path, count: int, s0: float, ego: Ego, on: U1, out: F4
) -> None:
    """Write the tokens of an observation's ``lights``; ``lanes`` [rows] are the controlled ones, -1 for padding."""
    for k in range(len(rows)):
        if lanes[k] < 0:
            continue
        r, o = rows[k], out[k]
        write_xy(o, 0, r[0], r[1])
        o[_LIGHT_STATE], o[_LIGHT_STATE + 1], o[_LIGHT_STATE + 2] = r[2], r[3], r[4]
        write_route(o, _LIGHT_ROUTE, r[5], r[6])
        write_sides(o, _LIGHT_PATHS, on[lanes[k]])
        s = start_of(path, count, s0, lanes[k])
        if s < _NOWHERE:
            gap = s - s0 - ego.front_m
            o[_LIGHT_GAP], o[_LIGHT_GAP + 1] = near(gap), far(gap)
            if r[2] + r[3] > 0.5 and gap > -1.5:
                o[_LIGHT_GAP + 2] = cut(ego.speed * ego.speed / (8.0 * max(gap, 0.5)), 2.0)


@jit("void", "f4[:,:]", "i4[:]", PATH, "i8", "f8", EGO, OTHERS, "f4[:,:]")
def write_crosswalks(rows: F4, index: I4, path: Path, count: int, s0: float, ego: Ego, others: Others, out: F4) -> None:
    """Write the tokens of an observation's ``crosswalks``; ``index`` is -1 for padding."""
    for k in range(len(rows)):
        if index[k] < 0:
            continue
        r, o = rows[k], out[k]
        write_xy(o, 0, r[0], r[1])
        o[_WALK_COS], o[_WALK_COS + 1], o[_WALK_COS + 2], o[_WALK_COS + 3] = r[2], r[3], r[4] / 10.0, r[5] / 5.0
        x = ego.x + ego.cos * r[0] - ego.sin * r[1]
        y = ego.y + ego.sin * r[0] + ego.cos * r[1]
        heading = ego.heading + math.atan2(r[3], r[2])
        if count > 0:
            s, d = project(path, count, x, y, 0.0, -1.0)
            i = min(max(int(s / STEP_M), 0), count - 1)
            turned = heading - path.heading[i]
            c, n = abs(math.cos(turned)), abs(math.sin(turned))
            if abs(d) < 0.5 * (n * r[4] + c * r[5]) + 0.5 and 0.0 < s < (count - 1) * STEP_M:
                gap = s - 0.5 * (c * r[4] + n * r[5]) - s0 - ego.front_m
                o[_WALK_OWN], o[_WALK_OWN + 1] = 1.0, cut(d / 10.0, 4.0)
                o[_WALK_OWN + 2], o[_WALK_OWN + 3] = near(gap), far(gap)
        people, closest = 0, _NOWHERE
        c, n = math.cos(heading), math.sin(heading)
        for a in range(len(others.x)):
            if others.kind[a] != _PEDESTRIAN and others.kind[a] != _CYCLIST:
                continue
            dx, dy = others.x[a] - x, others.y[a] - y
            along = max(abs(c * dx + n * dy) - 0.5 * r[4], 0.0)
            across = max(abs(c * dy - n * dx) - 0.5 * r[5], 0.0)
            off = math.hypot(along, across)
            people += off < WALK_MARGIN_M
            closest = min(closest, off)
        o[_PEOPLE], o[_PEOPLE + 1] = min(people, 6) / 3.0, math.exp(-closest / 5.0)


@jit("void", "f4[:,:]", "i4[:]", MAP_INDEX, PATH, "i8", "f8", EGO, "u1[:]", "f4[:,:]")
def write_stop_lines(
    rows: F4, lanes: I4, m: MapIndex, path: Path, count: int, s0: float, ego: Ego, on: U1, out: F4
) -> None:
    """Write the tokens of an observation's ``stop_lines``; ``lanes`` [rows] are those they lie on, -1 for padding."""
    for k in range(len(rows)):
        lane = lanes[k]
        if lane < 0:
            continue
        r, o = rows[k], out[k]
        write_xy(o, 0, r[0], r[1])
        o[_STOP_COS], o[_STOP_COS + 1] = r[2], r[3]
        write_route(o, _STOP_ROUTE, r[4], r[5])
        write_sides(o, _STOP_PATHS, on[lane])
        s = start_of(path, count, s0, lane)
        if s < _NOWHERE:
            gap = s + m.lane_stop_s[lane] - s0 - ego.front_m
            o[_STOP_GAP], o[_STOP_GAP + 1] = near(gap), far(gap)
        for q in range(m.succ_lo[lane], m.succ_lo[lane + 1]):
            for j in range(len(_CONTROLS)):
                if m.lane_control[m.succ[q]] == _CONTROLS[j]:
                    o[_BEFORE + j] = 1.0
