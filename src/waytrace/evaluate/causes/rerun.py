"""A moment of a drive, and what planners would do at it had something never been there.

The expert drives the scenario once. For every edit the drive is run anew from its first tick: what was taken away has
never been seen by anybody, all others move as they did, and the ego is led along the same plans. So a cause that is
kept is kept as it was, and what is compared at the moment are plans from one place at one speed. (How others would
have reacted is what the closed loop asks.) The ego's past would still betray what was taken away, since it has braked
for it; so it is corrected: over the last decisions the ego is shown to have accelerated as the expert, asked in the
edited drive, would have. Planners are asked at those decisions as well, so what they carry along is of the edited
drive.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.evaluate.answer import checked
from waytrace.evaluate.drive import REPLAN_TICKS
from waytrace.geometry import wrap
from waytrace.observe import Observation, Scene
from waytrace.planners import Certificate, Expert, Foresight
from waytrace.scenario import EditError, Plan, Rollout, Scenario
from waytrace.sim import World

from .edits import NONE, Edit, Edited, Element, edited
from .past import Past
from .veil import veiled

ASKED = 3
"""A planner is asked at the moment and at the decisions before it, so many in all: a second of memory."""

EXPERT = "expert"
SAME_M = 1e-6
"""An ego further than this from where it was has been pushed: nothing can be compared."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Course:
    """A scenario as the expert has driven it."""

    scenario: Scenario
    """With everybody's motion recorded, the ego's alone left out; what happened after the last moment is in none."""
    plans: tuple[Plan, ...]
    """One each half second from tick 0 on, each of one row."""
    ego_pose: Array
    """[plans, 3] x, y, heading of the ego's centre at each."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What a planner does in one edited drive at the moment."""

    plan: Plan
    """Of one planner."""
    said: Any
    """What it said, a trace; None for nothing."""
    certificate: Certificate | None
    """Of the expert: why."""
    foresight: Foresight | None


@dataclass(frozen=True, eq=False)
class Rerun:
    """One moment under several edits. Answers are by edit; an edit after which the ego was pushed has none."""

    observation: Observation
    """[edits] rows, the moment in each."""
    edits: tuple[Edit, ...]
    """Those that could be made: a curve that cannot be straightened is not among them."""
    edited: Mapping[Edit, Edited]
    answers: Mapping[str, Mapping[Edit, Answer]]
    """By name of the planner."""
    carried: Mapping[str, Any]
    """What each planner carried into the moment, all rows."""


def course(
    scenario: Scenario, ticks: Collection[int], *, traffic: str = "mixed", seed: int = 0
) -> tuple[Course, dict[int, Scene]]:  # fmt: skip
    """The expert's drive up to the last of ``ticks``, and the scene of each; of those that it comes to."""
    world, expert = World([scenario], traffic=traffic, seed=seed), Expert()
    expert.reset([scenario.id])
    plans: list[Plan] = []
    scenes: dict[int, Scene] = {}
    state: Any = None
    while world.active.any() and int(world.tick[0]) <= max(ticks, default=-1):
        observation = world.observe()
        if int(world.tick[0]) in ticks:
            scenes[int(world.tick[0])] = observation.scenes[0]
        plan, _, state = expert.plan(observation, state)
        plans.append(plan)
        world.step_plans(plan, ticks=REPLAN_TICKS)
    rollout = world.rollouts()[0]
    pose = rollout.pose[::REPLAN_TICKS, scenario.ego_index][: len(plans)]
    return Course(as_driven(scenario, rollout), tuple(plans), pose), scenes


def as_driven(scenario: Scenario, rollout: Rollout) -> Scenario:
    """The scenario with the others' motion as a rollout has it, for replay; the ego's recording stays as it was."""
    agents, start, ego = scenario.agents, scenario.start_step, scenario.ego_index
    ticks = min(len(rollout.pose), agents.valid.shape[1] - start)
    steps, others = slice(start, start + ticks), np.arange(len(agents)) != ego
    xy, heading = agents.xy.copy(), agents.heading_rad.copy()
    velocity, valid = agents.velocity_mps.copy(), agents.valid.copy()
    turned = rollout.pose[:ticks, others, 2].T
    xy[others, steps] = rollout.pose[:ticks, others, :2].swapaxes(0, 1)
    heading[others, steps] = wrap(turned)
    direction = np.stack([np.cos(turned), np.sin(turned)], -1)
    velocity[others, steps] = rollout.speed_mps[:ticks, others].T[..., None] * direction
    valid[others, steps] = rollout.valid[:ticks, others].T
    valid[others, start + ticks :] = False
    moved = replace(agents, xy=xy, heading_rad=heading, velocity_mps=velocity, valid=valid)
    return scenario.with_(agents=moved, scripts=())


