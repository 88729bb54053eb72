"""The road ahead of a reactive agent: its lanes, sampled points, and how it moves along them."""

from __future__ import annotations

import math

from waytrace.geometry import jit
from waytrace.scenario import DT_S, AgentKind
from waytrace.scenario.index import MAP_INDEX, MapIndex
from waytrace.scenario.lanes import lane_pose
from waytrace.scenario.state import AGENT_STATE, AgentState

from ..arrays import FIXED, MOVING, PATH_LANES, Fixed, Moving
from ..noise import PURPOSE_FORK, uniform
from .scratch import SAMPLES, SCRATCH, Scratch

NEAR_SAMPLES = 20
NEAR_STEP_M = 2.0
FAR_STEP_M = 4.0

_OTHER_LANE = 3


@jit("void", MAP_INDEX, FIXED, MOVING, "i8", "i8")
def extend_path(m: MapIndex, f: Fixed, v: Moving, w: int, a: int) -> None:
    """Append successors until an agent's path has two lanes beyond the present one; forks by the agent's own dice."""
    while v.path_count[w, a] - v.path_at[w, a] < 3:
        if v.path_count[w, a] == PATH_LANES:
            keep = v.path_count[w, a] - v.path_at[w, a]
            for i in range(keep):
                v.path[w, a, i] = v.path[w, a, v.path_at[w, a] + i]
            v.path_at[w, a], v.path_count[w, a] = 0, keep
        last = v.path[w, a, v.path_count[w, a] - 1]
        lo, hi = m.succ_lo[last], m.succ_lo[last + 1]
        if hi == lo:
            return
        pick = lo + int(uniform(f.seed[w], f.key[w, a], last - m.lane_lo[f.map_of[w]], PURPOSE_FORK) * (hi - lo))
        v.path[w, a, v.path_count[w, a]] = m.succ[pick]
        v.path_count[w, a] += 1


@jit("i8", MAP_INDEX, MOVING, AGENT_STATE, SCRATCH, "i8", "i8", "f8")
def sample_path(m: MapIndex, v: Moving, st: AgentState, sc: Scratch, w: int, a: int, horizon: float) -> int:
    """Fill the scratch with points of the path up to ``horizon`` metres ahead; returns how many."""
    at = v.path_at[w, a]
    lane = v.path[w, a, at]
    s, distance = st.lane_s[w, a], 0.0
    for k in range(SAMPLES):
        while s > m.lane_length[lane]:
            at += 1
            if at >= v.path_count[w, a]:
                return k
            s -= m.lane_length[lane]
            lane = v.path[w, a, at]
        step = m.lane_step[lane]
        u = max(s / step, 0.0)
        i = min(int(u), m.point_lo[lane + 1] - m.point_lo[lane] - 2)
        t = u - i
        p = m.point_lo[lane] + i
        dx, dy = m.point_x[p + 1] - m.point_x[p], m.point_y[p + 1] - m.point_y[p]
        sc.sample_x[k], sc.sample_y[k] = m.point_x[p] + t * dx, m.point_y[p] + t * dy
        sc.sample_c[k], sc.sample_s[k] = dx / step, dy / step
        sc.sample_k[k] = (m.point_heading[p + 1] - m.point_heading[p]) / step
        sc.sample_left[k], sc.sample_right[k] = m.point_left[p], m.point_right[p]
        sc.sample_d[k] = distance
        move = NEAR_STEP_M if k < NEAR_SAMPLES else FAR_STEP_M
        distance += move
        s += move
        if distance > horizon:
            return k + 1
    return SAMPLES


@jit("void", MAP_INDEX, FIXED, MOVING, AGENT_STATE, "i8", "i8", "f8")
def move_along(m: MapIndex, f: Fixed, v: Moving, st: AgentState, w: int, a: int, accel: float) -> None:
    """One tick along the path at ``accel``; the agent leaves the world at the end of its last lane."""
    speed = st.speed[w, a]
    after = max(0.0, speed + accel * DT_S)
    moved = 0.5 * (speed + after) * DT_S
    s = st.lane_s[w, a] + moved
    while s > m.lane_length[v.path[w, a, v.path_at[w, a]]]:
        if v.path_at[w, a] + 1 >= v.path_count[w, a]:
            extend_path(m, f, v, w, a)
            if v.path_at[w, a] + 1 >= v.path_count[w, a]:
                st.present[w, a] = False
                return
        s -= m.lane_length[v.path[w, a, v.path_at[w, a]]]
        v.path_at[w, a] += 1
    extend_path(m, f, v, w, a)
    lane = v.path[w, a, v.path_at[w, a]]
    lateral = st.lane_d[w, a]
    rate = min(v.offset_rate[w, a], 0.35 * after) * DT_S  # a car cannot move sideways on the spot
    shift = min(max(v.offset[w, a] - lateral, -rate), rate)
    lateral += shift
    x, y, heading = lane_pose(m, lane, s, lateral)
    if st.kind[w, a] <= AgentKind.CYCLIST and moved > 1e-3:
        heading += math.atan2(shift, max(moved, 0.05)) * 0.7
    turned = heading - st.heading[w, a]
    turned = (turned + math.pi) % (2.0 * math.pi) - math.pi
    most = 0.6 * moved + 0.002 if speed > 0.0 or after > 0.0 else 0.0
    turned = min(max(turned, -most), most)  # the tightest turn a car drives, so that a new path does not make it jump
    st.x[w, a], st.y[w, a] = x, y
    st.heading[w, a] += turned
    st.yaw_rate[w, a] = turned / DT_S
    st.accel[w, a] = (after - speed) / DT_S
    st.speed[w, a] = after
    st.cos[w, a], st.sin[w, a] = math.cos(st.heading[w, a]), math.sin(st.heading[w, a])
    st.lane[w, a], st.lane_s[w, a], st.lane_d[w, a] = lane, s, lateral
