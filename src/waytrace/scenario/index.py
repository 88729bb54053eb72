"""The compiled form of maps and routes: flat arrays that kernels walk without a Python object in sight.

One :class:`MapIndex` holds several maps; worlds name theirs by number, so forks of a world share it. Legend:
M maps, L lanes (numbered through all maps), P lane points, E map elements, C conflicts, R routes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, get_type_hints

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import F8, I4, U1, arc_lengths, bundle, deduplicate, headings, resample

from ._conflicts import lane_conflicts
from ._drivable import classify_cells
from ._grid import bucket
from .types import RoadMap, Scenario

LANE_CELL_M = 4.0
"""Cell of the grid over lane points."""

MAX_STEP_M = 4.0
SAGITTA_M = 0.02
"""A lane is resampled so finely that a chord leaves the curve by at most this much."""

ELEMENT_M = 10.0
"""Longest lane piece that forms one map element of an observation."""


class MapIndex(NamedTuple):
    """Flat arrays over M maps. Indices into lanes, points and elements run through all maps."""

    lane_lo: I4
    """[M + 1] lanes of map m: lane_lo[m] .. lane_lo[m + 1]."""
    point_lo: I4
    """[L + 1] points of a lane."""
    point_x: F8
    point_y: F8
    point_heading: F8
    """[P] continuous (unwrapped) along a lane."""
    point_left: F8
    """[P] distance from the centre line to the left boundary, metres."""
    point_right: F8
    lane_length: F8
    lane_step: F8
    """[L] uniform spacing of the lane's points, metres."""
    lane_limit: F8
    """[L] speed limit, m/s; NaN where the map has none."""
    lane_kind: U1
    lane_control: U1
    lane_junction: U1
    """[L] 1 inside an intersection."""
    lane_left: I4
    """[L] neighbour that one may change to, or -1."""
    lane_right: I4
    succ_lo: I4
    succ: I4
    pred_lo: I4
    pred: I4
    lane_stop_s: F8
    """[L] where on the lane its stop line lies, metres from its start; NaN for none."""
    conf_lo: I4
    """[L + 1] conflicts of a lane with others: crossings, merges, splits."""
    conf_lane: I4
    conf_kind: U1
    """0 crossing, 1 merge (common successor), 2 split (common predecessor)."""
    conf_s0: F8
    """[C] the zone on this lane, metres from its start; conf_o0 .. conf_o1 is the zone on the other."""
    conf_s1: F8
    conf_o0: F8
    conf_o1: F8
    grid_x: F8
    """[M] origin of the grid over lane points (LANE_CELL_M wide cells)."""
    grid_y: F8
    grid_nx: I4
    grid_ny: I4
    grid_lo: I4
    """[M + 1] first cell of map m in ``cell_lo``."""
    cell_lo: I4
    cell_point: I4
    """Points whose segment (point, next point of the lane) has its middle in the cell."""
    point_lane: I4
    """[P] lane of each point."""
    element_lo: I4
    """[M + 1]."""
    element_lane: I4
    """[E] a map element is a piece of one lane: points element_p0 .. element_p1."""
    element_p0: I4
    element_p1: I4
    element_x: F8
    """[E] middle of the piece: what "nearest" is measured to."""
    element_y: F8
    egrid_cell: F8
    """[M] cell width of the grid over elements: about 24 elements a cell."""
    egrid_x: F8
    egrid_y: F8
    egrid_nx: I4
    egrid_ny: I4
    egrid_lo: I4
    ecell_lo: I4
    ecell_element: I4
    ring_lo: I4
    """Vertices of each drivable polygon."""
    ring_x: F8
    ring_y: F8
    dgrid_x: F8
    """[M] origin of the drivable grid (DRIVABLE_CELL_M wide cells)."""
    dgrid_y: F8
    dgrid_nx: I4
    dgrid_ny: I4
    dgrid_lo: I4
    dcell_state: U1
    """0 outside every polygon, 1 wholly inside one, 2 an edge is near: test ``dcell_ring``."""
    dcell_lo: I4
    dcell_ring: I4
    crosswalk_lo: I4
    """[M + 1] crosswalks of map m."""
    crosswalk_point_lo: I4
    crosswalk_x: F8
    crosswalk_y: F8


