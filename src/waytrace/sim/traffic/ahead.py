"""What stands or drives in the way of a reactive agent: leaders, parked vehicles, people about to cross."""

from __future__ import annotations

import math

from waytrace.geometry import jit
from waytrace.scenario import AgentKind
from waytrace.scenario.state import AGENT_STATE, AgentState

from ..arrays import FIXED, MOVING, STANDING, Fixed, Moving
from .idm import idm
from .scratch import SCRATCH, Scratch

SIDE_MARGIN_M = 0.25
"""Less room than this beside another and it is in the way."""

NUDGE_MARGIN_M = 0.45
"""Room that is sought when passing a parked vehicle."""

LATERAL_ACCEL_MPS2 = 2.5
"""Curves are driven at the speed of this lateral acceleration."""

_CYCLIST, _PEDESTRIAN = int(AgentKind.CYCLIST), int(AgentKind.PEDESTRIAN)


@jit("f8", SCRATCH, "i8", "f8", "f8")
def curve_speed(sc: Scratch, n: int, desired: float, brake: float) -> float:
    """Desired speed now, so that every curve ahead can be entered at its own speed by comfortable braking."""
    best = desired * desired
    for k in range(n):
        curvature = abs(sc.sample_k[k])
        if curvature > 1e-3:
            best = min(best, LATERAL_ACCEL_MPS2 / curvature + 2.0 * brake * sc.sample_d[k])
    return math.sqrt(best)


@jit("i8", SCRATCH, "i8", "f8", "f8")
def nearest_sample(sc: Scratch, n: int, x: float, y: float) -> int:
    """The sample of the path ahead that lies nearest to a point: every fourth is tried, then those around the best."""
    best, where = 1e18, 0
    for k in range(0, n, 4):
        dx, dy = x - sc.sample_x[k], y - sc.sample_y[k]
        dist2 = dx * dx + dy * dy
        if dist2 < best:
            best, where = dist2, k
    coarse = where
    for k in range(max(0, coarse - 3), min(n, coarse + 4)):
        dx, dy = x - sc.sample_x[k], y - sc.sample_y[k]
        dist2 = dx * dx + dy * dy
        if dist2 < best:
            best, where = dist2, k
    return where


@jit("f8", FIXED, MOVING, AGENT_STATE, SCRATCH, "i8", "i8", "i8", "f8", "f8")
def accel_behind(
    f: Fixed, v: Moving, st: AgentState, sc: Scratch, w: int, a: int, n: int, horizon: float, desired: float
) -> float:
    """Acceleration that everything on the path ahead allows; sets the lateral offset for passing parked vehicles."""
    speed, half_width, half_length = st.speed[w, a], 0.5 * st.width[w, a], 0.5 * st.length[w, a]
    headway, most, brake = f.headway_s[w, a], f.accel_max[w, a], f.brake_comfort[w, a]
    accel = idm(speed, desired, math.inf, 0.0, headway, most, brake)
    x, y, c, s = st.x[w, a], st.y[w, a], st.cos[w, a], st.sin[w, a]
    nudge, nudge_at = 0.0, math.inf
    for j in range(f.agents[w]):
        if j == a or not st.present[w, j]:
            continue
        dx, dy = st.x[w, j] - x, st.y[w, j] - y
        reach = horizon + half_length + st.length[w, j]
        if dx * dx + dy * dy > reach * reach or dx * c + dy * s < -half_length - 0.5 * st.length[w, j]:
            continue
        k = nearest_sample(sc, n, st.x[w, j], st.y[w, j])
        tc, ts = sc.sample_c[k], sc.sample_s[k]
        ex, ey = st.x[w, j] - sc.sample_x[k], st.y[w, j] - sc.sample_y[k]
        along, lateral = sc.sample_d[k] + ex * tc + ey * ts, -ex * ts + ey * tc
        cj, sj = tc * st.cos[w, j] + ts * st.sin[w, j], tc * st.sin[w, j] - ts * st.cos[w, j]
        half_along = 0.5 * (abs(cj) * st.length[w, j] + abs(sj) * st.width[w, j])
        half_across = 0.5 * (abs(sj) * st.length[w, j] + abs(cj) * st.width[w, j])
        if along < -half_length - half_along - 0.5:
            continue
        gap = along - half_length - half_along
        room = half_width + half_across + SIDE_MARGIN_M
        off = lateral - st.lane_d[w, a]
        kind = st.kind[w, j]
        contact = half_width + half_across
        if v.mode[w, j] == STANDING and kind != _PEDESTRIAN and abs(lateral) < contact + NUDGE_MARGIN_M and gap < 40.0:
            side = 1.0 if lateral < 0.0 else -1.0
            offset = lateral + side * (contact + NUDGE_MARGIN_M)
            free = (sc.sample_left[k] if side > 0.0 else sc.sample_right[k]) - half_width + 0.4
            if abs(offset) <= free:
                if along < nudge_at:
                    nudge, nudge_at = offset, along
                if abs(off) <= contact + 0.1 and along > 0.0:
                    accel = min(accel, idm(speed, desired, max(gap, 0.5) + 4.0, 0.0, headway, most, brake))
                continue
        if along <= 0.0:
            continue
        if abs(off) < room and abs(lateral - (0.0 if gap > 15.0 else st.lane_d[w, a])) < room:
            accel = min(accel, idm(speed, desired, gap, max(0.0, st.speed[w, j] * cj), headway, most, brake))
        elif kind in (_PEDESTRIAN, _CYCLIST) and abs(sj) > 0.5 and gap < 50.0:
            closing = -math.copysign(1.0, off) * st.speed[w, j] * sj
            if closing > 0.2:
                enters, leaves = (abs(off) - room) / closing, (abs(off) + room) / closing
                arrives = max(gap, 0.0) / max(speed, 2.0)
                if enters < arrives + 1.5 and leaves > arrives - 0.5:
                    accel = min(accel, idm(speed, desired, max(gap - 1.0, 0.1), 0.0, headway, most, brake))
    v.offset[w, a] = nudge if nudge_at < math.inf else v.home[w, a]
    return accel
