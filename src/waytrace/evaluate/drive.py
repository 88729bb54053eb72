"""The closed loop: a planner drives a batch of scenarios to their end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import Observation
from waytrace.scenario import Plan, Rollout, Scenario
from waytrace.sim import World

from .answer import checked
from .timing import Clock

Watch = Callable[[Any, Observation, Plan, Any, NDArray[np.bool_], Any], None]
"""Called with planner, observation, plan, traces, which worlds are active, and the state carried into it."""

REPLAN_TICKS = 5
"""A planner is asked at 2 Hz; the simulator ticks at 10 Hz."""


def drive(
    planner: Any,
    scenarios: Sequence[Scenario],
    *,
    traffic: str = "mixed",
    style: str = "normal",
    seed: int = 0,
    replan_ticks: int = REPLAN_TICKS,
    pad_to: int = 0,
    name: str = "",
    watch: Watch | None = None,
    clock: Clock | None = None,
) -> list[Rollout]:
    """Rollouts of ``planner`` in ``scenarios``, one each, in their order.

    Every ``replan_ticks`` ticks (0.1 s each) the planner sees all worlds at once and hands over one plan for each; in
    between, the held plans are tracked. With ``pad_to`` the batch is filled up to that many worlds with repetitions
    of the last scenario, whose rollouts are dropped: a planner whose arithmetic depends on the size of its batch
    then gives the same result however the scenarios were divided. ``watch`` is called after every decision with what
    the planner saw, what it answered and the state it carried into it; only rows of worlds that still run mean anything
    then. ``clock`` takes down how long the planner takes. Raises :class:`.answer.AnswerError` for an answer that is no
    plan.
    """
    worlds = [*scenarios, *[scenarios[-1]] * (pad_to - len(scenarios))]
    world = World(worlds, traffic=traffic, style=style, seed=seed)
    planner.reset([s.id for s in worlds], world if getattr(planner, "privileged", False) else None)
    state: Any = None
    ask = planner.plan if clock is None else clock.around(planner.plan)
    while world.active.any():
        observation = world.observe()
        carried = state
        plan, traces, state = checked(ask(observation, carried), len(worlds), planner)
        if watch is not None:
            watch(planner, observation, plan, traces, world.active, carried)
        world.step_plans(plan, ticks=replan_ticks)
    return world.rollouts(name or getattr(planner, "name", type(planner).__name__))[: len(scenarios)]
