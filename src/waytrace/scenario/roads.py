"""What is worked out once per scenario: its compiled map, its route, and how far each route lane leads on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from .index import MapIndex, RouteIndex, compile_maps
from .lanes import locate, route_entry, route_progress
from .paths import STEP_M, Path, empty_path, project, sample_chain
from .types import RoadMap, Route, Scenario

_KEPT = 64


@dataclass(frozen=True, eq=False)
class Roads:
    """One map (number 0) and one route (number 0) in compiled form. Lanes are numbered as in the scenario."""

    map: RoadMap
    route: Route
    index: MapIndex
    routes: RouteIndex
    run_m: NDArray[np.float64]
    """[entries of the route] metres one can drive from the start of the entry's lane without changing lanes before
    the route calls for it; infinite where the lane leads to the route's end."""
    follower: NDArray[np.int32]
    """[entries] entry of the next lane, or -1."""

    def entry(self, lane: int) -> int:
        """Number of the route's entry of a lane, -1 where the route does not use it."""
        return int(route_entry(self.routes, 0, lane)) if lane >= 0 else -1

    def start_lane(self, x: float, y: float, heading: float, prefer: int) -> int:
        """The route lane that a vehicle at a pose is to follow: its own, else the nearest one of the route."""
        lane, _, _ = locate(self.index, 0, x, y, heading, prefer)
        if self.entry(lane) >= 0:
            return int(lane)
        _, _, entry = route_progress(self.index, self.routes, 0, x, y, float("nan"))
        return int(self.routes.route_lane[entry]) if entry >= 0 else int(lane)

    def chain(self, lane: int, reach_m: float) -> list[int]:
        """Lanes from ``lane`` on, along the route, then straight on, until ``reach_m`` metres are covered."""
        out, covered = [lane], float(self.index.lane_length[lane])
        entry = self.entry(lane)
        while covered < reach_m and len(out) < 64:
            following = int(self.follower[entry]) if entry >= 0 else -1
            if following >= 0:
                entry, lane = following, int(self.routes.route_lane[following])
            elif entry >= 0 and np.isfinite(self.run_m[entry]):
                break  # the lane does not lead on along the route: the path ends here
            else:
                entry, lane = -1, _straightest(self.index, lane)
            if lane < 0 or lane in out[-1:]:
                break
            out.append(lane)
            covered += float(self.index.lane_length[lane])
        return out

    def path_around(
        self, lanes: Sequence[int], x: float, y: float, behind_m: float, reach_m: float
    ) -> tuple[Path, int]:
        """The centre line of a chain of lanes from ``behind_m`` before (x, y), which lies on its first lane, to
        ``reach_m`` beyond it, as far as there are lanes; and how many samples it has.
        """
        index = self.index
        chain = list(lanes)
        before, behind = chain[0], 0.0
        while behind < behind_m:  # lead the path back, so that those who follow have a place on it
            lo, hi = index.pred_lo[before], index.pred_lo[before + 1]
            previous = [int(p) for p in index.pred[lo:hi]]
            if not previous:
                break
            on_route = [p for p in previous if self.entry(p) >= 0]
            before = (on_route or previous)[0]
            if before in chain:
                break
            chain.insert(0, before)
            behind += float(index.lane_length[before])
        whole = empty_path(round(reach_m + behind + float(index.lane_length[lanes[0]]) + behind_m) + 2)
        count = sample_chain(index, np.array(chain, np.int32), 0.0, whole)
        s, _ = project(whole, count, x, y, behind + 0.5 * float(index.lane_length[lanes[0]]), -1.0)
        first = max(0, min(int((s - behind_m) / STEP_M), count - 3))
        last = min(count, first + int(reach_m + behind_m) + 2)
        return Path._make(np.ascontiguousarray(part[first:last]) for part in whole), last - first


def _straightest(index: MapIndex, lane: int) -> int:
    """The successor with the least turn over its length, -1 for none."""
    best, turn = -1, np.inf
    for q in range(index.succ_lo[lane], index.succ_lo[lane + 1]):
        on = int(index.succ[q])
        lo, hi = index.point_lo[on], index.point_lo[on + 1]
        bend = abs(index.point_heading[hi - 1] - index.point_heading[lo])
        if bend < turn:
            best, turn = on, bend
    return best


@dataclass(frozen=True)
class _Place:
    """All that ``compile_maps`` reads of a scenario."""

    map: RoadMap
    route: Route


def _compile(road: RoadMap, route: Route) -> Roads:
    compiled = compile_maps([cast(Scenario, _Place(road, route))])
    index, routes = compiled.index, compiled.routes
    count = len(routes.route_lane)
    run = np.zeros(count)
    follower = np.full(count, -1, np.int32)
    last = int(routes.route_group.max(initial=0))
    for e in range(count - 1, -1, -1):
        lane, group = int(routes.route_lane[e]), int(routes.route_group[e])
        length = float(index.lane_length[lane])
        if group == last:
            run[e] = np.inf
            continue
        best = 0.0
        for q in range(index.succ_lo[lane], index.succ_lo[lane + 1]):
            for other in range(count):
                on = routes.route_group[other] == group + 1 and routes.route_lane[other] == index.succ[q]
                if on and (follower[e] < 0 or run[other] > best):
                    follower[e], best = other, run[other]
        run[e] = length + best
    return Roads(road, route, index, routes, run, follower)


class RoadCache:
    """Compiled roads by the identity of map and route: forks and later steps of a scenario share one copy."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int], Roads] = OrderedDict()

    def of(self, road: RoadMap, route: Route) -> Roads:
        """The compiled form of a map and a route (about 10 ms the first time)."""
        key = (id(road), id(route))
        roads = self._kept.get(key)
        if roads is None or roads.map is not road or roads.route is not route:
            roads = _compile(road, route)
            self._kept[key] = roads
        self._kept.move_to_end(key)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return roads
