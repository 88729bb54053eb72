"""The first tick: everyone is put where the recording has them at the start step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import jit
from waytrace.scenario import AgentKind
from waytrace.scenario.index import MAP_INDEX, ROUTE_INDEX, MapIndex, RouteIndex
from waytrace.scenario.state import AGENT_STATE, LIGHT_ARRAYS, AgentState, LightArrays

from .arrays import (
    ABSENT,
    CONTROLLED,
    FIXED,
    MOVING,
    REACTIVE_TRAFFIC,
    RECORD,
    REPLAY,
    REPLAY_TRAFFIC,
    ROWS,
    STANDING,
    Fixed,
    Moving,
    Record,
    Rows,
)
from .dynamics import CURVATURE_MAX, CURVATURE_MIN
from .step import find_collisions, follow_lane, record, set_lights
from .tracker import clamp
from .traffic.drive import make_reactive, put_on_log
from .traffic.lane_change import REST_TICKS


@jit("void", MAP_INDEX, FIXED, MOVING, AGENT_STATE, "i8", "i8")
def place(m: MapIndex, f: Fixed, v: Moving, st: AgentState, w: int, a: int) -> None:
    """Put one agent into the world at the start step and decide how it will be driven."""
    st.present[w, a], v.mode[w, a] = False, ABSENT
    start = f.start[w]
    if not f.log_valid[w, a, start]:
        return
    if start > 0 and f.log_valid[w, a, start - 1]:
        put_on_log(f, st, w, a, start - 1)
    put_on_log(f, st, w, a, start)
    if f.controlled[w, a]:
        v.mode[w, a] = CONTROLLED
        v.accel_command[w, a] = st.accel[w, a]
        if st.speed[w, a] > 1.0:
            v.curvature[w, a] = clamp(st.yaw_rate[w, a] / st.speed[w, a], CURVATURE_MIN, CURVATURE_MAX)
    elif f.parked[w, a] and not (f.has_future[w, a] and f.traffic[w] == REPLAY_TRAFFIC):
        v.mode[w, a] = STANDING
    elif f.has_future[w, a] and (f.traffic[w] != REACTIVE_TRAFFIC or st.kind[w, a] >= AgentKind.PEDESTRIAN):
        v.mode[w, a] = REPLAY
    elif st.kind[w, a] >= AgentKind.PEDESTRIAN:
        v.mode[w, a] = STANDING
    elif not make_reactive(m, f, v, st, w, a):
        v.mode[w, a] = REPLAY if f.has_future[w, a] else STANDING


@jit(
    "void", MAP_INDEX, ROUTE_INDEX, FIXED, MOVING, AGENT_STATE, LIGHT_ARRAYS, ROWS, RECORD, "i4[:,:,:]", "i4[:,:]",
    allocates=True,
)  # fmt: skip
def start_worlds(
    m: MapIndex, ro: RouteIndex, f: Fixed, v: Moving, st: AgentState, lt: LightArrays, r: Rows, rec: Record,
    path: NDArray[np.int32], path_count: NDArray[np.int32],
) -> None:  # fmt: skip
    """Put every world to its start step; ``path`` [W, A, M] and ``path_count`` are the agents' lanes from there on."""
    v.path[:], v.path_count[:], v.path_at[:] = path, path_count, 0
    v.offset[:], v.offset_rate[:], v.desired[:], v.script_brake[:] = 0.0, 0.0, f.desired, 0.0
    v.press_brake[:], v.halted_tick[:] = -1.0, 0
    v.changed_at[:] = -REST_TICKS
    v.stopped_at[:], v.waited_s[:], v.curvature[:], v.accel_command[:], v.script_tick[:] = -1, 0.0, 0.0, 0.0, -1
    r.plan_tick[:], r.accel[:], r.curvature[:], r.collided[:] = -1, 0.0, 0.0, 0
    rec.flags[:], rec.accel[:], rec.curvature[:] = 0, 0.0, 0.0
    for w in range(len(f.agents)):
        v.tick[w] = 0
        v.active[w] = f.last_tick[w] > 0
        for a in range(f.agents[w]):
            st.lane[w, a] = -1
            place(m, f, v, st, w, a)
        for a in range(f.agents[w]):
            if st.present[w, a] and v.mode[w, a] in (CONTROLLED, REPLAY):
                follow_lane(m, ro, f, v, st, w, a)
        set_lights(f, v, lt, w)
        find_collisions(f, st, r, w)
        record(f, v, st, lt, rec, w)
