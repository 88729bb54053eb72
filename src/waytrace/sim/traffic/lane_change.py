"""Lane changes of reactive traffic's own accord: MOBIL.

Kesting, Treiber and Helbing 2007 (https://doi.org/10.3141/1999-10): change where one's own gain in acceleration, and
``POLITENESS`` of the others', passes a threshold, and nobody behind has to brake harder than ``SAFE_BRAKE_MPS2``.
Differs from the paper: no side is preferred, an agent decides once a second and rests for 5 s after a change, and it
changes only where its way goes on from the other lane.
"""

from __future__ import annotations

import math

from waytrace.geometry import jit
from waytrace.scenario import LaneKind
from waytrace.scenario.index import MAP_INDEX, MapIndex
from waytrace.scenario.lanes import project_on_lane
from waytrace.scenario.state import AGENT_STATE, AgentState

from ..arrays import FIXED, MOVING, PATH_LANES, REACTIVE, Fixed, Moving
from .idm import idm
from .path import extend_path
from .scratch import SCRATCH, Scratch

PHASES = 40
"""An agent decides every so many ticks, at its own ones."""
REST_TICKS = 50
POLITENESS = 0.25
THRESHOLD_MPS2 = 0.4
SAFE_BRAKE_MPS2 = 2.5
SLOWEST_MPS = 3.0
LEAST_GAP_M = 3.0
CHANGE_S = 3.5
"""Time until the old lane is left."""
LATERAL_RATE_MPS = 1.0
ONWARD_M, ONWARD_S = 40.0, 4.0
"""The other lane must go on for so far, and for so long at the present speed."""
SIGHT_M = 120.0
TWO_LANES_M = 5.5

_VEHICLE = int(LaneKind.VEHICLE)


@jit("f8", MAP_INDEX, FIXED, MOVING, AGENT_STATE, "i8", "i8", "f8", "i8")
def _following(m: MapIndex, f: Fixed, v: Moving, st: AgentState, w: int, a: int, gap: float, lead: int) -> float:
    """Acceleration of agent ``a`` with ``lead`` (an agent, or -1) so many metres ahead."""
    desired = v.desired[w, a]
    if st.lane[w, a] >= 0 and not math.isnan(m.lane_limit[st.lane[w, a]]):
        desired = min(desired, m.lane_limit[st.lane[w, a]] * f.speed_factor[w, a])
    pace = max(0.0, st.speed[w, lead]) if lead >= 0 else 0.0
    room = max(gap, 0.1) if lead >= 0 else math.inf
    return idm(st.speed[w, a], desired, room, pace, f.headway_s[w, a], f.accel_max[w, a], f.brake_comfort[w, a])


@jit("i8,f8,i8,f8", MAP_INDEX, FIXED, MOVING, AGENT_STATE, "i8", "i8", "i8", "f8", "b1")
def _around(
    m: MapIndex, f: Fixed, v: Moving, st: AgentState, w: int, a: int, lane: int, s: float, other: bool
) -> tuple[int, float, int, float]:
    """Who is ahead and behind of place ``s`` on a lane, and the gaps; (-1, inf) for nobody.

    Someone is on a lane who reaches into it, or is about to. With ``other`` the lane is one to change to: an agent on
    its far side that decides in this tick as well could take the same place, so it counts as alongside.
    """
    lead, ahead, rear, behind = -1, math.inf, -1, math.inf
    _, mine, _ = project_on_lane(m, lane, st.x[w, a], st.y[w, a], -1.0)
    for j in range(f.agents[w]):
        dx, dy = st.x[w, j] - st.x[w, a], st.y[w, j] - st.y[w, a]
        if j == a or not st.present[w, j] or dx * dx + dy * dy > SIGHT_M * SIGHT_M:
            continue
        at, d, _ = project_on_lane(m, lane, st.x[w, j], st.y[w, j], -1.0)
        inside = abs(d) < 0.5 * (st.width[w, a] + st.width[w, j]) + 0.3
        reactive = v.mode[w, j] == REACTIVE
        twin = other and reactive and f.lane_phase[w, j] == f.lane_phase[w, a] and d * mine < 0.0
        if not (inside or (reactive and st.lane[w, j] == lane) or (twin and abs(d) < TWO_LANES_M)):
            continue
        half = 0.5 * (st.length[w, a] + st.length[w, j])
        if at >= s and at - s - half < ahead:
            lead, ahead = j, at - s - half
        elif at < s and s - at - half < behind:
            rear, behind = j, s - at - half
    return lead, ahead, rear, behind


@jit("i8", MAP_INDEX, "i8", "i8", "i8", "i8")
def _beside(m: MapIndex, side: int, lane: int, before: int, target: int) -> int:
    """The lane that follows ``target`` as ``lane`` follows ``before``: its neighbour, or itself where both meet; -1."""
    neighbour = m.lane_left[lane] if side == 0 else m.lane_right[lane]
    for q in range(m.succ_lo[target], m.succ_lo[target + 1]):
        if m.succ[q] == lane or (neighbour >= 0 and m.succ[q] == neighbour):
            return int(m.succ[q])
    return -1


