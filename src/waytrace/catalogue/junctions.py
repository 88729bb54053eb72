"""Junctions of three or four arms, with a connector for every movement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import LaneControl

from .curves import ReferenceLine, join
from .draws import Draw
from .layouts import Layout
from .roads import Road, RoadBuilder

Array = NDArray[np.float64]

MIN_RADIUS_M = 6.0
_CROSSWALK_M = (0.8, 3.8)
"""Crosswalks lie this far beyond the stop lines."""


def turn_rad(angles: Sequence[float], arm_in: int, arm_out: int) -> float:
    """How far (left positive, in [-pi, pi)) a vehicle turns from one arm into another; ``angles`` point outward."""
    return (angles[arm_out] - angles[arm_in] + 2.0 * math.pi) % (2.0 * math.pi) - math.pi


def movement(angles: Sequence[float], arm_in: int, arm_out: int) -> str:
    """``left``, ``straight`` or ``right``."""
    turn = turn_rad(angles, arm_in, arm_out)
    return "left" if turn > math.pi / 4 else "right" if turn < -math.pi / 4 else "straight"


def junction(
    key: str, draw: Draw, *, limit_kmh: float, lanes: Sequence[int], arm_m: Sequence[float],
    control: Sequence[LaneControl], crosswalks: bool,
) -> Layout:  # fmt: skip
    """A junction whose arm ``k`` points about k * 90 degrees out, with ``lanes[k]`` in and out (0: no such arm).

    Opposite arms must have the same number of lanes. ``control[k]`` regulates the movements that begin on arm
    ``k``. The reference line of every arm runs outward, so its *backward* lanes lead into the junction. ``roads``
    and ``connectors`` count the arms in this order; arms that do not exist have an empty road with no lanes.
    """
    limit = limit_kmh / 3.6
    width = draw.uniform("width", (3.2, 3.6))
    turn = draw.uniform("heading", (-math.pi, math.pi))
    skew = math.radians(draw.uniform("skew", (-12.0, 12.0)))
    angles = [turn + k * math.pi / 2 + (skew if k % 2 else 0.0) for k in range(4)]
    origin = draw.uniform("x", (-50.0, 50.0)), draw.uniform("y", (-50.0, 50.0))
    present = [k for k in range(4) if lanes[k]]
    corner = draw.uniform("corner", (7.0, 12.0))
    mouth = max(lanes) * width + corner
    while _tightest(angles, lanes, present, width, mouth) < MIN_RADIUS_M + 0.5 * width + 1.0:
        mouth += 0.5

    builder = RoadBuilder()
    roads: list[Road] = []
    bent = draw.sub("arms")
    for k in range(4):
        if not lanes[k]:
            roads.append(Road(ReferenceLine.of((0.0, 0.0, 0.0), 1.0), (), width, (), (), 0.0, 0.0))
            continue
        start = (
            origin[0] + mouth * math.cos(angles[k]), origin[1] + mouth * math.sin(angles[k]), angles[k],
        )  # fmt: skip
        bend = bent.uniform(f"bend {k}", (-0.4, 0.4)) * (1.0 if bent.chance(f"bent {k}", 0.6) else 0.0)
        # a gentle bend well away from the mouth, and never towards a neighbouring arm by more than 23 degrees
        first, last = 0.3 * arm_m[k], arm_m[k]
        knots = [(0.0, 0.0), (first, 0.0), (0.5 * (first + last), 2.0 * bend / (last - first)), (last, 0.0)]
        line = ReferenceLine.of(start, arm_m[k], knots if bend else ())
        roads.append(
            builder.road(
                f"arm{k}", line, forward=lanes[k], backward=lanes[k], width_m=width, limit_mps=limit,
                cuts=(min(100.0, 0.5 * arm_m[k]),), shoulder_m=0.8,
            )
        )  # fmt: skip
        if crosswalks:
            _crosswalk(builder, roads[-1], angles[k])
    connectors = _connect(builder, angles, lanes, present, roads, width, limit, control)
    for k in present:
        if control[k] != LaneControl.PRIORITY:
            for lane in roads[k].backward[0]:
                builder.stop_line(lane)
    builder.drivable(_kerb(angles, present, roads))
    figures = {
        "lanes": list(lanes), "width_m": width, "limit_kmh": limit_kmh, "skew_deg": math.degrees(skew),
        "mouth_m": mouth, "angles_rad": angles,
    }  # fmt: skip
    return Layout(key, builder.build(), limit, tuple(roads), connectors, figures)


def _tightest(
    angles: Sequence[float], lanes: Sequence[int], present: Sequence[int], width: float, mouth: float
) -> float:
    """Smallest radius of any right turn's centre line."""
    radius = math.inf
    for a in present:
        for b in present:
            if a != b and movement(angles, a, b) == "right":
                start = _mouth_pose(angles[a], mouth, (lanes[a] - 0.5) * width, inward=True)
                end = _mouth_pose(angles[b], mouth, -(lanes[b] - 0.5) * width, inward=False)
                radius = min(radius, join(start, end)[2])
    return radius


