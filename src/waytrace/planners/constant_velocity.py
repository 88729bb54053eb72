"""Straight on at the present speed: the planner that every other must beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from waytrace.scenario import PLAN_KNOTS, Plan
from waytrace.scenario.roads import RoadCache

from .moment import Moment
from .motion import make_plan
from .reading import moments

if TYPE_CHECKING:
    from waytrace.observe import Observation


class ConstantVelocity:
    """Zero acceleration, zero curvature, whatever is ahead."""

    name = "constant-velocity"
    privileged: ClassVar[bool] = False

    def __init__(self) -> None:
        self._roads = RoadCache()

    def reset(self, ids: Sequence[str], world: Any = None) -> None:
        """Nothing to prepare."""

    def plan(self, observation: Observation, state: Any) -> tuple[Plan, None, Any]:
        """Straight plans, one a row."""
        return self.plan_moments(moments(observation, self._roads), state)

    def plan_moments(self, rows: Sequence[Moment], state: Any) -> tuple[Plan, None, Any]:
        """The same from moments."""
        start = np.stack([m.axle for m in rows]) if rows else np.zeros((0, 4))
        still = np.zeros((len(start), PLAN_KNOTS))
        return make_plan(np.array([m.t_s for m in rows]), start, still, still, self.name), None, state
