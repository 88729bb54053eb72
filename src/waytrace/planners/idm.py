"""Lane following behind leaders with the intelligent driver model, along the frozen route.

Treiber, Hennecke and Helbing 2000 (https://doi.org/10.1103/PhysRevE.62.1805). It follows the lane it is on as far as
the route goes, keeps to limits and curve speeds, stops for lights and stop lines, and takes whoever overlaps its path
(people on foot included) for a leader. It neither changes lanes nor goes round anything nor looks for gaps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import PLAN_KNOTS, Plan
from waytrace.scenario.paths import Path, empty_path, project, shift, shifted
from waytrace.scenario.roads import RoadCache
from waytrace.scenario.types import LaneControl

from .ahead import base_path, place_others, regulated_entry, stop_point
from .moment import Moment
from .motion import fit_path, make_plan, stack_controls
from .reading import moments
from .speed import Driver, Leaders, follow, speed_caps

if TYPE_CHECKING:
    from waytrace.observe import Observation

Array = NDArray[np.float64]


@dataclass(frozen=True)
class IdmConfig:
    """How the driver drives."""

    headway_s: float = 1.2
    accel_mps2: float = 1.8
    brake_mps2: float = 3.0
    lateral_accel_mps2: float = 2.0
    limit_share: float = 1.0
    """Share of the speed limit that is driven."""
    unlimited_mps: float = 14.0
    """Desired speed where the map has no limit and the ego is slower; else its own at the first decision."""
    clearance_m: float = 0.25
    """Less room than this beside another and it is in the way."""

    @property
    def driver(self) -> Driver:
        """The parameters that kernels take."""
        return Driver(self.headway_s, self.accel_mps2, self.brake_mps2, self.lateral_accel_mps2)


class Idm:
    """Follows its lane behind leaders; see the module's docstring."""

    name = "idm"
    privileged: ClassVar[bool] = False

    def __init__(self, config: IdmConfig | None = None) -> None:
        self.config = config or IdmConfig()
        self._roads = RoadCache()

    def reset(self, ids: Sequence[str], world: Any = None) -> None:
        """Begin new episodes."""

    def plan(self, observation: Observation, state: Any) -> tuple[Plan, None, Any]:
        """One plan a row; the state holds each row's lane, desired speed and stop line served."""
        return self.plan_moments(moments(observation, self._roads), state)

    def plan_moments(self, rows: Sequence[Moment], state: Any) -> tuple[Plan, None, Any]:
        """The same from moments."""
        memory = state if state is not None else [None] * len(rows)
        controls, after = [], []
        for moment, mine in zip(rows, memory, strict=True):
            mine = mine or Memory(-1, max(self.config.unlimited_mps, float(moment.axle[3])), -1)
            accel, curvature, mine = idm_controls(moment, mine, self.config)
            controls.append((accel, curvature))
            after.append(mine)
        accel, curvature = stack_controls(controls)
        start = np.stack([m.axle for m in rows]) if rows else np.zeros((0, 4))
        t0 = np.array([m.t_s for m in rows])
        return make_plan(t0, start, accel, curvature, self.name), None, after


@dataclass(frozen=True)
class Memory:
    """What one row remembers from one decision to the next."""

    lane: int
    desired_mps: float
    stopped_for: int
    """Lane at whose stop sign the vehicle has come to rest; -1 for none."""


def idm_controls(moment: Moment, memory: Memory, config: IdmConfig) -> tuple[Array, Array, Memory]:
    """Acceleration and curvature [16] of one row, and what to remember."""
    x, y, heading, speed = (float(v) for v in moment.axle)
    lane = moment.roads.start_lane(x, y, heading, memory.lane)
    if lane < 0:  # no road in reach: come to a halt, straight on
        return np.full(PLAN_KNOTS, -2.0), np.zeros(PLAN_KNOTS), memory
    reach = 60.0 + 10.0 * max(speed, memory.desired_mps)
    base, count = base_path(moment, moment.roads.chain(lane, reach), reach)
    s0, path = onto(moment, base, count)
    caps = np.zeros(count)
    speed_caps(path, count, memory.desired_mps, config.limit_share, config.driver, caps)
    stop_s, _ = stop_point(moment, path, count, s0, moment.closed_lanes())
    stopped = memory.stopped_for
    for s, regulated, control in regulated_entry(moment, path, count, s0 + moment.front_m - 1.0):
        if control != LaneControl.STOP or regulated == stopped:
            continue
        if speed < 0.3 and s - s0 - moment.front_m < 3.0:
            stopped = regulated
        else:
            stop_s = min(stop_s, s - 0.5)
        break
    last = (count - 1) - 1.0
    if last < reach - 5.0:
        stop_s = min(stop_s, last)
    s_t, v_t = np.zeros(5 * PLAN_KNOTS + 1), np.zeros(5 * PLAN_KNOTS + 1)
    leaders = leaders_on(moment, path, count, s0, config.clearance_m)
    follow(path, count, caps, s0, speed, moment.front_m, leaders, stop_s, config.driver, s_t, v_t)
    accel, curvature = fit_path(path, count, s_t, v_t, moment.axle)
    return accel, curvature, Memory(lane, memory.desired_mps, stopped)


def onto(moment: Moment, base: Path, count: int, offset_m: float = 0.0, seconds: float = 3.0) -> tuple[float, Path]:
    """(s of the rear axle, path) of a smooth move from the present pose to ``offset_m`` beside a base path."""
    x, y, heading, speed = (float(v) for v in moment.axle)
    s0, d0 = project(base, count, x, y, 25.0, 60.0)
    at = min(max(int(s0), 0), count - 1)
    turned = (heading - base.heading[at] + math.pi) % (2.0 * math.pi) - math.pi
    slope = math.tan(min(max(turned, -0.6), 0.6)) * max(1.0 - base.curvature[at] * d0, 0.2)
    length = max(8.0, seconds * speed)
    offset = np.array([shift(i - s0, length, d0, slope, offset_m) for i in range(count)])
    path = empty_path(count)
    shifted(base, count, offset, path)
    return s0, path


def leaders_on(moment: Moment, path: Path, count: int, s0: float, clearance_m: float) -> Leaders:
    """Everyone ahead who overlaps the path, or will within 1.5 s at the present speed across it."""
    places = np.zeros((len(moment.others.x), 6))
    place_others(path, count, moment.others, places)
    room = 0.5 * moment.width_m + clearance_m
    s, d, along, across, speed, drift = places.T
    ahead = np.isfinite(s) & (s > s0 + moment.rear_m)
    later = d + 1.5 * drift
    nearest = np.where(d * later < 0.0, 0.0, np.minimum(np.abs(d), np.abs(later)))
    taken = ahead & (nearest < room + across)
    oncoming = speed < -1.0
    taken &= ~oncoming | (np.abs(d) < room + across - 0.5)
    return Leaders(
        np.ascontiguousarray((s - along)[taken]), np.ascontiguousarray(np.maximum(speed, 0.0)[taken]),
        np.ascontiguousarray(np.minimum(moment.others.accel, 0.0)[taken]),
    )  # fmt: skip
