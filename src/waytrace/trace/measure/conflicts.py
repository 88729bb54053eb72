"""Where the ways of others meet the ego's, and who is there when."""

from __future__ import annotations

import math
from typing import NamedTuple

from waytrace.geometry import wrap_angle
from waytrace.scenario import AgentKind
from waytrace.scenario.lanes import lane_pose

from ..thresholds import T
from .others import Others, locate_others
from .path import EgoPath

CROSSING, MERGE = 0, 1
FAR_M = 100.0
"""How far along its lanes another one's way is followed."""


class Conflict(NamedTuple):
    """One place where another one's way meets the ego's."""

    row: int
    """Of the other one."""
    merges: bool
    """Whether both go on in one lane there."""
    s0: float
    """Way of the ego's front bumper to the zone, metres; negative inside."""
    s1: float
    """Way of its front bumper to the zone's end."""
    other_m: float
    """Way of the other one's front to the zone; negative inside."""
    ego_s: float
    """Seconds until the ego reaches the zone at its present speed (0 inside)."""
    arrives_s: float
    """Seconds until the other one does."""
    turned: float
    """Its heading minus the path's in the middle of the zone."""

    @property
    def apart_s(self) -> float:
        """Between the two arrivals."""
        return abs(self.ego_s - self.arrives_s)


def arrival_s(way_m: float, speed_mps: float) -> float:
    """Seconds to go ``way_m`` at a speed; who stands or creeps is taken to set off."""
    if way_m <= 0.0:
        return 0.0
    a = T.start_mps2
    creeping = speed_mps < 1.5
    slow = (math.sqrt(max(speed_mps, 0.0) ** 2 + 2.0 * a * way_m) - max(speed_mps, 0.0)) / a
    return slow if creeping else way_m / speed_mps


def find_conflicts(ego: EgoPath, others: Others, front: float, speed: float) -> dict[int, tuple[Conflict, ...]]:
    """Of everyone whose lanes, or whose straight way, meet the ego's path: the first crossing and the first merge.

    By row. Which of its lanes someone takes is not known: what any of them leads to is listed.
    """
    lane, at = locate_others(ego, others.state)
    zones = _zones(ego)
    out: dict[int, tuple[Conflict, ...]] = {}
    for row in range(len(others)):
        if others.kind[row] == AgentKind.STATIC:
            continue
        found: tuple[Conflict, ...] = ()
        if lane[row] >= 0 and others.kind[row] <= AgentKind.CYCLIST and lane[row] not in ego.start_of:
            found = _by_lane(ego, others, row, int(lane[row]), float(at[row, 0]), zones, front, speed)
        if not found and not others.in_path[row]:
            found = _straight(others, row, front, speed)
        if found:
            out[row] = found
    return out


_Zone = tuple[float, float, float, float, bool]


def _zones(ego: EgoPath) -> dict[int, list[_Zone]]:
    """Of every lane that meets the path ahead: (s0, s1, its own s there and at the end, whether it merges)."""
    index = ego.roads.index
    out: dict[int, list[_Zone]] = {}
    for lane, start, end in ego.starts:
        if end < 0.0 or start > T.conflict_m:
            continue
        for c in range(index.conf_lo[lane], index.conf_lo[lane + 1]):
            kind = int(index.conf_kind[c])
            if kind not in (CROSSING, MERGE):
                continue
            s0, s1 = start + float(index.conf_s0[c]), start + float(index.conf_s1[c])
            if s1 > 0.0 and s0 < T.conflict_m:
                zone = (s0, s1, float(index.conf_o0[c]), float(index.conf_o1[c]), kind == MERGE)
                out.setdefault(int(index.conf_lane[c]), []).append(zone)
    return out


def _by_lane(
    ego: EgoPath, others: Others, row: int, lane: int, s: float, zones: dict[int, list[_Zone]], front: float,
    speed: float,
) -> tuple[Conflict, ...]:  # fmt: skip
    """Where the lanes that another one can follow first cross, and first join, the path."""
    index = ego.roads.index
    half = 0.5 * float(others.size_m[row, 0])
    best: dict[bool, Conflict] = {}
    todo, met = [(lane, -s)], {lane}
    while todo:
        lane, start = todo.pop()
        found = [(start + o0 - half, s0, s1, merges, 0.5 * (o0 + o1)) for s0, s1, o0, o1, merges in zones.get(lane, ())]
        joins = lane in ego.start_of
        if joins and -5.0 < ego.start_of[lane] < T.conflict_m:
            found.append((start - half, ego.start_of[lane], ego.start_of[lane] + 10.0, True, 0.0))
        for way, s0, s1, merges, middle in found:
            if way < -2.0 * half - 10.0 or (merges in best and way >= best[merges].other_m):
                continue
            _, _, heading = lane_pose(index, lane, middle, 0.0)
            turned = float(wrap_angle(heading - float(ego.path.heading[ego.sample(0.5 * (s0 + s1))])))
            best[merges] = Conflict(
                row, merges, s0 - front, s1 - front, way, arrival_s(s0 - front, speed),
                arrival_s(way, float(others.state[row, 3])), turned,
            )  # fmt: skip
        beyond = start + float(index.lane_length[lane])
        if beyond > FAR_M or joins:
            continue
        for q in range(index.succ_lo[lane], index.succ_lo[lane + 1]):
            on = int(index.succ[q])
            if on not in met:
                met.add(on)
                todo.append((on, beyond))
    return tuple(sorted(best.values(), key=lambda c: c.other_m))


def _straight(others: Others, row: int, front: float, speed: float) -> tuple[Conflict, ...]:
    """Where someone who goes straight on enters the way of the ego's body."""
    toward, v = float(others.toward[row]), abs(float(others.state[row, 3]))
    angle = abs(math.degrees(float(others.turned[row])))
    if not others.on_path[row] or toward < T.vru_walk_mps or v < T.vru_walk_mps:
        return ()
    if not T.crossing_low_deg <= angle <= T.crossing_high_deg:
        return ()
    seconds = max(-float(others.overlap[row]), 0.0) / toward
    s = float(others.s[row]) + float(others.v_along[row]) * seconds
    reach = float(others.along[row])
    if s + reach < front - 2.0 or s > T.conflict_m or seconds > 12.0:
        return ()
    s0 = s - reach - front
    turned = float(others.turned[row])
    return (
        Conflict(row, False, s0, s + reach - front, seconds * v, arrival_s(s0, speed), seconds, turned),
    )  # fmt: skip
