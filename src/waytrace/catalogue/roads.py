"""A small road builder: lanes, roads of parallel lanes, connectors; what comes out is a :class:`RoadMap`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import Polylines
from waytrace.scenario import LaneControl, LaneKind, RoadMap

from .curves import ReferenceLine, join, side, stations

Array = NDArray[np.float64]

_GRID = 4
"""Decimals (0.1 mm) to which a map is rounded: the last bits of sin and cos differ between processors."""


@dataclass(frozen=True)
class Road:
    """A stretch of parallel lanes along one reference line, cut into sections.

    Lanes are counted outward from the centre line: ``forward[section][0]`` is the leftmost lane in the direction of
    the line, ``backward[section][0]`` the leftmost of the opposite direction. Traffic keeps right.
    """

    line: ReferenceLine
    cuts: tuple[float, ...]
    width_m: float
    forward: tuple[tuple[int, ...], ...]
    backward: tuple[tuple[int, ...], ...]
    right_edge_m: float
    """Offset of the right end of the drivable surface (negative)."""
    left_edge_m: float

    def forward_offset(self, index: int) -> float:
        """Offset of a forward lane's centre."""
        return -(index + 0.5) * self.width_m

    def forward_sequence(self, index: int) -> tuple[int, ...]:
        """Lane ``index`` through all sections, in the direction of travel."""
        return tuple(section[index] for section in self.forward)

    def backward_sequence(self, index: int) -> tuple[int, ...]:
        """Opposite lane ``index`` through all sections, in the direction of travel."""
        return tuple(section[index] for section in reversed(self.backward))


