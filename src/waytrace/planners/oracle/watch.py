"""Which drives still keep to the rules, tick by tick, in a world that is being stepped."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import B1, F8, I4, B1x2, F8x2, bundle, jit
from waytrace.rules import (
    COMFORT_ROWS,
    LATERAL,
    NO_CONTACT,
    SCRATCH_ROWS,
    comfort_rows,
    is_at_fault,
    is_comfortable,
    off_road_m,
    overspeed_mps,
    pair_contact,
    progress_m,
    red_light_entry,
    time_to_collision_s,
    wholly_in_one_lane,
    wrong_way_step_m,
)
from waytrace.rules.limits import OFF_ROAD_M, TTC_LEAST_S, WRONG_WAY_MINOR_M
from waytrace.scenario import DT_S as TICK_S
from waytrace.scenario.index import MAP_INDEX, ROUTE_INDEX, MapIndex, RouteIndex
from waytrace.scenario.state import AGENT_STATE, LIGHT_ARRAYS, AgentState, LightArrays

WINDOW = 10
BLURRED = 11
"""Ticks at the end of a drive whose comfort values still change with what comes after."""
HARSH_MPS2 = 3.5
"""Who is behind or beside and brakes harder than this has been cut off."""


class Watch(NamedTuple):
    """What is known of W drives so far."""

    map_of: I4
    ego: I4
    last: F8x2
    """[W, 3] box centre x, y and heading at the tick before."""
    first_m: F8
    """[W] progress at the start, metres; NaN before the first look."""
    progress_m: F8
    wrong_way: F8x2
    """[W, 10] metres against the lane in the last ten ticks."""
    touched: B1x2
    """[W, A] who has touched the ego; contacts are judged when they begin."""
    clean: B1
    tick: I4
    safe: B1
    """[W] no time to collision below the score's bound so far, and nobody touched."""
    over_m: F8
    """[W] integral of the overspeed, metres."""
    harsh: F8
    """[W] seconds in which someone who follows or crosses had to brake hard."""
    comfortable: B1
    """[W] as far as :func:`judge_comfort` has judged."""
    speed: F8x2
    """[W, T] the ego's speed at every tick, m/s."""
    heading: F8x2


WATCH = bundle(Watch)


@jit("void", MAP_INDEX, AGENT_STATE, WATCH, "i8")
def weigh(m: MapIndex, st: AgentState, watch: Watch, w: int) -> None:
    """What breaks no rule and yet lowers the score, for one world at one tick."""
    e, number, t = watch.ego[w], watch.map_of[w], watch.tick[w]
    if watch.safe[w] and time_to_collision_s(m, st, number, w, e, watch.touched[w]) < TTC_LEAST_S:
        watch.safe[w] = False
    over = overspeed_mps(m, st.lane[w, e], st.speed[w, e])
    if over > 0.0:
        watch.over_m[w] += over * TICK_S
    if t < watch.speed.shape[1]:
        watch.speed[w, t], watch.heading[w, t] = st.speed[w, e], st.heading[w, e]
    x, y, c, s = st.x[w, e], st.y[w, e], st.cos[w, e], st.sin[w, e]
    for o in range(st.x.shape[1]):
        if o == e or not st.present[w, o] or st.accel[w, o] > -HARSH_MPS2:
            continue
        dx, dy = st.x[w, o] - x, st.y[w, o] - y
        follows = dx * c + dy * s < 0.0 and dx * dx + dy * dy < 1600.0
        crosses = st.cos[w, o] * c + st.sin[w, o] * s < 0.7 and dx * dx + dy * dy < 900.0
        meets = -dx * st.cos[w, o] - dy * st.sin[w, o] > 0.0
        if meets and (follows or crosses):
            watch.harsh[w] += TICK_S