def _mouth_pose(angle: float, mouth: float, offset: float, *, inward: bool) -> tuple[float, float, float]:
    x = mouth * math.cos(angle) - offset * math.sin(angle)
    y = mouth * math.sin(angle) + offset * math.cos(angle)
    return x, y, angle + (math.pi if inward else 0.0)


def _connect(
    builder: RoadBuilder, angles: Sequence[float], lanes: Sequence[int], present: Sequence[int],
    roads: Sequence[Road], width: float, limit: float, control: Sequence[LaneControl],
) -> dict[tuple[int, int], tuple[int, ...]]:  # fmt: skip
    """Connectors of every movement: left from the innermost lane, right from the outermost, straight from each."""
    connectors: dict[tuple[int, int], tuple[int, ...]] = {}
    for a in present:
        for b in present:
            if a == b:
                continue
            way = movement(angles, a, b)
            pairs = {
                "left": [(0, 0)],
                "right": [(lanes[a] - 1, lanes[b] - 1)],
                "straight": [(i, i) for i in range(min(lanes[a], lanes[b]))],
            }[way]
            rule = control[a]
            if way == "left" and rule == LaneControl.PRIORITY:
                rule = LaneControl.YIELD
            made = [
                builder.connector(
                    f"x{a}{b}-{i}", roads[a].backward[0][i], roads[b].forward[0][j], width, limit, control=rule
                )[0]
                for i, j in pairs
            ]
            for left, right in pairwise(made):
                builder.beside(left, right)
            connectors[(a, b)] = tuple(made)
    return connectors


def _crosswalk(builder: RoadBuilder, road: Road, angle: float) -> None:
    """A crosswalk over one arm, just inside the junction."""
    near, far = (-d for d in _CROSSWALK_M)
    out = np.array([math.cos(angle), math.sin(angle)])
    edges = [road.line.offset(np.zeros(1), d)[0] for d in (road.right_edge_m, road.left_edge_m)]
    builder.crosswalk(
        np.stack([edges[0] + near * out, edges[1] + near * out, edges[1] + far * out, edges[0] + far * out])
    )


def _kerb(angles: Sequence[float], present: Sequence[int], roads: Sequence[Road]) -> Array:
    """The junction's own surface: round the corners from arm to arm, 1 m into each arm."""
    parts: list[Array] = []
    for k, nxt in zip(present, [*present[1:], present[0]], strict=True):
        here, there = roads[k], roads[nxt]
        inset = (
            here.line.offset(np.array([1.0]), here.right_edge_m),
            here.line.offset(np.array([1.0]), here.left_edge_m),
        )
        a = here.line.pose(0.0, here.left_edge_m)
        b = there.line.pose(0.0, there.right_edge_m)
        corner, _, _ = join((a[0], a[1], angles[k] + math.pi), (b[0], b[1], angles[nxt]))
        parts += [inset[0], inset[1], corner]
    return np.concatenate(parts)
