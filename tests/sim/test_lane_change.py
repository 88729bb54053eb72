"""Sentences about lane changes of reactive traffic's own accord, which the style ``changing`` has."""

from __future__ import annotations

import numpy as np
import pytest

from waytrace.catalogue import families, generate_many
from waytrace.scenario import Action, AgentKind, RoadMap, Scenario, Script, Trigger
from waytrace.scenario.edits import permuted, remove
from waytrace.sim import World

from .conftest import FAR, Actor, Lane, advance, digest, overlaps, road_map, same, scene, scripted


def wide(length_m: float = 900.0) -> RoadMap:
    """Three lanes to the east: 0 on the right, 1 in the middle, 2 on the left."""
    ways = [[(-100.0, y), (length_m, y)] for y in (0.0, 3.5, 7.0)]
    return road_map(Lane(ways[0], beside=(1, -1)), Lane(ways[1], beside=(2, 0)), Lane(ways[2], beside=(-1, 1)))


def run(s: Scenario, seconds: float = 15.0, style: str = "changing", seed: int = 0) -> World:
    return advance(World([s], traffic="reactive", style=style, seed=seed), seconds)


def side(world: World, a: int) -> np.ndarray:
    """How far left an agent is at every tick."""
    (r,) = world.rollouts()
    return r.pose[:, a, 1]


SLOW, QUICK = Actor(80.0, speed=4.0, path=lambda t: 4.0 * t), Actor(20.0, speed=10.0)


def slow_leader(*more: Actor) -> Scenario:
    """The ego crawls, a quicker vehicle comes up behind it."""
    return scene(wide(), SLOW, QUICK, *more)


@pytest.mark.parametrize("seed", range(4))
def test_one_behind_a_slow_leader_overtakes_on_a_free_lane(seed):
    world = run(slow_leader(), seed=seed)
    assert side(world, 1)[-1] == pytest.approx(3.5, abs=0.2)
    assert overlaps(world) == []


@pytest.mark.parametrize("style", ["normal", "assertive"])
def test_the_other_styles_stay_behind(style):
    assert abs(side(run(slow_leader(), style=style), 1)).max() < 0.1


@pytest.mark.parametrize("seed", range(4))
def test_it_stays_while_somebody_is_beside_it_or_comes_up_fast(seed):
    beside = run(slow_leader(Actor(20.0, 3.5, speed=10.0)), 3.0, seed=seed)
    assert abs(side(beside, 1)).max() < 0.1
    fast = run(slow_leader(Actor(-5.0, 3.5, speed=25.0)), 2.0, seed=seed)
    assert abs(side(fast, 1)).max() < 0.1


@pytest.mark.parametrize("apart", [0, 1, 5])
def test_two_do_not_take_the_same_place_between_them(apart):
    blocks = [Actor(90.0, y, speed=3.0, path=lambda t: 3.0 * t) for y in (0.0, 7.0)]
    s = scene(wide(), FAR, Actor(30.0, 0.0, speed=11.0), Actor(30.0, 7.0, speed=11.0), *blocks)
    world = World([s], traffic="reactive", style="changing")
    world.fixed.lane_phase[0, 1:] = (3, 3 + apart, -1, -1)
    advance(world, 15.0)
    assert overlaps(world) == []
    assert (world.moving.changed_at[0, 1:3] >= 0).any() == (apart > 0), "the first goes, or neither where both would"


def test_a_lane_that_ends_soon_or_leads_elsewhere_is_not_taken():
    ways = [[(-100.0, 0.0), (900.0, 0.0)], [(-100.0, 3.5), (70.0, 3.5)]]
    ends = road_map(Lane(ways[0], beside=(1, -1)), Lane(ways[1], beside=(-1, 0)))
    assert abs(side(run(scene(ends, SLOW, QUICK)), 1)).max() < 0.1
    split = road_map(
        Lane([(-100.0, 0.0), (400.0, 0.0)], on=(2,), beside=(1, -1)),
        Lane([(-100.0, 3.5), (400.0, 3.5)], on=(3,), beside=(-1, 0)),
        Lane([(400.0, 0.0), (900.0, 0.0)]),
        Lane([(400.0, 3.5), (800.0, 300.0)]),
    )
    assert abs(side(run(scene(split, SLOW, Actor(20.0, speed=10.0, route=(0, 2)))), 1)).max() < 0.1


def test_its_way_goes_on_from_the_lane_that_it_took():
    road = road_map(
        Lane([(-100.0, 0.0), (300.0, 0.0)], on=(2,), beside=(1, -1)),
        Lane([(-100.0, 3.5), (300.0, 3.5)], on=(3,), beside=(-1, 0)),
        Lane([(300.0, 0.0), (900.0, 0.0)], beside=(3, -1)),
        Lane([(300.0, 3.5), (900.0, 3.5)], beside=(-1, 2)),
    )
    world = run(scene(road, SLOW, Actor(20.0, speed=10.0, route=(0, 2)), seconds=40.0), 40.0)
    assert world.state.x[0, 1] > 310.0
    assert world.state.lane[0, 1] in (2, 3)


def test_who_has_a_script_changes_lanes_by_script_only():
    s = scripted(slow_leader(), Script(1, Trigger.TIME, 60.0, Action.SET_SPEED, 1.0, target_speed_mps=9.0))
    assert abs(side(run(s), 1)).max() < 0.1


def test_a_cyclist_in_the_other_lane_is_seen():
    world = run(slow_leader(Actor(32.0, 3.5, speed=4.0, kind=AgentKind.CYCLIST, size=(1.8, 0.7))), 6.0)
    assert overlaps(world) == []


@pytest.fixture(scope="module")
def traffic() -> list[Scenario]:
    return list(generate_many(30, families=families("train")))


def test_traffic_that_changes_lanes_strikes_nobody_that_other_traffic_does_not(traffic):
    changes = 0
    for s in traffic:
        worlds = {}
        for style in ("normal", "changing"):
            worlds[style] = World([s], controlled="none", traffic="reactive", style=style)
            worlds[style].advance(s.end_step - s.start_step)
        changes += int((worlds["changing"].moving.changed_at >= 0).sum())
        met = {style: {pair[1:] for pair in overlaps(world)} for style, world in worlds.items()}
        assert met["changing"] <= met["normal"], s.id
    assert changes >= 10


def test_worlds_together_equal_worlds_alone_and_forks_go_on(traffic):
    together = World(traffic[:4], traffic="reactive", style="changing", shards=2)
    alone = [World([s], traffic="reactive", style="changing") for s in traffic[:4]]
    for world in (together, *alone):
        advance(world, 6.0)
    fork = together.fork()
    for world in (together, fork, *alone):
        advance(world, 4.0)
    assert digest(fork) == digest(together)
    for rollout, world in zip(together.rollouts(), alone, strict=True):
        same(rollout, world.rollouts()[0])


def test_the_order_of_agents_and_those_far_away_change_nothing():
    s = slow_leader(Actor(60.0, 3.5, speed=8.0), Actor(0.0, 7.0, speed=12.0), FAR)
    world = run(s)
    (here,) = world.rollouts()
    order = [0, 3, 1, 4, 2]
    (other,) = run(permuted(s, order)).rollouts()
    np.testing.assert_array_equal(here.pose[:, order], other.pose)
    (without,) = run(remove(s, ["a4"])).rollouts()
    np.testing.assert_array_equal(here.pose[:, :4], without.pose)
