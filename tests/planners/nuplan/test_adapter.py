"""Planners in nuPlan's form: what they are shown is the scene, what they answer is driven, what is missing is named."""

from __future__ import annotations

import enum
import math
from typing import Any

import numpy as np
import pytest

from waytrace.catalogue import generate
from waytrace.observe import Observation, Scene
from waytrace.planners.nuplan import (
    DetectionsTracks,
    InterpolatedTrajectory,
    MapApi,
    NuplanAdapter,
    NuplanError,
    SemanticMapLayer,
    StateSE2,
    TimePoint,
    TrackedObjectType,
    Unsupported,
    initialization,
    planner_input,
    poses_of,
)
from waytrace.scenario import LightState
from waytrace.sim import World


@pytest.fixture(scope="module")
def observation() -> Observation:
    world = World([generate("red-light", 3), generate("dense-lane-change", 2)])
    world.advance(7)
    return world.observe()


@pytest.fixture(scope="module", params=[0, 1])
def scene(observation: Observation, request: pytest.FixtureRequest) -> Scene:
    return observation.scenes[request.param]


class StraightOn:
    """Counts its decisions and drives on at its speed; 8 s in steps of 0.1 s, or as long as it is told."""

    def __init__(self, seconds: float = 8.0) -> None:
        self.seconds, self.decisions = seconds, 0

    def initialize(self, initialization: Any) -> None:
        self.map_api, self.blocks = initialization.map_api, initialization.route_roadblock_ids

    def name(self) -> str:
        return "straight-on"

    def observation_type(self) -> type:
        return DetectionsTracks

    def compute_planner_trajectory(self, current_input: Any) -> InterpolatedTrajectory:
        self.decisions += 1
        ego, _ = current_input.history.current_state
        (x, y, heading), speed = ego.rear_axle, ego.dynamic_car_state.speed
        ways = [0.1 * k * speed for k in range(round(10 * self.seconds) + 1)]
        poses = [(x + w * math.cos(heading), y + w * math.sin(heading), heading, speed) for w in ways]
        return InterpolatedTrajectory.of(current_input.iteration.time_us, poses, 0.1)


class Adapted(NuplanAdapter):
    def __init__(self, made: Any = StraightOn) -> None:
        self.made = made

    def make(self) -> Any:
        return self.made()


def test_a_trajectory_is_driven(observation: Observation) -> None:
    plan, traces, state = Adapted().plan(observation, None)
    assert traces is None
    assert plan.accel_mps2 == pytest.approx(np.zeros((2, 16)), abs=0.02)
    ways = 0.5 * np.arange(1, 17) * plan.start[:, 3:]
    for axis, turn in enumerate((np.cos, np.sin)):
        straight = plan.start[:, axis, None] + ways * turn(plan.start[:, 2:3])
        assert plan.waypoints[:, :, axis] == pytest.approx(straight, abs=0.1)
    assert [p.decisions for p in state] == [1, 1]


def test_a_short_trajectory_goes_straight_on(observation: Observation) -> None:
    whole, _, _ = Adapted().plan(observation, None)
    short, _, _ = Adapted(lambda: StraightOn(1.5)).plan(observation, None)
    assert short.waypoints == pytest.approx(whole.waypoints, abs=0.05)


def test_memory_is_kept_apart(observation: Observation) -> None:
    adapted = Adapted()
    _, _, first = adapted.plan(observation, None)
    _, _, second = adapted.plan(observation, first)
    _, _, again = adapted.plan(observation, first)
    assert [p.decisions for p in (*first, *second, *again)] == [1, 1, 2, 2, 2, 2]
    assert first[0].map_api is second[0].map_api  # the map never changes, so copies share it


def test_the_ego_is_the_scenes(scene: Scene) -> None:
    history = planner_input(scene).history
    ego, _ = history.current_state
    assert (*ego.center,) == pytest.approx(tuple(scene.ego.pose))
    assert ego.center.distance_to(ego.rear_axle) == pytest.approx(0.28 * scene.ego.length_m)
    assert ego.dynamic_car_state.rear_axle_velocity_2d.x == scene.ego.speed_mps
    assert ego.dynamic_car_state.rear_axle_acceleration_2d.x == scene.ego.accel_mps2
    assert ego.time_seconds == pytest.approx(1000.0 + scene.time_s)
    assert len(history) == len(history.ego_states) == len(history.observations) == 18  # 10 before the start, 7 since
    assert np.diff([s.time_us for s in history.ego_states]).tolist() == [100_000] * 17
    before = history.ego_states[-2]
    assert (*before.center,) == pytest.approx(tuple(scene.ego.pose_history[-2]))
    corners = np.array([(*corner,)[:2] for corner in ego.car_footprint.all_corners()])
    assert corners.mean(0) == pytest.approx(scene.ego.pose[:2])
    assert math.dist(corners[0], corners[1]) == pytest.approx(scene.ego.length_m)


