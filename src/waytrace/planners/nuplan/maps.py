"""A map as nuPlan's planners ask for it: lanes, connectors, road blocks and their graph. No shapely, so no polygons."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import arc_lengths, headings, polygon_contains, project, resample
from waytrace.scenario import RoadMap

from .shapes import ByName, LooksAlike, Unsupported
from .states import StateSE2

Array = NDArray[np.float64]
STEP_M = 1.0
"""Spacing of ``discrete_path``."""


class SemanticMapLayer(ByName):
    """The layers that the map has. Members of nuPlan's own enum do as well."""

    LANE = 0
    LANE_CONNECTOR = 11
    ROADBLOCK = 13
    ROADBLOCK_CONNECTOR = 14
    DRIVABLE_AREA = 12


class Path(LooksAlike):
    """A centre line or boundary."""

    def __init__(self, id: str, xy: Array) -> None:
        self.id = id
        self._xy = xy

    @property
    def length(self) -> float:
        return float(arc_lengths(self._xy)[-1])

    @cached_property
    def discrete_path(self) -> list[StateSE2]:
        """Poses about 1 m apart, both ends included."""
        xy = resample(self._xy, np.linspace(0.0, self.length, max(2, math.ceil(self.length / STEP_M) + 1)))
        return [StateSE2(float(x), float(y), float(h)) for (x, y), h in zip(xy, headings(xy), strict=True)]

    def get_nearest_arc_length_from_position(self, point: StateSE2) -> float:
        return float(project(self._xy, np.array([[point.x, point.y]]))[0][0])

    def get_nearest_pose_from_position(self, point: StateSE2) -> StateSE2:
        s = self.get_nearest_arc_length_from_position(point)
        at, on = resample(self._xy, np.array([s, min(s + 0.1, self.length)]))
        if s + 0.1 > self.length:
            at, on = resample(self._xy, np.array([self.length - 0.1, self.length]))
            return StateSE2(float(on[0]), float(on[1]), math.atan2(*(on - at)[::-1]))
        return StateSE2(float(at[0]), float(at[1]), math.atan2(*(on - at)[::-1]))


class Lane(LooksAlike):
    """A lane, or a lane connector where it lies in an intersection."""

    def __init__(self, map_api: MapApi, number: int) -> None:
        self._map, self._number = map_api, number
        self.id = map_api.road.lane_id[number]

    @property
    def speed_limit_mps(self) -> float | None:
        limit = float(self._map.road.speed_limit_mps[self._number])
        return None if math.isnan(limit) else limit

    @cached_property
    def baseline_path(self) -> Path:
        return Path(self.id, self._map.road.centre[self._number])

    @cached_property
    def left_boundary(self) -> Path:
        return Path(self.id, self._map.road.left[self._number])

    @cached_property
    def right_boundary(self) -> Path:
        return Path(self.id, self._map.road.right[self._number])

    @property
    def outgoing_edges(self) -> list[Lane]:
        return [self._map.lanes[int(i)] for i in self._map.road.successors(self._number)]

    @property
    def incoming_edges(self) -> list[Lane]:
        return [self._map.lanes[i] for i in self._map.predecessors[self._number]]

    @property
    def adjacent_edges(self) -> tuple[Lane | None, Lane | None]:
        """(left, right): lanes of the same direction that one may change to."""
        road = self._map.road
        sides = (int(road.left_neighbor[self._number]), int(road.right_neighbor[self._number]))
        left, right = (None if i < 0 else self._map.lanes[i] for i in sides)
        return left, right

    @property
    def parent(self) -> RoadBlock:
        return self._map.block_of[self._number]

    def get_roadblock_id(self) -> str:
        return self.parent.id

    def contains_point(self, point: StateSE2) -> bool:
        road = self._map.road
        ring = np.concatenate([road.left[self._number], road.right[self._number][::-1]])
        return bool(polygon_contains(ring, np.array([[point.x, point.y]]))[0])


class RoadBlock(LooksAlike):
    """Lanes beside each other that one may change between; called after the first of them."""

    def __init__(self, map_api: MapApi, numbers: list[int]) -> None:
        self._map, self._numbers = map_api, numbers
        self.id = f"block-{map_api.road.lane_id[numbers[0]]}"

    @property
    def interior_edges(self) -> list[Lane]:
        return [self._map.lanes[i] for i in self._numbers]

    @property
    def outgoing_edges(self) -> list[RoadBlock]:
        return _once(lane.parent for edge in self.interior_edges for lane in edge.outgoing_edges)

    @property
    def incoming_edges(self) -> list[RoadBlock]:
        return _once(lane.parent for edge in self.interior_edges for lane in edge.incoming_edges)

    def contains_point(self, point: StateSE2) -> bool:
        return any(lane.contains_point(point) for lane in self.interior_edges)