@jit("void", MAP_INDEX, ROUTE_INDEX, AGENT_STATE, LIGHT_ARRAYS, "u1[:,:]", "b1[:]", WATCH)
def look(
    m: MapIndex, r: RouteIndex, st: AgentState, lights: LightArrays, before: NDArray[np.uint8],
    active: NDArray[np.bool_], watch: Watch,
) -> None:  # fmt: skip
    """Take in one tick of every active world. ``before`` [W, K] are the light states of the tick before."""
    for w in range(len(watch.ego)):
        if not active[w]:
            continue
        e, number = watch.ego[w], watch.map_of[w]
        x, y, h = st.x[w, e], st.y[w, e], st.heading[w, e]
        length, width = st.length[w, e], st.width[w, e]
        begins = math.isnan(watch.first_m[w])
        last = watch.progress_m[w]
        watch.progress_m[w] = progress_m(m, r, w, x, y, math.nan if begins else last)
        if begins:
            watch.first_m[w] = watch.progress_m[w]
        for o in range(st.x.shape[1]):
            if o == e or watch.touched[w, o]:
                continue
            kind = pair_contact(st, w, e, o)
            if kind == NO_CONTACT:
                continue
            watch.touched[w, o] = True
            if begins:
                continue
            watch.safe[w] = False
            keeps = kind == LATERAL and wholly_in_one_lane(m, number, st.lane[w, e], x, y, h, length, width)
            if is_at_fault(kind, keeps):
                watch.clean[w] = False
        if off_road_m(m, number, x, y, h, length, width) > OFF_ROAD_M:
            watch.clean[w] = False
        if not begins:
            x0, y0, h0 = watch.last[w, 0], watch.last[w, 1], watch.last[w, 2]
            slot = watch.tick[w] % WINDOW
            watch.wrong_way[w, slot] = wrong_way_step_m(m, number, st.lane[w, e], x0, y0, x, y)
            if watch.wrong_way[w].sum() >= WRONG_WAY_MINOR_M:
                watch.clean[w] = False
            earlier = LightArrays(lights.lane, before, lights.x, lights.y)
            if red_light_entry(m, earlier, w, x0, y0, h0, x, y, h, length, st.lane[w, e]) >= 0:
                watch.clean[w] = False
        watch.last[w, 0], watch.last[w, 1], watch.last[w, 2] = x, y, h
        weigh(m, st, watch, w)
        watch.tick[w] += 1


@jit("void", WATCH, "b1[:]", "i8", "b1", "f8[:,:]", "f8[:,:]")
def judge_comfort(
    watch: Watch, worlds: NDArray[np.bool_], ticks: int, ends: bool, out: NDArray[np.float64],
    scratch: NDArray[np.float64],
) -> None:  # fmt: skip
    """Judge the comfort of the last ``ticks`` ticks of those ``worlds`` whose drives are still comfortable.

    Unless the drive ``ends`` here its newest ticks wait: they depend on what comes after.
    """
    for w in range(len(watch.ego)):
        last = watch.tick[w] if ends else watch.tick[w] - BLURRED
        if not worlds[w] or not watch.comfortable[w] or last < 1:
            continue
        judged = max(last - ticks, 0)
        first = max(judged - 2 * BLURRED, 0)
        rows = watch.tick[w] - first
        comfort_rows(watch.speed[w, first:], watch.heading[w, first:], rows, TICK_S, out, scratch)
        for k in range(out.shape[0]):
            for t in range(last - judged):
                out[k, t] = out[k, t + judged - first]
        watch.comfortable[w] = is_comfortable(out, last - judged)


class Watcher:
    """Watches every ego of a world (whose first controlled agent it is)."""

    def __init__(self, world: Any) -> None:
        worlds, slots = world.state.x.shape
        ticks = int(world.fixed.last_tick.max()) + 1
        self.world = world
        self.watch = Watch(
            np.ascontiguousarray(world.maps.map_of, np.int32), world.rows.slot[world.rows.lo[:-1]].astype(np.int32),
            np.zeros((worlds, 3)), np.full(worlds, np.nan), np.zeros(worlds), np.zeros((worlds, WINDOW)),
            np.zeros((worlds, slots), np.bool_), np.ones(worlds, np.bool_), np.zeros(worlds, np.int32),
            np.ones(worlds, np.bool_), np.zeros(worlds), np.zeros(worlds), np.ones(worlds, np.bool_),
            np.zeros((worlds, ticks)), np.zeros((worlds, ticks)),
        )  # fmt: skip
        self._comfort = np.zeros((COMFORT_ROWS, ticks)), np.zeros((SCRATCH_ROWS, ticks))
        self._lights = world.lights.state.copy()
        self.see(world.active.copy())

    def see(self, active: NDArray[np.bool_]) -> None:
        """Take in the present tick of the worlds that were ``active`` before it."""
        world = self.world
        look(world.maps.index, world.maps.routes, world.state, world.lights, self._lights, active, self.watch)
        self._lights = world.lights.state.copy()

    def judge_comfort(self, worlds: NDArray[np.bool_], ticks: int, ends: bool = False) -> None:
        """Judge the last ``ticks`` ticks of some ``worlds``; the newest second only where the drive ``ends`` here."""
        judge_comfort(self.watch, worlds, ticks, ends, *self._comfort)

    @property
    def driven_m(self) -> NDArray[np.float64]:
        """[W] metres along the route since the start."""
        driven: NDArray[np.float64] = np.nan_to_num(self.watch.progress_m - self.watch.first_m)
        return driven
