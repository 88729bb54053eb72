"""A trajectory in nuPlan's form, read back as poses of the rear axle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import PLAN_KNOT_S, PLAN_KNOTS

from .shapes import LooksAlike, NuplanError
from .states import StateSE2, StateVector2D, TimePoint

Array = NDArray[np.float64]
LEAST_S = PLAN_KNOT_S
"""A trajectory reaches at least this far: until the planner is asked again."""


class TrajectoryState(LooksAlike):
    """One state of an :class:`InterpolatedTrajectory`: as much of nuPlan's ``EgoState`` as is read back."""

    def __init__(self, time_us: int, rear_axle: StateSE2, speed_mps: float) -> None:
        self.time_us, self.rear_axle = time_us, rear_axle
        self.dynamic_car_state = _Motion(StateVector2D(speed_mps, 0.0))

    @property
    def time_point(self) -> TimePoint:
        return TimePoint(self.time_us)


class _Motion(LooksAlike):
    def __init__(self, rear_axle_velocity_2d: StateVector2D) -> None:
        self.rear_axle_velocity_2d = rear_axle_velocity_2d


class InterpolatedTrajectory(LooksAlike):
    """For planners that do without nuplan-devkit: states in order of time."""

    def __init__(self, states: Sequence[Any]) -> None:
        self._states = list(states)

    @classmethod
    def of(
        cls, start_us: int, poses: Sequence[tuple[float, float, float, float]], step_s: float
    ) -> InterpolatedTrajectory:
        """From rear-axle (x, y, heading, speed), the first at ``start_us``, the others ``step_s`` apart."""
        states = [
            TrajectoryState(start_us + round(k * step_s * 1e6), StateSE2(x, y, h), v)
            for k, (x, y, h, v) in enumerate(poses)
        ]
        return cls(states)

    def get_sampled_trajectory(self) -> list[Any]:
        return self._states


def poses_of(trajectory: Any, now: TimePoint) -> Array:
    """Rear axle [16, 4] (x, y, heading, speed) at 0.5, 1.0, ... 8.0 s after ``now``, world frame.

    Of any object with ``get_sampled_trajectory()``, whose states have ``time_us`` and ``rear_axle``. Between states it
    is linear; beyond the last it goes straight on at its last speed. Speeds are read off the poses, as nuPlan's own
    tracker does (``LQRTracker``): the velocities of PDM-Closed's emergency brake, all 0, contradict its poses. A plan
    does not reverse; where the poses go back it stands. Raises :class:`NuplanError` where the object is no trajectory,
    holds numbers that are not finite, or does not reach from now to 0.5 s on.
    """
    try:
        states = trajectory.get_sampled_trajectory()
        rows = np.array(
            [(s.time_us, s.rear_axle.x, s.rear_axle.y, s.rear_axle.heading) for s in states], dtype=np.float64
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise NuplanError(f"a {type(trajectory).__name__} cannot be read as a trajectory: {error}") from error
    if len(rows) < 2 or not np.isfinite(rows).all():
        raise NuplanError(f"a trajectory of {len(rows)} states, all of them finite: {bool(np.isfinite(rows).all())}")
    at = (rows[:, 0] - now.time_us) * 1e-6
    if not (np.diff(at) > 0.0).all() or at[0] > 1e-3 or at[-1] < LEAST_S - 1e-3:
        raise NuplanError(
            f"a trajectory from {at[0]:.2f} to {at[-1]:.2f} s, in order of time: {bool((np.diff(at) > 0.0).all())}; it "
            f"has to begin now and to reach {LEAST_S} s at least"
        )
    rows[:, 3] = np.unwrap(rows[:, 3])
    wanted: Array = PLAN_KNOT_S * np.arange(1.0, PLAN_KNOTS + 1.0)
    half = 0.5 * PLAN_KNOT_S
    pose, gone = _pose_at(rows, at, wanted), _pose_at(rows, at, wanted + half) - _pose_at(rows, at, wanted - half)
    speed = _along(gone, pose[:, 2]) / PLAN_KNOT_S
    return _forward(np.concatenate([pose, speed[:, None]], axis=1), _pose_at(rows, at, np.zeros(1))[0])


def _pose_at(rows: Array, at: Array, wanted: Array) -> Array:
    """[Q, 3] x, y, heading of states (``rows``, at ``at`` seconds) at ``wanted`` [Q] seconds."""
    x, y, heading = (np.interp(wanted, at, column) for column in rows.T[1:])
    last = _along(rows[-1:, 1:] - rows[-2:-1, 1:], rows[-1:, 3])[0] / (at[-1] - at[-2])
    beyond = last * np.maximum(wanted - at[-1], 0.0)
    return np.stack([x + beyond * np.cos(heading), y + beyond * np.sin(heading), heading], -1)


def _along(way: Array, heading: Array) -> Array:
    """[Q] metres of each way [Q, 2 or more] along a heading [Q]."""
    along: Array = way[:, 0] * np.cos(heading) + way[:, 1] * np.sin(heading)
    return along


def _forward(poses: Array, start: Array) -> Array:
    """The poses [16, 4], standing wherever they would go back."""
    before = start
    for pose in poses:
        if _along((pose - [*before[:3], 0.0])[None], pose[2:3])[0] < 0.0:
            pose[:2], pose[3] = before[:2], 0.0
        before = pose
    poses[:, 3] = np.maximum(poses[:, 3], 0.0)
    return poses
