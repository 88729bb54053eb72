"""The map of a scene as the player draws it: clipped to the drive, simplified, boundaries sorted by what they mean."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import Lights, RoadMap, Scenario

from .clip import MARGIN_M, Region, clip_line, clip_polygon, counter_clockwise, simplify
from .codec import CM, delta, pack, quantise

Array = NDArray[np.float64]

_SAME_M = 0.5
"""Boundaries whose ends lie this near are taken for one line."""


def road_payload(scenario: Scenario, region: Region, origin: Array) -> dict[str, Any]:
    """The map within ``region`` for JSON; points in centimetres from ``origin`` [2]."""
    road = scenario.map
    on_route = set(scenario.route.lanes)
    light_of = {int(lane): k for k, lane in enumerate(scenario.lights.lane)}
    centre: list[Array] = []
    lane_of: list[int] = []
    for lane, xy in enumerate(road.centre):
        parts = _within(xy, region)
        centre += parts
        lane_of += [lane] * len(parts)
    flags = [
        (1 if lane in on_route else 0) | (2 if road.in_intersection[lane] else 0) | int(road.lane_kind[lane]) << 2
        for lane in lane_of
    ]
    solid, dashed, middle = boundaries(road, sorted(set(lane_of)), region)
    walks = [(k, xy) for k, xy in enumerate(_cut(road.crosswalk, region)) if len(xy)]
    stops, stop_lane = _stop_lines(road, region)
    return {
        "centre": _lines(centre, origin),
        "lane": pack(delta(np.array(lane_of, np.int64))),
        "flags": pack(flags),
        "light": pack([light_of.get(lane, -1) for lane in lane_of]),
        "solid": _lines(solid, origin),
        "dashed": _lines(dashed, origin),
        "middle": _lines(middle, origin),
        "drivable": _lines([xy for xy in _cut(road.drivable, region) if len(xy)], origin),
        "crosswalk": _lines([xy for _, xy in walks], origin),
        "walk": pack([k for k, _ in walks]),
        "stop": pack(quantise(stops - origin, CM)),
        "stop_lane": pack(stop_lane),
        "lamps": pack(quantise(light_bars(road, scenario.lights) - origin, CM)),
    }


def light_bars(road: RoadMap, lights: Lights) -> Array:
    """Where each light is drawn, [K, 2, 2]: a bar across the lane. Lights at one place share it, left turns left."""
    bars = np.zeros((len(lights.lane), 2, 2))
    cell: dict[tuple[int, ...], list[int]] = {}
    for k, xy in enumerate(lights.xy):
        cell.setdefault(tuple(np.floor(xy / _SAME_M).astype(int)), []).append(k)
    for group in cell.values():
        group.sort(key=lambda k: -_turn(road.centre[int(lights.lane[k])]))
        for place, k in enumerate(group):
            lane = int(lights.lane[k])
            xy = road.centre[lane]
            ahead = xy[1] - xy[0] if len(xy) > 1 else np.array([1.0, 0.0])
            left = np.array([-ahead[1], ahead[0]]) / max(float(np.hypot(*ahead)), 1e-9)
            width = float(np.hypot(*(road.left[lane][0] - road.right[lane][0]))) if len(road.left[lane]) else 3.5
            width = float(np.clip(width, 2.0, 5.0))
            bars[k] = lights.xy[k] + left * width * np.array(
                [[0.5 - place / len(group)], [0.5 - (place + 1) / len(group)]]
            )
    return bars


def _turn(xy: Array) -> float:
    """Heading change from a polyline's first to its last segment, rad, left positive."""
    if len(xy) < 3:
        return 0.0
    (ax, ay), (bx, by) = xy[1] - xy[0], xy[-1] - xy[-2]
    return float(np.arctan2(ax * by - ay * bx, ax * bx + ay * by))


def boundaries(road: RoadMap, lanes: list[int], region: Region) -> tuple[list[Array], list[Array], list[Array]]:
    """Boundaries of ``lanes``: solid, dashed (between lanes of one direction) and middle lines (between directions)."""
    solid: list[Array] = []
    dashed: list[Array] = []
    lefts: list[Array] = []
    for lane in lanes:
        if road.in_intersection[lane]:
            continue
        left, right = road.left[lane], road.right[lane]
        if road.left_neighbor[lane] >= 0:
            dashed += _within(left, region)
        elif len(left) > 1:
            lefts.append(left)
        if road.right_neighbor[lane] < 0:
            solid += _within(right, region)
    middle: list[Array] = []
    if lefts:
        first, last = np.array([p[0] for p in lefts]), np.array([p[-1] for p in lefts])
        gap = np.hypot(*np.moveaxis(first[:, None] - last[None], -1, 0))
        facing = (gap < _SAME_M) & (gap.T < _SAME_M)
        for i, line in enumerate(lefts):
            partners = np.flatnonzero(facing[i])
            if len(partners) == 0:
                solid += _within(line, region)
            elif i < partners[0]:
                middle += _within(line, region)
    return solid, dashed, middle


def _within(xy: Array, region: Region) -> list[Array]:
    return [p for p in clip_line(xy, region.low, region.high) if region.near(p, 1.5 * MARGIN_M)]


def _cut(polygons: Any, region: Region) -> list[Array]:
    """Each polygon cut to the region; empty where nothing is left of it."""
    cut = [clip_polygon(xy, region.low, region.high) for xy in polygons]
    return [counter_clockwise(xy) if len(xy) > 2 else xy[:0] for xy in cut]


def _stop_lines(road: RoadMap, region: Region) -> tuple[Array, NDArray[np.int64]]:
    """Stop lines within the region, [S, 2, 2], and the lanes on which they lie."""
    lines = np.asarray(road.stop_line_xy, dtype=np.float64).reshape(-1, 2, 2)
    middle = lines.mean(1)
    inside = ((middle >= region.low) & (middle <= region.high)).all(-1)
    return lines[inside], road.stop_line_lane[inside].astype(np.int64)


def _lines(parts: list[Array], origin: Array) -> dict[str, str]:
    parts = simplify(parts)
    xy = np.concatenate(parts) - origin if parts else np.zeros((0, 2))
    x, y = delta(quantise(xy.T, CM))
    return {"n": pack([len(p) for p in parts]), "x": pack(x), "y": pack(y)}
