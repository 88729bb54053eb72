"""A map as nuPlan's planners ask for it. Every query first looks at bounding boxes, of all objects at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import polygon_contains
from waytrace.scenario import RoadMap

from .areas import Area, PoseType
from .lanes import Lane, LaneConnector, LaneGraphEdge, RoadBlock, once
from .shapes import ByName, LooksAlike, Unsupported
from .states import StateSE2

Array = NDArray[np.float64]


class SemanticMapLayer(ByName):
    """The layers that the map has. Members of nuPlan's own enum do as well."""

    LANE = 0
    INTERSECTION = 1
    CROSSWALK = 4
    DRIVABLE_AREA = 5
    LANE_CONNECTOR = 11
    CARPARK_AREA = 15
    ROADBLOCK = 17
    ROADBLOCK_CONNECTOR = 18


NO_OBJECTS = (SemanticMapLayer.INTERSECTION, SemanticMapLayer.DRIVABLE_AREA)
"""One may ask whether a point is in these, and no more."""


class _Layer:
    """The objects of one layer, and their bounding boxes [N, 4]."""

    def __init__(self, objects: Sequence[Any]) -> None:
        self.objects = list(objects)
        self.by_id = {o.id: o for o in self.objects}
        self._bounds = np.array([o.bounds for o in self.objects]).reshape(-1, 4)

    def near(self, point: Any, radius_m: float) -> list[Any]:
        """Objects with a part within ``radius_m``."""
        at = np.array([point.x, point.y])
        beyond = np.maximum(np.maximum(self._bounds[:, :2] - at, at - self._bounds[:, 2:]), 0.0)
        boxes = np.flatnonzero(np.hypot(*beyond.T) <= radius_m)
        return [self.objects[i] for i in boxes if self.objects[i].distance_m(point) <= radius_m]


class MapApi(LooksAlike):
    """The map of one scenario, whole: nuPlan's planners know it all, too. ``pose`` makes the poses of its paths."""

    map_name = "waytrace"

    def __init__(self, road: RoadMap, pose: PoseType = StateSE2) -> None:
        self.road, self.pose = road, pose
        self.lanes: list[LaneGraphEdge] = [
            LaneConnector(self, i) if road.in_intersection[i] else Lane(self, i) for i in range(len(road))
        ]
        self.predecessors: list[list[int]] = [[] for _ in self.lanes]
        for i in range(len(road)):
            for following in road.successors(i):
                self.predecessors[int(following)].append(i)
        self.block_of: dict[int, RoadBlock] = {}
        for numbers in left_to_right(road):
            self.block_of |= dict.fromkeys(numbers, RoadBlock(self, numbers))

    def get_available_map_objects(self) -> list[SemanticMapLayer]:
        return [layer for layer in SemanticMapLayer if layer not in NO_OBJECTS]

    def get_available_raster_layers(self) -> list[SemanticMapLayer]:
        return []

    def initialize_all_layers(self) -> None:
        """Nothing to load."""

    def get_map_object(self, object_id: str, layer: Any) -> Any:
        return self._layer(layer).by_id.get(str(object_id))

    def get_all_map_objects(self, point: Any, layer: Any) -> list[Any]:
        return self._layer(layer).near(point, 0.0)

    def get_one_map_object(self, point: Any, layer: Any) -> Any:
        found = self.get_all_map_objects(point, layer)
        assert len(found) <= 1, f"{len(found)} objects of layer {layer.name} hold the point"  # as nuPlan has it
        return found[0] if found else None

    def is_in_layer(self, point: Any, layer: Any) -> bool:
        if layer.name == SemanticMapLayer.DRIVABLE_AREA.name:
            at = np.array([[point.x, point.y]])
            return any(bool(polygon_contains(ring, at)[0]) for ring in self.road.drivable)
        if layer.name == SemanticMapLayer.INTERSECTION.name:
            layer = SemanticMapLayer.LANE_CONNECTOR
        return bool(self.get_all_map_objects(point, layer))

    def get_proximal_map_objects(self, point: Any, radius: float, layers: Iterable[Any]) -> dict[Any, list[Any]]:
        """By layer, the objects with a part within ``radius`` (a circle; nuPlan's is a square)."""
        return {layer: self._layer(layer).near(point, radius) for layer in layers}

    def get_distance_to_nearest_map_object(self, point: Any, layer: Any) -> tuple[str | None, float | None]:
        objects = self._layer(layer).objects
        if not objects:
            return None, None
        distances = [o.distance_m(point) for o in objects]
        nearest = int(np.argmin(distances))
        return objects[nearest].id, distances[nearest]

    def get_distances_matrix_to_nearest_map_object(self, points: Sequence[Any], layer: Any) -> Array | None:
        """[points] metres to the nearest object of the layer."""
        distances = [self.get_distance_to_nearest_map_object(point, layer)[1] for point in points]
        return None if None in distances else np.array(distances, np.float64)

    def _get_roadblock(self, object_id: str) -> Any:
        """Private in nuPlan's map, and called all the same by planners of its users."""
        return self.get_map_object(object_id, SemanticMapLayer.ROADBLOCK)

    def _get_roadblock_connector(self, object_id: str) -> Any:
        return self.get_map_object(object_id, SemanticMapLayer.ROADBLOCK_CONNECTOR)

    @cached_property
    def _layers(self) -> dict[str, _Layer]:
        inside = [bool(i) for i in self.road.in_intersection]
        blocks = {
            kind: once([b for i, b in sorted(self.block_of.items()) if inside[i] == kind]) for kind in (False, True)
        }
        return {
            "LANE": _Layer([lane for lane in self.lanes if isinstance(lane, Lane)]),
            "LANE_CONNECTOR": _Layer([lane for lane in self.lanes if isinstance(lane, LaneConnector)]),
            "ROADBLOCK": _Layer(blocks[False]),
            "ROADBLOCK_CONNECTOR": _Layer(blocks[True]),
            "CROSSWALK": _Layer([Area(f"crosswalk-{k}", [ring]) for k, ring in enumerate(self.road.crosswalk)]),
            "CARPARK_AREA": _Layer([]),
        }

    def _layer(self, layer: Any) -> _Layer:
        found = self._layers.get(layer.name)
        if found is None:
            raise Unsupported(
                f"the adapter's map has no objects of layer {layer.name}; it has {', '.join(self._layers)}, and "
                f"{' and '.join(member.name for member in NO_OBJECTS)} for is_in_layer"
            )
        return found


def left_to_right(road: RoadMap) -> list[list[int]]:
    """The lanes of every road block. One-sided neighbours belong together; lanes and connectors do not."""
    left, right = [-1] * len(road), [-1] * len(road)
    for lane in range(len(road)):
        for side, of, back in ((road.left_neighbor, left, right), (road.right_neighbor, right, left)):
            beside = int(side[lane])
            if beside >= 0 and road.in_intersection[beside] == road.in_intersection[lane]:
                of[lane] = beside
                back[beside] = lane if back[beside] < 0 else back[beside]
    blocks: list[list[int]] = []
    taken: set[int] = set()
    for lane in range(len(road)):
        if lane not in taken:
            block = [lane]
            while left[block[0]] >= 0 and left[block[0]] not in (*block, *taken):
                block.insert(0, left[block[0]])
            while right[block[-1]] >= 0 and right[block[-1]] not in (*block, *taken):
                block.append(right[block[-1]])
            taken.update(block)
            blocks.append(block)
    return blocks