MAP_INDEX = bundle(MapIndex)
"""Numba type of :class:`MapIndex`, for signatures."""


class RouteIndex(NamedTuple):
    """Routes as flat arrays: every group's lanes (numbered as in the MapIndex) with their progress offsets."""

    route_lo: I4
    """[R + 1] entries of route r."""
    route_lane: I4
    route_group: I4
    route_offset: F8
    """Progress, metres, at the start of the entry's lane."""
    route_scale: F8
    """Progress gained per metre of this lane: parallel lanes of one group share one length."""
    route_length: F8
    """[R] progress at the end of the route."""


ROUTE_INDEX = bundle(RouteIndex)


@dataclass(frozen=True)
class CompiledMaps:
    """A :class:`MapIndex` over the distinct maps of some scenarios, and who uses which."""

    index: MapIndex
    routes: RouteIndex
    map_of: NDArray[np.int32]
    """[W] map number of each scenario; route w belongs to scenario w."""


def compile_maps(scenarios: Sequence[Scenario], *, element_m: float = ELEMENT_M) -> CompiledMaps:
    """The index of the scenarios' maps, one copy for each distinct map object, and of their routes."""
    numbers: dict[int, int] = {}
    maps: list[RoadMap] = []
    for scenario in scenarios:
        if id(scenario.map) not in numbers:
            numbers[id(scenario.map)] = len(maps)
            maps.append(scenario.map)
    index = _concatenate([_compiled(m, element_m) for m in maps])
    map_of = np.array([numbers[id(s.map)] for s in scenarios], np.int32)
    return CompiledMaps(index, _routes(scenarios, index, map_of), map_of)


_KEPT: OrderedDict[tuple[int, float], tuple[RoadMap, dict[str, NDArray[Any]]]] = OrderedDict()
_KEPT_MOST = 64


def _compiled(road: RoadMap, element_m: float) -> dict[str, NDArray[Any]]:
    """The arrays of one map, kept for the maps used last: planners, score and simulator ask for the same ones."""
    key = (id(road), element_m)
    if key not in _KEPT:
        _KEPT[key] = (road, _one_map(road, element_m))  # holding the map keeps its id from being given to another
        while len(_KEPT) > _KEPT_MOST:
            _KEPT.popitem(last=False)
    else:
        _KEPT.move_to_end(key)
    return _KEPT[key][1]


def _lane_points(road: RoadMap, lane: int) -> tuple[NDArray[np.float64], ...]:
    """Uniform centre-line points of a lane with unwrapped heading and half widths to both sides."""
    centre = deduplicate(road.centre[lane])
    s = arc_lengths(centre)
    dense = resample(centre, np.linspace(0.0, s[-1], max(3, int(s[-1] / 0.5) + 2)))
    h = np.unwrap(headings(dense))
    turn = np.abs(np.diff(h)) / max(s[-1] / (len(dense) - 1), 1e-6)
    curvature = float(np.percentile(turn, 90)) if len(turn) else 0.0
    step = min(MAX_STEP_M, max(0.5, np.sqrt(8.0 * SAGITTA_M / max(curvature, 1e-6))))
    count = max(2, int(np.ceil(s[-1] / step)) + 1)
    xy = resample(centre, np.linspace(0.0, s[-1], count))
    segment = np.unwrap(headings(xy))[:-1]
    vertex = np.concatenate([segment[:1], 0.5 * (segment[:-1] + segment[1:]), segment[-1:]])
    widths = [_side_distance(xy, side[lane]) for side in (road.left, road.right)]
    return xy[:, 0], xy[:, 1], vertex, widths[0], widths[1], np.array([s[-1]])


