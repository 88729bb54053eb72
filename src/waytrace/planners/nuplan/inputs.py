"""What nuPlan hands its planners: once at the start, and for every decision."""

from __future__ import annotations

from dataclasses import dataclass

from waytrace.observe import Scene
from waytrace.scenario import LightState

from .areas import PoseType
from .maps import MapApi
from .shapes import ByName, LooksAlike
from .states import EgoState, StateSE2, TimePoint, ego_states
from .tracks import DetectionsTracks, detections

HISTORY_S = 2.0
"""nuPlan's own default."""


class TrafficLightStatusType(ByName):
    """What a light shows."""

    GREEN = 0
    YELLOW = 1
    RED = 2
    UNKNOWN = 3


_STATUS = {
    LightState.RED: TrafficLightStatusType.RED,
    LightState.YELLOW: TrafficLightStatusType.YELLOW,
    LightState.GREEN: TrafficLightStatusType.GREEN,
}


@dataclass(frozen=True)
class TrafficLightStatusData(LooksAlike):
    """A light. ``lane_connector_id`` is the id of a connector of the map: a string, where nuPlan has a number."""

    status: TrafficLightStatusType
    lane_connector_id: str
    timestamp: int


@dataclass(frozen=True)
class SimulationIteration(LooksAlike):
    """Which tick of 0.1 s it is."""

    time_point: TimePoint
    index: int

    @property
    def time_us(self) -> int:
        return self.time_point.time_us

    @property
    def time_s(self) -> float:
        return self.time_point.time_s


@dataclass(frozen=True)
class SimulationHistoryBuffer(LooksAlike):
    """The last 2 s of ego and observations, oldest first, of equal length; the last is now."""

    ego_states: list[EgoState]
    observations: list[DetectionsTracks]
    sample_interval: float

    @property
    def current_state(self) -> tuple[EgoState, DetectionsTracks]:
        return self.ego_states[-1], self.observations[-1]

    def __len__(self) -> int:
        return len(self.ego_states)


@dataclass(frozen=True)
class PlannerInput(LooksAlike):
    """What a decision is made from."""

    iteration: SimulationIteration
    history: SimulationHistoryBuffer
    traffic_light_data: list[TrafficLightStatusData]


@dataclass(frozen=True)
class PlannerInitialization(LooksAlike):
    """What a planner is told before the first decision."""

    route_roadblock_ids: list[str]
    mission_goal: StateSE2
    map_api: MapApi


def initialization(scene: Scene, pose: PoseType = StateSE2) -> PlannerInitialization:
    """The route as road blocks, its end as the goal, and the map."""
    map_api = MapApi(scene.map, pose)
    groups = [group for group in scene.route.groups if group]
    ids = list(dict.fromkeys(map_api.block_of[lane].id for group in groups for lane in group))
    goal = map_api.lanes[groups[-1][0]].baseline_path.discrete_path[-1]
    return PlannerInitialization(ids, goal, map_api)


def planner_input(scene: Scene) -> PlannerInput:
    """One moment as nuPlan's planners see it."""
    ticks = round(HISTORY_S / scene.dt_s) + 1
    ego, seen = ego_states(scene.ego, scene.time_s, scene.dt_s, ticks), detections(scene, ticks)
    count = min(len(ego), len(seen))
    now = TimePoint.at(scene.time_s)
    lights = [
        TrafficLightStatusData(
            _STATUS.get(LightState(int(state)), TrafficLightStatusType.UNKNOWN),
            scene.map.lane_id[int(lane)],
            now.time_us,
        )
        for lane, state in zip(scene.light_lane, scene.light_state, strict=True)
    ]
    history = SimulationHistoryBuffer(ego[-count:], seen[-count:], scene.dt_s)
    return PlannerInput(SimulationIteration(now, scene.tick), history, lights)
