"""Sentences about recorded traffic that turns reactive, late arrivals and prepared deeds."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from waytrace.scenario import Action, AgentKind, Scenario, Script, Trigger
from waytrace.sim import World
from waytrace.sim.arrays import ABSENT, REACTIVE, REPLAY, STANDING, WALKER

from .conftest import FAR, Actor, advance, axle, overlaps, scene, scripted, straight, two_lanes

NORTH = math.pi / 2
PEDESTRIAN = AgentKind.PEDESTRIAN


def braking_ego(follower_speed: float = 10.0) -> Scenario:
    """A recording in which a follower drives 20 m behind an ego that kept its speed."""
    return scene(
        straight(900.0), Actor(60.0, speed=10.0, future=True), Actor(35.0, speed=follower_speed, future=True),
        seconds=15.0,
    )  # fmt: skip


def test_a_replayed_agent_turns_reactive_when_the_ego_stops_before_it_and_stays_so():
    world = World([braking_ego()], traffic="mixed")
    advance(world, 0.5)
    assert world.moving.mode[0, 1] == REPLAY
    advance(world, 100.0, -5.0)
    assert world.moving.mode[0, 1] == REACTIVE
    (r,) = world.rollouts()
    turned = int(np.argmax(r.reactive[:, 1]))
    assert not r.reactive[:turned, 1].any()
    assert r.reactive[turned:, 1].all()
    assert overlaps(world) == []
    assert r.speed_mps[-1, 1] < 0.3


def test_a_replayed_agent_that_strikes_nobody_stays_on_its_recording():
    s = braking_ego()
    world = advance(World([s], traffic="mixed"), 100.0)
    (r,) = world.rollouts()
    assert not r.reactive[:, 1].any()
    np.testing.assert_array_equal(r.pose[:, 1, :2], s.agents.xy[1, s.start_step :])


def test_an_agent_that_has_turned_reactive_stays_so_when_the_ego_drives_on():
    world = World([braking_ego()], traffic="mixed")
    advance(world, 4.0, -5.0)
    assert world.moving.mode[0, 1] == REACTIVE
    advance(world, 9.0, 3.0)
    assert world.moving.mode[0, 1] == REACTIVE
    assert world.rollouts()[0].speed_mps[-1, 1] > 5.0


@pytest.mark.parametrize(("y", "heading"), [(-40.0, NORTH), (40.0, -NORTH)])
def test_a_replayed_agent_also_yields_to_the_ego_from_the_side(y, heading):
    # The recorded ego was through long before; the driven one stands on the crossing way.
    s = scene(
        straight(900.0), Actor(60.0, speed=0.1, future=True), Actor(61.0, y, speed=8.0, heading=heading, future=True)
    )
    world = advance(World([s], traffic="mixed"), 100.0, -8.0)
    assert world.moving.mode[0, 1] == STANDING, "there is no lane for it: it stops where it is"
    assert overlaps(world) == []
    struck = advance(World([s], traffic="replay"), 100.0, -8.0)
    assert overlaps(struck) != []
    assert struck.rows.collided[0] == 1


def test_a_recorded_pedestrian_stops_short_of_an_ego_that_blocks_its_way():
    walker = Actor(60.0, -8.0, speed=1.4, heading=NORTH, kind=PEDESTRIAN, future=True)
    world = advance(World([scene(straight(), Actor(60.0, speed=0.0, future=True), walker)], traffic="mixed"), 100.0)
    assert world.moving.mode[0, 1] == STANDING
    assert overlaps(world) == []


def test_replay_traffic_never_reacts():
    world = advance(World([braking_ego()], traffic="replay"), 100.0, -5.0)
    (r,) = world.rollouts()
    assert not r.reactive[:, 1].any()
    assert overlaps(world) != []


def test_a_recording_that_ends_at_the_start_leaves_at_once():
    s = scene(straight(), Actor(60.0, future=True), Actor(90.0, future=True), Actor(120.0))
    world = advance(World([s], traffic="mixed"), 2.0)
    assert world.moving.mode[0].tolist()[1:] == [REPLAY, ABSENT]


def test_things_that_move_in_the_recording_move():
    moving = Actor(90.0, 20.0, speed=1.5, kind=AgentKind.STATIC, future=True)
    s = scene(straight(), Actor(60.0, future=True), moving)
    (r,) = advance(World([s], traffic="replay"), 10.0).rollouts()
    np.testing.assert_array_equal(r.pose[:, 1, :2], s.agents.xy[1, s.start_step : s.start_step + 101])


@pytest.mark.parametrize("seconds", [1.0, 3.0])
def test_late_agents_appear_beside_nobody(seconds):
    # Recorded to appear where an ego that has stopped now stands.
    late = Actor(20.0, speed=8.0, future=True, since=10 + round(10 * seconds))
    stop_x = 20.0 + 8.0 * seconds
    s = scene(straight(), Actor(stop_x, speed=0.0), late, Actor(150.0, speed=5.0))
    world = advance(World([s], traffic="reactive"), 100.0)
    (r,) = world.rollouts()
    assert not r.valid[:, 1].all()
    assert overlaps(world) == []


def test_late_agents_appear_where_the_road_is_free():
    late = Actor(20.0, speed=8.0, future=True, since=40)
    world = advance(World([scene(straight(), FAR, late)], traffic="reactive"), 100.0)
    (r,) = world.rollouts()
    assert not r.valid[29, 1]
    assert r.valid[30, 1]
    assert world.moving.mode[0, 1] == REACTIVE


def walker_scene(trigger: Trigger, value: float, ego_speed: float = 8.0) -> Scenario:
    s = scene(straight(), Actor(30.0, speed=ego_speed), Actor(100.0, -5.0, speed=0.0, kind=PEDESTRIAN), seconds=30.0)
    walk = Script(1, trigger, value, Action.WALK, 1.4, at_xy=(100.0, 0.0), to_xy=(100.0, 5.0))
    return scripted(s, walk)


def set_off(world: World, a: int = 1) -> int:
    """First tick in which an agent moves."""
    return int(np.argmax(world.rollouts()[0].speed_mps[:, a] > 0.0))


@pytest.mark.parametrize("speed", [1.0, 4.0, 8.0, 12.0])
def test_the_walk_begins_by_the_egos_arrival_however_slow_it_is(speed):
    s = walker_scene(Trigger.EGO_TIME, 3.0, speed)
    s = s.with_(agents=type(s.agents)(**{**vars(s.agents), "xy": s.agents.xy + near_ego(s, speed)}))
    world = advance(World([s], traffic="reactive"), 100.0)
    tick = set_off(world)
    (r,) = world.rollouts()
    assert tick > 0
    distance = math.hypot(100.0 - r.pose[tick - 1, 0, 0], r.pose[tick - 1, 0, 1])
    assert distance / speed == pytest.approx(3.0, abs=0.15)


def near_ego(s: Scenario, speed: float) -> np.ndarray:
    """A shift that puts the ego 6 s before the point where its way meets the walker's."""
    by = np.zeros((len(s.agents), 1, 2))
    by[0, 0, 0] = 70.0 - 6.0 * speed
    return by