def _side_distance(xy: NDArray[np.float64], boundary: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance from each point to a boundary polyline; a typical half lane (1.75 m) where there is none."""
    if len(boundary) < 2:
        return np.full(len(xy), 1.75)
    a, d = boundary[:-1], np.diff(boundary, axis=0)
    rel = xy[:, None] - a[None]
    t = np.clip((rel * d).sum(-1) / np.maximum((d**2).sum(-1), 1e-12), 0.0, 1.0)
    nearest: NDArray[np.float64] = np.sqrt(((rel - t[..., None] * d) ** 2).sum(-1).min(1))
    return np.clip(nearest, 0.5, 6.0)


def _one_map(road: RoadMap, element_m: float) -> dict[str, NDArray[Any]]:
    """The index arrays of one map, numbered from 0."""
    n = len(road)
    parts = [_lane_points(road, lane) for lane in range(n)]
    counts = np.array([len(p[0]) for p in parts], np.int64)
    point_lo = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    x, y, heading, left, right, length = (np.concatenate([p[i] for p in parts] or [np.zeros(0)]) for i in range(6))
    point_lane = np.repeat(np.arange(n, dtype=np.int32), counts)
    out: dict[str, NDArray[Any]] = {
        "lane_lo": np.array([n], np.int32), "point_lo": point_lo, "point_x": x, "point_y": y,
        "point_heading": heading, "point_left": left, "point_right": right, "lane_length": length,
        "lane_step": length / np.maximum(counts - 1, 1), "lane_limit": road.speed_limit_mps.astype(np.float64),
        "lane_kind": road.lane_kind.astype(np.uint8), "lane_control": road.lane_control.astype(np.uint8),
        "lane_junction": road.in_intersection.astype(np.uint8), "lane_left": road.left_neighbor.astype(np.int32),
        "lane_right": road.right_neighbor.astype(np.int32), "succ_lo": road.successor_start.astype(np.int32),
        "succ": road.successor.astype(np.int32), "point_lane": point_lane,
    }  # fmt: skip
    source = np.repeat(np.arange(n, dtype=np.int32), np.diff(road.successor_start))
    order = np.argsort(road.successor, kind="stable")
    out["pred"] = source[order]
    out["pred_lo"] = np.searchsorted(road.successor[order], np.arange(n + 1)).astype(np.int32)
    out["lane_stop_s"] = _stop_positions(road, out)
    out |= lane_conflicts(out)
    last = np.zeros(len(x), np.bool_)
    last[point_lo[1:] - 1] = True
    segment = np.flatnonzero(~last).astype(np.int32)
    mid = np.stack([x[segment] + x[segment + 1], y[segment] + y[segment + 1]], -1) / 2
    grid, (lo, items) = bucket(mid, LANE_CELL_M)
    out |= grid.named("grid") | {"cell_lo": lo, "cell_point": segment[items]}
    out |= _elements(out, element_m)
    out |= classify_cells(road.drivable)
    out |= {
        "crosswalk_lo": np.array([len(road.crosswalk)], np.int32), "crosswalk_point_lo": road.crosswalk.start,
        "crosswalk_x": road.crosswalk.xy[:, 0], "crosswalk_y": road.crosswalk.xy[:, 1],
    }  # fmt: skip
    return out


def _stop_positions(road: RoadMap, out: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
    """Arc length at which each lane meets its stop line (its end, if the line lies beyond); NaN for none."""
    stop = np.full(len(road), np.nan)
    for (a, b), lane in zip(road.stop_line_xy, road.stop_line_lane, strict=True):
        lo, hi = out["point_lo"][lane], out["point_lo"][lane + 1]
        mid = (a + b) / 2
        gap = np.hypot(out["point_x"][lo:hi] - mid[0], out["point_y"][lo:hi] - mid[1])
        stop[lane] = np.argmin(gap) * out["lane_step"][lane]
    return stop


def _elements(out: dict[str, NDArray[Any]], element_m: float) -> dict[str, NDArray[Any]]:
    """Cut every lane into pieces of at most ``element_m`` and lay a grid over their middles."""
    lanes, first, last = [], [], []
    for lane, (lo, hi) in enumerate(zip(out["point_lo"][:-1], out["point_lo"][1:], strict=True)):
        per = max(1, int(element_m / max(float(out["lane_step"][lane]), 1e-6) + 1e-6))
        edges = np.unique(np.append(np.arange(lo, hi - 1, per), hi - 1))
        lanes.append(np.full(len(edges) - 1, lane))
        first.append(edges[:-1])
        last.append(edges[1:])
    empty = [np.zeros(0)]
    p0, p1 = np.concatenate(first or empty).astype(np.int32), np.concatenate(last or empty).astype(np.int32)
    mid = (p0 + p1) // 2
    odd = (p0 + p1) % 2 == 1
    x = np.where(odd, 0.5 * (out["point_x"][mid] + out["point_x"][mid + odd]), out["point_x"][mid])
    y = np.where(odd, 0.5 * (out["point_y"][mid] + out["point_y"][mid + odd]), out["point_y"][mid])
    area = float(np.ptp(x) + 1.0) * float(np.ptp(y) + 1.0) if len(x) else 1.0
    cell = float(np.clip(np.sqrt(24.0 * area / max(len(x), 1)), 4.0, 200.0))
    grid, (lo_, items) = bucket(np.stack([x, y], -1), cell)
    return {
        "element_lo": np.array([len(x)], np.int32), "element_lane": np.concatenate(lanes or empty).astype(np.int32),
        "element_p0": p0, "element_p1": p1, "element_x": x, "element_y": y, "egrid_cell": np.array([cell]),
        "ecell_lo": lo_, "ecell_element": items.astype(np.int32),
    } | grid.named("egrid")  # fmt: skip


_BASE = {  # what each index array points into: its values move by the number of those in the maps before
    "point_lo": "point_x", "lane_left": "lane_length", "lane_right": "lane_length", "succ_lo": "succ",
    "succ": "lane_length", "pred_lo": "pred", "pred": "lane_length", "conf_lo": "conf_lane",
    "conf_lane": "lane_length", "cell_lo": "cell_point", "cell_point": "point_x", "point_lane": "lane_length",
    "element_lane": "lane_length", "element_p0": "point_x", "element_p1": "point_x", "ecell_lo": "ecell_element",
    "ecell_element": "element_x", "ring_lo": "ring_x", "dcell_lo": "dcell_ring", "dcell_ring": "ring_lo",
    "crosswalk_point_lo": "crosswalk_x",
}  # fmt: skip
_COUNT = {"lane_lo", "element_lo", "grid_lo", "egrid_lo", "dgrid_lo", "crosswalk_lo"}
_OPEN_ENDED = frozenset(
    {"point_lo", "succ_lo", "pred_lo", "conf_lo", "cell_lo", "ecell_lo", "ring_lo", "dcell_lo", "crosswalk_point_lo"}
)


def _concatenate(maps: Sequence[dict[str, NDArray[Any]]]) -> MapIndex:
    """Several maps' arrays as one, with every index moved to its new place."""
    out = {}
    dtypes = {name: hint.__metadata__[0] for name, hint in get_type_hints(MapIndex, include_extras=True).items()}
    for name in MapIndex._fields:
        parts, base = [], 0
        for number, one in enumerate(maps):
            values = one[name]
            if name in _BASE:
                pool = one[_BASE[name]]
                moved = np.where(values < 0, values, values + base) if name not in _OPEN_ENDED else values + base
                parts.append(moved if name not in _OPEN_ENDED or number == len(maps) - 1 else moved[:-1])
                base += len(pool) - (1 if _BASE[name] == "ring_lo" else 0)
            else:
                parts.append(values)
        joined = np.concatenate(parts) if parts else np.zeros(0)
        if name in _COUNT:
            joined = np.concatenate([[0], np.cumsum(joined)])
        out[name] = np.ascontiguousarray(joined, dtype=dtypes[name].split("[")[0].replace("b1", "?"))
    return MapIndex(**out)


def _routes(scenarios: Sequence[Scenario], index: MapIndex, map_of: NDArray[np.int32]) -> RouteIndex:
    """Progress along every route: each group advances by its longest lane."""
    lo, lane_, group_, offset_, scale_, total_ = [0], [], [], [], [], []
    for number, scenario in zip(map_of, scenarios, strict=True):
        base, total = int(index.lane_lo[number]), 0.0
        for group, lanes in enumerate(scenario.route.groups):
            reach = max((float(index.lane_length[base + lane]) for lane in lanes), default=0.0)
            for lane in lanes:
                lane_.append(base + lane)
                group_.append(group)
                offset_.append(total)
                scale_.append(reach / max(float(index.lane_length[base + lane]), 1e-6))
            total += reach
        lo.append(len(lane_))
        total_.append(total)
    return RouteIndex(
        np.array(lo, np.int32), np.array(lane_, np.int32), np.array(group_, np.int32),
        np.array(offset_, np.float64), np.array(scale_, np.float64), np.array(total_, np.float64),
    )  # fmt: skip
