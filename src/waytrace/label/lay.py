"""How a plan lies on the lanes: its offset from the ego's own lane and from the lane it is to drive, knot by knot."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import Scene
from waytrace.scenario import REAR_AXLE_TO_CENTRE, Plan
from waytrace.scenario.paths import Path, empty_path, project, sample_chain
from waytrace.scenario.roads import Roads
from waytrace.trace.thresholds import T

Array = NDArray[np.float64]

TURN_RAD = math.radians(T.turn_deg)
"""Lanes inside an intersection that bend by more are a turn."""

U_TURN_RAD = math.radians(T.u_turn_deg)


@dataclass(frozen=True, eq=False)
class Track:
    """A plan in the coordinates of a chain of lanes. 17 knots: now and every 0.5 s."""

    lanes: tuple[int, ...]
    s_m: Array
    """[17] of the box centre, along the chain."""
    d_m: Array
    """[17] left of the chain's middle."""
    lane: NDArray[np.int32]
    """[17] the chain's lane there."""
    room_m: Array
    """[17] from the chain's middle to the lane's edge on the side where the box is."""
    turned_rad: Array
    """[17] heading relative to the chain."""


@dataclass(frozen=True, eq=False)
class Lay:
    """A plan on the ego's own lane, and on the lane that it is to drive where that is another."""

    roads: Roads
    own: Track
    target: Track
    length_m: float
    width_m: float
    speed_mps: Array
    """[17]."""

    @property
    def changes_lane(self) -> bool:
        """Whether the plan ends in another lane than its own, at least 1 m to the side of where it began."""
        if self.own.lanes[0] == self.target.lanes[0]:
            return False
        moved = abs(float(self.own.d_m[-1] - self.own.d_m[0]))
        return moved >= 1.0 and abs(float(self.target.d_m[-1])) < abs(float(self.own.d_m[-1]))

    @cached_property
    def beside_m(self) -> float:
        """The offset from its own lane's middle, left positive, where it is largest within the plan (not now)."""
        return float(self.own.d_m[1:][np.argmax(np.abs(self.own.d_m[1:]))])

    @cached_property
    def crosses_line(self) -> bool:
        """Whether the footprint gets over the edge of the own lane on the side of ``beside_m``."""
        d, turned = self.own.d_m[1:], self.own.turned_rad[1:]
        half = 0.5 * (np.abs(np.cos(turned)) * self.width_m + np.abs(np.sin(turned)) * self.length_m)
        side = np.sign(d) == np.sign(self.beside_m)
        return bool((side & (np.abs(d) + half > self.own.room_m[1:])).any())

    @cached_property
    def turn(self) -> tuple[float, int]:
        """(bend in radians, left positive; the bending lane) of the turn that the plan enters or is in; (0, -1)."""
        index, track = self.roads.index, self.target
        reached = list(dict.fromkeys(int(v) for v in track.lane))
        bend, most, where = 0.0, 0.0, -1
        for lane in reached:
            if not index.lane_junction[lane]:
                bend = 0.0
                continue
            lo, hi = int(index.point_lo[lane]), int(index.point_lo[lane + 1])
            bend += float(index.point_heading[hi - 1] - index.point_heading[lo])
            if abs(bend) > abs(most):
                most, where = bend, lane
        return (most, where) if abs(most) >= TURN_RAD else (0.0, -1)

    @cached_property
    def must_leave_m(self) -> float:
        """Metres until the own lane leaves the route, from now; infinite where it leads on."""
        entry = self.roads.entry(self.own.lanes[0])
        run = float(self.roads.run_m[entry]) if entry >= 0 else math.inf
        return run - float(self.own.s_m[0]) if math.isfinite(run) else math.inf

    @property
    def room_sought_m(self) -> float:
        """Room that the expert seeks for a change of lanes that the route asks for."""
        return 70.0 + 8.0 * float(self.speed_mps[0])

    @property
    def last_own_lane(self) -> int:
        """The last lane on which the own one follows the route."""
        on = [lane for lane in self.own.lanes if self.roads.entry(lane) >= 0]
        return on[-1] if on else self.own.lanes[0]

    @property
    def end_lane(self) -> int:
        """The lane in which the plan ends."""
        return int(self.target.lane[-1] if self.changes_lane else self.own.lane[-1])


def lay_out(roads: Roads, scene: Scene, plan: Plan, own: int, target: int) -> Lay:
    """A plan (of one planner, no leading axis) on the lanes that begin with ``own`` and with ``target``."""
    knots = np.concatenate([plan.start[None], plan.waypoints])
    rear = REAR_AXLE_TO_CENTRE * scene.ego.length_m
    centre = knots[:, :2] + rear * np.column_stack([np.cos(knots[:, 2]), np.sin(knots[:, 2])])
    travelled = float(np.hypot(*np.diff(centre, axis=0).T).sum())
    mine = _track(roads, own, centre, knots[:, 2], travelled)
    theirs = mine if own == target else _track(roads, target, centre, knots[:, 2], travelled)
    return Lay(roads, mine, theirs, scene.ego.length_m, scene.ego.width_m, knots[:, 3])


def apart_m(one: Track, other: Track, knots: int = 12) -> tuple[float, float]:
    """Greatest distance along and across the lane between two plans over the first ``knots`` half seconds, metres."""
    rows = slice(0, knots + 1)
    along, across = np.abs(one.s_m[rows] - other.s_m[rows]), np.abs(one.d_m[rows] - other.d_m[rows])
    return float(along.max()), float(across.max())


def _track(roads: Roads, lane: int, centre: Array, heading: Array, travelled: float) -> Track:
    index = roads.index
    lanes = roads.chain(lane, float(index.lane_length[lane]) + travelled + 20.0)
    total = float(sum(index.lane_length[v] for v in lanes))
    path: Path = empty_path(int(total) + 2)
    count = sample_chain(index, np.array(lanes, np.int32), 0.0, path)
    s, d, at = np.zeros(len(centre)), np.zeros(len(centre)), np.zeros(len(centre), np.int64)
    for k, (x, y) in enumerate(centre):
        if k == 0:
            s[k], d[k] = project(path, count, x, y, 0.0, -1.0)
        else:
            moved = math.hypot(*(centre[k] - centre[k - 1]))
            s[k], d[k] = project(path, count, x, y, s[k - 1], moved + 8.0)
        at[k] = min(max(round(s[k]), 0), count - 1)
    number = path.lane[at]
    room = np.zeros(len(s))
    for k, i in enumerate(at):
        v = int(number[k])
        p = int(index.point_lo[v]) + min(
            round(float(path.lane_s[i]) / float(index.lane_step[v])), int(index.point_lo[v + 1] - index.point_lo[v]) - 1
        )
        room[k] = float(index.point_left[p] if d[k] >= 0.0 else index.point_right[p])
    turned = (heading - path.heading[at] + math.pi) % (2.0 * math.pi) - math.pi
    return Track(tuple(lanes), s, d, number.astype(np.int32), room, turned)
