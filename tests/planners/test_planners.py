import numpy as np
import pytest

from waytrace import planners
from waytrace.catalogue import generate
from waytrace.planners import NAMES, Planner, make
from waytrace.scenario import ACCEL_RANGE_MPS2, CURVATURE_RANGE_1PM, AgentKind, LightState, WaytraceError
from waytrace.sim import World, integrate

from .conftest import LIMIT_MPS, drive, observed, scene

CAR, WALKER = AgentKind.VEHICLE, AgentKind.PEDESTRIAN
DRIVERS = ("idm", "expert")
FRONT = 2.4


def test_every_built_in_is_a_planner_and_says_whether_it_is_privileged():
    assert NAMES == planners.names() == ("constant-velocity", "replay", "idm", "expert", "oracle")
    for name in NAMES:
        planner = make(name)
        assert isinstance(planner, Planner)
        assert planner.name == name
        assert planner.privileged == (name in ("replay", "oracle"))


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(WaytraceError, match="constant-velocity, replay, idm"):
        make("nobody")


@pytest.mark.parametrize("name", ["replay", "oracle"])
def test_privileged_planners_ask_for_the_world(name):
    with pytest.raises(WaytraceError, match="needs the world"):
        make(name).reset(["x"])


def test_constant_velocity_goes_straight_on(ego_path):
    pose, speed = ego_path(drive(make("constant-velocity"), [scene(speed=9.0)], seconds=6.0))
    assert np.abs(pose[:, 1]).max() < 1e-9
    np.testing.assert_allclose(speed, 9.0, atol=1e-9)


@pytest.mark.parametrize("name", DRIVERS)
def test_an_empty_road_is_driven_at_the_limit(name, ego_path):
    pose, speed = ego_path(drive(make(name), [scene(speed=6.0, lanes=1)]))
    assert speed.max() < LIMIT_MPS + 0.1
    assert speed[-1] > 0.93 * LIMIT_MPS
    assert np.abs(pose[:, 1]).max() < 0.2


@pytest.mark.parametrize("name", DRIVERS)
def test_it_comes_to_rest_behind_a_standing_car_that_cannot_be_passed(name, ego_path):
    pose, speed = ego_path(drive(make(name), [scene((CAR, 150.0, 0.0, 0.0, 0.0))]))
    gap = 150.0 - 4.8 - pose[:, 0].max()
    assert 0.3 < gap < 6.0
    assert speed[-1] < 0.2


@pytest.mark.parametrize("name", DRIVERS)
def test_it_follows_a_slower_car_at_its_speed(name, ego_path):
    pose, speed = ego_path(drive(make(name), [scene((CAR, 95.0, 0.0, 0.0, 6.0))]))
    assert abs(speed[-1] - 6.0) < 0.6
    assert (95.0 + 6.0 * np.arange(len(pose)) * 0.1 - pose[:, 0]).min() > 4.8 + 1.0


@pytest.mark.parametrize("name", DRIVERS)
def test_it_stops_at_the_line_while_the_light_is_red(name, ego_path):
    pose, speed = ego_path(drive(make(name), [scene(light=LightState.RED)]))
    assert 0.0 <= 140.0 - (pose[:, 0].max() + FRONT) < 2.0
    assert speed[-1] < 0.2


@pytest.mark.parametrize("name", DRIVERS)
def test_it_drives_through_green(name, ego_path):
    pose, _ = ego_path(drive(make(name), [scene(light=LightState.GREEN)]))
    assert pose[-1, 0] > 180.0


@pytest.mark.parametrize("name", DRIVERS)
def test_it_does_not_touch_someone_who_walks_across(name, ego_path):
    world = drive(make(name), [scene((WALKER, 115.0, -7.0, np.pi / 2, 1.4))])
    pose, _ = ego_path(world)
    walker = world.rollouts()[0].pose[:, 1]
    near = (np.abs(pose[:, 0] - walker[:, 0]) < FRONT + 0.3) & (np.abs(pose[:, 1] - walker[:, 1]) < 0.95 + 0.3)
    assert not near.any()
    assert pose[-1, 0] > 120.0