def rerun(of: Course, tick: int, edits: Sequence[Edit], planners: Mapping[str, Any]) -> Rerun:
    """What ``planners`` do at ``tick`` (a decision of the course) after each of ``edits``, and without one.

    The expert is asked as well, as :data:`EXPERT`; it tells how the ego's past is to be corrected.
    """
    tried = {edit: _edited(of, tick, edit) for edit in (NONE, *edits)}
    made = {edit: found for edit, found in tried.items() if found is not None}
    chosen = tuple(made)
    world = _world([made[edit].scenario for edit in chosen])
    askers = {EXPERT: Expert(), **planners}
    state = _asked_before(of, world, tick, askers)
    with Past(world, state.gains):
        observation, kept = world.observe(), _unmoved(world)
        answers = {
            name: _answers(planner, observation, state.carried[name], chosen, kept) for name, planner in askers.items()
        }
        list(observation.scenes)  # made while the corrected past stands in the record
    return Rerun(observation, chosen, made, answers, state.carried)


def _edited(of: Course, tick: int, edit: Edit) -> Edited | None:
    """The course's scenario after an edit; None where it has a curve that cannot be straightened."""
    x, y, heading = of.ego_pose[tick // REPLAN_TICKS].tolist()
    try:
        return edited(of.scenario, edit, (x, y, heading))
    except EditError:
        if edit.straightens:
            return None
        raise


def covered(of: Course, tick: int, hidden: Sequence[Element], planner: Any) -> list[Plan]:
    """The planner's plans at ``tick`` with each of these things covered in the moment itself, the past as it was."""
    if not hidden:
        return []
    world = _world([of.scenario] * len(hidden))
    state = _asked_before(of, world, tick, {"": planner})
    plan, _, _ = checked(planner.plan(veiled(world.observe(), hidden), state.carried[""]), len(hidden), planner)
    return [plan[row] for row in range(len(hidden))]


@dataclass
class _State:
    """What was carried up to a moment."""

    carried: dict[str, Any]
    gains: list[Array]


def _world(scenarios: Sequence[Scenario]) -> World:
    return World(scenarios, traffic="replay")


def _asked_before(of: Course, world: World, tick: int, askers: Mapping[str, Any]) -> _State:
    """Bring the worlds to ``tick`` along the course; planners are asked at the last decisions before it."""
    for planner in askers.values():
        ids = [s.id for s in world.scenarios]
        planner.reset(ids, world if getattr(planner, "privileged", False) else None)
    state = _State(dict.fromkeys(askers), [])
    for k in range(tick // REPLAN_TICKS):
        if tick // REPLAN_TICKS - k < ASKED:
            with Past(world, state.gains):
                observation = world.observe()
                for name, planner in askers.items():
                    answer = planner.plan(observation, state.carried[name])
                    plan, _, state.carried[name] = checked(answer, len(world), planner)
                    if name == EXPERT:
                        state.gains.append(plan.accel_mps2[:, 0] - plan.accel_mps2[0, 0])
        world.step_plans(of.plans[k][np.zeros(len(world), int)], ticks=REPLAN_TICKS)
    return state


def _answers(
    planner: Any, observation: Observation, state: Any, edits: Sequence[Edit], kept: NDArray[np.bool_]
) -> dict[Edit, Answer]:
    plan, said, _ = checked(planner.plan(observation, state), len(edits), planner)
    evidence = isinstance(planner, Expert)
    certificates = planner.certificates if evidence else [None] * len(edits)
    forecasts = planner.forecasts if evidence else [None] * len(edits)
    return {
        edit: Answer(plan[row], said[row] if said is not None else None, certificates[row], forecasts[row])
        for row, edit in enumerate(edits) if kept[row]
    }  # fmt: skip


def _unmoved(world: World) -> NDArray[np.bool_]:
    """[W] worlds whose ego is where the first one's is."""
    place = np.stack([part[world.rows.world, world.rows.slot] for part in (world.state.x, world.state.y)], -1)
    same = np.hypot(*(place - place[0]).T) < SAME_M
    return np.asarray(same & world.active, np.bool_)