class MapApi(LooksAlike):
    """The map of one scenario, whole: nuPlan's planners know it all, too."""

    map_name = "waytrace"

    def __init__(self, road: RoadMap) -> None:
        self.road = road
        self.lanes = [Lane(self, i) for i in range(len(road))]
        self.predecessors: list[list[int]] = [[] for _ in self.lanes]
        for i in range(len(road)):
            for following in road.successors(i):
                self.predecessors[int(following)].append(i)
        self.block_of: dict[int, RoadBlock] = {}
        for i in range(len(road)):
            if i not in self.block_of:
                numbers = self._beside(i)
                self.block_of |= dict.fromkeys(numbers, RoadBlock(self, numbers))

    def get_available_map_objects(self) -> list[SemanticMapLayer]:
        return [layer for layer in SemanticMapLayer if layer != SemanticMapLayer.DRIVABLE_AREA]

    def get_map_object(self, object_id: str, layer: SemanticMapLayer) -> Lane | RoadBlock | None:
        return next((o for o in self._objects(layer) if o.id == object_id), None)

    def get_all_map_objects(self, point: StateSE2, layer: SemanticMapLayer) -> list[Lane | RoadBlock]:
        return [o for o in self._objects(layer) if o.contains_point(point)]

    def get_one_map_object(self, point: StateSE2, layer: SemanticMapLayer) -> Lane | RoadBlock | None:
        found = self.get_all_map_objects(point, layer)
        assert len(found) <= 1, f"{len(found)} objects of layer {layer.name} hold the point"  # as nuPlan has it
        return found[0] if found else None

    def is_in_layer(self, point: StateSE2, layer: SemanticMapLayer) -> bool:
        if layer.name == SemanticMapLayer.DRIVABLE_AREA.name:
            at = np.array([[point.x, point.y]])
            return any(bool(polygon_contains(ring, at)[0]) for ring in self.road.drivable)
        return bool(self.get_all_map_objects(point, layer))

    def get_proximal_map_objects(
        self, point: StateSE2, radius: float, layers: Iterable[SemanticMapLayer]
    ) -> dict[SemanticMapLayer, list[Lane | RoadBlock]]:
        """Lanes whose centre line comes within ``radius``, and blocks with such a lane."""
        near = {
            id(lane) for lane in self.lanes
            if abs(project(self.road.centre[lane._number], np.array([[point.x, point.y]]))[1][0]) <= radius
        }  # fmt: skip
        return {layer: [o for o in self._objects(layer) if _any_near(o, near)] for layer in layers}

    def _objects(self, layer: SemanticMapLayer) -> list[Lane | RoadBlock]:
        name = layer.name
        inside = name.endswith("_CONNECTOR")
        lanes = [i for i in range(len(self.lanes)) if bool(self.road.in_intersection[i]) == inside]
        if name in ("LANE", "LANE_CONNECTOR"):
            return [self.lanes[i] for i in lanes]
        if name in ("ROADBLOCK", "ROADBLOCK_CONNECTOR"):
            return list(_once(self.block_of[i] for i in lanes))
        there = ", ".join(member.name for member in SemanticMapLayer)
        raise Unsupported(
            f"the adapter's map has no objects of layer {name}; it has {there} (the last for is_in_layer)"
        )

    def _beside(self, lane: int) -> list[int]:
        """Lanes that ``lane`` and its neighbours change to, in ascending order."""
        road, found, todo = self.road, set[int](), [lane]
        while todo:
            at = todo.pop()
            if at not in found:
                found.add(at)
                todo += [int(i) for i in (road.left_neighbor[at], road.right_neighbor[at]) if i >= 0]
        return sorted(found)


def _any_near(found: Lane | RoadBlock, near: set[int]) -> bool:
    lanes = [found] if isinstance(found, Lane) else found.interior_edges
    return any(id(lane) in near for lane in lanes)


def _once(blocks: Iterable[RoadBlock]) -> list[RoadBlock]:
    return list({block.id: block for block in blocks}.values())
