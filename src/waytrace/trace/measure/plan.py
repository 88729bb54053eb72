"""A plan measured along the ego's path: where it leads, how fast, and in which lane."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import PLAN_KNOT_S, REAR_AXLE_TO_CENTRE, AgentKind, Plan
from waytrace.scenario.paths import STEP_M

from ..thresholds import T
from ._place import place_points
from .measured import Measured
from .others import locate_others
from .path import EgoPath

Array = NDArray[np.float64]

_NO_AXLE = (AgentKind.CYCLIST, AgentKind.PEDESTRIAN, AgentKind.STATIC, AgentKind.UNKNOWN)


@dataclass(frozen=True, eq=False)
class PlanMeasured:
    """The start and the K waypoints of a plan; box centres in coordinates of the ego's path."""

    measured: Measured
    t_s: Array
    """[K + 1] from the plan's start."""
    pose: Array
    """[K + 1, 4] x, y, heading, speed of the box centre."""
    s: Array
    """[K + 1] from the ego's centre now."""
    d: Array
    driven_m: Array
    """[K + 1] way driven since the start."""
    lane: NDArray[np.int32]
    """[K + 1] lane at each."""

    @classmethod
    def of(cls, measured: Measured, plan: Plan) -> PlanMeasured:
        """A plan of one planner (no leading axis)."""
        scene = measured.scene
        rear = 0.0 if scene.ego.kind in _NO_AXLE else REAR_AXLE_TO_CENTRE * scene.ego.length_m
        points = np.vstack([np.asarray(plan.start, np.float64)[None], np.asarray(plan.waypoints, np.float64)])
        pose = points.copy()
        pose[:, 0] += rear * np.cos(points[:, 2])
        pose[:, 1] += rear * np.sin(points[:, 2])
        path, place = measured.path, np.zeros((len(pose), 2))
        step = np.diff(points[:, :2], axis=0)
        driven = np.concatenate([[0.0], np.cumsum(np.hypot(step[:, 0], step[:, 1]))])
        place_points(path.path, path.count, pose, driven, path.origin, place)
        last = int(np.flatnonzero(place[:, 0] < (path.count - 1) * STEP_M)[-1:].sum())
        place[last + 1 :, 1] = place[last, 1]  # beyond the path's end nothing is said of where in the lane it drives
        lane = _lanes(path, pose, place)
        return cls(
            measured, np.arange(len(pose), dtype=np.float64) * PLAN_KNOT_S, pose, place[:, 0] - path.origin,
            place[:, 1], driven, lane,
        )  # fmt: skip

    @property
    def speed(self) -> Array:
        """[K + 1]."""
        return self.pose[:, 3]

    @cached_property
    def accel(self) -> Array:
        """[K] between the waypoints."""
        return np.diff(self.speed) / PLAN_KNOT_S

    @property
    def front(self) -> Array:
        """[K + 1] way of the front bumper along the path, from where it is now."""
        return self.s

    @cached_property
    def rest(self) -> int:
        """First point from which it stands to the end; -1 where it does not come to rest."""
        moving = np.flatnonzero(self.speed >= T.stop_mps)
        if len(moving) == 0:
            return 0
        return int(moving[-1]) + 1 if moving[-1] + 1 < len(self.speed) else -1

    @cached_property
    def stop_m(self) -> float:
        """Way of the front bumper to where it comes to rest; infinity for nowhere."""
        return float(self.driven_m[self.rest]) if self.rest >= 0 else math.inf

    @cached_property
    def drop_mps(self) -> float:
        """How much slower than now it gets."""
        return float(self.speed[0] - self.speed.min())

    @cached_property
    def offset(self) -> float:
        """The offset from the path's middle that is furthest from it after 2 s, left positive.

        Beyond the path's end, where the ego's lane leaves the route or the map, there is no middle.
        """
        late = np.arange(len(self.d)) >= min(4, len(self.d) - 1)
        on = late & (self.s < self.measured.path.ahead_m - 1.0)
        d = self.d[on] if on.any() else self.d[:1]
        return float(d[np.argmax(np.abs(d))])

    @cached_property
    def end_lane(self) -> int:
        """The lane that it ends in."""
        return int(self.lane[-1])

    @cached_property
    def changed_lane(self) -> int:
        """+1 where it ends in a lane on the left for at least 1 s, -1 on the right, 0 where it does not."""
        own = set(self.measured.path.start_of) | {-1}
        left_it = np.array([lane not in own for lane in self.lane.tolist()])
        if self.measured.path.lane < 0 or not left_it[-1]:
            return 0
        stays = len(left_it) - 1 - (np.flatnonzero(~left_it)[-1] if (~left_it).any() else -1)
        moved = float(self.d[-1] - self.d[0])
        if (stays - 1) * PLAN_KNOT_S < T.change_for_s - 0.51 or abs(moved) < T.change_m:
            return 0
        return 1 if moved > 0.0 else -1

    def edge_room(self) -> float:
        """Least room between the body's side and the lane's edge; negative where it is over it."""
        path, half = self.measured.path, 0.5 * self.measured.scene.ego.width_m
        left, right = path.half_width
        at = np.clip(self.s + path.origin, 0, path.count - 1).astype(np.int64)
        width = np.where(self.d >= 0.0, left[at], right[at])
        return float((width - np.abs(self.d) - half)[1:].min())

    def at_way(self, way_m: float) -> float:
        """Seconds until the front bumper has gone ``way_m`` along the path; infinity where it does not get there."""
        if way_m <= 0.0:
            return 0.0
        there = np.flatnonzero(self.front >= way_m)
        if not len(there):
            return math.inf
        k = int(there[0])
        if k == 0:
            return 0.0
        a, b = float(self.front[k - 1]), float(self.front[k])
        return float(self.t_s[k - 1]) + PLAN_KNOT_S * (way_m - a) / max(b - a, 1e-6)


def _lanes(path: EgoPath, pose: Array, place: Array) -> NDArray[np.int32]:
    """The lane of each point: the path's where it is between that lane's edges, else the one that it drives on.

    Where lanes lie over each other, as in junctions, the path's is meant.
    """
    lane, _ = locate_others(path, pose)
    at = np.clip(np.rint(place[:, 0]), 0, path.count - 1).astype(np.int64)
    left, right = path.half_width
    width = np.where(place[:, 1] >= 0.0, left[at], right[at])
    inside = (np.abs(place[:, 1]) <= width) & (place[:, 0] <= (path.count - 1) * STEP_M)
    return np.where(inside, path.path.lane[at], lane).astype(np.int32) if path.lane >= 0 else lane