def test_a_script_goes_off_by_time_and_by_distance():
    assert set_off(advance(World([walker_scene(Trigger.TIME, 2.0)]), 100.0)) == 21
    world = advance(World([walker_scene(Trigger.EGO_DISTANCE, 25.0)]), 100.0)
    before = world.rollouts()[0].pose[set_off(world) - 1, 0, :2]
    assert math.hypot(100.0 - before[0], before[1]) == pytest.approx(25.0, abs=0.9)


def test_a_script_goes_off_after_the_one_before_it():
    s = walker_scene(Trigger.EGO_DISTANCE, 25.0)
    first = replace(s.scripts[0], to_xy=(100.0, -2.2))
    world = advance(World([scripted(s, first, replace(s.scripts[0], trigger=Trigger.AFTER, trigger_value=4.0))]), 100.0)
    (r,) = world.rollouts()
    begins = set_off(world)
    still = np.flatnonzero(r.speed_mps[begins:, 1] < 1e-6) + begins
    assert np.allclose(r.pose[still[0], 1, :2], [100.0, -2.2])
    assert r.speed_mps[begins + 38, 1] < 1e-6
    assert r.speed_mps[begins + 40, 1] > 0.1
    np.testing.assert_allclose(r.pose[-1, 1, :2], [100.0, 5.0], atol=1e-6)


