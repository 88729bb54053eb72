"""The other road users as nuPlan's tracked objects."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from waytrace.observe import Scene
from waytrace.scenario import AgentKind

from .shapes import ByName, LooksAlike
from .states import OrientedBox, StateSE2, StateVector2D


class TrackedObjectType(ByName):
    """nuPlan's kinds, as far as there are such here."""

    VEHICLE = 0
    PEDESTRIAN = 1
    BICYCLE = 2
    GENERIC_OBJECT = 6


TYPE_OF = {
    AgentKind.VEHICLE: TrackedObjectType.VEHICLE,
    AgentKind.LARGE_VEHICLE: TrackedObjectType.VEHICLE,
    AgentKind.MOTORCYCLE: TrackedObjectType.BICYCLE,
    AgentKind.CYCLIST: TrackedObjectType.BICYCLE,
    AgentKind.PEDESTRIAN: TrackedObjectType.PEDESTRIAN,
    AgentKind.STATIC: TrackedObjectType.GENERIC_OBJECT,
    AgentKind.UNKNOWN: TrackedObjectType.GENERIC_OBJECT,
}
AGENT_TYPES = (TrackedObjectType.VEHICLE, TrackedObjectType.PEDESTRIAN, TrackedObjectType.BICYCLE)


@dataclass(frozen=True)
class TrackedObject(LooksAlike):
    """One road user or thing; ``velocity`` is in the world frame."""

    tracked_object_type: TrackedObjectType
    box: OrientedBox
    velocity: StateVector2D
    track_token: str
    """The agent's number in the scenario."""

    @property
    def token(self) -> str:
        return self.track_token

    @property
    def center(self) -> StateSE2:
        return self.box.center


@dataclass(frozen=True)
class TrackedObjects(LooksAlike):
    """What is seen at one moment, ordered by type, within a type nearest first."""

    tracked_objects: tuple[TrackedObject, ...]

    def __iter__(self) -> Iterator[TrackedObject]:
        return iter(self.tracked_objects)

    def __len__(self) -> int:
        return len(self.tracked_objects)

    def get_tracked_objects_of_type(self, tracked_object_type: TrackedObjectType) -> list[TrackedObject]:
        return [o for o in self.tracked_objects if o.tracked_object_type == tracked_object_type]

    def get_tracked_objects_of_types(self, tracked_object_types: Iterable[TrackedObjectType]) -> list[TrackedObject]:
        return [o for kind in tracked_object_types for o in self.get_tracked_objects_of_type(kind)]

    def get_agents(self) -> list[TrackedObject]:
        """Vehicles, pedestrians, bicycles."""
        return self.get_tracked_objects_of_types(AGENT_TYPES)

    def get_static_objects(self) -> list[TrackedObject]:
        """Whatever is none of these."""
        return self.get_tracked_objects_of_type(TrackedObjectType.GENERIC_OBJECT)


@dataclass(frozen=True)
class DetectionsTracks(LooksAlike):
    """An observation of nuPlan's kind with this name."""

    tracked_objects: TrackedObjects


def detections(scene: Scene, ticks: int) -> list[DetectionsTracks]:
    """What was seen in the last ``ticks`` ticks, oldest first, the last of them now.

    Before now only who was seen then. Now also who was lost of late, where last seen: nuPlan's planners know of no
    occlusion, and to them nobody should vanish behind a lorry.
    """
    them = scene.agents
    out = []
    for age in range(min(len(them.history_valid), ticks) - 1, 0, -1):
        row = len(them.history_valid) - 1 - age
        seen = [i for i in range(len(them)) if them.history_valid[row, i]]
        out.append(_tracks(scene, [(i, them.pose_history[row, i], them.speed_history_mps[row, i]) for i in seen]))
    out.append(_tracks(scene, [(i, them.pose[i], them.speed_mps[i]) for i in range(len(them))]))
    return out


def _tracks(scene: Scene, seen: Iterable[tuple[int, Iterable[float], float]]) -> DetectionsTracks:
    found = []
    for i, pose, speed in seen:
        x, y, heading = (float(v) for v in pose)
        length, width = (float(v) for v in scene.agents.size_m[i])
        velocity = StateVector2D(float(speed) * math.cos(heading), float(speed) * math.sin(heading))
        kind = TYPE_OF[AgentKind(int(scene.agents.kind[i]))]
        box = OrientedBox(StateSE2(x, y, heading), length, width)
        found.append(TrackedObject(kind, box, velocity, str(int(scene.agents.index[i]))))
    return DetectionsTracks(TrackedObjects(tuple(sorted(found, key=lambda o: o.tracked_object_type.value))))
