"""What a stretch of traffic is like: speeds, accelerations, gaps, lane changes, contacts, measured on any trajectories.

Recorded and simulated trajectories go through the same functions, so that noise and smoothing are those of both sides.
Shapes: T ticks of 0.1 s, N road users. Metres, seconds, radians, world frame.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import boxes_overlap, jit
from waytrace.scenario import DT_S
from waytrace.scenario.index import MAP_INDEX, MapIndex
from waytrace.scenario.lanes import locate, off_drivable

SMOOTH_TICKS = 15
"""Positions are fitted by a parabola over this many ticks; its derivatives are velocity and acceleration."""
JERK_TICKS = 5
"""Jerk: difference of the accelerations this many ticks after and before."""
MOVING_MPS = 1.0
STOPPED_MPS = 0.3
HEADWAY_LEAST_MPS = 2.0
LEADER_M = 80.0
STAY_TICKS = 10
"""A lane counts as taken when it is kept for 1 s."""
LATERAL_MOST_M = 2.2
"""Farther from every centre line than this a vehicle is in no lane."""
OFF_ROAD_M = 0.3
CONTACT_SHRINK_M = 0.2
"""Boxes are made this much shorter and narrower before a contact counts: recorded boxes are not more exact."""

F8 = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Motion(NamedTuple):
    """Derivatives of smoothed positions, [T, N] each; NaN where the window reaches beyond what is known."""

    speed_mps: F8
    accel_mps2: F8
    """Along the direction of motion; NaN below 1 m/s."""
    jerk_mps3: F8


def motion(x: F8, y: F8, use: Flags) -> Motion:
    """Speed, acceleration and jerk of [T, N] positions, where the whole window lies in ``use``."""
    half = SMOOTH_TICKS // 2
    k = np.arange(-half, half + 1, dtype=np.float64)
    first = k / (k @ k) / DT_S
    centred = k**2 - (k**2).mean()
    second = 2.0 * centred / (centred @ centred) / DT_S**2
    speed, accel, jerk = (np.full(x.shape, np.nan) for _ in range(3))
    if len(x) >= SMOOTH_TICKS:
        whole = np.lib.stride_tricks.sliding_window_view(use, SMOOTH_TICKS, axis=0).all(-1)
        windows = [np.lib.stride_tricks.sliding_window_view(p, SMOOTH_TICKS, axis=0) for p in (x, y)]
        (vx, vy), (ax, ay) = ([w @ kernel for w in windows] for kernel in (first, second))
        v = np.hypot(vx, vy)
        along = np.where(v >= MOVING_MPS, (vx * ax + vy * ay) / np.maximum(v, 1e-9), np.nan)
        speed[half : len(x) - half] = np.where(whole, v, np.nan)
        accel[half : len(x) - half] = np.where(whole, along, np.nan)
        step = JERK_TICKS
        if len(x) > 2 * step:
            jerk[step:-step] = (accel[2 * step :] - accel[: -2 * step]) / (2 * step * DT_S)
    return Motion(speed, accel, jerk)


@jit(
    "void", MAP_INDEX, "i8", "f8[:,:]", "f8[:,:]", "f8[:,:]", "b1[:,:]", "i8[:,:]", "f8[:,:]", "f8[:,:]",
)  # fmt: skip
def find_lanes(
    m: MapIndex, number: int, x: F8, y: F8, heading: F8, use: Flags, lane: NDArray[np.int64], s: F8, d: F8
) -> None:
    """Fill lane, s and d [T, N] of everyone in ``use``; the lane of the tick before is favoured by 0.5 m."""
    for a in range(x.shape[1]):
        prefer = -1
        for t in range(x.shape[0]):
            lane[t, a] = -1
            if not use[t, a]:
                continue
            found, along, beside = locate(m, number, x[t, a], y[t, a], heading[t, a], prefer)
            prefer = found
            if found >= 0 and abs(beside) <= LATERAL_MOST_M:
                lane[t, a], s[t, a], d[t, a] = found, along, beside


@jit(
    "void", MAP_INDEX, "i8[:,:]", "f8[:,:]", "f8[:,:]", "f8[:]", "f8[:]", "f8[:,:]", allocates=True,
)  # fmt: skip
def find_gaps(m: MapIndex, lane: NDArray[np.int64], s: F8, d: F8, length: F8, width: F8, gap: F8) -> None:
    """Fill gap [T, N]: metres from a vehicle's front to the rear of the next one in its lane or what that leads on to.

    Infinity where nobody is within 80 m, NaN for who is in no lane. At forks every branch counts.
    """
    todo, far = np.empty(64, np.int64), np.empty(64)
    for t in range(lane.shape[0]):
        for a in range(lane.shape[1]):
            gap[t, a] = math.nan
            if lane[t, a] < 0:
                continue
            best = LEADER_M
            todo[0], far[0], count = lane[t, a], -s[t, a], 1
            at = 0
            while at < count:
                here, base = todo[at], far[at]
                at += 1
                for j in range(lane.shape[1]):
                    if j == a or lane[t, j] != here:
                        continue
                    ahead = base + s[t, j]
                    if ahead <= 0.0 or abs(d[t, j] - d[t, a]) > 0.5 * (width[a] + width[j]):
                        continue
                    best = min(best, ahead - 0.5 * (length[a] + length[j]))
                base += m.lane_length[here]
                if base < LEADER_M:
                    for q in range(m.succ_lo[here], m.succ_lo[here + 1]):
                        if count < 64:
                            todo[count], far[count] = m.succ[q], base
                            count += 1
            gap[t, a] = best if best < LEADER_M else math.inf


def lane_changes(m: MapIndex, lane: NDArray[np.int64]) -> NDArray[np.int64]:
    """Lane changes of each of N vehicles from their lanes [T, N]: to a neighbour, with 1 s kept before and after.

    Going on to a successor is none, nor is a switch between lanes that are not neighbours (connectors of a junction).
    """
    return np.array([_changes(m, column) for column in lane.T], dtype=np.int64)


def _changes(m: MapIndex, lane: NDArray[np.int64]) -> int:
    position, before, stays = 0, -1, [[0, 0]]  # (side position, ticks in it) one after the other
    total = 0
    for here in map(int, lane):
        if here < 0:
            total += _kept(stays)
            before, stays = -1, [[0, 0]]
            position = 0
            continue
        step = _sideways(m, before, here) if before >= 0 and here != before else 0
        position += step
        if step:
            stays.append([position, 0])
        stays[-1][1] += 1
        before = here
    return total + _kept(stays)


def _kept(stays: list[list[int]]) -> int:
    """Lanes crossed between places that were kept."""
    kept = [place for place, ticks in stays if ticks >= STAY_TICKS]
    return sum(abs(b - a) for a, b in pairwise(kept))


def _sideways(m: MapIndex, before: int, here: int) -> int:
    """1 for a step to the left, -1 to the right, 0 for none, from one lane to the next one seen."""
    onward = m.succ[m.succ_lo[before] : m.succ_lo[before + 1]]
    if here in onward:
        return 0
    behind = m.pred[m.pred_lo[here] : m.pred_lo[here + 1]]
    for a, b in ((before, here), *((int(o), here) for o in onward), *((before, int(p)) for p in behind)):
        if m.lane_left[a] == b or m.lane_right[b] == a:
            return 1
        if m.lane_right[a] == b or m.lane_left[b] == a:
            return -1
    return 0


@jit("void", "f8[:,:]", "f8[:,:]", "f8[:,:]", "b1[:,:]", "f8[:]", "f8[:]", "b1[:,:]", "b1[:,:]")
def find_contacts(
    x: F8, y: F8, heading: F8, there: Flags, length: F8, width: F8, struck: Flags, first: Flags
) -> None:  # fmt: skip
    """Fill struck [N, N] (a < b): boxes overlap at some tick, though not when the two were first there together."""
    for a in range(x.shape[1]):
        for b in range(a + 1, x.shape[1]):
            met = False
            for t in range(x.shape[0]):
                if not (there[t, a] and there[t, b]):
                    continue
                touch = boxes_overlap(
                    x[t, a], y[t, a], heading[t, a], length[a] - CONTACT_SHRINK_M, width[a] - CONTACT_SHRINK_M,
                    x[t, b], y[t, b], heading[t, b], length[b] - CONTACT_SHRINK_M, width[b] - CONTACT_SHRINK_M,
                )  # fmt: skip
                if not met:
                    met = True
                    first[a, b] = touch
                if touch and not first[a, b]:
                    struck[a, b] = True


@jit("void", MAP_INDEX, "i8", "f8[:,:]", "f8[:,:]", "f8[:,:]", "b1[:,:]", "f8[:]", "f8[:]", "b1[:,:]")
def find_off_road(
    m: MapIndex, number: int, x: F8, y: F8, heading: F8, use: Flags, length: F8, width: F8, off: Flags
) -> None:
    """Fill off [T, N]: a corner of the box lies more than 0.3 m beyond the drivable area."""
    for t in range(x.shape[0]):
        for a in range(x.shape[1]):
            off[t, a] = False
            if not use[t, a]:
                continue
            c, s = math.cos(heading[t, a]), math.sin(heading[t, a])
            for i in range(4):
                u = 0.5 * length[a] if i < 2 else -0.5 * length[a]
                v = 0.5 * width[a] if i % 2 == 0 else -0.5 * width[a]
                if off_drivable(m, number, x[t, a] + c * u - s * v, y[t, a] + s * u + c * v) > OFF_ROAD_M:
                    off[t, a] = True
