"""The oracle as a planner: it drives what the search found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import DT_S, Plan, Rollout
from waytrace.scenario.errors import WaytraceError
from waytrace.scenario.roads import RoadCache

from ..moment import Moment
from ..motion import make_plan, stack_controls
from ..reading import moments, rear_m
from ..replay import rejoin
from .reference import oracle_reference

if TYPE_CHECKING:
    from waytrace.observe import Observation

Array = NDArray[np.float64]


class Oracle:
    """Drives the best drive that the search found. Privileged: it searches in forks of the world itself."""

    name = "oracle"
    privileged: ClassVar[bool] = True

    def __init__(self) -> None:
        self._roads = RoadCache()
        self._found: list[tuple[Rollout, Array]] = []

    def reset(self, ids: Sequence[str], world: Any = None) -> None:
        """Search every scenario. Raises :class:`WaytraceError` where no world is given."""
        if world is None:
            raise WaytraceError("the oracle needs the world: call reset(ids, world)")
        self._found = []
        for scenario in world.scenarios:
            result = oracle_reference(scenario, traffic=world.traffic, style=world.style, seed=world.seed)
            ego, rollout = scenario.ego_index, result.rollout
            rear = rear_m(int(scenario.agents.kind[ego]), float(scenario.agents.size_m[ego, 0]))
            x, y, h = rollout.pose[:, ego].T
            driven = np.column_stack([x - rear * np.cos(h), y - rear * np.sin(h), h, rollout.speed_mps[:, ego]])
            self._found.append((rollout, driven))

    def plan(self, observation: Observation, state: Any) -> tuple[Plan, None, Any]:
        """One plan a row."""
        return self.plan_moments(moments(observation, self._roads), state)

    def plan_moments(self, rows: Sequence[Moment], state: Any) -> tuple[Plan, None, Any]:
        """The plans of the best drive; where the vehicle is not on it, plans that lead back."""
        controls = []
        for (rollout, driven), moment in zip(self._found, rows, strict=True):
            tick = round(moment.t_s / DT_S)
            at = np.flatnonzero(rollout.decision_row == tick)
            on_it = tick < len(driven) and np.abs(driven[tick] - moment.axle).max() < 1e-6
            if len(at) and on_it:
                controls.append((rollout.plan_accel_mps2[at[0]], rollout.plan_curvature_1pm[at[0]]))
            else:
                controls.append(rejoin(_prolonged(driven), tick, moment.axle))
        accel, curvature = stack_controls(controls)
        start = np.stack([m.axle for m in rows]) if rows else np.zeros((0, 4))
        return make_plan(np.array([m.t_s for m in rows]), start, accel, curvature, self.name), None, state


def _prolonged(states: Array) -> Array:
    """Recorded states with 8.5 s straight on at the end."""
    last = states[-1]
    late = np.arange(1, 86)[:, None] * DT_S
    return np.concatenate(
        [states, last + late * np.array([last[3] * np.cos(last[2]), last[3] * np.sin(last[2]), 0.0, 0.0])]
    )
