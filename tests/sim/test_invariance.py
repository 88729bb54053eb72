"""Where the world's origin lies, which way it faces and in what order agents are listed changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from waytrace.geometry import from_frame, wrap
from waytrace.scenario import Scenario
from waytrace.scenario.edits import permuted, remove, transformed
from waytrace.sim import World

from .conftest import Actor, advance, recorded, scene, straight, wave

TRAFFIC = ["replay", "reactive", "mixed"]
TOLERANCE_M = 1e-6


def drive(scenarios: list[Scenario], traffic: str, seconds: float = 10.0) -> World:
    """The ego brakes gently, which makes traffic react."""
    return advance(World(scenarios, traffic=traffic), seconds, -0.5)


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize("pose", [(310.0, -45.0, 0.0), (-80.0, 200.0, 2.1)])
def test_another_world_frame_gives_the_same_drive(catalogue, traffic, pose):
    here = drive(catalogue, traffic).rollouts()
    there = drive([transformed(s, pose) for s in catalogue], traffic).rollouts()
    for a, b in zip(here, there, strict=True):
        np.testing.assert_array_equal(a.valid, b.valid, err_msg=a.scenario_id)
        np.testing.assert_array_equal(a.reactive, b.reactive, err_msg=a.scenario_id)
        moved = from_frame(a.pose[..., :2], np.array(pose))
        assert np.abs(moved - b.pose[..., :2])[a.valid].max() < TOLERANCE_M, a.scenario_id
        assert np.abs(wrap(a.pose[..., 2] + pose[2] - b.pose[..., 2]))[a.valid].max() < TOLERANCE_M, a.scenario_id
        assert np.abs(a.speed_mps - b.speed_mps)[a.valid].max() < TOLERANCE_M, a.scenario_id


@pytest.mark.parametrize("traffic", TRAFFIC)
def test_the_order_of_agents_does_not_matter(catalogue, traffic):
    rng = np.random.default_rng(3)
    orders = [rng.permutation(len(s.agents)) for s in catalogue]
    here = drive(catalogue, traffic).rollouts()
    there = drive([permuted(s, o) for s, o in zip(catalogue, orders, strict=True)], traffic).rollouts()
    for a, b, order in zip(here, there, orders, strict=True):
        for name in ("pose", "speed_mps", "valid", "reactive", "visible"):
            np.testing.assert_array_equal(getattr(a, name)[:, order], getattr(b, name), err_msg=a.scenario_id)


@pytest.mark.parametrize("traffic", TRAFFIC)
def test_removing_a_far_agent_changes_nothing_else(catalogue, traffic):
    added = [with_stranger(s, s.agents.xy[s.ego_index, s.start_step] + [600.0, 500.0]) for s in catalogue]
    gone = [remove(s, ["stranger"]) for s in added]
    with_it, without = (wave(World(scenes, traffic=traffic), 100).rollouts() for scenes in (added, gone))
    for a, b in zip(with_it, without, strict=True):
        for name in ("pose", "speed_mps", "valid", "reactive", "visible"):
            np.testing.assert_array_equal(getattr(a, name)[:, 1:], getattr(b, name), err_msg=b.scenario_id)


def with_stranger(s: Scenario, xy: np.ndarray) -> Scenario:
    """With one more agent in the first place, far off and moving."""
    agents, steps = s.agents, s.steps
    time = (np.arange(steps) - s.start_step) * 0.1
    row = {
        "agent_id": ("stranger", *agents.agent_id),
        "kind": np.insert(agents.kind, 0, 0),
        "size_m": np.insert(agents.size_m, 0, (4.5, 1.8), axis=0),
        "xy": np.insert(agents.xy, 0, xy + np.stack([8.0 * time, 0.0 * time], -1), axis=0),
        "heading_rad": np.insert(agents.heading_rad, 0, 0.0, axis=0),
        "velocity_mps": np.insert(agents.velocity_mps, 0, np.broadcast_to([8.0, 0.0], (steps, 2)), axis=0),
        "valid": np.insert(agents.valid, 0, True, axis=0),
    }
    scripts = tuple(replace(script, agent=script.agent + 1) for script in s.scripts)
    routes = ((), *s.agent_route)
    return s.with_(agents=type(agents)(**row), ego_index=s.ego_index + 1, scripts=scripts, agent_route=routes)


def test_a_reactive_agent_that_drives_far_off_can_be_removed_as_well():
    near = [Actor(50.0, speed=8.0), Actor(80.0, speed=6.0), Actor(20.0, speed=9.0)]
    s = scene(straight(900.0), *near, Actor(420.0, speed=12.0), seconds=8.0)
    (a,), (b,) = (wave(World([one], traffic="reactive"), 80).rollouts() for one in (s, remove(s, ["a3"])))
    np.testing.assert_array_equal(a.pose[:, :3], b.pose)
    np.testing.assert_array_equal(a.speed_mps[:, :3], b.speed_mps)
    assert a.reactive[:, 1:].all()


def test_a_recording_made_from_a_drive_replays_it(catalogue):
    made = recorded(catalogue[0])
    world = World([made], controlled="none", traffic="replay")
    world.advance(60)
    (r,) = world.rollouts()
    start = made.start_step
    logged = made.agents.xy.transpose(1, 0, 2)[start : start + 61]
    np.testing.assert_array_equal(np.where(r.valid[..., None], r.pose[..., :2] - logged, 0.0), 0.0)
