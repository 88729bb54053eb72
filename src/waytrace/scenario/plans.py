"""What a planner hands over (:class:`Plan`), and what a drive leaves behind (:class:`Rollout`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PLAN_KNOTS = 16
PLAN_KNOT_S = 0.5
"""A plan holds 16 knots of 0.5 s: 8 s."""

ACCEL_RANGE_MPS2 = (-8.0, 3.0)
CURVATURE_RANGE_1PM = (-0.2, 0.2)

REAR_AXLE_TO_CENTRE = 0.28
"""Distance from rear axle to box centre as a share of a vehicle's length (a typical passenger car)."""


@dataclass(frozen=True)
class Plan:
    """Plans of B planners (or of one: no leading axis), 8 s ahead.

    The reference point is the rear axle; the frame is the world.
    ``accel`` and ``curvature`` are held constant over each
    knot; integrating them from ``start`` gives ``waypoints`` at ``t0_s + 0.5, 1.0, ...``.
    """

    t0_s: NDArray[np.float64]
    """[B] simulation time at which the plan begins."""
    start: Array
    """[B, 4] x, y, heading, speed of the rear axle at ``t0_s``."""
    accel_mps2: Array
    """[B, 16]."""
    curvature_1pm: Array
    """[B, 16]."""
    waypoints: Array
    """[B, 16, 4] x, y, heading, speed."""
    producer: str = ""

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, index: Any) -> Plan:
        return Plan(
            np.asarray(self.t0_s[index]), self.start[index], self.accel_mps2[index],
            self.curvature_1pm[index], self.waypoints[index], self.producer,
        )  # fmt: skip


@dataclass(frozen=True)
class Rollout:
    """One closed-loop drive of one scenario: enough to score, check, replay and draw it.

    Row ``t`` is step ``start_step + t`` of the scenario, t = 0 .. T-1, row 0 being the start. Agents are in the
    scenario's order. Legend: T recorded ticks, N agents, K lights, D decisions.
    """

    scenario_id: str
    scenario_hash: str
    planner: str
    traffic: str
    """``replay``, ``reactive`` or ``mixed``."""
    seed: int
    dt_s: float
    start_step: int
    ego_index: int
    pose: Array
    """[T, N, 3] x, y (box centres), heading."""
    speed_mps: Array
    """[T, N] signed speed along the heading."""
    valid: NDArray[np.bool_]
    """[T, N]."""
    reactive: NDArray[np.bool_]
    """[T, N] whether the agent was simulated in this tick rather than replayed."""
    visible: NDArray[np.bool_]
    """[T, N] whether the ego could see the agent."""
    ego_accel_mps2: Array
    """[T] acceleration applied from row t to t + 1 (last row: 0)."""
    ego_curvature_1pm: Array
    """[T] curvature driven from row t to t + 1 (last row: 0)."""
    lights: NDArray[np.uint8]
    """[T, K] light states."""
    decision_row: NDArray[np.int32]
    """[D] row at which each plan was made."""
    plan_waypoints: Array
    """[D, 16, 4] world frame, rear axle: x, y, heading, speed."""
    plan_accel_mps2: Array
    """[D, 16]."""
    plan_curvature_1pm: Array
    """[D, 16]."""
    end: str = "horizon"
    """Why it ended: ``horizon``, ``collision``, ``off_road``, ``recording_end``."""
    info: dict[str, Any] = field(default_factory=dict)
