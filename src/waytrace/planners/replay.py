"""What the recorded driver did, as plans: the reference that shows what plan and tracker make of a drive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import wrap
from waytrace.scenario import DT_S, PLAN_KNOT_S, PLAN_KNOTS, Plan, Scenario
from waytrace.scenario.errors import WaytraceError
from waytrace.scenario.roads import RoadCache

from .moment import Moment
from .motion import fit_controls, make_plan, stack_controls
from .reading import moments, rear_m

if TYPE_CHECKING:
    from waytrace.observe import Observation

Array = NDArray[np.float64]

LOST_M = 2.0


def logged_axle(scenario: Scenario) -> Array:
    """The ego's recorded rear axle [T', 4] (x, y, heading, speed) from the start step on, each 0.1 s.

    Gaps in the recording are bridged linearly; after its last valid step it goes on straight, for 8.5 s.
    """
    agents, ego, start = scenario.agents, scenario.ego_index, scenario.start_step
    valid = np.flatnonzero(agents.valid[ego, start:])
    step = np.arange(int(valid[-1]) + 1)
    heading = np.interp(step, valid, np.unwrap(agents.heading_rad[ego, start:][valid]))
    xy = [np.interp(step, valid, agents.xy[ego, start:, i][valid]) for i in range(2)]
    velocity = [np.interp(step, valid, agents.velocity_mps[ego, start:, i][valid]) for i in range(2)]
    rear = rear_m(int(agents.kind[ego]), float(agents.size_m[ego, 0]))
    x, y = xy[0] - rear * np.cos(heading), xy[1] - rear * np.sin(heading)
    speed = np.maximum(velocity[0] * np.cos(heading) + velocity[1] * np.sin(heading), 0.0)
    states = np.stack([x, y, heading, speed], axis=-1)
    beyond = np.arange(1, round((PLAN_KNOTS + 1) * PLAN_KNOT_S / DT_S) + 1)[:, None] * DT_S
    last = states[-1]
    tail = last + beyond * np.array([last[3] * np.cos(last[2]), last[3] * np.sin(last[2]), 0.0, 0.0])
    return np.concatenate([states, tail])


def rejoin(states: Array, tick: int, axle: Array) -> tuple[Array, Array]:
    """Controls [16] that carry ``axle`` along recorded states [T, 4] from ``tick`` on.

    Where the vehicle could not keep up with a recording that jumps (2 m off), it goes on from the nearest state.
    """
    tick = min(tick, len(states) - 1)
    if np.hypot(*(states[tick, :2] - axle[:2])) > LOST_M:
        near = slice(max(0, tick - 50), tick + 50)
        tick = near.start + int(np.argmin(np.hypot(*(states[near, :2] - axle[:2]).T)))
    at = np.minimum(tick + 5 * np.arange(1, PLAN_KNOTS + 1), len(states) - 1)
    wanted = states[at]
    heading = axle[2] + wrap(wanted[:, 2] - axle[2])
    return fit_controls(np.column_stack([wanted[:, :2], heading]), wanted[:, 3], axle)


class Replay:
    """Follows the ego's recording through plan and tracker. Privileged: the recording is the future."""

    name = "replay"
    privileged: ClassVar[bool] = True

    def __init__(self) -> None:
        self._roads = RoadCache()
        self._states: list[Array] = []

    def reset(self, ids: Sequence[str], world: Any = None) -> None:
        """Read the recordings. Raises :class:`WaytraceError` where there is none or no world is given."""
        if world is None:
            raise WaytraceError("the replay planner needs the world: call reset(ids, world)")
        for scenario in world.scenarios:
            if not scenario.recorded:
                raise WaytraceError(
                    f"{scenario.id}: the ego has no recorded future to replay; use another planner for it"
                )
        self._states = [logged_axle(scenario) for scenario in world.scenarios]

    def plan(self, observation: Observation, state: Any) -> tuple[Plan, None, Any]:
        """One plan a row."""
        return self.plan_moments(moments(observation, self._roads), state)

    def plan_moments(self, rows: Sequence[Moment], state: Any) -> tuple[Plan, None, Any]:
        """The same from moments."""
        controls = [
            rejoin(states, round(moment.t_s / DT_S), moment.axle)
            for states, moment in zip(self._states, rows, strict=True)
        ]
        accel, curvature = stack_controls(controls)
        start = np.stack([m.axle for m in rows]) if rows else np.zeros((0, 4))
        return make_plan(np.array([m.t_s for m in rows]), start, accel, curvature, self.name), None, state