def test_the_expert_passes_what_stands_half_in_its_lane(ego_path):
    pose, _ = ego_path(drive(make("expert"), [scene((CAR, 130.0, -4.6, 0.0, 0.0), lanes=2, ego_y=-3.5)]))
    assert pose[-1, 0] > 150.0
    beside = np.abs(pose[:, 0] - 130.0) < 4.8
    assert (pose[beside, 1] + 4.6).min() > 1.9


def test_the_expert_goes_round_a_blocked_lane(ego_path):
    pose, _ = ego_path(drive(make("expert"), [scene((CAR, 140.0, -3.5, 0.0, 0.0), lanes=2, ego_y=-3.5)]))
    assert pose[-1, 0] > 160.0
    assert pose[:, 1].max() > -1.6


def test_replay_follows_the_log(ego_path):
    turn = 0.25 * np.sin(np.arange(160) * 0.05)
    made = scene(speed=8.0)
    speed = np.full(160, 8.0) - 3.0 * np.clip((np.arange(160) - 60) * 0.02, 0.0, 1.0)
    xy = np.cumsum(0.1 * speed[:, None] * np.stack([np.cos(turn), np.sin(turn)], -1), 0) + np.array([60.0, 0.0])
    agents = made.agents
    log = made.with_(
        agents=type(agents)(
            agents.agent_id, agents.kind, agents.size_m, xy[None], turn[None],
            speed[None, :, None] * np.stack([np.cos(turn), np.sin(turn)], -1)[None], agents.valid,
        )
    )  # fmt: skip
    pose, _ = ego_path(drive(make("replay"), [log]))
    error = np.hypot(*(pose[:, :2] - xy[10 : 10 + len(pose)]).T)
    assert np.median(error) < 0.1
    assert np.quantile(error, 0.95) < 0.3


def test_replay_refuses_a_scene_without_a_recording():
    world = World([generate("lead-braking", 0)])
    with pytest.raises(WaytraceError, match="no recorded future"):
        make("replay").reset(["x"], world)


@pytest.mark.parametrize("name", ["constant-velocity", "idm", "expert"])
def test_a_batch_gives_what_single_rows_give_and_twice_the_same(name):
    scenes = [
        scene((CAR, 100.0, 0.0, 0.0, 4.0)), scene((WALKER, 90.0, -4.0, 1.5, 1.2)), generate("unprotected-left", 3),
        generate("merge", 1),
    ]  # fmt: skip

    def plans(batch):
        world = World(batch)
        planner = make(name)
        planner.reset([s.id for s in batch])
        out, state = [], None
        for _ in range(4):
            plan, _, state = planner.plan(observed(world), state)
            out.append(plan)
            world.step_plans(plan)
        return out

    together, again = plans(scenes), plans(scenes)
    alone = [plans([s]) for s in scenes]
    for k, plan in enumerate(together):
        np.testing.assert_array_equal(plan.accel_mps2, again[k].accel_mps2)
        for i in range(len(scenes)):
            np.testing.assert_array_equal(plan.accel_mps2[i], alone[i][k].accel_mps2[0])
            np.testing.assert_array_equal(plan.curvature_1pm[i], alone[i][k].curvature_1pm[0])


@pytest.mark.parametrize("name", ["constant-velocity", "idm", "expert"])
def test_plans_are_what_their_controls_integrate_to_and_keep_the_limits(name):
    world = World([generate("cut-in", 2), generate("red-light", 1)])
    planner, state = make(name), None
    planner.reset(["a", "b"])
    for _ in range(6):
        plan, _, state = planner.plan(observed(world), state)
        np.testing.assert_array_equal(plan.waypoints, integrate(plan.start, plan.accel_mps2, plan.curvature_1pm))
        assert plan.accel_mps2.min() >= ACCEL_RANGE_MPS2[0]
        assert plan.accel_mps2.max() <= ACCEL_RANGE_MPS2[1]
        assert np.abs(plan.curvature_1pm).max() <= CURVATURE_RANGE_1PM[1]
        world.step_plans(plan)
