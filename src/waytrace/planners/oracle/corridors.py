"""The ways through a scene along its route: centre lines, speeds, stop lines, and who is whose neighbour."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import I4, F8x2, F8x3, I4x2, bundle
from waytrace.scenario import LaneControl
from waytrace.scenario.paths import STEP_M, Path, empty_path, sample_chain
from waytrace.scenario.roads import Roads

from ..moment import Moment
from ..speed import Driver, speed_caps

BEHIND_M = 30.0
MOST = 12
"""Corridors kept; those nearest to the start come first."""
PACE = Driver(1.0, 2.2, 2.5, 3.0)
"""Headway, acceleration, braking and lateral acceleration of an unhurried drive: allowed speeds follow from them."""
UNLIMITED_MPS = 14.0
"""Allowed where the map has no limit and the vehicle is slower at the start."""


class Corridors(NamedTuple):
    """C chains of lanes as paths of up to P samples, each ``STEP_M``; the ego starts on the first."""

    x: F8x2
    y: F8x2
    heading: F8x2
    curvature: F8x2
    cap: F8x2
    """[C, P] speed allowed, m/s: limit, curves, and braking gently for what is further on."""
    lane: I4x2
    samples: I4
    """[C] samples."""
    of_lane: I4
    """[lanes] corridor that leads over a lane, -1 for none."""
    stop: F8x3
    """[C, M, 3] stop lines: s, number of the light (-1 for a stop sign), lane beyond; s infinite pads."""


CORRIDORS = bundle(Corridors)


def corridors(moment: Moment, seconds: float) -> Corridors:
    """Every way along the route that can be reached within ``seconds``, the lane being driven first."""
    roads, index = moment.roads, moment.roads.index
    x, y, heading, speed = (float(v) for v in moment.axle)
    first = roads.start_lane(x, y, heading, -1)
    desired = max(UNLIMITED_MPS, speed)
    limits = index.lane_limit[roads.routes.route_lane]
    reach = seconds * max(desired, float(np.nanmax(limits, initial=0.0))) + 60.0
    paths: list[tuple[Path, int]] = []
    of_lane = np.full(len(index.lane_length), -1, np.int32)
    for lane in _starts(roads, first):
        if lane < 0 or of_lane[lane] >= 0 or len(paths) == MOST:
            continue
        chain = roads.chain(lane, reach)
        for on in chain:
            if of_lane[on] < 0:
                of_lane[on] = len(paths)
        before, behind = chain[0], 0.0
        while behind < BEHIND_M and index.pred_lo[before] < index.pred_lo[before + 1]:
            before = int(index.pred[index.pred_lo[before]])
            if before in chain:
                break
            chain.insert(0, before)
            behind += float(index.lane_length[before])
        path = empty_path(int((sum(float(index.lane_length[on]) for on in chain)) / STEP_M) + 2)
        paths.append((path, sample_chain(index, np.array(chain, np.int32), 0.0, path)))
    return _packed(moment, paths, of_lane, desired)


def _starts(roads: Roads, first: int) -> list[int]:
    """Lanes from which chains may begin: the one being driven, its neighbours, then the route's, group by group."""
    if first < 0:
        return []
    index, routes = roads.index, roads.routes
    here = roads.entry(first)
    group = int(routes.route_group[here]) if here >= 0 else 0
    order = np.argsort(routes.route_group, kind="stable")
    later = [int(routes.route_lane[e]) for e in order if routes.route_group[e] >= group]
    beside = [lane for lane in (int(index.lane_left[first]), int(index.lane_right[first])) if roads.entry(lane) >= 0]
    return [first, *beside, *later]


def _packed(moment: Moment, paths: list[tuple[Path, int]], of_lane: NDArray[np.int32], desired: float) -> Corridors:
    longest = max((count for _, count in paths), default=2)
    rows = [np.zeros((len(paths), longest)) for _ in range(5)]
    lane = np.full((len(paths), longest), -1, np.int32)
    stops = [_stops(moment, path, count) for path, count in paths]
    stop = np.full((len(paths), max(map(len, stops), default=0) + 1, 3), np.inf)
    for c, (path, count) in enumerate(paths):
        caps = np.zeros(count)
        speed_caps(path, count, desired, 1.0, PACE, caps)
        for row, part in zip(rows, (path.x, path.y, path.heading, path.curvature, caps), strict=True):
            row[c, :count] = part[:count]
        lane[c, :count] = path.lane[:count]
        for q, line in enumerate(stops[c]):
            stop[c, q] = line
    return Corridors._make([*rows, lane, np.array([count for _, count in paths], np.int32), of_lane, stop])


def _stops(moment: Moment, path: Path, count: int) -> list[tuple[float, float, float]]:
    """Where a path enters lanes with a light or a stop sign."""
    index, out = moment.roads.index, []
    for i in range(1, count):
        lane, before = int(path.lane[i]), int(path.lane[i - 1])
        if lane == before:
            continue
        s = i * STEP_M - float(path.lane_s[i])
        lights = np.flatnonzero(moment.light_lane == lane)
        if len(lights):
            line = float(index.lane_stop_s[before])
            back = 0.0 if math.isnan(line) else max(0.0, float(index.lane_length[before]) - line)
            out.append((s - back - 0.3, float(lights[0]), float(lane)))
        elif index.lane_control[lane] == LaneControl.STOP:
            out.append((s - 0.5, -1.0, float(lane)))
    return out


def most_progress_m(ways: Corridors, x: float, y: float, speed_mps: float, seconds: float) -> float:
    """Metres that the first corridor allows from a point on: at the allowed speeds, with gentle acceleration."""
    count = int(ways.samples[0])
    s0 = float(np.argmin(np.hypot(ways.x[0, :count] - x, ways.y[0, :count] - y))) * STEP_M
    s, v, dt = s0, speed_mps, 0.1
    for _ in range(round(seconds / dt)):
        cap = float(ways.cap[0, min(int(s / STEP_M), int(ways.samples[0]) - 1)])
        v = min(v + PACE.accel_mps2 * dt, cap) if v <= cap else max(v - PACE.brake_mps2 * dt, cap)
        s += v * dt
    return s - s0
