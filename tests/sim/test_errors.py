"""What a caller does wrong is said, with what to do instead."""

from __future__ import annotations

import numpy as np
import pytest

from waytrace.planners import make_plan
from waytrace.scenario import AgentKind, WaytraceError
from waytrace.sim import World

from .conftest import Actor, scene, straight


@pytest.fixture
def two():
    return [scene(straight(), Actor(60.0), Actor(90.0, kind=AgentKind.PEDESTRIAN, speed=0.0)) for _ in range(2)]


def plan(rows, **changes):
    made = make_plan(np.zeros(rows), np.full((rows, 4), 1.0), np.zeros((rows, 16)), np.zeros((rows, 16)), "mine")
    for name, value in changes.items():
        object.__setattr__(made, name, value)
    return made


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"traffic": "rush"}, "unknown traffic mode 'rush'; use one of replay, reactive, mixed"),
        ({"style": "wild"}, "unknown traffic style 'wild'; use one of normal, assertive"),
        ({"controlled": "all"}, "use 'ego', 'none' or a mask"),
        ({"controlled": np.ones(2, bool)}, r"has shape \(2,\), needed \(2, 2\)"),
        ({"controlled": np.ones((3, 2), bool)}, r"has shape \(3, 2\), needed \(2, 2\)"),
        ({"controlled": np.ones((2, 3), bool)}, r"has shape \(2, 3\), needed \(2, 2\)"),
        ({"controlled": np.ones((2, 2), bool)}, "'a1' is no vehicle and cannot be controlled"),
    ],
)
def test_bad_arguments_are_refused(two, arguments, says):
    with pytest.raises(WaytraceError, match=says):
        World(two, **arguments)


def test_a_world_needs_a_scenario():
    with pytest.raises(WaytraceError, match="at least one scenario"):
        World([])


def test_who_is_not_there_at_the_start_cannot_be_controlled():
    late = scene(straight(), Actor(60.0), Actor(90.0, future=True, since=30))
    with pytest.raises(WaytraceError, match="agent slot 1 cannot be controlled, it is not there at the start step"):
        World([late], controlled=np.array([[False, True]]))


def test_plans_of_the_wrong_shape_say_which_is_needed(two):
    world = World(two)
    with pytest.raises(WaytraceError, match=r"2 controlled agents needs controls of shape \(2, 16\), got \(1, 16\)"):
        world.step_plans(plan(1))


@pytest.mark.parametrize("name", ["start", "accel_mps2", "curvature_1pm"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_plans_that_are_not_finite_are_refused_and_change_nothing(two, name, value):
    world = World(two)
    before = world.snapshot()
    bad = getattr(plan(2), name).copy()
    bad[1, 2] = value
    with pytest.raises(WaytraceError, match="mine gave a plan with values that are not finite"):
        world.step_plans(plan(2, **{name: bad}))
    for mine, kept in zip(world.snapshot().bundles, before.bundles, strict=True):
        for now, then in zip(mine, kept, strict=True):
            np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_controls_that_are_not_finite_are_refused(two, value):
    with pytest.raises(WaytraceError, match="not finite"):
        World(two).step_controls(np.array([0.0, value]), np.zeros(2))


def test_controls_of_the_wrong_shape_are_refused(two):
    with pytest.raises(WaytraceError, match="shape"):
        World(two).step_controls(np.zeros(3), np.zeros(3))


def test_a_start_of_the_wrong_shape_is_refused(two):
    with pytest.raises(WaytraceError, match="shape"):
        World(two).step_plans(plan(2, start=np.ones((1, 4))))


@pytest.mark.parametrize("name", ["start", "accel_mps2", "curvature_1pm"])
def test_plans_that_lead_out_of_this_world_are_refused(two, name):
    huge = getattr(plan(2), name) + 1e300
    with pytest.raises(WaytraceError, match="leads to values above 1e"):
        World(two).step_plans(plan(2, **{name: huge}))


def test_a_snapshot_of_other_worlds_is_refused(two):
    world = World(two)
    with pytest.raises(WaytraceError, match="snapshot is of other worlds"):
        world.restore(world.fork(worlds=[0]).snapshot())


@pytest.mark.parametrize(("copies", "worlds"), [(0, None), (1, []), (1, [2]), (1, [-1])])
def test_forks_of_no_world_are_refused(two, copies, worlds):
    with pytest.raises(WaytraceError, match="fork at least one copy of worlds from 0 to 1"):
        World(two).fork(copies, worlds)


def test_a_mask_may_be_a_list(two):
    assert World(two, controlled=[[True, False], [False, False]]).rows.world.tolist() == [0]


def test_rollouts_need_a_record(two):
    with pytest.raises(WaytraceError, match="record=False"):
        World(two, record=False).rollouts()


def test_scenes_are_of_the_present_tick(two):
    world = World(two)
    with pytest.raises(WaytraceError, match="before the world is stepped"):
        world.scene_record(0, 3)


def test_a_world_whose_episode_has_ended_stands_still(two):
    world = World(two)
    rows = np.zeros(2)
    world.step_controls(rows, rows, 1000)
    assert not world.active.any()
    then = world.snapshot()
    world.step_controls(rows + 3.0, rows, 10)
    np.testing.assert_array_equal(world.state.x, then.bundles[0][0])
    assert (world.tick == world.fixed.last_tick).all()
    assert {len(r.pose) for r in world.rollouts()} == {151}