@dataclass
class RoadBuilder:
    """Collects lanes and what joins them; ``build`` freezes them into a map."""

    _id: list[str] = field(default_factory=list)
    _centre: list[Array] = field(default_factory=list)
    _left: list[Array] = field(default_factory=list)
    _right: list[Array] = field(default_factory=list)
    _limit: list[float] = field(default_factory=list)
    _kind: list[int] = field(default_factory=list)
    _inside: list[bool] = field(default_factory=list)
    _control: list[int] = field(default_factory=list)
    _next: list[list[int]] = field(default_factory=list)
    _left_of: dict[int, int] = field(default_factory=dict)
    _right_of: dict[int, int] = field(default_factory=dict)
    _stop_lines: list[tuple[int, Array]] = field(default_factory=list)
    _crosswalks: list[Array] = field(default_factory=list)
    _drivable: list[Array] = field(default_factory=list)

    def lane(
        self,
        lane_id: str,
        centre: Array,
        left: Array,
        right: Array,
        limit_mps: float,
        *,
        kind: LaneKind = LaneKind.VEHICLE,
        inside: bool = False,
        control: LaneControl = LaneControl.NONE,
    ) -> int:
        """Add a lane from point arrays [P, 2] in its direction of travel; its number."""
        self._id.append(lane_id)
        for store, points in ((self._centre, centre), (self._left, left), (self._right, right)):
            store.append(np.round(points, _GRID) + 0.0)
        self._limit.append(limit_mps)
        self._kind.append(int(kind))
        self._inside.append(inside)
        self._control.append(int(control))
        self._next.append([])
        return len(self._id) - 1

    def follow(self, lane: int, successor: int) -> None:
        """Let ``lane`` lead on to ``successor``."""
        self._next[lane].append(successor)

    def beside(self, left: int, right: int, *, both: bool = True) -> None:
        """Make two lanes of the same direction neighbours; one-sided: only from ``right`` to ``left``."""
        self._left_of[right] = left
        if both:
            self._right_of[left] = right

    def set_limit(self, lane: int, limit_mps: float) -> None:
        """Give one lane a speed limit of its own."""
        self._limit[lane] = limit_mps

    def stop_line(self, lane: int) -> None:
        """Draw a stop line across the end of a lane."""
        self._stop_lines.append((lane, np.stack([self._left[lane][-1], self._right[lane][-1]])))

    def crosswalk(self, polygon: Array) -> None:
        """Add a crosswalk polygon [P, 2]."""
        self._crosswalks.append(np.round(polygon, _GRID) + 0.0)

    def drivable(self, polygon: Array) -> None:
        """Add a polygon [P, 2] to the drivable area."""
        self._drivable.append(np.round(polygon, _GRID) + 0.0)

    def cover(self, lanes: Sequence[int], margin_m: float) -> None:
        """Make drivable what parallel lanes (from left to right) cover, ``margin_m`` beside and beyond them."""
        edges = []
        for lane, sign in ((lanes[0], 1.0), (lanes[-1], -1.0)):
            left, right = self._left[lane], self._right[lane]
            across = (left - right) / np.hypot(*(left - right).T)[:, None]
            edge = (left if sign > 0 else right) + sign * margin_m * across
            along = np.stack([across[:, 1], -across[:, 0]], axis=-1)
            edges.append(np.concatenate([edge[:1] - margin_m * along[:1], edge, edge[-1:] + margin_m * along[-1:]]))
        self.drivable(np.concatenate([edges[1], edges[0][::-1]]))

    def road(
        self,
        name: str,
        line: ReferenceLine,
        *,
        forward: int,
        backward: int,
        width_m: float,
        limit_mps: float,
        cuts: Sequence[float] = (),
        shoulder_m: float = 0.8,
        parking_m: float = 0.0,
    ) -> Road:
        """Add a road: lanes, neighbours, successors along it, and its surface as one drivable polygon.

        ``cuts`` are arc lengths at which every lane is cut in two. ``parking_m`` adds a parking strip of that width
        to the right of the forward lanes. ``shoulder_m`` of surface lies beyond the outermost lane on both sides.
        """
        ends = (0.0, *cuts, line.length_m)
        rows: dict[str, list[tuple[int, ...]]] = {"f": [], "b": []}
        for k, (s0, s1) in enumerate(pairwise(ends)):
            s = stations(s0, s1)
            for way, count in (("f", forward), ("b", backward)):
                lanes = []
                for i in range(count):
                    sign = -1.0 if way == "f" else 1.0
                    inner, outer = sign * i * width_m, sign * (i + 1) * width_m
                    parts = [line.offset(s, d) for d in (0.5 * (inner + outer), inner, outer)]
                    if way == "b":
                        parts = [p[::-1] for p in parts]
                    lanes.append(self.lane(f"{name}-{k}{way}{i}", parts[0], parts[1], parts[2], limit_mps))
                for a, b in pairwise(lanes):
                    self.beside(a, b)
                rows[way].append(tuple(lanes))
            if parking_m:
                inner, outer = -forward * width_m, -forward * width_m - parking_m
                parts = [line.offset(s, d) for d in (0.5 * (inner + outer), inner, outer)]
                self.lane(f"{name}-{k}p", parts[0], parts[1], parts[2], limit_mps, kind=LaneKind.OTHER)
        for before, after in pairwise(rows["f"]):
            for a, b in zip(before, after, strict=True):
                self.follow(a, b)
        for after, before in pairwise(rows["b"]):
            for a, b in zip(before, after, strict=True):
                self.follow(a, b)
        right_edge = -forward * width_m - parking_m - shoulder_m
        left_edge = backward * width_m + shoulder_m
        self.drivable(surface(line, right_edge, left_edge, 0.0, line.length_m))
        return Road(
            line, ends, width_m, tuple(rows["f"]), tuple(rows["b"]), right_edge, left_edge
        )  # fmt: skip

    def connector(
        self, lane_id: str, start: int, end: int, width_m: float, limit_mps: float,
        *, control: LaneControl, inside: bool = True,
    ) -> tuple[int, float]:  # fmt: skip
        """Join the end of one lane to the start of another by a smooth lane; its number and smallest radius (m)."""
        a, b = self._centre[start], self._centre[end]
        pose0 = (*_point(a[-1]), _across_heading(self._left[start][-1], self._right[start][-1]))
        pose1 = (*_point(b[0]), _across_heading(self._left[end][0], self._right[end][0]))
        xy, heading, radius = join(pose0, pose1)
        left, right = side(xy, heading, 0.5 * width_m), side(xy, heading, -0.5 * width_m)
        for curve, first, last in (
            (xy, a[-1], b[0]),
            (left, self._left[start][-1], self._left[end][0]),
            (right, self._right[start][-1], self._right[end][0]),
        ):
            curve[0], curve[-1] = first, last
        lane = self.lane(lane_id, xy, left, right, limit_mps, inside=inside, control=control)
        self.follow(start, lane)
        self.follow(lane, end)
        return lane, radius

    def build(self) -> RoadMap:
        """The map."""
        count = len(self._id)
        start = np.zeros(count + 1, np.int32)
        np.cumsum([len(n) for n in self._next], out=start[1:])
        lines = [xy for _, xy in self._stop_lines]
        return RoadMap(
            lane_id=tuple(self._id),
            centre=Polylines.of(self._centre),
            left=Polylines.of(self._left),
            right=Polylines.of(self._right),
            successor=np.array([n for lane in self._next for n in lane], np.int32),
            successor_start=start,
            left_neighbor=np.array([self._left_of.get(i, -1) for i in range(count)], np.int32),
            right_neighbor=np.array([self._right_of.get(i, -1) for i in range(count)], np.int32),
            speed_limit_mps=np.array(self._limit),
            lane_kind=np.array(self._kind, np.uint8),
            in_intersection=np.array(self._inside, np.bool_),
            lane_control=np.array(self._control, np.uint8),
            stop_line_xy=np.stack(lines) if lines else np.zeros((0, 2, 2)),
            stop_line_lane=np.array([lane for lane, _ in self._stop_lines], np.int32),
            crosswalk=Polylines.of(self._crosswalks),
            drivable=Polylines.of(self._drivable),
        )


def surface(line: ReferenceLine, right_m: float, left_m: float, start_m: float, end_m: float) -> Array:
    """Polygon [P, 2] between two offsets of a reference line; few points where the line is straight."""
    bends = float(np.ptp(np.interp(stations(start_m, end_m), line.s, line.heading)))
    s = stations(start_m, end_m, 4.0 if bends > 1e-6 else end_m - start_m)
    return np.concatenate([line.offset(s, right_m), line.offset(s, left_m)[::-1]])


def _point(xy: Array) -> tuple[float, float]:
    return float(xy[0]), float(xy[1])


def _across_heading(left: Array, right: Array) -> float:
    """Heading of a lane at an end, from its two boundary points: square to the line between them."""
    across = left - right
    return float(np.arctan2(-across[0], across[1]))