@jit("b1", MAP_INDEX, MOVING, "i8", "i8", "i8", "b1")
def _move_path(m: MapIndex, v: Moving, w: int, a: int, side: int, write: bool) -> bool:
    """Whether the path has a counterpart that begins on the neighbouring lane; with ``write`` it is taken."""
    at, count = v.path_at[w, a], v.path_count[w, a]
    lane = v.path[w, a, at]
    target = m.lane_left[lane] if side == 0 else m.lane_right[lane]
    if target < 0:
        return False
    joined = False
    for i in range(at, min(count, PATH_LANES)):
        if i > at and not joined:
            before, here = v.path[w, a, i - 1], v.path[w, a, i]
            target = _beside(m, side, here, before, target)
            if target < 0:
                return False
            joined = target == here
        if write and not joined:
            v.path[w, a, i] = target
    return True


@jit("i8", MAP_INDEX, FIXED, MOVING, AGENT_STATE, "i8", "i8")
def _side(m: MapIndex, f: Fixed, v: Moving, st: AgentState, w: int, a: int) -> int:
    """0 to change to the left, 1 to the right, -1 to stay."""
    lane, speed = st.lane[w, a], st.speed[w, a]
    if lane < 0 or speed < SLOWEST_MPS or m.lane_junction[lane] or v.path[w, a, v.path_at[w, a]] != lane:
        return -1
    if abs(st.lane_d[w, a] - v.home[w, a]) > 0.3 or v.script_brake[w, a] > 0.0 or v.press_brake[w, a] >= 0.0:
        return -1
    lead, gap, rear, back = _around(m, f, v, st, w, a, lane, st.lane_s[w, a], False)
    if lead >= 0 and gap - max(0.0, speed - st.speed[w, lead]) * CHANGE_S < 1.0:
        return -1
    now = _following(m, f, v, st, w, a, gap, lead)
    freed = 0.0
    if rear >= 0:
        freed = _following(m, f, v, st, w, rear, back + gap + st.length[w, a], lead)
        freed -= _following(m, f, v, st, w, rear, back, a)
    best, choice = THRESHOLD_MPS2, -1
    for side in range(2):
        target = m.lane_left[lane] if side == 0 else m.lane_right[lane]
        if target < 0 or m.lane_kind[target] != _VEHICLE or not _move_path(m, v, w, a, side, False):
            continue
        s, _, distance = project_on_lane(m, target, st.x[w, a], st.y[w, a], -1.0)
        if s < 0.0 or distance > TWO_LANES_M or m.lane_length[target] - s < max(ONWARD_M, ONWARD_S * speed):
            continue
        ahead, room, follower, behind = _around(m, f, v, st, w, a, target, s, True)
        if room < LEAST_GAP_M or behind < LEAST_GAP_M:
            continue
        then, loss = _following(m, f, v, st, w, a, room, ahead), 0.0
        if follower >= 0:
            yields = _following(m, f, v, st, w, follower, behind, a)
            if yields < -SAFE_BRAKE_MPS2:
                continue
            loss = yields - _following(m, f, v, st, w, follower, behind + room + st.length[w, a], ahead)
        gain = then - now + POLITENESS * (freed + loss)
        if then > -SAFE_BRAKE_MPS2 and gain > best:
            best, choice = gain, side
    return choice


@jit("void", MAP_INDEX, FIXED, MOVING, AGENT_STATE, SCRATCH, "i8")
def change_lanes(m: MapIndex, f: Fixed, v: Moving, st: AgentState, sc: Scratch, w: int) -> None:
    """Begin the lane changes of this tick: all decide on the state as it is, then all begin."""
    for a in range(f.agents[w]):
        sc.side[a] = -1
        due = f.lane_phase[w, a] >= 0 and v.tick[w] % PHASES == f.lane_phase[w, a]
        if due and st.present[w, a] and v.mode[w, a] == REACTIVE and v.tick[w] - v.changed_at[w, a] >= REST_TICKS:
            sc.side[a] = _side(m, f, v, st, w, a)
    for a in range(f.agents[w]):
        if sc.side[a] < 0 or not _move_path(m, v, w, a, sc.side[a], True):
            continue
        lane = v.path[w, a, v.path_at[w, a]]
        s, d, _ = project_on_lane(m, lane, st.x[w, a], st.y[w, a], -1.0)
        st.lane[w, a], st.lane_s[w, a], st.lane_d[w, a] = lane, s, d
        v.home[w, a], v.offset[w, a], v.offset_rate[w, a], v.changed_at[w, a] = 0.0, 0.0, LATERAL_RATE_MPS, v.tick[w]
        extend_path(m, f, v, w, a)
