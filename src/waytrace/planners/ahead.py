"""What lies ahead on a path: road users in path coordinates, and the points where traffic control asks for a stop."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import jit, wrap_angle
from waytrace.scenario import LaneControl, LightState
from waytrace.scenario.paths import BEHIND_M, PATH, STEP_M, Path, project

from .moment import OTHERS, Moment, Others

Array = NDArray[np.float64]

YELLOW_BRAKE_MPS2 = 3.0
"""A light that turned yellow is stopped for where that takes no more than this."""


@jit("void", PATH, "i8", OTHERS, "f8[:,:]")
def place_others(path: Path, count: int, others: Others, out: Array) -> None:
    """Fill ``out`` [A, 6] with each one's place on a path: s, d, half extent along and across, speed along and across.

    The speed across is positive to the left. Those whose nearest point is an end of the path get s = infinity.
    """
    for a in range(len(others.x)):
        s, d = project(path, count, others.x[a], others.y[a], 0.0, -1.0)
        i = min(max(int(s / STEP_M), 0), count - 1)
        turned = wrap_angle(others.heading[a] - path.heading[i])
        c, n = math.cos(turned), math.sin(turned)
        out[a, 0], out[a, 1] = s, d
        out[a, 2] = 0.5 * (abs(c) * others.length[a] + abs(n) * others.width[a])
        out[a, 3] = 0.5 * (abs(n) * others.length[a] + abs(c) * others.width[a])
        out[a, 4], out[a, 5] = others.speed[a] * c, others.speed[a] * n
        if s < -20.0 or s > (count - 1) * STEP_M + 20.0:
            out[a, 0] = math.inf


def base_path(moment: Moment, lanes: Sequence[int], reach_m: float) -> tuple[Path, int]:
    """The centre line of a chain of lanes, from 25 m behind the rear axle to ``reach_m`` ahead, as far as it goes."""
    return moment.roads.path_around(lanes, float(moment.axle[0]), float(moment.axle[1]), BEHIND_M, reach_m)


def stop_point(moment: Moment, path: Path, count: int, s_ego: float, closed: set[int]) -> tuple[float, int]:
    """(s, lane) where the front bumper must stop for a light on a path: before the first closed lane not yet entered.

    Infinity and -1 for none. The stop line of the lane before counts where the map has one. A yellow light that could
    only be stopped for by braking harder than 3 m/s2 is driven through, a red one never.
    """
    if not closed:
        return math.inf, -1
    index = moment.roads.index
    front = s_ego + moment.front_m
    lanes = path.lane[:count]
    for i in range(1, count):
        lane = int(lanes[i])
        if lane == int(lanes[i - 1]) or lane not in closed:
            continue
        before = int(lanes[i - 1])
        s = i * STEP_M - float(path.lane_s[i])
        line = float(index.lane_stop_s[before])
        if not math.isnan(line):
            s -= max(0.0, float(index.lane_length[before]) - line)
        if s < front - 1.5:  # the line is already behind the bumper
            continue
        speed = float(moment.axle[3])
        if moment.shows(lane) == LightState.YELLOW and speed * speed > 2.0 * YELLOW_BRAKE_MPS2 * max(s - front, 0.1):
            continue
        return s - 0.3, lane
    return math.inf, -1


def regulated_entry(moment: Moment, path: Path, count: int, s_from: float) -> list[tuple[float, int, int]]:
    """(s, lane, LaneControl) of every entry ahead at which the path must give way: yield and stop."""
    index = moment.roads.index
    out = []
    for i in range(1, count):
        lane = int(path.lane[i])
        if lane == int(path.lane[i - 1]):
            continue
        s = i * STEP_M - float(path.lane_s[i])
        control = int(index.lane_control[lane])
        if s > s_from and control in (LaneControl.YIELD, LaneControl.STOP):
            out.append((s, lane, control))
    return out
