"""The tick: controlled agents track their plans, the others react, lanes and lights follow, everything is recorded."""

from __future__ import annotations

import math

from waytrace.geometry import boxes_overlap, jit
from waytrace.scenario import DT_S
from waytrace.scenario.index import MAP_INDEX, ROUTE_INDEX, MapIndex, RouteIndex
from waytrace.scenario.lanes import locate, project_on_lane, route_entry
from waytrace.scenario.state import AGENT_STATE, LIGHT_ARRAYS, AgentState, LightArrays

from .arrays import (
    CONTROLLED,
    FIXED,
    MOVING,
    PATH_LANES,
    PRESENT,
    REACTIVE,
    RECORD,
    REPLAY,
    ROWS,
    SEEN,
    SIMULATED,
    STANDING,
    Fixed,
    Moving,
    Record,
    Rows,
)
from .dynamics import ACCEL_MAX, ACCEL_MIN, CURVATURE_MAX, CURVATURE_MIN, TICKS_PER_KNOT, advance
from .tracker import clamp, track
from .traffic.drive import decide_reactive, move_others
from .traffic.lane_change import change_lanes
from .traffic.scratch import SCRATCH, Scratch
from .traffic.scripts import set_off_scripts

PLAN_TICKS = 80


@jit("void", FIXED, MOVING, AGENT_STATE, ROWS, RECORD, "i8")
def move_controlled(f: Fixed, v: Moving, st: AgentState, r: Rows, rec: Record, b: int) -> None:
    """One tick of controlled agent ``b``: by its held plan through the tracker, or by direct controls."""
    w, a = r.world[b], r.slot[b]
    rear, heading, speed = f.rear[w, a], st.heading[w, a], st.speed[w, a]
    x, y = st.x[w, a] - rear * st.cos[w, a], st.y[w, a] - rear * st.sin[w, a]
    if r.plan_tick[b] >= 0:
        i = min(v.tick[w] - r.plan_tick[b], PLAN_TICKS - 1)
        k = i // TICKS_PER_KNOT
        accel, curvature = track(
            x, y, heading, speed, v.accel_command[w, a], v.curvature[w, a], r.reference[b, i, 0], r.reference[b, i, 1],
            r.reference[b, i, 2], r.reference[b, i, 3], r.plan_accel[b, k], r.plan_curvature[b, k],
        )  # fmt: skip
    else:
        accel = clamp(r.accel[b], ACCEL_MIN, ACCEL_MAX)
        curvature = clamp(r.curvature[b], CURVATURE_MIN, CURVATURE_MAX)
    x, y, turned, after = advance(x, y, heading, speed, accel, curvature, DT_S)
    v.accel_command[w, a], v.curvature[w, a] = accel, curvature
    st.accel[w, a], st.yaw_rate[w, a] = (after - speed) / DT_S, (turned - heading) / DT_S
    st.heading[w, a], st.speed[w, a] = turned, after
    c, s = math.cos(turned), math.sin(turned)
    st.cos[w, a], st.sin[w, a] = c, s
    st.x[w, a], st.y[w, a] = x + rear * c, y + rear * s
    if rec.accel.shape[1] > 1:
        rec.accel[b, v.tick[w]], rec.curvature[b, v.tick[w]] = st.accel[w, a], curvature


@jit("void", MAP_INDEX, ROUTE_INDEX, FIXED, MOVING, AGENT_STATE, "i8", "i8")
def follow_lane(m: MapIndex, ro: RouteIndex, f: Fixed, v: Moving, st: AgentState, w: int, a: int) -> None:
    """Bring an agent's lane coordinates up to date; the ego's expected path follows its route from there."""
    lane, x, y = st.lane[w, a], st.x[w, a], st.y[w, a]
    if lane >= 0:
        s, d, distance = project_on_lane(m, lane, x, y, max(st.lane_s[w, a], 0.0))
        if distance < 1.0 and 0.0 <= s <= m.lane_length[lane]:
            i = min(int(s / m.lane_step[lane]), m.point_lo[lane + 1] - m.point_lo[lane] - 1)
            if math.cos(st.heading[w, a] - m.point_heading[m.point_lo[lane] + i]) > 0.95:
                st.lane_s[w, a], st.lane_d[w, a] = s, d
                return
    found, s, d = locate(m, f.map_of[w], x, y, st.heading[w, a], lane)
    st.lane[w, a], st.lane_s[w, a], st.lane_d[w, a] = found, s, d
    if a == f.ego[w] and found >= 0 and found != lane and v.mode[w, a] == CONTROLLED:
        v.path[w, a, 0], v.path_count[w, a], v.path_at[w, a] = found, 1, 0
        while v.path_count[w, a] < PATH_LANES:
            last = v.path[w, a, v.path_count[w, a] - 1]
            lo, hi = m.succ_lo[last], m.succ_lo[last + 1]
            if lo == hi:
                break
            onward = m.succ[lo]
            for q in range(lo, hi):
                if route_entry(ro, w, m.succ[q]) >= 0:
                    onward = m.succ[q]
            v.path[w, a, v.path_count[w, a]] = onward
            v.path_count[w, a] += 1


