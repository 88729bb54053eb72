"""Places to drive: an open road, a junction of arms, an on-ramp. Each is drawn from the family's ranges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import arc_lengths, deduplicate
from waytrace.scenario import LaneControl, RoadMap

from .curves import Pose, ReferenceLine
from .draws import Draw
from .roads import Road, RoadBuilder

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Path:
    """The centre line of a lane sequence, to place vehicles on by arc length."""

    lanes: tuple[int, ...]
    xy: Array
    s: Array
    heading: Array
    lane_end: Array
    """Arc length at which each lane of the sequence ends."""

    @classmethod
    def along(cls, road_map: RoadMap, lanes: Sequence[int]) -> Path:
        """The path of a lane sequence."""
        parts = [road_map.centre[lane] for lane in lanes]
        xy = deduplicate(np.concatenate(parts))
        step = np.diff(xy, axis=0)
        chord = np.unwrap(np.arctan2(step[:, 1], step[:, 0]))
        heading = np.concatenate([chord[:1], 0.5 * (chord[1:] + chord[:-1]), chord[-1:]])
        lengths = [arc_lengths(part)[-1] for part in parts]
        return cls(tuple(lanes), xy, arc_lengths(xy), heading, np.cumsum(lengths))

    @property
    def length_m(self) -> float:
        """Arc length."""
        return float(self.s[-1])

    def pose(self, s: Array, d: float = 0.0) -> tuple[Array, Array]:
        """Positions [Q, 2] and headings [Q] at arc lengths ``s`` [Q], ``d`` metres to the left."""
        heading = np.interp(s, self.s, self.heading)
        x = np.interp(s, self.s, self.xy[:, 0]) - d * np.sin(heading)
        y = np.interp(s, self.s, self.xy[:, 1]) + d * np.cos(heading)
        return np.stack([x, y], axis=-1), heading

    def point(self, s: float, d: float = 0.0) -> tuple[float, float]:
        """One position, to a tenth of a millimetre."""
        xy = self.pose(np.array([s]), d)[0][0]
        return round(float(xy[0]), 4), round(float(xy[1]), 4)

    def heading_at(self, s: float) -> float:
        """Heading at one arc length."""
        return float(np.interp(s, self.s, self.heading))

    def lane_at(self, s: float) -> int:
        """Position in the sequence of the lane that holds arc length ``s``."""
        return min(int(np.searchsorted(self.lane_end, s, side="right")), len(self.lanes) - 1)


@dataclass(frozen=True)
class Layout:
    """A place: its map, and the names by which a family finds its lanes. ``key`` is its cluster name."""

    key: str
    map: RoadMap
    limit_mps: float
    roads: tuple[Road, ...]
    connectors: dict[tuple[int, int], tuple[int, ...]] = field(default_factory=dict)
    """(arm in, arm out) to the connector lanes of that movement."""
    figures: dict[str, Any] = field(default_factory=dict)
    """What was drawn for it, for the provenance."""

    def path(self, lanes: Sequence[int]) -> Path:
        """The path of a lane sequence."""
        return Path.along(self.map, lanes)


def start_pose(draw: Draw) -> Pose:
    """Where a road begins: near the origin, in any direction."""
    return (
        draw.uniform("x", (-50.0, 50.0)),
        draw.uniform("y", (-50.0, 50.0)),
        draw.uniform("heading", (-math.pi, math.pi)),
    )


def bends(draw: Draw, length_m: float, radius_m: float, straight_share: float) -> list[tuple[float, float]]:
    """Curvature knots of one or two bends no tighter than ``radius_m``; none for a straight road."""
    if draw.chance("straight", straight_share):
        return []
    first = draw.uniform("bend", (-1.0, 1.0)) / radius_m
    second = draw.uniform("bend back", (-1.0, 1.0)) / radius_m
    at = draw.uniform("bend at", (0.2, 0.7)) * length_m
    ease = 0.12 * length_m
    knots = [
        (0.0, 0.0), (at - ease, 0.0), (at, first), (at + ease, first), (at + 2 * ease, second), (length_m, second),
    ]  # fmt: skip
    return _limit_turn(knots, length_m, math.radians(150.0))


def _limit_turn(knots: list[tuple[float, float]], length_m: float, turn_rad: float) -> list[tuple[float, float]]:
    """The same bends, flatter where they would turn the road so far that it could meet itself."""
    s = np.linspace(0.0, length_m, 200)
    at, value = (np.array(column, dtype=np.float64) for column in zip(*knots, strict=True))
    heading = np.cumsum(np.interp(s, at, value)) * s[1]
    scale = min(1.0, turn_rad / max(float(np.ptp(heading)), 1e-9))
    return [(a, v * scale) for a, v in knots]


def comfortable_radius_m(limit_mps: float) -> float:
    """Tightest bend that can be driven at the speed limit with 1.5 m/s2 across, and never below 40 m."""
    return max(40.0, limit_mps**2 / 1.5)


def open_road(
    key: str, draw: Draw, *, limit_kmh: float, lanes: tuple[int, int], length_m: float,
    cuts: Sequence[float] = (), parking_m: float = 0.0, width_m: tuple[float, float] = (3.2, 3.75),
    crosswalk_at: float | None = None, straight_share: float = 0.4, shoulder_m: float | None = None,
) -> Layout:  # fmt: skip
    """A straight or winding road with ``lanes`` (forward, backward)."""
    limit = limit_kmh / 3.6
    width = draw.uniform("width", width_m)
    knots = bends(draw, length_m, comfortable_radius_m(limit), straight_share)
    line = ReferenceLine.of(start_pose(draw), length_m, knots)
    builder = RoadBuilder()
    shoulder = draw.uniform("shoulder", (0.6, 2.0)) if shoulder_m is None else shoulder_m
    road = builder.road(
        "r", line, forward=lanes[0], backward=lanes[1], width_m=width, limit_mps=limit, cuts=cuts,
        shoulder_m=shoulder, parking_m=parking_m,
    )  # fmt: skip
    if crosswalk_at is not None:
        s = np.array([crosswalk_at - 1.5, crosswalk_at + 1.5])
        builder.crosswalk(
            np.concatenate([line.offset(s, road.right_edge_m), line.offset(s[::-1], road.left_edge_m)])
        )  # fmt: skip
    figures = {
        "lanes": list(lanes), "width_m": width, "limit_kmh": limit_kmh, "parking_m": parking_m,
        "curved": bool(knots),
    }  # fmt: skip
    return Layout(key, builder.build(), limit, (road,), figures=figures)


def on_ramp(
    key: str, draw: Draw, *, limit_kmh: float, main_lanes: int, before_m: float, beside_m: float, taper_m: float,
    after_m: float, ramp_m: float,
) -> Layout:  # fmt: skip
    """A one-way main road with an on-ramp: ramp, a lane beside the main road, a taper that yields into it.

    ``roads`` is (main, ramp with the acceleration lane); ``connectors[(1, 0)]`` is the taper.
    """
    limit = limit_kmh / 3.6
    width = draw.uniform("width", (3.4, 3.75))
    length = before_m + beside_m + taper_m + after_m
    knots = bends(draw, length, 1.5 * comfortable_radius_m(limit), 0.5)
    main_line = ReferenceLine.of(start_pose(draw), length, knots)
    builder = RoadBuilder()
    shoulder = draw.uniform("shoulder", (0.6, 2.0))
    cuts = (before_m, before_m + beside_m, before_m + beside_m + taper_m)
    main = builder.road(
        "m", main_line, forward=main_lanes, backward=0, width_m=width, limit_mps=limit, cuts=cuts, shoulder_m=shoulder
    )
    ramp = _ramp(builder, draw, main, before_m, beside_m, ramp_m, shoulder, limit)
    outer = main_lanes - 1
    accel = ramp.forward[1][0]
    builder.beside(main.forward[1][outer], accel, both=False)
    taper, _ = builder.connector(
        "taper", accel, main.forward[3][outer], width, limit, control=LaneControl.YIELD, inside=False
    )
    # the surface narrows as the taper itself does (a cubic across one lane width)
    u = np.linspace(0.0, 1.0, 24)
    s = before_m + beside_m - 1.0 + u * (taper_m + 1.0)
    fade = 1.0 - u**2 * (3.0 - 2.0 * u)
    outside = main.right_edge_m - fade * width - 0.05
    inside = np.full(len(s), main.right_edge_m + 1.0)
    builder.drivable(np.concatenate([main_line.offset(s, outside), main_line.offset(s, inside)[::-1]]))
    figures = {
        "lanes": main_lanes, "width_m": width, "limit_kmh": limit_kmh, "beside_m": beside_m, "taper_m": taper_m,
        "curved": bool(knots),
    }  # fmt: skip
    return Layout(key, builder.build(), limit, (main, ramp), {(1, 0): (taper,)}, figures)


def _ramp(
    builder: RoadBuilder,
    draw: Draw,
    main: Road,
    before_m: float,
    beside_m: float,
    ramp_m: float,
    shoulder_m: float,
    limit_mps: float,
) -> Road:
    """A ramp that comes in from the right and lies beside the main road from ``before_m`` on."""
    offset = -(len(main.forward[0]) + 0.5) * main.width_m
    s = np.linspace(before_m, before_m + beside_m, max(3, round(beside_m / 0.5)))
    beside = main.line.offset(s, offset)
    heading = np.interp(s, main.line.s, main.line.heading)
    # drawn backward from the point where it meets the main road, bending away to the right
    away = draw.uniform("ramp turn", (0.15, 0.4))
    x, y, h = float(beside[0, 0]), float(beside[0, 1]), float(heading[0])
    ease = ramp_m / 2.0
    back = ReferenceLine.of((x, y, h + math.pi), ramp_m, [(0.0, 0.0), (ease, away / ease), (ramp_m, 0.0)])
    xy = np.concatenate([back.xy[::-1], beside[1:]])
    turn = np.concatenate([back.heading[::-1] - math.pi, heading[1:]])
    steps = np.hypot(*np.diff(xy, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    # lanes hang to the right of a reference line: shift it left so that lane 0 is centred on the curve
    shift = 0.5 * main.width_m
    shifted = xy + shift * np.stack([-np.sin(turn), np.cos(turn)], axis=-1)
    line = ReferenceLine(along, shifted, turn)
    road = builder.road(
        "a", line, forward=1, backward=0, width_m=main.width_m, limit_mps=limit_mps, cuts=(ramp_m,),
        shoulder_m=shoulder_m,
    )  # fmt: skip
    builder.set_limit(road.forward[0][0], min(limit_mps, math.sqrt(2.0 * ease / away)))
    return road
