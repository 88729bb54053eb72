"""One moment, as arrays: the kernel that writes what every controlled agent observes."""

from __future__ import annotations

import math

import numpy as np

from waytrace.geometry import F8, I4, F4x2, jit, wrap_angle
from waytrace.scenario.index import MAP_INDEX, ROUTE_INDEX, MapIndex, RouteIndex
from waytrace.scenario.state import AGENT_STATE, LIGHT_ARRAYS, AgentState, LightArrays

from .arrays import (
    NEAREST_CACHE,
    NEVER,
    OBSERVATION_ARRAYS,
    OBSERVE_SCRATCH,
    PAST_TICKS,
    VISIBILITY_MEMORY,
    NearestCache,
    ObservationArrays,
    ObserveScratch,
    VisibilityMemory,
)
from .elements import ELEMENT_TABLE, ElementTable
from .features import (
    AGENT_AT,
    AGENT_ROWS,
    CROSSWALK_AT,
    CROSSWALK_ROWS,
    LIGHT_AT,
    LIGHT_ROWS,
    MAP_ROWS,
    STOP_AT,
    STOP_ROWS,
)
from .map_rows import write_map_rows
from .nearest import keep_nearest, nearest_few, reach2_of, search_grid, sort_nearest, sort_row
from .visibility import see_worlds

_TICK_S = 0.1
_PAST = PAST_TICKS - 1
_FAR2 = 1e18
_MANY = 4
_OFF_ROUTE2 = 1e12
"""Added to the squared distance of lights off the route: they come after those on it."""


_ARGUMENTS = (
    MAP_INDEX, ELEMENT_TABLE, ROUTE_INDEX, "i4[:]", AGENT_STATE, LIGHT_ARRAYS, "i4[:]", "i4[:]", "i4[:]", "f8[:]",
    "i4[:]", "i8", "i8", VISIBILITY_MEMORY, NEAREST_CACHE, OBSERVE_SCRATCH, OBSERVATION_ARRAYS,
)  # fmt: skip


@jit("void", "i4[:]", "i4[:]", "f8[:]", "f8[:]", "i8", "b1", "f4[:,:]")
def _mark_route(lo: I4, lane: I4, offset: F8, scale: F8, route: int, on: bool, lane_now: F4x2) -> None:
    """Write a route to the columns of its lanes, or wipe them; the first passage counts of a lane passed twice."""
    if route < 0:
        return
    for i in range(lo[route + 1] - 1, lo[route] - 1, -1):
        lane_now[lane[i], 1] = 1.0 if on else 0.0
        lane_now[lane[i], 2] = offset[i] if on else 0.0
        lane_now[lane[i], 3] = scale[i] if on else 0.0


