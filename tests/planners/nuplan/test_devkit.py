"""Against an installed nuplan-devkit: what its planners are handed is of its classes, and they drive."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

from waytrace.catalogue import generate
from waytrace.observe import Scene
from waytrace.planners.nuplan import Lane, LaneConnector, MapApi, NuplanAdapter, RoadBlock, SemanticMapLayer, poses_of
from waytrace.planners.nuplan.areas import Path
from waytrace.planners.nuplan.devkit import devkit_initialization, devkit_input, written_against_devkit
from waytrace.scenario import LightState
from waytrace.sim import World

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its dependencies' own, while they are imported
    simple_planner = pytest.importorskip(
        "nuplan.planning.simulation.planner.simple_planner",
        reason="nuplan-devkit is not importable (github.com/motional/nuplan-devkit on PYTHONPATH, with what it needs)",
    )
    from nuplan.common.actor_state.agent import Agent
    from nuplan.common.actor_state.ego_state import EgoState
    from nuplan.common.actor_state.static_object import StaticObject
    from nuplan.common.actor_state.tracked_objects_types import AGENT_TYPES
    from nuplan.common.maps import abstract_map, abstract_map_objects, maps_datatypes
    from nuplan.planning.simulation.observation.observation_type import DetectionsTracks
    from nuplan.planning.simulation.planner.abstract_planner import PlannerInitialization, PlannerInput
    from nuplan.planning.simulation.planner.idm_planner import IDMPlanner

pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered in line_locate_point:RuntimeWarning")

NOT_THERE = {
    MapApi: {"get_raster_map", "get_raster_map_layer", "get_distance_to_nearest_raster_layer"},
    Lane: {"stop_lines", "get_width_left_right", "oriented_distance"},
    LaneConnector: {"stop_lines", "get_width_left_right", "oriented_distance", "turn_type"},
    RoadBlock: {"children_stop_lines", "intersection", "parallel_edges"},
    Path: set[str](),
}
"""What the documentation says is not there."""


def simple() -> Any:
    return simple_planner.SimplePlanner(
        horizon_seconds=10.0, sampling_time=0.25, acceleration=[0.0, 0.0], max_velocity=5.0
    )


def idm() -> Any:
    return IDMPlanner(
        target_velocity=10, min_gap_to_lead_agent=1.0, headway_time=1.5, accel_max=1.0, decel_max=3.0,
        planned_trajectory_samples=16, planned_trajectory_sample_interval=0.5, occupancy_map_radius=40,
    )  # fmt: skip


class Adapted(NuplanAdapter):
    def __init__(self, made: Any) -> None:
        self.made = made

    def make(self) -> Any:
        return self.made()


@pytest.fixture(scope="module", params=["red-light", "work-zone"])
def scene(request: pytest.FixtureRequest) -> Scene:
    world = World([generate(request.param, 3)])
    world.advance(7)
    scene: Scene = world.observe().scenes[0]
    return scene


def test_its_own_planners_are_known() -> None:
    assert written_against_devkit(simple())
    assert not written_against_devkit(object())


def test_the_input_is_of_its_classes_and_says_what_the_scene_says(scene: Scene) -> None:
    now = devkit_input(scene)
    ego, observation = now.history.current_state
    assert isinstance(now, PlannerInput)
    assert isinstance(ego, EgoState)
    assert isinstance(observation, DetectionsTracks)
    assert (*ego.center,) == pytest.approx(tuple(scene.ego.pose))
    assert ego.center.distance_to(ego.rear_axle) == pytest.approx(0.28 * scene.ego.length_m)
    assert ego.dynamic_car_state.rear_axle_velocity_2d.x == pytest.approx(scene.ego.speed_mps)
    assert ego.dynamic_car_state.center_velocity_2d.y == pytest.approx(
        scene.ego.yaw_rate_radps * 0.28 * scene.ego.length_m
    )
    assert (ego.car_footprint.length, ego.car_footprint.width) == pytest.approx((scene.ego.length_m, scene.ego.width_m))
    assert np.diff([s.time_us for s in now.history.ego_states]).tolist() == [100_000] * (len(now.history) - 1)
    seen = {o.track_token: o for o in observation.tracked_objects}
    assert sorted(seen) == sorted(str(i) for i in scene.agents.index)
    for k, index in enumerate(scene.agents.index):
        other = seen[str(index)]
        assert isinstance(other, Agent if other.tracked_object_type in AGENT_TYPES else StaticObject)
        assert (*other.center,) == pytest.approx(tuple(scene.agents.pose[k]))
        if isinstance(other, Agent):
            assert other.velocity.magnitude() == pytest.approx(abs(scene.agents.speed_mps[k]))
    assert {light.lane_connector_id: light.status.name for light in now.traffic_light_data} == {
        scene.map.lane_id[lane]: LightState(s).name for lane, s in zip(scene.light_lane, scene.light_state, strict=True)
    }


def test_the_map_passes_for_its_own(scene: Scene) -> None:
    told = devkit_initialization(scene)
    assert isinstance(told, PlannerInitialization)
    assert isinstance(told.map_api, abstract_map.AbstractMap)
    shapely = pytest.importorskip("shapely")
    for lane in told.map_api.lanes:
        connector = bool(scene.map.in_intersection[lane.number])
        assert isinstance(lane, abstract_map_objects.LaneGraphEdgeMapObject)
        assert isinstance(lane, abstract_map_objects.LaneConnector) == connector
        assert isinstance(lane, abstract_map_objects.Lane) != connector
        assert isinstance(lane.parent, abstract_map_objects.RoadBlockGraphEdgeMapObject)
        path = lane.baseline_path
        assert isinstance(path, abstract_map_objects.PolylineMapObject)
        assert path.linestring.length == pytest.approx(path.length)
        middle = path.discrete_path[len(path.discrete_path) // 2]
        assert lane.polygon.contains(shapely.Point(*middle.array))
        assert lane.parent.polygon.covers(lane.polygon.buffer(-0.01))
        left = lane.left_boundary.discrete_path[0]
        outside = type(left)(left.x - 5.0 * math.sin(left.heading), left.y + 5.0 * math.cos(left.heading), left.heading)
        assert lane.distance_m(outside) == pytest.approx(lane.polygon.distance(shapely.Point(*outside.array)))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (MapApi, abstract_map.AbstractMap),
        (Lane, abstract_map_objects.Lane),
        (LaneConnector, abstract_map_objects.LaneConnector),
        (RoadBlock, abstract_map_objects.RoadBlockGraphEdgeMapObject),
        (Path, abstract_map_objects.PolylineMapObject),
    ],
)
def test_what_is_not_there_is_what_the_documentation_says(ours: type, theirs: Any) -> None:
    names = {name for base in theirs.__mro__ for name in vars(base) if not name.startswith("_")}
    assert {name for name in names if not hasattr(ours, name)} == NOT_THERE[ours]


def test_layers_have_its_numbers() -> None:
    for layer in SemanticMapLayer:
        assert layer.value == maps_datatypes.SemanticMapLayer[layer.name].value
        assert layer == maps_datatypes.SemanticMapLayer[layer.name]


@pytest.mark.parametrize("made", [simple, idm])
def test_its_planners_drive(made: Any) -> None:
    world = World([generate("red-light", 3)])
    world.advance(7)
    adapted, state = Adapted(made), None
    for _ in range(3):
        observation = world.observe()
        plan, _, state = adapted.plan(observation, state)
        world.step_plans(plan, ticks=5)
    planner = state[0]
    answered = planner.compute_planner_trajectory(devkit_input(observation.scenes[0]))
    poses = poses_of(answered, devkit_input(observation.scenes[0]).iteration.time_point)
    assert np.hypot(*(plan.waypoints[0, :, :2] - poses[:, :2]).T).max() < 2.0
    assert np.isfinite(plan.waypoints).all()