def test_the_others_are_the_scenes(scene: Scene) -> None:
    observations = planner_input(scene).history.observations
    now = observations[-1].tracked_objects
    assert {o.track_token for o in now} == {str(i) for i in scene.agents.index}
    assert len(now.get_agents()) + len(now.get_static_objects()) == len(now)
    for other in now:
        i = scene.agents.index.tolist().index(int(other.track_token))
        assert (*other.center,) == pytest.approx(tuple(scene.agents.pose[i]))
        assert (other.box.length, other.box.width) == tuple(scene.agents.size_m[i])
        assert other.velocity.magnitude() == pytest.approx(abs(scene.agents.speed_mps[i]))
    for age, earlier in enumerate(reversed(observations[:-1]), start=1):
        assert len(earlier.tracked_objects) == scene.agents.history_valid[-1 - age].sum()


def test_the_lights_are_the_scenes(observation: Observation) -> None:
    scene = observation.scenes[0]
    assert len(scene.light_lane) > 0
    lights = planner_input(scene).traffic_light_data
    shown = {
        scene.map.lane_id[lane]: LightState(s) for lane, s in zip(scene.light_lane, scene.light_state, strict=True)
    }
    assert {light.lane_connector_id: light.status.name for light in lights} == {k: v.name for k, v in shown.items()}
    m = MapApi(scene.map)
    for connector in shown:
        assert m.get_map_object(connector, SemanticMapLayer.LANE_CONNECTOR).has_traffic_lights()


def test_the_map_is_the_scenes(scene: Scene) -> None:
    told = initialization(scene)
    m, road = told.map_api, scene.map
    everything = m.get_proximal_map_objects(StateSE2(0, 0, 0), 1e6, m.get_available_map_objects())
    found = everything[SemanticMapLayer.LANE] + everything[SemanticMapLayer.LANE_CONNECTOR]
    assert sorted(lane.id for lane in found) == sorted(road.lane_id)
    for i in range(len(road)):
        layer = SemanticMapLayer.LANE_CONNECTOR if road.in_intersection[i] else SemanticMapLayer.LANE
        lane = m.get_map_object(road.lane_id[i], layer)
        assert [o.id for o in lane.outgoing_edges] == [road.lane_id[k] for k in road.successors(i)]
        assert all(lane in other.outgoing_edges for other in lane.incoming_edges)
        path = lane.baseline_path
        middle = path.discrete_path[len(path.discrete_path) // 2]
        assert lane.contains_point(middle)
        assert lane in m.get_all_map_objects(middle, layer)
        assert m.is_in_layer(middle, SemanticMapLayer.DRIVABLE_AREA)
        assert path.get_nearest_pose_from_position(middle).distance_to(middle) < 0.05
        assert lane.speed_limit_mps == pytest.approx(float(road.speed_limit_mps[i]), nan_ok=True) or (
            lane.speed_limit_mps is None and math.isnan(road.speed_limit_mps[i])
        )
        assert lane in lane.parent.interior_edges
        assert (
            m.get_map_object(lane.get_roadblock_id(), SemanticMapLayer.ROADBLOCK) is lane.parent
            or road.in_intersection[i]
        )
    blocks = {block.id for block in m.block_of.values()}
    assert set(told.route_roadblock_ids) <= blocks
    centres = {m.block_of[lane].id for lane in scene.route.lanes}
    assert set(told.route_roadblock_ids) == centres
    goal = road.centre[scene.route.groups[-1][0]][-1]
    assert (told.mission_goal.x, told.mission_goal.y) == pytest.approx(tuple(goal))


def test_what_is_not_there_is_named(scene: Scene) -> None:
    told, now = initialization(scene), planner_input(scene)
    lane = told.map_api.lanes[0]
    for thing, attribute in ((lane, "stop_lines"), (lane.baseline_path, "raster"), (now, "scenario")):
        with pytest.raises(Unsupported, match=rf"{type(thing).__name__} has no '{attribute}'.*bring-your-own"):
            getattr(thing, attribute)
        assert not hasattr(thing, attribute)
    other = enum.Enum("SemanticMapLayer", ["STOP_LINE"]).STOP_LINE  # type: ignore[attr-defined]
    with pytest.raises(Unsupported, match="no objects of layer STOP_LINE; it has LANE"):
        told.map_api.get_all_map_objects(now.history.ego_states[-1].center, other)


def test_nuplans_own_enums_do_as_well(scene: Scene) -> None:
    theirs = enum.Enum("TrackedObjectType", {"VEHICLE": 0, "PEDESTRIAN": 1})
    assert theirs.VEHICLE == TrackedObjectType.VEHICLE  # type: ignore[attr-defined]
    assert theirs.PEDESTRIAN != TrackedObjectType.VEHICLE  # type: ignore[attr-defined]
    assert {TrackedObjectType.VEHICLE: 1}[theirs.VEHICLE] == 1  # type: ignore[attr-defined]
    now = planner_input(scene).history.observations[-1].tracked_objects
    ours = now.get_tracked_objects_of_type(TrackedObjectType.VEHICLE)
    assert now.get_tracked_objects_of_type(theirs.VEHICLE) == ours  # type: ignore[attr-defined]


class WantsSensors(StraightOn):
    def observation_type(self) -> type:
        return type("Sensors", (), {})


class WantsScenario(StraightOn):
    requires_scenario = True


class NotCopied(StraightOn):
    def __deepcopy__(self, memo: Any) -> Any:
        raise TypeError("it holds a lock")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (WantsSensors, "wants observations of type Sensors"),
        (WantsScenario, "wants nuPlan's scenario"),
        (object, "object is no planner of nuPlan's: it has no initialize, compute_planner_trajectory"),
        (NotCopied, "NotCopied cannot be copied.*it holds a lock"),
    ],
)
def test_what_cannot_be_driven_is_named(observation: Observation, made: Any, said: str) -> None:
    def two_decisions() -> None:
        _, _, state = Adapted(made).plan(observation, None)
        Adapted(made).plan(observation, state)

    with pytest.raises(NuplanError, match=said):
        two_decisions()