@jit("void", FIXED, MOVING, LIGHT_ARRAYS, "i8")
def set_lights(f: Fixed, v: Moving, lt: LightArrays, w: int) -> None:
    """Lights of the world's present tick; the last recorded state holds on."""
    step = min(f.start[w] + v.tick[w], f.steps[w] - 1)
    for k in range(lt.lane.shape[1]):
        if lt.lane[w, k] >= 0:
            lt.state[w, k] = f.light_program[w, step, k]


@jit("void", FIXED, AGENT_STATE, ROWS, "i8")
def find_collisions(f: Fixed, st: AgentState, r: Rows, w: int) -> None:
    """Mark the controlled agents of a world whose box overlaps another's."""
    for b in range(r.lo[w], r.lo[w + 1]):
        if r.collided[b]:
            continue
        a = r.slot[b]
        x, y, extent = st.x[w, a], st.y[w, a], st.length[w, a] + st.width[w, a]
        for j in range(f.agents[w]):
            dx, dy = st.x[w, j] - x, st.y[w, j] - y
            reach = 0.5 * (extent + st.length[w, j] + st.width[w, j])
            if dx * dx + dy * dy > reach * reach or j == a or not st.present[w, j]:
                continue
            if boxes_overlap(
                x, y, st.heading[w, a], st.length[w, a], st.width[w, a],
                st.x[w, j], st.y[w, j], st.heading[w, j], st.length[w, j], st.width[w, j],
            ):  # fmt: skip
                r.collided[b] = 1
                break


@jit("void", FIXED, MOVING, AGENT_STATE, LIGHT_ARRAYS, RECORD, "i8")
def record(f: Fixed, v: Moving, st: AgentState, lt: LightArrays, rec: Record, w: int) -> None:
    """Write the present tick into the record; who was seen is carried on from the tick before."""
    if rec.pose.shape[1] == 1:
        return
    t = v.tick[w]
    for a in range(f.agents[w]):
        rec.pose[w, t, a, 0], rec.pose[w, t, a, 1] = st.x[w, a], st.y[w, a]
        rec.pose[w, t, a, 2], rec.speed[w, t, a] = st.heading[w, a], st.speed[w, a]
        mode = v.mode[w, a]
        flags = PRESENT if st.present[w, a] else 0
        if mode != REPLAY and not (mode == STANDING and f.parked[w, a]):
            flags |= SIMULATED
        if t > 0:
            flags |= rec.flags[w, t - 1, a] & SEEN
        rec.flags[w, t, a] = flags
    for k in range(lt.lane.shape[1]):
        rec.lights[w, t, k] = lt.state[w, k]


@jit(
    "void", MAP_INDEX, ROUTE_INDEX, FIXED, MOVING, AGENT_STATE, LIGHT_ARRAYS, ROWS, RECORD, SCRATCH,
    "i8", "i8", "i8",
)  # fmt: skip
def step_worlds(
    m: MapIndex, ro: RouteIndex, f: Fixed, v: Moving, st: AgentState, lt: LightArrays, r: Rows, rec: Record,
    sc: Scratch, first: int, last: int, ticks: int,
) -> None:  # fmt: skip
    """Advance worlds ``first`` .. ``last`` (exclusive) by ``ticks`` ticks, each until its episode ends."""
    for w in range(first, last):
        for _ in range(ticks):
            if not v.active[w]:
                break
            set_off_scripts(m, f, v, st, w)
            reactive = False
            for a in range(f.agents[w]):
                reactive |= v.mode[w, a] == REACTIVE and st.present[w, a]
            if reactive:
                change_lanes(m, f, v, st, sc, w)
                decide_reactive(m, f, v, st, lt, sc, w)
            move_others(m, f, v, st, sc, w)
            for b in range(r.lo[w], r.lo[w + 1]):
                move_controlled(f, v, st, r, rec, b)
            for a in range(f.agents[w]):
                mode = v.mode[w, a]
                if st.present[w, a] and (mode == CONTROLLED or (reactive and mode == REPLAY)):
                    follow_lane(m, ro, f, v, st, w, a)
            v.tick[w] += 1
            set_lights(f, v, lt, w)
            find_collisions(f, st, r, w)
            record(f, v, st, lt, rec, w)
            if v.tick[w] >= f.last_tick[w]:
                v.active[w] = False
