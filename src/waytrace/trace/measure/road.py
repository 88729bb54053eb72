"""What the map and the lights hold for the ego along its path."""

from __future__ import annotations

import math
from collections import OrderedDict
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import polygon_contains
from waytrace.observe import Scene
from waytrace.scenario import RoadMap

from ..thresholds import T
from .path import EgoPath

Array = NDArray[np.float64]


class Line(NamedTuple):
    """A place on the path where one may have to stop. Ways are metres from the front bumper, negative behind it."""

    way_m: float
    """To where one stops: the stop line, or the entry of the controlled lane."""
    entry_m: float
    """To the entry of what it guards."""
    lane: int
    """The controlled lane of a light; the lane on which a stop line lies."""
    state: int = 0
    """:class:`LightState` of a light."""


class Walk(NamedTuple):
    """A crosswalk that the path leads over."""

    way_m: float
    """From the front bumper to its near edge."""
    end_m: float
    """From the rear bumper to its far edge: negative where the ego has left it."""


class Stretch(NamedTuple):
    """One lane of the path."""

    lane: int
    way_m: float
    """From the front bumper to its start; negative on it."""
    end_m: float
    """From the front bumper to its end, or to where the route leaves it."""
    limit_mps: float
    """NaN for none."""
    curvature_1pm: float
    """Greatest that is still ahead on it."""
    curve_m: float
    """Way to where its curve begins, which the ego may have reached."""
    junction: bool
    leads_on: bool
    """Whether it leads on along the route."""
    has_successor: bool
    turned: float
    """Change of heading over the whole lane, radians, left positive."""


def lights(scene: Scene, ego: EgoPath, front: float) -> dict[int, Line]:
    """Of every light of a lane on the path ahead: its place; by the light's number."""
    out: dict[int, Line] = {}
    before = {b: a for (a, _, _), (b, _, _) in pairwise(ego.starts)}
    for k, lane in enumerate(scene.light_lane.tolist()):
        if lane not in ego.start_of:
            continue
        entry = way = ego.start_of[lane]
        if lane in before:
            index = ego.roads.index
            line = float(index.lane_stop_s[before[lane]])
            if not math.isnan(line):
                way -= max(0.0, float(index.lane_length[before[lane]]) - line)
        out[k] = Line(way - front, entry - front, lane, int(scene.light_state[k]))
    return out


def stop_lines(ego: EgoPath, front: float) -> dict[int, Line]:
    """Of every stop line on the path: its place; by the lane on which it lies."""
    out: dict[int, Line] = {}
    for lane, start, end in ego.starts:
        at = float(ego.roads.index.lane_stop_s[lane])
        if not math.isnan(at):
            out[lane] = Line(start + at - front, end - front, lane)
    return out


_BOXES: OrderedDict[int, tuple[RoadMap, Array]] = OrderedDict()


def _boxes(road: RoadMap) -> Array:
    """[X, 4] least and greatest x, y of every crosswalk, kept for the maps used last."""
    if id(road) not in _BOXES:
        parts = [road.crosswalk[i] for i in range(len(road.crosswalk))]
        boxes = np.array([[*p.min(0), *p.max(0)] if len(p) else [np.inf] * 4 for p in parts]).reshape(-1, 4)
        _BOXES[id(road)] = (road, boxes)
        while len(_BOXES) > 64:
            _BOXES.popitem(last=False)
    return _BOXES[id(road)][1]


def crosswalks(scene: Scene, ego: EgoPath, front: float) -> dict[int, Walk]:
    """Of every crosswalk that the path leads over: where; by its number."""
    boxes, out = _boxes(scene.map), {}
    first = ego.sample(-30.0)
    x, y = ego.path.x[first : ego.count], ego.path.y[first : ego.count]
    low, high = np.array([x.min(), y.min()]), np.array([x.max(), y.max()])
    near = (boxes[:, 0] <= high[0]) & (boxes[:, 2] >= low[0]) & (boxes[:, 1] <= high[1]) & (boxes[:, 3] >= low[1])
    for i in np.flatnonzero(near):
        b = boxes[i]
        inside = np.flatnonzero((x >= b[0]) & (x <= b[2]) & (y >= b[1]) & (y <= b[3]))
        if not len(inside):
            continue
        held = polygon_contains(scene.map.crosswalk[int(i)], np.stack([x[inside], y[inside]], -1))
        if held.any():
            s = inside[held] + first - ego.origin
            out[int(i)] = Walk(float(s[0]) - front, float(s[-1]) + front)
    return out


def stretches(ego: EgoPath, front: float) -> dict[int, Stretch]:
    """Of every lane on the path that is not behind the ego; by its number."""
    out: dict[int, Stretch] = {}
    index, roads = ego.roads.index, ego.roads
    curvature, samples = np.abs(ego.path.curvature[: ego.count]), ego.path.lane[: ego.count]
    now = ego.sample(front)
    for lane, start, end in ego.starts:
        if end < -front or lane in out:
            continue
        entry = roads.entry(lane)
        leads = entry < 0 or not math.isfinite(roads.run_m[entry]) or int(roads.follower[entry]) >= 0
        rows = np.flatnonzero(samples == lane)
        rows = rows[2:-2] if len(rows) > 6 else rows  # the path's curvature is taken over 4 m: not the next lane's
        rows = rows[rows >= now - 5]
        bend = float(curvature[rows].max()) if len(rows) else 0.0
        where = float(rows[np.argmax(curvature[rows] >= 0.8 * bend)]) - ego.origin if len(rows) else end
        lo, hi = index.point_lo[lane], index.point_lo[lane + 1]
        out[lane] = Stretch(
            lane, start - front, end - front, float(index.lane_limit[lane]), bend, where - front,
            bool(index.lane_junction[lane]), leads, bool(index.succ_lo[lane + 1] > index.succ_lo[lane]),
            float(index.point_heading[hi - 1] - index.point_heading[lo]),
        )  # fmt: skip
    return out


def limit_of(ego: EgoPath) -> float:
    """Speed limit of the lane that the ego follows; NaN for none."""
    return float(ego.roads.index.lane_limit[ego.lane]) if ego.lane >= 0 else math.nan


def within(way_m: float) -> bool:
    """Whether something at this way is still ahead and within reach."""
    return -T.entered_m <= way_m <= T.reference_range_m
