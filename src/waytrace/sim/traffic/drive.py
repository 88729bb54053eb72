"""One tick of everyone who is not controlled: replayed, reactive, walking or standing."""

from __future__ import annotations

import math

from waytrace.geometry import boxes_overlap, jit
from waytrace.scenario import DT_S, AgentKind
from waytrace.scenario.index import MAP_INDEX, MapIndex
from waytrace.scenario.lanes import locate
from waytrace.scenario.state import AGENT_STATE, LIGHT_ARRAYS, AgentState, LightArrays

from ..arrays import (
    ABSENT,
    CONTROLLED,
    FIXED,
    MIXED_TRAFFIC,
    MOVING,
    REACTIVE,
    REACTIVE_TRAFFIC,
    REPLAY,
    REPLAY_TRAFFIC,
    STANDING,
    WALKER,
    Fixed,
    Moving,
)
from .ahead import accel_behind, curve_speed
from .lane_change import REST_TICKS
from .path import extend_path, move_along, sample_path
from .scratch import SCRATCH, Scratch
from .scripts import walk
from .yielding import accel_for_right_of_way, fill_approach_table, mark_lights, note_halts

LATCH_STEPS = 15
"""A replayed agent is watched this many recorded steps (1.5 s) ahead for striking a controlled one."""

LATCH_MARGIN_M = 0.3
LATERAL_RATE_MPS = 1.0
CURVE_RESPONSE_S = 0.5
HOME_MOST_M = 0.8
CHANGING_ROOM_M, CHANGING_SIDE_M = 20.0, 7.0


@jit("void", MAP_INDEX, FIXED, MOVING, AGENT_STATE, LIGHT_ARRAYS, SCRATCH, "i8")
def decide_reactive(m: MapIndex, f: Fixed, v: Moving, st: AgentState, lt: LightArrays, sc: Scratch, w: int) -> None:
    """Fill ``sc.accel`` for every reactive agent from the state as it is: nobody has moved yet."""
    fill_approach_table(m, f, v, st, sc, w)
    note_halts(m, f, v, st, w)
    mark_lights(lt, sc, w, True)
    for a in range(f.agents[w]):
        if v.mode[w, a] != REACTIVE or not st.present[w, a]:
            continue
        speed = st.speed[w, a]
        limit = m.lane_limit[st.lane[w, a]]
        desired = v.desired[w, a]
        presses = v.press_brake[w, a] >= 0.0
        if not math.isnan(limit) and not presses:
            desired = min(desired, limit * f.speed_factor[w, a])
        horizon = min(max(30.0, 5.0 * speed + speed * speed / 6.0), 120.0)
        n = sample_path(m, v, st, sc, w, a, horizon)
        capped = curve_speed(sc, n, desired, f.brake_comfort[w, a])
        accel = accel_behind(f, v, st, sc, w, a, n, horizon, capped)
        if presses:
            accel = max(accel, -v.press_brake[w, a])
        if speed > capped and capped < desired:  # a curve: the free-road term alone would brake too late
            accel = min(accel, max(-2.0 * f.brake_comfort[w, a], (capped - speed) / CURVE_RESPONSE_S))
        if not presses:
            accel = min(accel, accel_for_right_of_way(m, f, v, st, sc, w, a, capped, min(horizon, 80.0)))
        if v.script_brake[w, a] > 0.0 and speed > v.desired[w, a]:
            accel = min(accel, -min(v.script_brake[w, a], (speed - v.desired[w, a]) / DT_S))
        sc.accel[a] = max(accel, -9.81)
    mark_lights(lt, sc, w, False)


@jit("i8", MAP_INDEX, "i8", "f8")
def _index(m: MapIndex, lane: int, s: float) -> int:
    """Number of the lane point at or before s."""
    return max(0, min(int(s / m.lane_step[lane]), int(m.point_lo[lane + 1] - m.point_lo[lane] - 2)))


