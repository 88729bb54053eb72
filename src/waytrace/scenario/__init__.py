"""Scenarios, plans and rollouts: the types everything else speaks in."""

from .errors import BadFileError, StoreError, WaytraceError
from .hashing import map_hash, scenario_hash
from .plans import (
    ACCEL_RANGE_MPS2,
    CURVATURE_RANGE_1PM,
    PLAN_KNOT_S,
    PLAN_KNOTS,
    REAR_AXLE_TO_CENTRE,
    Plan,
    Rollout,
)
from .rollouts import RolloutStore, RolloutWriter, write_rollouts
from .store import ScenarioStore, ScenarioWriter
from .types import (
    DT_S,
    Action,
    AgentKind,
    Agents,
    LaneControl,
    LaneKind,
    Lights,
    LightState,
    Provenance,
    RoadMap,
    Route,
    Scenario,
    Script,
    Trigger,
)

__all__ = [
    "ACCEL_RANGE_MPS2",
    "CURVATURE_RANGE_1PM",
    "DT_S",
    "PLAN_KNOTS",
    "PLAN_KNOT_S",
    "REAR_AXLE_TO_CENTRE",
    "Action",
    "AgentKind",
    "Agents",
    "BadFileError",
    "LaneControl",
    "LaneKind",
    "LightState",
    "Lights",
    "Plan",
    "Provenance",
    "RoadMap",
    "Rollout",
    "RolloutStore",
    "RolloutWriter",
    "Route",
    "Scenario",
    "ScenarioStore",
    "ScenarioWriter",
    "Script",
    "StoreError",
    "Trigger",
    "WaytraceError",
    "map_hash",
    "scenario_hash",
    "write_rollouts",
]
