"""Sentences about reactive traffic on small roads, each checked by name."""

from __future__ import annotations

import math

import numpy as np
import pytest

from waytrace.scenario import AgentKind, LaneControl, LightState, Scenario
from waytrace.sim import World
from waytrace.sim.arrays import STANDING

from .conftest import FAR, Actor, Lane, advance, crossing, light, overlaps, road_map, scene, straight

NORTH = math.pi / 2
PEDESTRIAN = AgentKind.PEDESTRIAN


def drive(s: Scenario, seconds: float | None = None, traffic: str = "reactive", **options) -> World:
    """A world after some seconds (to its end where not said) in which the ego keeps its speed."""
    return advance(World([s], traffic=traffic, **options), 100.0 if seconds is None else seconds)


def track(world: World, a: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions [T, 2] and speeds [T] of an agent."""
    (r,) = world.rollouts()
    return r.pose[:, a, :2], r.speed_mps[:, a]


@pytest.mark.parametrize("speed", [5.0, 10.0, 15.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_follower_stops_behind_a_stopped_leader(speed, seed):
    world = drive(scene(straight(), Actor(100.0, speed=0.0), Actor(20.0, speed=speed)), seed=seed)
    xy, v = track(world, 1)
    gap = 100.0 - xy[-1, 0] - 4.8
    assert v[-1] < 0.3
    assert 1.0 < gap < 3.5
    assert overlaps(world) == []
    assert np.diff(v).min() / 0.1 > -5.0, "it saw the leader in time and need not brake hard"


def test_a_follower_keeps_its_headway_behind_a_slow_leader():
    world = drive(scene(straight(900.0), Actor(60.0, speed=6.0), Actor(20.0, speed=10.0), seconds=30.0))
    xy, v = track(world, 1)
    leader, _ = track(world, 0)
    headway = (leader[-1, 0] - xy[-1, 0] - 4.8) / v[-1]
    assert v[-1] == pytest.approx(6.0, abs=0.2)
    assert 1.2 < headway < 2.4


def test_the_assertive_style_leaves_shorter_headways_than_the_normal_one():
    s = scene(straight(900.0), Actor(60.0, speed=6.0), Actor(20.0, speed=8.0), seconds=30.0)
    gaps: dict[str, list[float]] = {"normal": [], "assertive": []}
    for style, found in gaps.items():
        for seed in range(3):
            world = drive(s, style=style, seed=seed)
            found.append(float(track(world, 0)[0][-1, 0] - track(world, 1)[0][-1, 0]) - 4.8)
    assert max(gaps["assertive"]) < min(gaps["normal"])


def test_one_agent_can_be_told_to_be_assertive():
    s = scene(straight(), Actor(60.0), Actor(20.0), Actor(100.0), assertive=np.array([False, True, False]))
    f = World([s], traffic="reactive").fixed
    assert f.headway_s[0, 1] <= 1.1 < 1.2 <= f.headway_s[0, 2]


def test_free_traffic_reaches_its_speed_within_the_limit():
    for seed in range(4):
        xy, v = track(drive(scene(straight(900.0), FAR, Actor(20.0, speed=3.0), seconds=25.0), seed=seed), 1)
        assert 0.88 * 12.0 < v[-1] < 1.06 * 12.0
        assert np.abs(xy[:, 1]).max() < 1e-6


def two_part_road(control: LaneControl = LaneControl.SIGNAL):
    return road_map(
        Lane([(0.0, 0.0), (100.0, 0.0)], on=(1,), line=True),
        Lane([(100.0, 0.0), (120.0, 0.0)], on=(2,), control=control),
        Lane([(120.0, 0.0), (500.0, 0.0)]),
    )


@pytest.mark.parametrize("speed", [5.0, 9.0, 12.0])
def test_red_is_waited_for_before_the_line_and_green_is_driven(speed):
    s = light(scene(two_part_road(), FAR, Actor(20.0, speed=speed), seconds=30.0), 1, change_s=18.0)
    world = drive(s)
    xy, v = track(world, 1)
    front = xy[:, 0] + 2.4
    assert 0.0 <= 100.0 - front[175] <= 4.0
    assert v[175] < 0.1
    assert xy[-1, 0] > 130.0
    assert np.diff(v).min() / 0.1 > -5.0


def test_yellow_stops_who_can_stop_and_lets_pass_who_cannot():
    far = light(scene(two_part_road(), FAR, Actor(40.0, speed=10.0), seconds=12.0), 1, first=LightState.YELLOW)
    near = light(scene(two_part_road(), FAR, Actor(90.0, speed=10.0), seconds=12.0), 1, first=LightState.YELLOW)
    assert track(drive(far), 1)[0][-1, 0] + 2.4 <= 100.0
    assert track(drive(near), 1)[0][-1, 0] > 120.0


def test_green_and_an_unlit_light_are_driven_without_slowing():
    for state in (LightState.GREEN, LightState.OFF, LightState.UNKNOWN):
        v = track(drive(light(scene(two_part_road(), FAR, Actor(20.0), seconds=12.0), 1, first=state)), 1)[1]
        assert v.min() > 9.5, state


def test_a_stop_sign_is_come_to_a_halt_for_and_then_left():
    xy, v = track(drive(scene(two_part_road(LaneControl.STOP), FAR, Actor(20.0, speed=10.0), seconds=25.0)), 1)
    halt = int(np.argmin(v))
    assert v[halt] < 0.3
    assert 0.0 <= 100.0 - (xy[halt, 0] + 2.4) <= 4.0
    assert xy[-1, 0] > 140.0


def crossing_scene(control: LaneControl, north_y: float, north_speed: float = 10.0, **changes) -> Scenario:
    return scene(
        crossing(control), FAR, Actor(-60.0, speed=9.0, route=(0, 1, 2)),
        Actor(0.0, north_y, speed=north_speed, heading=NORTH, route=(3, 4, 5)), seconds=20.0, **changes,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("control", [LaneControl.YIELD, LaneControl.STOP])
def test_who_must_yield_lets_crossing_traffic_through_first(control, seed):
    world = drive(crossing_scene(control, -65.0), seed=seed)
    (mine, v), (theirs, their_v) = track(world, 1), track(world, 2)
    passed = np.argmax(mine[:, 0] > 0.0)
    assert theirs[passed, 1] > 2.0, "it enters behind the other"
    assert mine[-1, 0] > 20.0, "and drives on afterwards"
    assert their_v[1:].min() > 8.5, "which need not slow for it"
    assert overlaps(world) == []
    assert v.min() < 8.0


@pytest.mark.parametrize("north_y", [-280.0, 60.0])
def test_a_gap_is_taken_when_crossing_traffic_is_far_or_gone(north_y):
    xy, v = track(drive(crossing_scene(LaneControl.YIELD, north_y)), 1)
    assert v[1:].min() > 8.5
    assert xy[110, 0] > 20.0


def test_the_required_gap_shrinks_with_patience_until_a_stream_is_crossed():
    stream = [Actor(0.0, -20.0 - 34.0 * i, speed=10.0, heading=NORTH, route=(3, 4, 5)) for i in range(9)]
    s = scene(crossing(), FAR, Actor(-30.0, speed=5.0, route=(0, 1, 2)), *stream, seconds=60.0)
    world = drive(s)
    assert track(world, 1)[0][-1, 0] > 20.0
    assert overlaps(world) == []


@pytest.mark.parametrize("seed", range(3))
def test_equal_roads_let_one_pass_and_nobody_waits_for_ever(seed):
    world = drive(crossing_scene(LaneControl.NONE, -60.0, 9.0), seed=seed)
    assert track(world, 1)[0][-1, 0] > 20.0
    assert track(world, 2)[0][-1, 1] > 20.0
    assert overlaps(world) == []


def test_traffic_yields_to_the_ego_that_has_priority():
    s = scene(
        crossing(), Actor(0.0, -55.0, speed=9.0, heading=NORTH, route=(3, 4, 5)),
        Actor(-55.0, speed=9.0, route=(0, 1, 2)), seconds=15.0,
    )  # fmt: skip
    world = drive(s)
    (ego, _), (other, _) = track(world, 0), track(world, 1)
    assert ego[np.argmax(other[:, 0] > 0.0), 1] > 2.0
    assert overlaps(world) == []


def all_way_stop():
    """Lanes 0, 1, 2 east and 3, 4, 5 north cross at the origin; both have stop signs."""
    return road_map(
        Lane([(-200.0, 0.0), (-10.0, 0.0)], on=(1,), line=True),
        Lane([(-10.0, 0.0), (10.0, 0.0)], on=(2,), control=LaneControl.STOP),
        Lane([(10.0, 0.0), (300.0, 0.0)]),
        Lane([(0.0, -300.0), (0.0, -10.0)], on=(4,), line=True),
        Lane([(0.0, -10.0), (0.0, 10.0)], on=(5,), control=LaneControl.STOP),
        Lane([(0.0, 10.0), (0.0, 400.0)]),
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("nearer_m", [-12.0, -5.0, 5.0, 12.0])
def test_at_stop_signs_on_every_arm_who_halts_first_goes_first(nearer_m, seed):
    s = scene(
        all_way_stop(), FAR, Actor(-50.0, speed=8.0, route=(0, 1, 2)),
        Actor(0.0, -50.0 + nearer_m, speed=8.0, heading=NORTH, route=(3, 4, 5)), seconds=30.0,
    )  # fmt: skip
    world = drive(s, seed=seed)
    (east, east_v), (north, north_v) = track(world, 1), track(world, 2)
    halts = [int(np.argmax(v < 0.3)) for v in (east_v, north_v)]
    passes = [int(np.argmax(east[:, 0] > 0.0)), int(np.argmax(north[:, 1] > 0.0))]
    assert halts[0] != halts[1], "the case is decided"
    assert (halts[0] < halts[1]) == (passes[0] < passes[1])
    assert min(passes) > 0, "both pass"
    assert overlaps(world) == []


@pytest.mark.parametrize("seed", range(4))
def test_those_who_halt_at_the_same_time_go_one_after_the_other(seed):
    s = scene(
        all_way_stop(), FAR, Actor(-14.0, speed=0.0, route=(0, 1, 2)),
        Actor(0.0, -14.0, speed=0.0, heading=NORTH, route=(3, 4, 5)), seconds=20.0,
    )  # fmt: skip
    world = drive(s, seed=seed)
    assert track(world, 1)[0][-1, 0] > 20.0
    assert track(world, 2)[0][-1, 1] > 20.0
    assert overlaps(world) == []


def test_an_ego_that_has_halted_gets_its_turn_and_one_that_stays_is_not_waited_for_for_ever():
    late = Actor(0.0, -60.0, speed=8.0, heading=NORTH, route=(3, 4, 5))
    s = scene(all_way_stop(), Actor(-13.0, speed=0.0, route=(0, 1, 2)), late, seconds=40.0)
    world = drive(s)
    y, v = track(world, 1)[0][:, 1], track(world, 1)[1]
    halt, passes = int(np.argmax(v < 0.3)), int(np.argmax(y > 0.0))
    assert passes - halt > 80, "it waits for the ego, whose turn it is"
    assert y[-1] > 20.0


@pytest.mark.parametrize("speed", [6.0, 10.0])
def test_people_on_the_road_are_waited_for(speed):
    standing = Actor(100.0, 0.3, speed=0.0, kind=PEDESTRIAN)
    world = drive(scene(straight(), FAR, Actor(40.0, speed=speed), standing))
    xy, v = track(world, 1)
    assert v[-1] < 0.3
    assert xy[-1, 0] + 2.4 < 99.5
    assert overlaps(world) == []


@pytest.mark.parametrize("starts_m", [4.0, 6.0, 9.0])
def test_people_who_cross_are_let_across(starts_m):
    walker = Actor(100.0, -starts_m, speed=1.4, heading=NORTH, kind=PEDESTRIAN, future=True)
    world = drive(scene(straight(), FAR, Actor(40.0, speed=10.0), walker), traffic="reactive")
    xy, _ = track(world, 1)
    assert overlaps(world) == []
    assert xy[-1, 0] > 110.0


def test_people_beside_the_road_are_driven_past():
    v = track(drive(scene(straight(), FAR, Actor(40.0), Actor(100.0, 4.0, speed=0.0, kind=PEDESTRIAN))), 1)[1]
    assert v.min() > 9.5


def test_a_parked_car_beside_the_lane_is_passed():
    parked = Actor(100.0, -2.7, speed=0.0, future=True)
    world = drive(scene(straight(), FAR, Actor(30.0, speed=9.0), parked))
    xy, _ = track(world, 1)
    assert world.moving.mode[0, 2] == STANDING
    assert overlaps(world) == []
    assert xy[-1, 0] > 120.0


@pytest.mark.parametrize("y", [-0.9, -0.6, 0.0, 0.8])
def test_a_parked_car_that_blocks_the_lane_is_waited_for(y):
    parked = Actor(100.0, y, speed=0.0, future=True)
    world = drive(scene(straight(), FAR, Actor(30.0, speed=11.0), parked, seconds=20.0))
    xy, v = track(world, 1)
    assert overlaps(world) == []
    assert xy[-1, 0] < 100.0
    assert v[-1] < 0.3


def test_a_parked_car_on_the_left_is_passed_on_the_right():
    world = drive(scene(straight(), FAR, Actor(30.0, speed=9.0), Actor(100.0, 2.1, speed=0.0, future=True)))
    xy, _ = track(world, 1)
    assert xy[:, 1].min() < -0.1
    assert xy[-1, 0] > 120.0
    assert abs(xy[-1, 1]) < 0.1, "and comes back to the middle"
    assert overlaps(world) == []


def test_curves_are_driven_at_the_speed_that_they_allow():
    turn = [(100.0 + 15.0 * math.sin(a), 15.0 - 15.0 * math.cos(a)) for a in np.linspace(0.0, math.pi / 2, 20)]
    road = road_map(
        Lane([(0.0, 0.0), (100.0, 0.0)], on=(1,)), Lane(turn, on=(2,)), Lane([(115.0, 15.0), (115.0, 300.0)])
    )  # fmt: skip
    xy, v = track(drive(scene(road, FAR, Actor(20.0, speed=11.0), seconds=25.0)), 1)
    bent = (xy[:, 0] > 103.0) & (xy[:, 1] < 12.0)
    assert (v[bent] ** 2 / 15.0).max() < 3.5
    assert xy[-1, 1] > 40.0


def test_who_reaches_the_end_of_the_road_leaves_the_world():
    world = drive(scene(straight(120.0), FAR, Actor(60.0, speed=10.0)))
    (r,) = world.rollouts()
    gone = np.flatnonzero(~r.valid[:, 1])
    assert len(gone)
    assert (np.diff(gone) == 1).all()
    assert 115.0 < r.pose[gone[0] - 1, 1, 0] <= 120.0
