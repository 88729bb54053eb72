"""The prepared deeds of generated agents: set off by time, the ego's arrival or one another, then carried out."""

from __future__ import annotations

import math

from waytrace.geometry import boxes_overlap, jit
from waytrace.scenario import DT_S, Action, AgentKind, Trigger
from waytrace.scenario.index import MAP_INDEX, MapIndex
from waytrace.scenario.lanes import project_on_lane
from waytrace.scenario.state import AGENT_STATE, AgentState

from ..arrays import FIXED, MOVING, REACTIVE, STANDING, WALKER, Fixed, Moving

_TIME, _EGO_TIME, _AFTER = int(Trigger.TIME), int(Trigger.EGO_TIME), int(Trigger.AFTER)
_BRAKE, _CHANGE_LANE, _WALK = int(Action.BRAKE), int(Action.CHANGE_LANE), int(Action.WALK)
_PRESS_ON = int(Action.PRESS_ON)
_PEDESTRIAN = int(AgentKind.PEDESTRIAN)
WALK_ACCEL_MPS2 = 2.0
STEP_M = 0.4
"""Walkers look this far ahead."""


@jit("void", MAP_INDEX, FIXED, MOVING, AGENT_STATE, "i8")
def set_off_scripts(m: MapIndex, f: Fixed, v: Moving, st: AgentState, w: int) -> None:
    """Start every script of a world whose trigger has come."""
    ego = f.ego[w]
    for q in range(f.script_agent.shape[1]):
        a = f.script_agent[w, q]
        if a < 0 or v.script_tick[w, q] >= 0 or not st.present[w, a]:
            continue
        value, amount = f.script_number[w, q, 0], f.script_number[w, q, 1]
        if f.script_trigger[w, q] == _TIME:
            due = v.tick[w] * DT_S >= value - 1e-9
        elif f.script_trigger[w, q] == _AFTER:
            since = v.script_tick[w, q - 1] if q > 0 else -1
            due = since >= 0 and (v.tick[w] - since) * DT_S >= value - 1e-9
        else:
            dx, dy = f.script_number[w, q, 2] - st.x[w, ego], f.script_number[w, q, 3] - st.y[w, ego]
            distance = math.hypot(dx, dy)
            passed = dx * st.cos[w, ego] + dy * st.sin[w, ego] < 0.0 and distance < 30.0
            if f.script_trigger[w, q] == _EGO_TIME:
                due = passed or distance <= value * max(st.speed[w, ego], 0.1)
            else:
                due = passed or distance <= value
        if not due:
            continue
        v.script_tick[w, q] = v.tick[w]
        action = f.script_action[w, q]
        if action == _WALK:
            v.mode[w, a] = WALKER
            v.goal_x[w, a], v.goal_y[w, a] = f.script_number[w, q, 4], f.script_number[w, q, 5]
            v.goal_speed[w, a] = amount
            continue
        if v.mode[w, a] != REACTIVE:
            continue
        if action == _CHANGE_LANE:
            lane = f.script_lane[w, q]
            s, d, _ = project_on_lane(m, lane, st.x[w, a], st.y[w, a], -1.0)
            v.path[w, a, 0], v.path_count[w, a], v.path_at[w, a] = lane, 1, 0
            st.lane[w, a], st.lane_s[w, a], st.lane_d[w, a] = lane, s, d
            v.offset_rate[w, a], v.home[w, a] = amount, 0.0
        else:
            v.desired[w, a] = f.script_number[w, q, 6]
            v.script_brake[w, a] = amount if action == _BRAKE else 0.0
            v.press_brake[w, a] = amount if action == _PRESS_ON else -1.0
            if action == _PRESS_ON:
                v.home[w, a] = st.lane_d[w, a]


@jit("i8", FIXED, MOVING, AGENT_STATE, "i8", "i8", "f8")
def vehicle_in_way(f: Fixed, v: Moving, st: AgentState, w: int, a: int, heading: float) -> int:
    """The vehicle that the next step of a walker would touch; -1 for none. Those parked are walked past."""
    x, y = st.x[w, a] + STEP_M * math.cos(heading), st.y[w, a] + STEP_M * math.sin(heading)
    for j in range(f.agents[w]):
        if j == a or not st.present[w, j] or st.kind[w, j] >= _PEDESTRIAN or v.mode[w, j] == STANDING:
            continue
        dx, dy = st.x[w, j] - x, st.y[w, j] - y
        if dx * dx + dy * dy > st.length[w, j] * st.length[w, j]:
            continue
        if boxes_overlap(
            x, y, heading, st.length[w, a], st.width[w, a],
            st.x[w, j], st.y[w, j], st.heading[w, j], st.length[w, j], st.width[w, j],
        ):  # fmt: skip
            return j
    return -1


@jit("void", FIXED, MOVING, AGENT_STATE, "i8", "i8")
def walk(f: Fixed, v: Moving, st: AgentState, w: int, a: int) -> None:
    """One tick of a walker: straight to its goal, then it stands still.

    It waits at the side of a vehicle that is in its way, and passes along the front or the rear of one.
    """
    dx, dy = v.goal_x[w, a] - st.x[w, a], v.goal_y[w, a] - st.y[w, a]
    distance = math.hypot(dx, dy)
    before = st.speed[w, a]
    step = min(min(v.goal_speed[w, a], before + WALK_ACCEL_MPS2 * DT_S) * DT_S, distance)
    if distance > 1e-6:
        heading = math.atan2(dy, dx)
        j = vehicle_in_way(f, v, st, w, a, heading)
        if j >= 0:
            c, s = st.cos[w, j], st.sin[w, j]
            along = (st.x[w, a] - st.x[w, j]) * c + (st.y[w, a] - st.y[w, j]) * s
            aside = math.sin(heading) * c - math.cos(heading) * s
            if abs(along) > 0.5 * st.length[w, j] and abs(aside) > 0.1:
                heading = st.heading[w, j] + math.copysign(0.5 * math.pi, aside)
                j = vehicle_in_way(f, v, st, w, a, heading)
                if j >= 0:  # too near the corner to turn it: a step away from the vehicle first
                    heading = st.heading[w, j] + (0.0 if along > 0.0 else math.pi)
                    j = vehicle_in_way(f, v, st, w, a, heading)
            if j >= 0:
                step = 0.0
        c, s = math.cos(heading), math.sin(heading)
        st.x[w, a] += step * c
        st.y[w, a] += step * s
        st.yaw_rate[w, a] = 0.0
        st.heading[w, a], st.cos[w, a], st.sin[w, a] = heading, c, s
    st.speed[w, a] = step / DT_S
    st.accel[w, a] = (st.speed[w, a] - before) / DT_S
