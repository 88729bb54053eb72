"""A moment in nuplan-devkit's own classes, for planners that were written against it.

Such a planner asks with ``isinstance``, adds time points and builds new states from those it is given, so look-alikes
do not do. Nothing is imported that the planner has not imported: whether it was written against nuplan-devkit is
whether it is an instance of nuplan-devkit's ``AbstractPlanner``. The map stays the adapter's own, with nuplan-devkit's
poses; its classes are registered as (virtual) subclasses of nuplan-devkit's abstract ones.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from waytrace.observe import Scene

from .areas import Area, Path
from .inputs import initialization, planner_input
from .lanes import Lane, LaneConnector, RoadBlock
from .maps import MapApi
from .states import EgoState, OrientedBox, StateSE2, StateVector2D
from .tracks import AGENT_TYPES, DetectionsTracks, TrackedObject

_PLANNER = "nuplan.planning.simulation.planner.abstract_planner"
_STATE, _MAPS, _SIMULATION = "nuplan.common.actor_state", "nuplan.common.maps", "nuplan.planning.simulation"
_CLASSES = {
    _PLANNER: ("AbstractPlanner", "PlannerInitialization", "PlannerInput"),
    f"{_STATE}.agent": ("Agent",),
    f"{_STATE}.car_footprint": ("CarFootprint",),
    f"{_STATE}.dynamic_car_state": ("DynamicCarState",),
    f"{_STATE}.ego_state": ("EgoState",),
    f"{_STATE}.oriented_box": ("OrientedBox",),
    f"{_STATE}.scene_object": ("SceneObjectMetadata",),
    f"{_STATE}.state_representation": ("StateSE2", "StateVector2D", "TimePoint"),
    f"{_STATE}.static_object": ("StaticObject",),
    f"{_STATE}.tracked_objects": ("TrackedObjects",),
    f"{_STATE}.tracked_objects_types": ("TrackedObjectType",),
    f"{_STATE}.vehicle_parameters": ("VehicleParameters",),
    f"{_MAPS}.maps_datatypes": ("TrafficLightStatusData", "TrafficLightStatusType"),
    f"{_SIMULATION}.history.simulation_history_buffer": ("SimulationHistoryBuffer",),
    f"{_SIMULATION}.observation.observation_type": ("DetectionsTracks",),
    f"{_SIMULATION}.simulation_time_controller.simulation_iteration": ("SimulationIteration",),
}
_MAP_CLASSES = {
    "AbstractMap": MapApi, "Lane": Lane, "LaneConnector": LaneConnector, "RoadBlockGraphEdgeMapObject": RoadBlock,
    "PolygonMapObject": Area, "PolylineMapObject": Path,
}  # fmt: skip


def written_against_devkit(planner: Any) -> bool:
    """Whether a planner is a subclass of nuplan-devkit's ``AbstractPlanner``, and so has imported it."""
    module = sys.modules.get(_PLANNER)
    return module is not None and isinstance(planner, module.AbstractPlanner)


def devkit_initialization(scene: Scene) -> Any:
    """What :func:`~.inputs.initialization` says, as nuplan-devkit's ``PlannerInitialization``."""
    kit = _devkit()
    told = initialization(scene, kit.StateSE2)
    return kit.PlannerInitialization(told.route_roadblock_ids, told.mission_goal, told.map_api)


def devkit_input(scene: Scene) -> Any:
    """What :func:`~.inputs.planner_input` says, as nuplan-devkit's ``PlannerInput``."""
    kit = _devkit()
    now = planner_input(scene)
    states = [_ego_state(state) for state in now.history.ego_states]
    seen = [
        _detections(observation, state.time_us)
        for observation, state in zip(now.history.observations, states, strict=True)
    ]
    history = kit.SimulationHistoryBuffer.initialize_from_list(len(states), states, seen, now.history.sample_interval)
    lights = [
        kit.TrafficLightStatusData(
            kit.TrafficLightStatusType[light.status.name], light.lane_connector_id, light.timestamp
        )
        for light in now.traffic_light_data
    ]
    iteration = kit.SimulationIteration(kit.TimePoint(now.iteration.time_us), now.iteration.index)
    return kit.PlannerInput(iteration, history, lights)


@cache
def _devkit() -> SimpleNamespace:
    """nuplan-devkit's classes by name."""
    for name, ours in _MAP_CLASSES.items():
        where = "abstract_map" if name == "AbstractMap" else "abstract_map_objects"
        getattr(import_module(f"{_MAPS}.{where}"), name).register(ours)
    return SimpleNamespace(
        **{name: getattr(import_module(module), name) for module, names in _CLASSES.items() for name in names}
    )


def _pose(pose: StateSE2) -> Any:
    return _devkit().StateSE2(pose.x, pose.y, pose.heading)


def _vector(vector: StateVector2D) -> Any:
    return _devkit().StateVector2D(vector.x, vector.y)


def _box(box: OrientedBox) -> Any:
    return _devkit().OrientedBox(_pose(box.center), box.length, box.width, box.height)


def _ego_state(state: EgoState) -> Any:
    kit = _devkit()
    measures, motion = state.car_footprint.vehicle_parameters, state.dynamic_car_state
    vehicle = kit.VehicleParameters(
        width=measures.width,
        front_length=measures.front_length,
        rear_length=measures.rear_length,
        cog_position_from_rear_axle=measures.rear_axle_to_center,
        wheel_base=measures.wheel_base,
        vehicle_name="waytrace",
        vehicle_type="ego",
        height=measures.height,
    )
    return kit.EgoState(
        car_footprint=kit.CarFootprint(_pose(state.center), vehicle),
        dynamic_car_state=kit.DynamicCarState(
            measures.rear_axle_to_center,
            _vector(motion.rear_axle_velocity_2d),
            _vector(motion.rear_axle_acceleration_2d),
            motion.angular_velocity,
        ),
        tire_steering_angle=state.tire_steering_angle,
        is_in_auto_mode=True,
        time_point=kit.TimePoint(state.time_us),
    )


def _detections(observation: DetectionsTracks, time_us: int) -> Any:
    kit = _devkit()
    return kit.DetectionsTracks(kit.TrackedObjects([_tracked(o, time_us) for o in observation.tracked_objects]))


def _tracked(seen: TrackedObject, time_us: int) -> Any:
    kit = _devkit()
    metadata = kit.SceneObjectMetadata(
        timestamp_us=time_us,
        token=f"{seen.track_token}-{time_us}",
        track_id=int(seen.track_token),
        track_token=seen.track_token,
    )
    kind = kit.TrackedObjectType[seen.tracked_object_type.name]
    if seen.tracked_object_type in AGENT_TYPES:
        return kit.Agent(kind, _box(seen.box), _vector(seen.velocity), metadata)
    return kit.StaticObject(kind, _box(seen.box), metadata)