@jit("b1", MAP_INDEX, FIXED, MOVING, AGENT_STATE, "i8", "i8")
def make_reactive(m: MapIndex, f: Fixed, v: Moving, st: AgentState, w: int, a: int) -> bool:
    """Put an agent on the road under its own steam; False (and standing) where it is on no lane of its direction."""
    lane, s, d = locate(m, f.map_of[w], st.x[w, a], st.y[w, a], st.heading[w, a], -1)
    where = -1
    for i in range(v.path_count[w, a]):
        if v.path[w, a, i] == lane:
            where = i
    ok = lane >= 0 and abs(d) < 3.5
    if ok:
        turn = math.cos(st.heading[w, a] - m.point_heading[m.point_lo[lane] + _index(m, lane, s)])
        ok = turn > 0.5
    if not ok:
        return False
    if where >= 0:
        v.path_at[w, a] = where
    else:
        v.path[w, a, 0], v.path_count[w, a], v.path_at[w, a] = lane, 1, 0
    st.lane[w, a], st.lane_s[w, a], st.lane_d[w, a] = lane, s, d
    v.home[w, a] = min(max(d, -HOME_MOST_M), HOME_MOST_M)
    v.mode[w, a], v.offset[w, a], v.offset_rate[w, a] = REACTIVE, v.home[w, a], LATERAL_RATE_MPS
    extend_path(m, f, v, w, a)
    return True


@jit("b1", FIXED, MOVING, AGENT_STATE, "i8", "i8")
def would_strike(f: Fixed, v: Moving, st: AgentState, w: int, a: int) -> bool:
    """Whether a replayed agent's recorded way meets a controlled agent that goes on as it does now, within 1.5 s."""
    step = f.start[w] + v.tick[w]
    for c in range(f.agents[w]):
        if not f.controlled[w, c] or not st.present[w, c] or c == a:
            continue
        dx, dy = st.x[w, c] - st.x[w, a], st.y[w, c] - st.y[w, a]
        reach = (
            0.5 * (st.length[w, a] + st.length[w, c]) + 0.1 * LATCH_STEPS * (abs(st.speed[w, a]) + st.speed[w, c]) + 2.0
        )
        if dx * dx + dy * dy > reach * reach:
            continue
        for i in range(1, LATCH_STEPS + 1, 2):
            at = step + i
            if at >= f.steps[w] or not f.log_valid[w, a, at]:
                break
            moved = st.speed[w, c] * DT_S * i
            if boxes_overlap(
                f.log_x[w, a, at], f.log_y[w, a, at], f.log_heading[w, a, at],
                st.length[w, a] + LATCH_MARGIN_M, st.width[w, a] + LATCH_MARGIN_M,
                st.x[w, c] + moved * st.cos[w, c], st.y[w, c] + moved * st.sin[w, c],
                st.heading[w, c], st.length[w, c], st.width[w, c],
            ):  # fmt: skip
                return True
    return False


@jit("b1", FIXED, MOVING, AGENT_STATE, "i8", "i8", "f8", "f8", "f8")
def free_spot(f: Fixed, v: Moving, st: AgentState, w: int, a: int, x: float, y: float, heading: float) -> bool:
    """Whether agent ``a`` can appear at a pose without touching anyone, half a metre of margin included.

    Beside one who is changing lanes it waits: that one could be about to take the place.
    """
    for j in range(f.agents[w]):
        changing = v.tick[w] - v.changed_at[w, j] < REST_TICKS
        along, beside = (CHANGING_ROOM_M, CHANGING_SIDE_M) if changing else (1.0, 0.3)
        if j != a and st.present[w, j] and boxes_overlap(
            x, y, heading, st.length[w, a] + along, st.width[w, a] + beside,
            st.x[w, j], st.y[w, j], st.heading[w, j], st.length[w, j], st.width[w, j],
        ):  # fmt: skip
            return False
    return True


