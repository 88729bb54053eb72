"""Right of way: who approaches which lane, lights, stop lines, and gaps in crossing or merging traffic."""

from __future__ import annotations

import math

from waytrace.geometry import jit
from waytrace.scenario import DT_S, LaneControl, LightState
from waytrace.scenario.index import MAP_INDEX, MapIndex
from waytrace.scenario.state import AGENT_STATE, LIGHT_ARRAYS, AgentState, LightArrays

from ..arrays import FIXED, MOVING, Fixed, Moving
from .idm import STANDSTILL_GAP_M, idm
from .scratch import APPROACH_LANES, NO_LIGHT, SCRATCH, Scratch

APPROACH_M = 90.0
STOP_LINE_MARGIN_M = 0.5
COMMIT_BRAKE_MPS2 = 6.0
"""An agent that would have to brake harder than this goes on instead."""

PATIENCE_S = 8.0
"""After so long at a standstill the required gaps begin to shrink."""

HALT_M = 2.5
"""Who stands within this of where one halts for a stop sign has halted for it."""

_STOP_RANK = -1.0
_RED, _YELLOW = int(LightState.RED), int(LightState.YELLOW)
_STOP = int(LaneControl.STOP)


@jit("void", MAP_INDEX, FIXED, MOVING, AGENT_STATE, SCRATCH, "i8")
def fill_approach_table(m: MapIndex, f: Fixed, v: Moving, st: AgentState, sc: Scratch, w: int) -> None:
    """Enter every agent on a lane in the lists of that lane and of those ahead on its path."""
    for e in range(sc.entries[0]):
        sc.head[sc.entry_lane[e]] = -1
    count = 0
    for a in range(f.agents[w]):
        if not st.present[w, a] or st.lane[w, a] < 0:
            continue
        lane = st.lane[w, a]
        at, hi = v.path_at[w, a], v.path_count[w, a]
        while at < hi and v.path[w, a, at] != lane:
            at += 1
        distance = -st.lane_s[w, a]
        for _ in range(APPROACH_LANES):
            sc.entry_agent[count], sc.entry_lane[count], sc.entry_distance[count] = a, lane, distance
            sc.entry_next[count], sc.head[lane] = sc.head[lane], count
            count += 1
            distance += m.lane_length[lane]
            at += 1
            if distance > APPROACH_M:
                break
            if at < hi:
                lane = v.path[w, a, at]
            elif at > hi and m.succ_lo[lane + 1] == m.succ_lo[lane] + 1:  # off its path: the only way on
                lane = m.succ[m.succ_lo[lane]]
                at = hi
            else:
                break
    sc.entries[0] = count


@jit("void", MAP_INDEX, FIXED, MOVING, AGENT_STATE, "i8")
def note_halts(m: MapIndex, f: Fixed, v: Moving, st: AgentState, w: int) -> None:
    """Remember who has come to a halt for a stop sign, and when; controlled and replayed agents too."""
    for a in range(f.agents[w]):
        if not st.present[w, a] or st.lane[w, a] < 0 or st.speed[w, a] >= 0.3:
            continue
        lane = st.lane[w, a]
        at, hi = v.path_at[w, a], v.path_count[w, a]
        while at < hi and v.path[w, a, at] != lane:
            at += 1
        if at + 1 >= hi:
            continue
        onward = v.path[w, a, at + 1]
        if m.lane_control[onward] != _STOP or v.stopped_at[w, a] == onward:
            continue
        line = m.lane_length[lane] if math.isnan(m.lane_stop_s[lane]) else m.lane_stop_s[lane]
        if line - st.lane_s[w, a] - 0.5 * st.length[w, a] - STOP_LINE_MARGIN_M < HALT_M:
            v.stopped_at[w, a], v.halted_tick[w, a] = onward, v.tick[w]


@jit("b1", FIXED, MOVING, AGENT_STATE, "i8", "i8", "i8", "i8", "i8")
def halted_before(f: Fixed, v: Moving, st: AgentState, w: int, a: int, lane: int, j: int, other: int) -> bool:
    """Whether ``j`` halted for its stop sign before ``a`` did, so that it is its turn.

    A controlled agent that does not take its turn is waited for no longer than the patience lasts. Who is in the
    junction without having halted leaves it.
    """
    if v.stopped_at[w, a] != lane:
        return bool(st.lane[w, a] != lane)
    mine, theirs = v.halted_tick[w, a], v.halted_tick[w, j]
    if f.controlled[w, j] and st.speed[w, j] < 0.3 and (v.tick[w] - mine) * DT_S > PATIENCE_S:
        return False
    return bool(theirs < mine or (theirs == mine and f.key[w, j] < f.key[w, a]))


@jit("void", LIGHT_ARRAYS, SCRATCH, "i8", "b1")
def mark_lights(lt: LightArrays, sc: Scratch, w: int, on: bool) -> None:
    """Write a world's light states to the lanes they govern, or clear them again."""
    for k in range(lt.lane.shape[1]):
        if lt.lane[w, k] >= 0:
            sc.lane_light[lt.lane[w, k]] = lt.state[w, k] if on else NO_LIGHT


