"""The ego's way: the centre line of the lanes that it follows along its route."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import Scene
from waytrace.scenario.paths import STEP_M, Path, empty_path, project
from waytrace.scenario.roads import RoadCache, Roads

Array = NDArray[np.float64]

BEHIND_M, AHEAD_M = 90.0, 150.0
"""How much of the way is looked at, at least; ahead as far as a plan of 8 s can lead."""

PLAN_S = 8.5

ROADS = RoadCache()
"""Compiled maps and routes of the scenes measured last."""


@dataclass(frozen=True, eq=False)
class EgoPath:
    """The path, and where the ego is on it. ``s`` of everything else counts from the ego's box centre."""

    roads: Roads
    lane: int
    """That the path follows where the ego is: its own, or the route's nearest; -1 where there is none."""
    lanes: tuple[int, ...]
    """From the ego's lane on, in order."""
    path: Path
    count: int
    origin: float
    """The path's own coordinate of the ego's centre."""
    d: float
    turned: float
    """The ego's heading minus the path's."""
    run_m: float
    """From the ego's centre, how far its lane leads on along the route; infinite where no other lane is needed."""

    @classmethod
    def of(cls, scene: Scene) -> EgoPath:
        """The path of a scene's ego. Where it is on no lane, straight on."""
        roads = ROADS.of(scene.map, scene.route)
        x, y, heading = (float(v) for v in scene.ego.pose)
        lane = roads.start_lane(x, y, heading, -1) if len(scene.map) else -1
        lanes: list[int] = []
        if lane >= 0:
            limit = float(np.nan_to_num(roads.index.lane_limit[lane], nan=15.0))
            reach = max(AHEAD_M, 20.0 + PLAN_S * max(scene.ego.speed_mps, min(limit, 40.0)))
            lanes = roads.chain(lane, reach + float(roads.index.lane_length[lane]))
            path, count = roads.path_around(lanes, x, y, BEHIND_M, reach)
        if lane < 0 or count < 3:
            lane, lanes = -1, []
            path, count = _straight(x, y, heading)
        origin, d = project(path, count, x, y, BEHIND_M, 60.0)
        at = min(max(int(origin / STEP_M), 0), count - 1)
        turned = (heading - float(path.heading[at]) + math.pi) % (2.0 * math.pi) - math.pi
        run, entry = math.inf, roads.entry(lane)
        if entry >= 0 and math.isfinite(roads.run_m[entry]):
            run = float(roads.run_m[entry]) - float(path.lane_s[at])
        return cls(roads, lane, tuple(lanes), path, count, float(origin), float(d), turned, run)

    @property
    def ahead_m(self) -> float:
        """How far the path reaches."""
        return (self.count - 1) * STEP_M - self.origin

    def sample(self, s: float) -> int:
        """The path's sample at ``s`` metres from the ego."""
        return min(max(int((self.origin + s) / STEP_M), 0), self.count - 1)

    @cached_property
    def half_width(self) -> tuple[Array, Array]:
        """[P] from the path to the lane's left and right edge at each sample."""
        if self.lane < 0:
            return np.full(self.count, 1.75), np.full(self.count, 1.75)
        index, lane = self.roads.index, self.path.lane[: self.count]
        step = np.maximum(index.lane_step[lane], 1e-6)
        point = index.point_lo[lane] + np.rint(self.path.lane_s[: self.count] / step).astype(np.int64)
        point = np.clip(point, index.point_lo[lane], index.point_lo[lane + 1] - 1)
        return index.point_left[point], index.point_right[point]

    @cached_property
    def starts(self) -> tuple[tuple[int, float, float], ...]:
        """(lane, s at its start, s at its end) of every lane on the path in order, behind the ego too."""
        if self.lane < 0:
            return ()
        lane = self.path.lane[: self.count]
        first = np.flatnonzero(np.concatenate([[True], lane[1:] != lane[:-1]]))
        out = []
        for i in first:
            start = float(i) * STEP_M - float(self.path.lane_s[i]) - self.origin
            out.append((int(lane[i]), start, start + float(self.roads.index.lane_length[lane[i]])))
        return tuple(out)

    @cached_property
    def start_of(self) -> dict[int, float]:
        """S at the start of each lane on the path."""
        return {lane: start for lane, start, _ in reversed(self.starts)}


def _straight(x: float, y: float, heading: float) -> tuple[Path, int]:
    count = int(BEHIND_M + AHEAD_M) + 1
    path = empty_path(count)
    along = np.arange(count) * STEP_M - BEHIND_M
    path.x[:], path.y[:] = x + along * math.cos(heading), y + along * math.sin(heading)
    path.heading[:], path.limit[:], path.stretch[:], path.lane[:] = heading, math.nan, 1.0, -1
    return path, count
