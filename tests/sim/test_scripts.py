"""Sentences about agents that press on: through red, over the limit, for nobody but those ahead."""

from __future__ import annotations

import math

import numpy as np
import pytest

from waytrace.scenario import Action, LaneControl, LightState, Script, Trigger
from waytrace.sim import World

from .conftest import FAR, Actor, advance, crossing, light, overlaps, scene, scripted, straight, two_lanes

NORTH = math.pi / 2


def press_on(agent: int, speed_mps: float, brake_mps2: float = 8.0, at_s: float = 0.0) -> Script:
    return Script(agent, Trigger.TIME, at_s, Action.PRESS_ON, brake_mps2, target_speed_mps=speed_mps)


def drive(s, **options) -> World:
    return advance(World([s], traffic="reactive", **options), 100.0)


def test_who_presses_on_drives_through_red_and_others_stop():
    s = light(scene(crossing(LaneControl.SIGNAL), FAR, Actor(-60.0, route=(0, 1, 2))), 1)
    for scripts, passes in (((), False), ((press_on(1, 10.0),), True)):
        (r,) = drive(scripted(s, *scripts)).rollouts()
        assert (r.pose[-1, 1, 0] > 20.0) == passes
        assert passes == bool(np.all(r.speed_mps[:, 1] > 9.5))


def test_who_presses_on_drives_faster_than_the_limit_until_a_script_ends_it():
    s = scene(straight(900.0), FAR, Actor(20.0), seconds=25.0)
    slows = Script(1, Trigger.TIME, 12.0, Action.SET_SPEED, 2.0, target_speed_mps=30.0)
    (r,) = drive(scripted(s, press_on(1, 20.0), slows)).rollouts()
    assert r.speed_mps[119, 1] > 16.0
    assert r.speed_mps[-1, 1] < 1.06 * 12.0


@pytest.mark.parametrize(("brake", "stops"), [(8.0, True), (0.0, False)])
def test_who_presses_on_brakes_for_those_ahead_as_hard_as_it_says(brake, stops):
    s = scripted(scene(straight(), Actor(100.0, speed=0.0), Actor(20.0)), press_on(1, 10.0, brake))
    world = drive(s)
    (r,) = world.rollouts()
    assert (overlaps(world) == []) == stops
    assert (r.speed_mps[-1, 1] < 0.3) == stops


@pytest.mark.parametrize("offset", [-1.0, 0.0, 1.0])
def test_cross_traffic_on_green_lets_through_who_presses_on_at_red(offset):
    s = scene(
        crossing(LaneControl.SIGNAL), FAR, Actor(-70.0 + 10.0 * offset, speed=14.0, route=(0, 1, 2)),
        Actor(0.0, -50.0, heading=NORTH, route=(3, 4, 5)),
    )  # fmt: skip
    s = scripted(light(s, 1), press_on(1, 14.0))
    for seed in range(4):
        world = drive(s, seed=seed)
        (r,) = world.rollouts()
        assert overlaps(world) == []
        assert r.pose[50:60, 1, 0].max() > r.pose[50:60, 2, 1].max(), "it is through first"
        assert r.pose[-1, 2, 1] > 20.0, "and the other drives on after it"


def test_who_presses_on_keeps_its_place_beside_the_lane():
    s = scene(two_lanes(), FAR, Actor(20.0, 1.9, route=(0,)), Actor(80.0, -0.5, speed=0.0))
    for scripts, aside in (((), 0.8), ((press_on(1, 8.0),), 1.9)):
        (r,) = drive(scripted(s, *scripts)).rollouts()
        assert r.pose[20, 1, 1] == pytest.approx(aside, abs=0.05)


def test_a_light_that_is_green_changes_nothing_for_who_presses_on():
    s = scripted(scene(crossing(LaneControl.SIGNAL), FAR, Actor(-60.0, route=(0, 1, 2))), press_on(1, 10.0))
    one, other = (drive(light(s, 1, first=f)).rollouts()[0] for f in (LightState.GREEN, LightState.RED))
    np.testing.assert_array_equal(one.pose, other.pose)