@jit("b1", MAP_INDEX, FIXED, MOVING, AGENT_STATE, SCRATCH, "i8", "i8", "i8", "i8", "f8", "f8", "f8")
def must_wait(
    m: MapIndex, f: Fixed, v: Moving, st: AgentState, sc: Scratch, w: int, a: int,
    conflict: int, lane: int, entry: float, leave: float, margin: float,
) -> bool:  # fmt: skip
    """Whether an agent ``entry`` metres before a conflict zone on ``lane`` has to let someone through it first.

    Whoever presses on is let through, at red too.
    """
    other = m.conf_lane[conflict]
    mine, theirs = sc.lane_rank[lane], sc.lane_rank[other]
    red = sc.lane_light[other] == _RED
    speed = max(st.speed[w, a], 3.0)
    arrive, clear = max(entry, 0.0) / speed, leave / speed
    e = sc.head[other]
    while e >= 0:
        j, distance = sc.entry_agent[e], sc.entry_distance[e]
        e = sc.entry_next[e]
        if j == a:
            continue
        half = 0.5 * st.length[w, j]
        their_entry, their_exit = distance + m.conf_o0[conflict] - half, distance + m.conf_o1[conflict] + half
        if their_exit < 0.0:
            continue
        inside = their_entry <= 0.0
        presses = v.press_brake[w, j] >= 0.0
        if not inside and distance > 0.0 and red and not presses:
            continue
        if inside:
            if m.conf_kind[conflict] == 1 and entry > their_exit and st.speed[w, j] > 2.0:
                continue  # it merges ahead and drives off: following it is enough
            return True
        if mine > theirs and not presses:
            continue
        their_speed = st.speed[w, j]
        if mine == theirs == _STOP_RANK and not presses:
            if v.stopped_at[w, j] == other:
                if halted_before(f, v, st, w, a, lane, j, other):
                    return True
                continue
            if distance > 0.0 and their_speed * their_speed < 2.0 * COMMIT_BRAKE_MPS2 * distance:
                continue  # it has yet to halt
        elif mine == theirs and not presses:
            if their_speed < 0.3 and st.speed[w, a] >= 0.3:
                continue
            first = their_entry / max(their_speed, 1.0) - arrive
            if first > 0.5 or (abs(first) <= 0.5 and f.key[w, a] < f.key[w, j]):
                continue
        elif their_speed < 0.3 and their_entry > 3.0:
            continue
        t_in, t_out = their_entry / max(their_speed, 1.0), their_exit / max(their_speed, 1.0)
        if t_in < clear + margin and t_out > arrive - margin:
            return True
    return False


@jit("f8", MAP_INDEX, FIXED, MOVING, AGENT_STATE, SCRATCH, "i8", "i8", "f8", "f8")
def accel_for_right_of_way(
    m: MapIndex, f: Fixed, v: Moving, st: AgentState, sc: Scratch, w: int, a: int,
    desired: float, horizon: float,
) -> float:  # fmt: skip
    """Acceleration that lights, stop lines and conflict zones ahead allow; infinity where none binds."""
    speed, half_length = st.speed[w, a], 0.5 * st.length[w, a]
    headway, most, brake = f.headway_s[w, a], f.accel_max[w, a], f.brake_comfort[w, a]
    patience = max(0.0, v.waited_s[w, a] - PATIENCE_S)
    margin = max(0.5, f.gap_margin_s[w, a] - 0.15 * patience)
    accel, nearest = math.inf, math.inf
    distance = -st.lane_s[w, a]
    for at in range(v.path_at[w, a], v.path_count[w, a]):
        lane = v.path[w, a, at]
        if distance > horizon:
            break
        line = distance
        if at > v.path_at[w, a]:
            before = v.path[w, a, at - 1]
            if not math.isnan(m.lane_stop_s[before]):
                line = distance - m.lane_length[before] + m.lane_stop_s[before]
        gap = line - half_length - STOP_LINE_MARGIN_M
        needed = speed * speed / (2.0 * max(gap, 0.1))
        if distance > 0.0 and gap > -1.0:
            light = sc.lane_light[lane]
            if (light == _RED and needed < 7.5) or (light == _YELLOW and needed < 3.0):
                nearest = min(nearest, gap)
            if m.lane_control[lane] == _STOP and v.stopped_at[w, a] != lane:
                nearest = min(nearest, gap)
        for c in range(m.conf_lo[lane], m.conf_lo[lane + 1]):
            if m.conf_kind[c] == 2:
                continue
            entry, leave = distance + m.conf_s0[c] - half_length, distance + m.conf_s1[c] + half_length
            if leave < 0.0 or entry < -1.0 or entry > horizon:
                continue
            hold = min(entry - 1.0, gap) if gap > -1.0 and distance > 0.0 else entry - 1.0
            if hold > nearest or speed * speed / (2.0 * max(hold, 0.1)) > COMMIT_BRAKE_MPS2:
                continue
            if must_wait(m, f, v, st, sc, w, a, c, lane, entry, leave, margin):
                nearest = min(nearest, hold)
        distance += m.lane_length[lane]
    if nearest < math.inf:
        accel = idm(speed, desired, max(nearest + STANDSTILL_GAP_M, 0.1), 0.0, headway, most, brake)
    v.waited_s[w, a] = v.waited_s[w, a] + DT_S if speed < 0.3 else 0.0
    return accel