@pytest.mark.parametrize(
    ("poses", "said"),
    [
        ([], "a trajectory of 0 states"),
        ([(0, 0, 0, 1)], "a trajectory of 1 states"),
        ([(0, 0, 0, 1), (math.nan, 0, 0, 1)], "all of them finite: False"),
        ([(0, 0, 0, 1), (0.1, 0, 0, 1)], "from 0.00 to 0.10 s"),
    ],
)
def test_a_wrong_trajectory_is_named(poses: Any, said: str) -> None:
    now = TimePoint.at(3.0)
    with pytest.raises(NuplanError, match=said):
        poses_of(InterpolatedTrajectory.of(now.time_us, poses, 0.1), now)
    with pytest.raises(NuplanError, match="a list cannot be read as a trajectory"):
        poses_of(poses, now)


def test_a_trajectory_of_another_time_is_named() -> None:
    poses = [(0.0, 0.0, 0.0, 1.0)] * 20
    with pytest.raises(NuplanError, match=r"from 1\.00 to 2\.90 s"):
        poses_of(InterpolatedTrajectory.of(TimePoint.at(4.0).time_us, poses, 0.1), TimePoint.at(3.0))


def test_a_heading_across_the_half_turn_does_not_spin() -> None:
    now = TimePoint.at(0.0)
    headings = [3.1, -3.1] + [-3.0] * 16
    poses = poses_of(InterpolatedTrajectory.of(now.time_us, [(0.0, 0.0, h, 0.0) for h in headings], 0.45), now)
    assert np.abs(np.diff(poses[:, 2])).max() < 0.2


def test_speeds_are_those_of_the_poses() -> None:
    now = TimePoint.at(0.0)
    braking = [(10.0 * s - s * s, 0.0, 0.0, 0.0) for s in np.arange(0.0, 5.01, 0.1)]  # claims to stand
    poses = poses_of(InterpolatedTrajectory.of(now.time_us, braking, 0.1), now)
    assert poses[:9, 3] == pytest.approx(10.0 - 2.0 * 0.5 * np.arange(1, 10))
    assert poses[10:, 3] == pytest.approx(0.0, abs=0.11)


def test_a_trajectory_that_goes_back_stands() -> None:
    now = TimePoint.at(0.0)
    back = [(0.0, -0.5 * s, math.pi / 2, 0.0) for s in np.arange(0.0, 8.01, 0.5)]
    poses = poses_of(InterpolatedTrajectory.of(now.time_us, back, 0.5), now)
    assert poses == pytest.approx(np.tile([0.0, 0.0, math.pi / 2, 0.0], (16, 1)))
