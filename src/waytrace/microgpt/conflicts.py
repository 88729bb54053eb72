"""Where the ways of others meet the ego's: conflict zones of the map, and who goes first there."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import jit, wrap_angle
from waytrace.planners.expert.forecast import straight_chain
from waytrace.planners.moment import OTHERS, Others
from waytrace.scenario import AgentKind, LaneControl
from waytrace.scenario.index import MAP_INDEX, MapIndex
from waytrace.scenario.lanes import lane_pose, locate, precedence
from waytrace.scenario.paths import PATH, STEP_M, Path

from .columns import AGENT as NAMES
from .scaling import EGO, Ego, cut, near

Array = NDArray[np.float64]
F4 = NDArray[np.float32]
I4 = NDArray[np.int32]
U1 = NDArray[np.uint8]

NOWHERE = 1.0e9
SET_OFF_MPS2 = 2.0
"""The ego is taken to gain speed like this, up to the speed allowed, on its way to a conflict."""

LATEST_S = 8.0
CHAIN_LANES = 12
"""Others are followed over so many lanes at most."""

ASTRAY_M, ASTRAY_RAD = 3.0, 0.8
"""Who is farther from a lane's middle, or turned away from it, does not drive along it."""

_MEETS, _LANE = NAMES.index("meets"), NAMES.index("lane")
_CYCLIST, _YIELD, _STOP = int(AgentKind.CYCLIST), int(LaneControl.YIELD), int(LaneControl.STOP)
_CROSSING, _MERGE, _SPLIT = 0, 1, 2


@jit("f8", "f8", "f8", "f8")
def arrival_s(gap: float, speed: float, allowed: float) -> float:
    """When the ego has gone ``gap`` metres, gaining speed up to ``allowed``; at most 8 s."""
    if gap <= 0.0:
        return 0.0
    top = max(allowed, speed, 0.5)
    gain_s = (top - speed) / SET_OFF_MPS2
    gain_m = 0.5 * (speed + top) * gain_s
    if gap < gain_m:
        return min((math.sqrt(speed * speed + 2.0 * SET_OFF_MPS2 * gap) - speed) / SET_OFF_MPS2, LATEST_S)
    return min(gain_s + (gap - gain_m) / top, LATEST_S)


@jit("b1", MAP_INDEX, "i8", "i8")
def gives_way(m: MapIndex, other: int, lane: int) -> bool:
    """Whether a sign tells traffic on lane ``other`` to give way to that on ``lane``, or both of them to yield."""
    control = m.lane_control[other]
    mine, theirs = precedence(m, lane), precedence(m, other)
    return control in (_YIELD, _STOP) and (theirs < mine or (theirs == mine and control == _YIELD))


@jit("f8", MAP_INDEX, PATH, "i8", "f8", "f8")
def next_zone(m: MapIndex, path: Path, count: int, s0: float, front: float) -> float:
    """Where on a path the first zone ahead begins in which traffic need not give way to the ego's; far off for none."""
    best, last = NOWHERE, -1
    for i in range(min(max(int(s0), 0), count - 1), count):
        lane = path.lane[i]
        if lane == last:
            continue
        last = lane
        start = i * STEP_M - path.lane_s[i]
        for c in range(m.conf_lo[lane], m.conf_lo[lane + 1]):
            s = start + m.conf_s0[c]
            if m.conf_kind[c] != _SPLIT and front - 0.5 < s < best and not gives_way(m, m.conf_lane[c], lane):
                best = s
        if best < NOWHERE:
            break
    return best


@jit("void", PATH, "i8", "f8", "f8[:]")
def lane_starts(path: Path, count: int, s0: float, out: Array) -> None:
    """Fill ``out`` [lanes] with where each lane begins on a path, for those from the ego on; NaN for all others."""
    out[:] = math.nan
    for i in range(count - 1, min(max(int(s0), 0), count - 1) - 1, -1):
        out[path.lane[i]] = i * STEP_M - path.lane_s[i]


@jit("void", MAP_INDEX, "f8[:]", "f8", "f8", EGO, OTHERS, "i4[:]", "f4[:,:]")
def write_meetings(
    m: MapIndex, starts: Array, s0: float, allowed: float, ego: Ego, others: Others, chain: I4, out: F4
) -> None:
    """Write on which lane everyone drives and where its straight continuation first meets the ego's path.

    ``starts`` [lanes] as :func:`lane_starts` gives them; ``chain`` is working memory.
    """
    front = s0 + ego.front_m
    rear = front - ego.length
    for a in range(len(others.x)):
        if others.kind[a] > _CYCLIST:
            continue
        lane, s, d = locate(m, 0, others.x[a], others.y[a], others.heading[a], -1)
        if lane < 0:
            continue
        _, _, h = lane_pose(m, lane, s, 0.0)
        turned = wrap_angle(others.heading[a] - h)
        if abs(turned) > ASTRAY_RAD or abs(d) > ASTRAY_M:
            continue
        row, v = out[a], max(others.speed[a], 0.0)
        row[_LANE], row[_LANE + 1], row[_LANE + 2] = 1.0, 0.5 * d, cut(2.0 * turned, 3.0)
        row[_LANE + 3] = not math.isnan(starts[lane])
        n = straight_chain(m, lane, s + 8.0 * v + 30.0, chain)
        at, half = -s, 0.5 * others.length[a]
        best, end, its, kind, own, its_lane = NOWHERE, 0.0, 0.0, 0, -1, -1
        for k in range(n):
            on = chain[k]
            if not math.isnan(starts[on]):
                break
            for c in range(m.conf_lo[on], m.conf_lo[on + 1]):
                start = starts[m.conf_lane[c]]
                if m.conf_kind[c] == _SPLIT or math.isnan(start) or at + m.conf_s1[c] + half < 0.0:
                    continue
                if start + m.conf_o1[c] < rear or start + m.conf_o0[c] >= best:
                    continue
                best, end, its = start + m.conf_o0[c], start + m.conf_o1[c], at + m.conf_s0[c] - half
                kind, own, its_lane = m.conf_kind[c], m.conf_lane[c], on
            at += m.lane_length[on]
        if own < 0:
            continue
        there = min(max(its, 0.0) / max(v, 0.5), LATEST_S)
        mine = arrival_s(best - front, ego.speed, allowed)
        row[_MEETS], row[_MEETS + 1], row[_MEETS + 2] = 1.0, near(best - front), cut((end - best) / 20.0, 4.0)
        row[_MEETS + 3], row[_MEETS + 4], row[_MEETS + 5] = near(its), there / 4.0, mine / 4.0
        row[_MEETS + 6] = (there - mine) / 4.0
        row[_MEETS + 7] = 0.5 * (precedence(m, its_lane) - precedence(m, own))
        row[_MEETS + 8], row[_MEETS + 9] = gives_way(m, its_lane, own), kind == _MERGE
