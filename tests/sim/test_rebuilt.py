"""A scene that is made anew from a rollout or a recording is the scene that the planner was given in the drive."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from waytrace.catalogue import generate
from waytrace.observe import Scene, scene_at, scenes_of
from waytrace.planners import make
from waytrace.scenario import Scenario, WaytraceError
from waytrace.sim import World


def same(a: Any, b: Any) -> bool:
    """Whether two values, arrays and bundles of them included, are bit for bit equal."""
    if dataclasses.is_dataclass(a):
        return type(a) is type(b) and all(
            same(getattr(a, f.name), getattr(b, f.name))
            for f in dataclasses.fields(a)
            if f.name not in ("map", "route")
        )
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    return bool(a == b)


def drive(scenario: Scenario, planner: str = "idm", decisions: int = 16) -> tuple[World, dict[int, Scene]]:
    world, state = World([scenario]), None
    maker = make(planner)
    maker.reset([scenario.id])
    found = {}
    for _ in range(decisions):
        observation = world.observe()
        found[int(observation.tick[0])] = observation.scenes[0]
        plan, _, state = maker.plan(observation, state)
        world.step_plans(plan)
    return world, found


@pytest.mark.parametrize("family", ["pedestrian-occluded", "red-light", "cut-in", "merge"])
def test_scenes_of_a_rollout_are_those_of_the_drive(family: str) -> None:
    scenario = generate(family, 3)
    world, found = drive(scenario)
    rollout = world.rollouts()[0]
    again = dict(scenes_of(scenario, found, rollout))
    assert again.keys() == found.keys()
    assert all(same(again[tick], found[tick]) for tick in found)
    assert any(len(scene.agents) and scene.agents.age_s.any() for scene in found.values()) or family != "cut-in"


def recorded(scenario: Scenario) -> Scenario:
    """A generated scenario with the rest of a drive as its recording."""
    world, _ = drive(scenario)
    rollout = world.rollouts()[0]
    start, agents = scenario.start_step, scenario.agents
    xy = np.concatenate([agents.xy[:, :start], rollout.pose[..., :2].swapaxes(0, 1)], 1)
    heading = np.concatenate([agents.heading_rad[:, :start], rollout.pose[..., 2].T], 1)
    speed = np.concatenate([np.hypot(*agents.velocity_mps[:, :start].T).T, rollout.speed_mps.T], 1)
    velocity = speed[..., None] * np.stack([np.cos(heading), np.sin(heading)], -1)
    valid = np.concatenate([agents.valid[:, :start], rollout.valid.T], 1)
    valid[1:, start + 40 :] = False
    moved = dataclasses.replace(agents, xy=xy, heading_rad=heading, velocity_mps=velocity, valid=valid)
    lights = dataclasses.replace(scenario.lights, state=scenario.lights.state[: valid.shape[1]])
    return scenario.with_(agents=moved, lights=lights, end_step=valid.shape[1] - 1, family="", scripts=())


def test_scenes_of_a_recording_are_those_of_its_replay() -> None:
    scenario = recorded(generate("red-light", 2))
    world = World([scenario], controlled="none", traffic="replay")
    assert len(world.rows.slot) == 0  # nobody looks there; at the start the ego's own world is at hand
    first = World([scenario], traffic="replay").observe().scenes[0]
    assert same(scene_at(scenario, 0), first)
    later = dict(scenes_of(scenario, [0, 5, 30]))
    assert same(later[0], first)
    assert [scene.tick for scene in later.values()] == [0, 5, 30]


def test_a_tick_outside_of_the_drive_is_refused_with_what_to_do() -> None:
    scenario = generate("cut-in", 1)
    with pytest.raises(WaytraceError, match="give the rollout"):
        scene_at(scenario, 5)
    with pytest.raises(WaytraceError, match="ticks 0 to"):
        scene_at(scenario, 100_000)
    rollout = drive(scenario, decisions=2)[0].rollouts()[0]
    with pytest.raises(WaytraceError, match="another scenario"):
        scene_at(generate("red-light", 1), 0, rollout)
