"""Lanes, connectors and road blocks as nuPlan's planners walk along them."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from waytrace.scenario import LaneControl

from .areas import Area, Path

if TYPE_CHECKING:
    from .maps import MapApi


class LaneGraphEdge(Area):
    """What lanes and connectors have in common; ``number`` is the lane's in the scenario's map."""

    def __init__(self, map_api: MapApi, number: int) -> None:
        road = map_api.road
        super().__init__(road.lane_id[number], [np.concatenate([road.left[number], road.right[number][::-1]])])
        self._map, self.number = map_api, number

    @property
    def speed_limit_mps(self) -> float | None:
        limit = float(self._map.road.speed_limit_mps[self.number])
        return None if math.isnan(limit) else limit

    @cached_property
    def baseline_path(self) -> Path:
        return Path(self.id, self._map.road.centre[self.number], self._map.pose)

    @cached_property
    def left_boundary(self) -> Path:
        return Path(f"{self.id}-left", self._map.road.left[self.number], self._map.pose)

    @cached_property
    def right_boundary(self) -> Path:
        return Path(f"{self.id}-right", self._map.road.right[self.number], self._map.pose)

    @property
    def outgoing_edges(self) -> list[LaneGraphEdge]:
        return [self._map.lanes[int(i)] for i in self._map.road.successors(self.number)]

    @property
    def incoming_edges(self) -> list[LaneGraphEdge]:
        return [self._map.lanes[i] for i in self._map.predecessors[self.number]]

    @property
    def parallel_edges(self) -> list[LaneGraphEdge]:
        return self.parent.interior_edges

    @property
    def adjacent_edges(self) -> tuple[LaneGraphEdge | None, LaneGraphEdge | None]:
        """(left, right): lanes of the same direction that one may change to."""
        road = self._map.road
        sides = (int(road.left_neighbor[self.number]), int(road.right_neighbor[self.number]))
        left, right = (None if i < 0 else self._map.lanes[i] for i in sides)
        return left, right

    @property
    def index(self) -> int:
        """Place among the lanes of the block, 1 for the leftmost."""
        return self.parent.left_to_right.index(self.number) + 1

    @property
    def parent(self) -> RoadBlock:
        return self._map.block_of[self.number]

    def get_roadblock_id(self) -> str:
        return self.parent.id

    def is_same_roadblock(self, other: LaneGraphEdge) -> bool:
        return self.get_roadblock_id() == other.get_roadblock_id()

    def is_adjacent_to(self, other: LaneGraphEdge) -> bool:
        return any(edge is other for edge in self.adjacent_edges)

    def is_left_of(self, other: LaneGraphEdge) -> bool:
        assert self.is_same_roadblock(other), "Lanes must be in the same roadblock"
        return self.index < other.index

    def is_right_of(self, other: LaneGraphEdge) -> bool:
        assert self.is_same_roadblock(other), "Lanes must be in the same roadblock"
        return self.index > other.index

    def has_traffic_lights(self) -> bool:
        """Whether a light controls its entry."""
        return int(self._map.road.lane_control[self.number]) == LaneControl.SIGNAL


class Lane(LaneGraphEdge):
    """A lane outside of intersections."""


class LaneConnector(LaneGraphEdge):
    """A lane inside of an intersection."""


class RoadBlock(Area):
    """Lanes beside each other that one may change between; called after the first of them."""

    def __init__(self, map_api: MapApi, left_to_right: list[int]) -> None:
        self._map, self.left_to_right = map_api, left_to_right
        first = map_api.lanes[min(left_to_right)]
        super().__init__(f"block-{first.id}", [ring for i in left_to_right for ring in map_api.lanes[i]._rings])

    @property
    def interior_edges(self) -> list[LaneGraphEdge]:
        return [self._map.lanes[i] for i in self.left_to_right]

    @property
    def outgoing_edges(self) -> list[RoadBlock]:
        return once([lane.parent for edge in self.interior_edges for lane in edge.outgoing_edges])

    @property
    def incoming_edges(self) -> list[RoadBlock]:
        return once([lane.parent for edge in self.interior_edges for lane in edge.incoming_edges])


def once(blocks: list[RoadBlock]) -> list[RoadBlock]:
    """Each block where it comes first."""
    return list({block.id: block for block in blocks}.values())