@jit("void", FIXED, AGENT_STATE, "i8", "i8", "i8")
def put_on_log(f: Fixed, st: AgentState, w: int, a: int, step: int) -> None:
    """Set an agent to its recorded state at ``step``; its acceleration and yaw rate from the state it had."""
    was = st.present[w, a]
    before, turned = st.speed[w, a], st.heading[w, a]
    st.x[w, a], st.y[w, a] = f.log_x[w, a, step], f.log_y[w, a, step]
    heading = f.log_heading[w, a, step]
    st.heading[w, a], st.cos[w, a], st.sin[w, a] = heading, math.cos(heading), math.sin(heading)
    st.speed[w, a] = f.log_speed[w, a, step]
    if was:
        st.accel[w, a] = (st.speed[w, a] - before) / DT_S
        st.yaw_rate[w, a] = ((heading - turned + math.pi) % (2.0 * math.pi) - math.pi) / DT_S
    else:
        st.accel[w, a], st.yaw_rate[w, a] = 0.0, 0.0
    st.present[w, a] = True


@jit("void", MAP_INDEX, FIXED, MOVING, AGENT_STATE, "i8", "i8")
def appear(m: MapIndex, f: Fixed, v: Moving, st: AgentState, w: int, step: int) -> None:
    """Bring in agents whose recording begins now; a reactive one waits until its place is free."""
    for a in range(f.agents[w]):
        if v.mode[w, a] != ABSENT or step >= f.steps[w] or not f.log_valid[w, a, step]:
            continue
        if f.traffic[w] == REACTIVE_TRAFFIC and not f.parked[w, a] and st.kind[w, a] < AgentKind.PEDESTRIAN:
            if not free_spot(f, v, st, w, a, f.log_x[w, a, step], f.log_y[w, a, step], f.log_heading[w, a, step]):
                continue
            put_on_log(f, st, w, a, step)
            if not make_reactive(m, f, v, st, w, a):
                v.mode[w, a] = REPLAY
        else:
            put_on_log(f, st, w, a, step)
            v.mode[w, a] = STANDING if f.parked[w, a] and f.traffic[w] != REPLAY_TRAFFIC else REPLAY


@jit("void", MAP_INDEX, FIXED, MOVING, AGENT_STATE, SCRATCH, "i8")
def move_others(m: MapIndex, f: Fixed, v: Moving, st: AgentState, sc: Scratch, w: int) -> None:
    """One tick of every agent that is not controlled; the world's tick has not been counted up yet."""
    step = f.start[w] + v.tick[w] + 1
    for a in range(f.agents[w]):
        mode = v.mode[w, a]
        if mode in (ABSENT, CONTROLLED) or not st.present[w, a]:
            continue
        if mode == REPLAY and f.traffic[w] == MIXED_TRAFFIC and not f.parked[w, a] and would_strike(f, v, st, w, a):
            if st.kind[w, a] >= AgentKind.PEDESTRIAN or not make_reactive(m, f, v, st, w, a):
                v.mode[w, a] = STANDING
                st.speed[w, a] = 0.0
            else:
                sc.accel[a] = -f.brake_comfort[w, a]
            mode = v.mode[w, a]
        if mode == REACTIVE:
            move_along(m, f, v, st, w, a, sc.accel[a])
        elif mode == WALKER:
            walk(f, v, st, w, a)
        elif mode == STANDING:
            st.speed[w, a], st.accel[w, a], st.yaw_rate[w, a] = 0.0, 0.0, 0.0
            if f.has_future[w, a] and (step >= f.steps[w] or not f.log_valid[w, a, step]):
                st.present[w, a] = False
                v.mode[w, a] = ABSENT
        elif step < f.steps[w] and f.log_valid[w, a, step]:
            put_on_log(f, st, w, a, step)
        else:
            st.present[w, a] = False
            v.mode[w, a] = ABSENT
    appear(m, f, v, st, w, step)
