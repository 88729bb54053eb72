"""Where the others will be, as far as what is seen now tells: along their lanes, at their present speed.

A vehicle follows the lane it is on and the straightest way on, keeps braking if it brakes, stops for a closed light
and behind whoever is ahead of it, and completes a lane change it has visibly begun. Everybody else moves straight on.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import jit, wrap_angle
from waytrace.scenario import AgentKind
from waytrace.scenario.index import MAP_INDEX, MapIndex
from waytrace.scenario.lanes import lane_pose, locate

from ..moment import OTHERS, Moment, Others

Array = NDArray[np.float64]

STEP_S = 0.2
STEPS = 41
"""Forecast times 0, 0.2, ... 8.0 s."""

_CHAIN = 12
_CYCLIST = int(AgentKind.CYCLIST)
_PEDESTRIAN = int(AgentKind.PEDESTRIAN)
_CHANGING_MPS = 0.25
"""Moving sideways at least this fast, and not towards the middle of its lane: a lane change has begun."""

STOPS_MPS2, HEEDS_MPS2 = 6.0, 2.5
"""Who brakes is taken to stop at a closed light where this suffices; who does not, where only this is called for."""

_BRAKING_HELD_S = 2.0
_KEEPS_M = 2.0
BRISK_WALK_MPS = 2.2
"""Someone on foot who speeds up is taken to reach this, at most."""
PICK_UP_MPS2 = 2.0
"""... and to gain speed like this, however little of it has been seen yet."""


@jit("i8", MAP_INDEX, "i8", "f8", "i4[:]")
def straight_chain(m: MapIndex, lane: int, reach: float, out: NDArray[np.int32]) -> int:
    """Fill ``out`` with ``lane`` and the straightest way on, until ``reach`` metres; returns how many lanes."""
    out[0], n = lane, 1
    covered = m.lane_length[lane]
    while n < len(out) and covered < reach:
        best, turn = -1, math.inf
        for q in range(m.succ_lo[lane], m.succ_lo[lane + 1]):
            on = m.succ[q]
            bend = abs(m.point_heading[m.point_lo[on + 1] - 1] - m.point_heading[m.point_lo[on]])
            if bend < turn:
                best, turn = on, bend
        if best < 0:
            break
        lane = best
        out[n] = lane
        n += 1
        covered += m.lane_length[lane]
    return n


@jit("f8,f8,f8", MAP_INDEX, "i4[:]", "i8", "f8", "f8")
def chain_pose(m: MapIndex, chain: NDArray[np.int32], n: int, s: float, d: float) -> tuple[float, float, float]:
    """Pose at ``s`` (from the start of the chain's first lane) and ``d``; straight on beyond its end."""
    k = 0
    while k + 1 < n and s > m.lane_length[chain[k]]:
        s -= m.lane_length[chain[k]]
        k += 1
    return lane_pose(m, chain[k], s, d)


@jit("void", MAP_INDEX, OTHERS, "i4[:]", "f8[:,:,:]", "i4[:]", "b1[:]", allocates=True)
def forecast_into(
    m: MapIndex,
    others: Others,
    closed: NDArray[np.int32],
    out: Array,
    lane_of: NDArray[np.int32],
    changes: NDArray[np.bool_],
) -> None:
    """Fill ``out`` [A, 41, 4] with x, y, heading, speed, ``lane_of`` [A] with everyone's lane (-1 for none),
    ``changes`` [A] with who is changing lanes.
    """
    count = len(others.x)
    chain = np.empty((count, _CHAIN), np.int32)
    lanes = np.zeros(count, np.int64)
    s0, d0, rate, goal = np.zeros(count), np.zeros(count), np.zeros(count), np.zeros(count)
    travelled = np.zeros((count, STEPS))
    for a in range(count):
        v = others.speed[a]
        lane, s, d = -1, 0.0, 0.0
        if others.kind[a] <= _CYCLIST:
            lane, s, d = locate(m, 0, others.x[a], others.y[a], others.heading[a], -1)
        turned = 0.0
        if lane >= 0:
            _, _, h = lane_pose(m, lane, s, 0.0)
            turned = wrap_angle(others.heading[a] - h)
            if abs(turned) > 0.8 or abs(d) > 3.0:
                lane = -1
        lane_of[a] = lane
        accel, fastest = others.accel[a], math.inf
        if others.kind[a] >= _CYCLIST:
            fastest = max(v, BRISK_WALK_MPS) if others.kind[a] > _CYCLIST else math.inf
        stop = math.inf
        if lane >= 0:
            reach = s + 8.0 * max(v, 0.0) + 20.0
            n = straight_chain(m, lane, reach, chain[a])
            lanes[a], s0[a], d0[a], goal[a] = n, s, d, d
            lateral = v * math.sin(turned) + others.sideways[a]
            if abs(lateral) > _CHANGING_MPS and d * lateral > -0.3 * abs(lateral):
                side = m.lane_left[lane] if lateral > 0.0 else m.lane_right[lane]
                p = m.point_lo[lane]
                if side >= 0:
                    q = m.point_lo[side]
                    width = (
                        (m.point_right[q] + m.point_left[p]) if lateral > 0.0 else (m.point_left[q] + m.point_right[p])
                    )
                    goal[a], rate[a] = math.copysign(width, lateral), max(abs(lateral), 0.5)
                    changes[a] = True
            elif abs(d) > 0.3 and d * lateral < 0.0 and abs(lateral) > 0.15:
                goal[a], rate[a] = 0.0, max(abs(lateral), 0.4)
            at = -s
            for k in range(n):
                if k > 0:
                    for c in closed:
                        if c == chain[a, k] and at - 0.5 * others.length[a] > -1.0 and stop == math.inf:
                            room = at - 0.5 * others.length[a]
                            if v * v / (2.0 * max(room, 0.1)) < (STOPS_MPS2 if accel < -0.5 else HEEDS_MPS2):
                                stop = max(room - 0.5, 0.0)
                at += m.lane_length[chain[a, k]]
        u, x = v, 0.0
        sets_off = others.kind[a] == _PEDESTRIAN and accel > 0.15 and v > 0.05
        for t in range(1, STEPS):
            acc = 0.0
            if (t - 1) * STEP_S < _BRAKING_HELD_S and accel < -0.4:
                acc = max(accel, -8.0)
            elif sets_off:
                acc = PICK_UP_MPS2
            elif (t - 1) * STEP_S < 1.0 and accel > 0.3:
                acc = min(accel, 2.0)
            if v < 0.0:
                acc = 0.0
            w = min(max(0.0, u + acc * STEP_S), max(fastest, u)) if v >= 0.0 else u
            if stop < math.inf:
                w = min(w, math.sqrt(max(0.0, 2.0 * 3.0 * (stop - x))))
            x += 0.5 * (u + w) * STEP_S
            u = w
            travelled[a, t] = x
    for _ in range(2):
        for a in range(count):
            if lanes[a] == 0:
                continue
            for b in range(count):
                if a == b or lanes[b] == 0 or abs(d0[b] - d0[a]) > 1.6:
                    continue
                at = -s0[a]
                for k in range(lanes[a]):
                    if chain[a, k] == lane_of[b]:
                        gap = at + s0[b] - 0.5 * (others.length[a] + others.length[b]) - _KEEPS_M
                        if gap > -_KEEPS_M and at + s0[b] > 0.0:
                            for t in range(1, STEPS):
                                travelled[a, t] = min(travelled[a, t], max(gap, 0.0) + travelled[b, t])
                        break
                    at += m.lane_length[chain[a, k]]
    for a in range(count):
        x, y, h = others.x[a], others.y[a], others.heading[a]
        out[a, 0, 0], out[a, 0, 1], out[a, 0, 2], out[a, 0, 3] = x, y, h, others.speed[a]
        first_h = 0.0
        if lanes[a] > 0:
            _, _, lane_h = chain_pose(m, chain[a], lanes[a], s0[a], d0[a])
            first_h = wrap_angle(h - lane_h)
        for t in range(1, STEPS):
            moved = max(travelled[a, t] - travelled[a, t - 1], 0.0) if others.speed[a] >= 0.0 else 0.0
            if lanes[a] > 0:
                d = d0[a]
                if rate[a] > 0.0:
                    span = goal[a] - d0[a]
                    d += math.copysign(min(abs(span), rate[a] * t * STEP_S), span)
                px, py, ph = chain_pose(m, chain[a], lanes[a], s0[a] + travelled[a, t], d)
                fade = max(0.0, 1.0 - t * STEP_S / 1.5)
                out[a, t, 0], out[a, t, 1], out[a, t, 2] = px, py, ph + fade * first_h
            else:
                x = others.x[a] + travelled[a, t] * math.cos(h)
                y = others.y[a] + travelled[a, t] * math.sin(h)
                out[a, t, 0], out[a, t, 1], out[a, t, 2] = x, y, h
            out[a, t, 3] = moved / STEP_S if others.speed[a] >= 0.0 else others.speed[a]


def forecast(moment: Moment) -> tuple[Array, NDArray[np.bool_]]:
    """Poses of all others [A, 41, 4] (x, y, heading, speed, each 0.2 s from now), and who is changing lanes [A]."""
    count = len(moment.others.x)
    out, lane_of = np.zeros((count, STEPS, 4)), np.full(count, -1, np.int32)
    changes = np.zeros(count, np.bool_)
    closed = np.array(sorted(moment.closed_lanes()), np.int32)
    forecast_into(moment.roads.index, moment.others, closed, out, lane_of, changes)
    return out, changes


__all__ = ["STEPS", "STEP_S", "chain_pose", "forecast", "straight_chain"]
