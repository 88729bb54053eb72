"""A planner that remembers: it brakes once and then keeps braking until the road ahead has been free for a second."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from waytrace.observe import Observation, column
from waytrace.planners import make_plan
from waytrace.scenario import PLAN_KNOTS, REAR_AXLE_TO_CENTRE, Plan

SPEED, LANE_D, LANE_ERROR = (column("ego", name) for name in ("speed", "lane_d", "lane_heading_error"))
X, Y = column("agents", "x"), column("agents", "y")
CRUISE_MPS, CALM_DECISIONS = 12.0, 2


class Steady:
    """Keeps its lane. The state, an array [B], counts the decisions for which each row will go on braking."""

    name = "steady"
    privileged = False

    def reset(self, ids: Sequence[str], world: Any = None) -> None:
        """Nothing to prepare: what is remembered travels in the state."""

    def plan(self, observation: Observation, state: Any) -> tuple[Plan, None, Any]:
        """Plans of 16 knots of constant acceleration and curvature."""
        braking = np.zeros(len(observation), int) if state is None else state
        ego, x, y = observation.ego, observation.agents[..., X], observation.agents[..., Y]
        ahead = observation.valid("agents") & (x > 0) & (abs(y) < 2)
        gap, speed = np.where(ahead, x, np.inf).min(axis=1), ego[:, SPEED]
        near = gap < 8 + 2 * speed
        braking = np.where(near, CALM_DECISIONS, np.maximum(braking - 1, 0))
        accel = np.where(near, -4.0, np.where(braking > 0, -1.0, np.where(speed < CRUISE_MPS, 1.0, 0.0)))
        reach = np.maximum(8, 1.5 * speed)
        curvature = -(ego[:, LANE_D] + 2 * reach * ego[:, LANE_ERROR]) / reach**2
        knots = np.ones(PLAN_KNOTS)
        start = np.array([_rear_axle(scene.ego) for scene in observation.scenes])
        plan = make_plan(observation.time_s, start, np.outer(accel, knots), np.outer(curvature, knots), self.name)
        return plan, None, braking


def _rear_axle(ego: Any) -> list[float]:
    """x, y, heading, speed of the rear axle: a plan's reference point, where scenes have box centres."""
    x, y, heading = ego.pose
    back = REAR_AXLE_TO_CENTRE * ego.length_m
    return [x - back * np.cos(heading), y - back * np.sin(heading), heading, ego.speed_mps]
