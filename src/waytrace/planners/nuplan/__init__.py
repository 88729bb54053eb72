"""Planners written for nuPlan's ``AbstractPlanner``, driven here. nuplan-devkit is neither needed nor imported.

The classes under nuPlan's names look like those of nuplan-devkit 1.2 (github.com/motional/nuplan-devkit) in the
attributes that are listed in ``docs/bring-your-own.md``; any other attribute raises :class:`Unsupported`.
"""

from .adapter import NuplanAdapter
from .inputs import PlannerInitialization, PlannerInput, initialization, planner_input
from .lanes import Lane, LaneConnector, RoadBlock
from .maps import MapApi, SemanticMapLayer
from .shapes import NuplanError, Unsupported
from .states import EgoState, OrientedBox, StateSE2, StateVector2D, TimePoint
from .tracks import DetectionsTracks, TrackedObject, TrackedObjects, TrackedObjectType
from .trajectory import InterpolatedTrajectory, poses_of

__all__ = [
    "DetectionsTracks",
    "EgoState",
    "InterpolatedTrajectory",
    "Lane",
    "LaneConnector",
    "MapApi",
    "NuplanAdapter",
    "NuplanError",
    "OrientedBox",
    "PlannerInitialization",
    "PlannerInput",
    "RoadBlock",
    "SemanticMapLayer",
    "StateSE2",
    "StateVector2D",
    "TimePoint",
    "TrackedObject",
    "TrackedObjectType",
    "TrackedObjects",
    "Unsupported",
    "initialization",
    "planner_input",
    "poses_of",
]