@jit("void", *_ARGUMENTS)
def fill_worlds(
    m: MapIndex, e: ElementTable, r: RouteIndex, map_of: I4, state: AgentState, lights: LightArrays,
    row_lo: I4, row_slot: I4, row_route: I4, progress: F8, ticks: I4, first: int, last: int,
    memory: VisibilityMemory, cache: NearestCache, scratch: ObserveScratch, out: ObservationArrays,
) -> None:  # fmt: skip
    """Write the observation of every controlled agent of worlds ``first .. last - 1``, after :func:`see_worlds`."""
    x, y, cos, sin, speed = state.x, state.y, state.cos, state.sin, state.speed
    length, width, kind, present = state.length, state.width, state.kind, state.present
    seen, past = memory.seen_tick, memory.past[first]
    key, kept, order = scratch.key, cache.kept, cache.order
    lane_now, aside, gone = scratch.lane_now, scratch.held, scratch.whose
    o_ego, o_agent, o_map, o_light, o_ref = out.ego, out.agents, out.map, out.lights, out.reference
    o_walk, o_stop = out.crosswalks, out.stop_lines
    row, element_lane = e.row, e.lane
    element_x, element_y = m.element_x, m.element_y
    agents, count_lights = x.shape[1], lights.lane.shape[1]
    lit, routed = -1, -1
    w = first
    for c in range(row_lo[first], row_lo[last]):
        while c >= row_lo[w + 1]:
            w += 1
        if w != lit:  # many who remember: fetch the past in order, not state by state from far away
            past = memory.past[w]
            if row_lo[w + 1] - row_lo[w] >= _MANY:
                here, there = scratch.past.reshape(-1), past.reshape(-1)
                for i in range(len(here)):
                    here[i] = there[i]
                past = scratch.past
        me, route, tick, number = row_slot[c], row_route[c], ticks[w], map_of[w]
        base = m.lane_lo[number]
        if w != lit:
            for i in range(count_lights):
                if lit >= 0 and lights.lane[lit, i] >= 0:
                    lane_now[lights.lane[lit, i], 0] = 0.0
            for i in range(count_lights):
                if lights.lane[w, i] >= 0:
                    lane_now[lights.lane[w, i], 0] = 1.0 + lights.state[w, i]
            lit = w
        if route != routed:
            _mark_route(r.route_lo, r.route_lane, r.route_offset, r.route_scale, routed, False, lane_now)
            _mark_route(r.route_lo, r.route_lane, r.route_offset, r.route_scale, route, True, lane_now)
            routed = route
        if not present[w, me]:
            for i in range(o_ref.shape[1]):
                o_ref[c, i] = -1
            o_ego[c] = 0.0
            o_agent[c] = 0.0
            o_map[c] = 0.0
            o_light[c] = 0.0
            o_walk[c] = 0.0
            o_stop[c] = 0.0
            continue
        ex, ey, ec, es = x[w, me], y[w, me], cos[w, me], sin[w, me]

        # The controlled agent itself.
        lane = state.lane[w, me]
        v = speed[w, me]
        done = progress[c]
        o_ego[c, 0] = v
        o_ego[c, 1] = state.accel[w, me]
        o_ego[c, 2] = state.yaw_rate[w, me]
        o_ego[c, 3] = state.yaw_rate[w, me] / v if abs(v) >= 0.5 else 0.0
        o_ego[c, 4], o_ego[c, 5] = length[w, me], width[w, me]
        for i in range(6, 12):
            o_ego[c, i] = 0.0
        o_ego[c, 12] = kind[w, me]
        if lane >= 0:
            s = state.lane_s[w, me]
            p = m.point_lo[lane] + min(max(int(s / m.lane_step[lane]), 0), m.point_lo[lane + 1] - m.point_lo[lane] - 2)
            o_ego[c, 6] = 1.0
            o_ego[c, 7] = state.lane_d[w, me]
            t = min(max(s / m.lane_step[lane] - (p - m.point_lo[lane]), 0.0), 1.0)
            along = m.point_heading[p] + t * (m.point_heading[p + 1] - m.point_heading[p])
            o_ego[c, 8] = wrap_angle(state.heading[w, me] - along)
            if not math.isnan(m.lane_limit[lane]):
                o_ego[c, 9] = m.lane_limit[lane]
            if lane_now[lane, 1] > 0.0:
                o_ego[c, 10] = 1.0
                if math.isnan(done):
                    done = lane_now[lane, 2] + s * lane_now[lane, 3]
        if route >= 0 and not math.isnan(done):
            o_ego[c, 11] = max(0.0, r.route_length[route] - done)

        # Other agents: sorted by where they are, or for a lost one where it was last seen. Who is lost or unseen is
        # no pattern a processor could guess, and past states come from far away: all of them are asked for at once.
        n, others, lost = 0, 0, 0
        for i in range(agents):
            a = np.uint32(order[c, i])
            known = seen[c, a] != NEVER
            dx, dy = x[w, a] - ex, y[w, a] - ey
            key[n] = dx * dx + dy * dy
            order[c, n], aside[others], gone[lost] = a, a, n
            n += known
            others += not known
            lost += known & (seen[c, a] != tick)
        for i in range(others):
            order[c, n + i] = aside[i]
        for i in range(lost):
            a = np.uint32(order[c, gone[i]])
            then = seen[c, a] & _PAST
            dx, dy = past[then, a, 0] - ex, past[then, a, 1] - ey
            key[gone[i]] = dx * dx + dy * dy
        sort_row(key, order, c, n)
        n = min(n, AGENT_ROWS)
        for i in range(n):
            a = np.uint32(order[c, i])
            then, age = seen[c, a] & _PAST, tick - seen[c, a]
            dx, dy = past[then, a, 0] - ex, past[then, a, 1] - ey
            at_c, at_s = past[then, a, 2], past[then, a, 3]
            o_agent[c, i, 0] = ec * dx + es * dy
            o_agent[c, i, 1] = ec * dy - es * dx
            o_agent[c, i, 2] = ec * at_c + es * at_s
            o_agent[c, i, 3] = ec * at_s - es * at_c
            o_agent[c, i, 4] = past[then, a, 4]
            o_agent[c, i, 5] = length[w, a]
            o_agent[c, i, 6] = width[w, a]
            o_agent[c, i, 7] = age * _TICK_S
            o_agent[c, i, 8] = 1.0 if age == 0 else 0.0
            o_agent[c, i, 9] = kind[w, a]
            o_ref[c, AGENT_AT + i] = a
        for i in range(n, AGENT_ROWS):
            o_ref[c, AGENT_AT + i] = -1
            for q in range(10):
                o_agent[c, i, q] = 0.0

        # The map.
        dx, dy = ex - cache.kept_x[c], ey - cache.kept_y[c]
        n = cache.kept_count[c]
        outside2 = -1.0
        if not dx * dx + dy * dy <= cache.kept_reach2[c]:
            found, outside2 = search_grid(
                ex, ey, m.egrid_cell[number], m.egrid_x[number], m.egrid_y[number],
                m.egrid_nx[number], m.egrid_ny[number], m.egrid_lo[number],
                m.ecell_lo, m.ecell_element, e.cell_x, e.cell_y, key, scratch.found,
            )  # fmt: skip
            n, outside2 = keep_nearest(c, found, outside2, key, scratch.found, scratch.bucket, kept)
        for i in range(n):
            at = np.uint32(kept[c, i])
            dx, dy = element_x[at] - ex, element_y[at] - ey
            key[i] = dx * dx + dy * dy
        sort_nearest(key, kept, c, n, MAP_ROWS)
        if outside2 >= 0.0:
            cache.kept_count[c] = n
            cache.kept_x[c], cache.kept_y[c] = ex, ey
            cache.kept_reach2[c] = reach2_of(key[min(n, MAP_ROWS) - 1], outside2) if n > 0 else _FAR2
        n = min(n, MAP_ROWS)
        write_map_rows(
            c, n, base, ex, ey, ec, es, done, kept, element_x, element_y, row, element_lane,
            lane_now, o_map, o_ref,
        )  # fmt: skip

        # Lights: those of the route first.
        n = 0
        for i in range(count_lights):
            lane = lights.lane[w, i]
            if lane < 0:
                continue
            dx, dy = lights.x[w, i] - ex, lights.y[w, i] - ey
            d2 = dx * dx + dy * dy + (0.0 if lane_now[lane, 1] > 0.0 else _OFF_ROUTE2)
            if n == LIGHT_ROWS and d2 >= key[n - 1]:
                continue
            if n < LIGHT_ROWS:
                n += 1
            j = n - 1
            while j > 0 and key[j - 1] > d2:
                key[j] = key[j - 1]
                o_ref[c, LIGHT_AT + j] = o_ref[c, LIGHT_AT + j - 1]
                j -= 1
            key[j] = d2
            o_ref[c, LIGHT_AT + j] = i
        for j in range(LIGHT_ROWS):
            for q in range(7):
                o_light[c, j, q] = 0.0
            if j >= n:
                o_ref[c, LIGHT_AT + j] = -1
                continue
            i = o_ref[c, LIGHT_AT + j]
            lane = lights.lane[w, i]
            dx, dy = lights.x[w, i] - ex, lights.y[w, i] - ey
            o_light[c, j, 0] = ec * dx + es * dy
            o_light[c, j, 1] = ec * dy - es * dx
            shown = lights.state[w, i]
            if 1 <= shown <= 3:
                o_light[c, j, 1 + shown] = 1.0
            if lane_now[lane, 1] > 0.0:
                o_light[c, j, 5] = 1.0
                if not math.isnan(done):
                    o_light[c, j, 6] = lane_now[lane, 2] - done

        # Crosswalks and stop lines.
        lo, hi = e.walk_lo[number], e.walk_lo[number + 1]
        n = nearest_few(
            c, ex, ey, CROSSWALK_ROWS, lo, hi, e.walk_x, e.walk_y, cache.walk, cache.walk_count, cache.walk_at, key
        )
        for j in range(CROSSWALK_ROWS):
            if j >= n:
                o_ref[c, CROSSWALK_AT + j] = -1
                for q in range(6):
                    o_walk[c, j, q] = 0.0
                continue
            i = cache.walk[c, j]
            dx, dy = e.walk_x[i] - ex, e.walk_y[i] - ey
            o_walk[c, j, 0] = ec * dx + es * dy
            o_walk[c, j, 1] = ec * dy - es * dx
            o_walk[c, j, 2] = ec * e.walk_cos[i] + es * e.walk_sin[i]
            o_walk[c, j, 3] = ec * e.walk_sin[i] - es * e.walk_cos[i]
            o_walk[c, j, 4] = e.walk_length[i]
            o_walk[c, j, 5] = e.walk_width[i]
            o_ref[c, CROSSWALK_AT + j] = i - lo
        lo, hi = e.stop_lo[number], e.stop_lo[number + 1]
        n = nearest_few(
            c, ex, ey, STOP_ROWS, lo, hi, e.stop_x, e.stop_y, cache.stop, cache.stop_count, cache.stop_at, key
        )
        for j in range(STOP_ROWS):
            for q in range(6):
                o_stop[c, j, q] = 0.0
            if j >= n:
                o_ref[c, STOP_AT + j] = -1
                continue
            i = cache.stop[c, j]
            lane = e.stop_lane[i]
            dx, dy = e.stop_x[i] - ex, e.stop_y[i] - ey
            o_stop[c, j, 0] = ec * dx + es * dy
            o_stop[c, j, 1] = ec * dy - es * dx
            o_stop[c, j, 2] = ec * e.stop_cos[i] + es * e.stop_sin[i]
            o_stop[c, j, 3] = ec * e.stop_sin[i] - es * e.stop_cos[i]
            if lane_now[lane, 1] > 0.0:
                o_stop[c, j, 4] = 1.0
                if not math.isnan(done):
                    o_stop[c, j, 5] = lane_now[lane, 2] + e.stop_s[i] * lane_now[lane, 3] - done
            o_ref[c, STOP_AT + j] = lane - base
    for i in range(count_lights):
        if lit >= 0 and lights.lane[lit, i] >= 0:
            lane_now[lights.lane[lit, i], 0] = 0.0
    _mark_route(r.route_lo, r.route_lane, r.route_offset, r.route_scale, routed, False, lane_now)


@jit("void", *_ARGUMENTS)
def observe_worlds(
    m: MapIndex, e: ElementTable, r: RouteIndex, map_of: I4, state: AgentState, lights: LightArrays,
    row_lo: I4, row_slot: I4, row_route: I4, progress: F8, ticks: I4, first: int, last: int,
    memory: VisibilityMemory, cache: NearestCache, scratch: ObserveScratch, out: ObservationArrays,
) -> None:  # fmt: skip
    """Look around (:func:`see_worlds`), then write what every row of worlds ``first .. last - 1`` observes.

    ``map_of`` [W] is each world's map. World w has rows ``row_lo[w] .. row_lo[w + 1]``, each with its agent slot, its
    route in ``r`` (or -1) and its progress along it in metres (NaN: take it from the lane it is on). ``ticks`` [W]
    numbers the moment. Several threads may work on separate worlds, each with a scratch of its own.
    """
    see_worlds(state, row_lo, row_slot, ticks, first, last, memory, scratch)
    fill_worlds(
        m, e, r, map_of, state, lights, row_lo, row_slot, row_route, progress, ticks, first, last,
        memory, cache, scratch, out,
    )  # fmt: skip