def test_walkers_do_not_walk_into_the_side_of_a_standing_car_and_go_on_when_it_has_gone():
    walk = Script(1, Trigger.TIME, 0.0, Action.WALK, 1.4, to_xy=(100.0, 8.0))
    s = scene(straight(), Actor(100.0, speed=0.0), Actor(100.0, -5.0, speed=0.0, kind=PEDESTRIAN), seconds=30.0)
    world = World([scripted(s, walk)])
    advance(world, 8.0)
    (r,) = world.rollouts()
    assert overlaps(world) == []
    assert -2.0 < r.pose[-1, 1, 1] < -1.2
    advance(world, 12.0, accel_mps2=1.0)
    assert overlaps(world) == []
    np.testing.assert_allclose(world.rollouts()[0].pose[-1, 1, :2], [100.0, 8.0], atol=1e-6)


def test_walkers_stop_at_their_goal():
    world = advance(World([walker_scene(Trigger.TIME, 0.0)]), 100.0)
    (r,) = world.rollouts()
    assert world.moving.mode[0, 1] == WALKER
    np.testing.assert_allclose(r.pose[-1, 1, :2], [100.0, 5.0], atol=1e-6)
    assert r.speed_mps[-1, 1] == 0.0
    assert r.speed_mps[:, 1].max() <= 1.4 + 1e-9
    assert np.diff(r.speed_mps[:60, 1]).max() <= 0.2 + 1e-9


def test_a_scripted_lane_change_ends_in_the_other_lane_and_is_smooth():
    s = scene(two_lanes(), FAR, Actor(40.0, speed=10.0), seconds=10.0)
    s = scripted(s, Script(1, Trigger.TIME, 1.0, Action.CHANGE_LANE, 1.5, target_lane=1))
    (r,) = advance(World([s], traffic="reactive"), 100.0).rollouts()
    y = r.pose[:, 1, 1]
    assert abs(y[10]) < 1e-6
    assert y[-1] == pytest.approx(-3.5, abs=0.05)
    assert np.abs(np.diff(y)).max() <= 0.15 + 1e-9, "sideways at no more than 1.5 m/s"
    assert np.abs(np.diff(r.pose[:, 1, 2])).max() < 0.25
    course = np.arctan2(np.diff(r.pose[:, 1, 1]), np.diff(r.pose[:, 1, 0]))
    assert np.abs(course).max() < 0.2


def test_a_braking_script_brakes_as_hard_as_it_says():
    s = scene(straight(), FAR, Actor(40.0, speed=10.0))
    s = scripted(s, Script(1, Trigger.TIME, 1.0, Action.BRAKE, 6.0, target_speed_mps=2.0))
    v = advance(World([s], traffic="reactive"), 100.0).rollouts()[0].speed_mps[:, 1]
    assert np.diff(v).min() / 0.1 == pytest.approx(-6.0, abs=0.01)
    assert v[-1] == pytest.approx(2.0, abs=0.1)
    assert v[11:].min() > 1.9


def test_a_speed_script_changes_the_wish_and_comfort_stays():
    s = scene(straight(), FAR, Actor(40.0, speed=10.0))
    s = scripted(s, Script(1, Trigger.TIME, 1.0, Action.SET_SPEED, 2.0, target_speed_mps=5.0))
    v = advance(World([s], traffic="reactive"), 100.0).rollouts()[0].speed_mps[:, 1]
    assert v[-1] == pytest.approx(5.0, abs=0.3)
    assert np.diff(v).min() / 0.1 >= -2.01


def test_nobody_is_controlled_in_a_world_that_only_watches():
    s = scene(straight(), Actor(60.0, future=True), Actor(90.0, speed=4.0, future=True))
    world = World([s], controlled="none", traffic="replay")
    world.advance(100)
    (r,) = world.rollouts()
    assert len(world.rows.world) == 0
    logged = axle(s)[s.start_step : s.start_step + 101]
    assert np.abs(r.pose[:, 0, 0] - 0.28 * 4.8 - logged[:, 0]).max() < 1e-9
    assert r.end == "horizon" or r.end == "recording_end"
