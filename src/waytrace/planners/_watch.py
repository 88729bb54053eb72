"""Which drives still keep to the rules, tick by tick, in a world that is being stepped."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import B1, F8, I4, B1x2, F8x2, bundle, jit
from waytrace.rules import (
    LATERAL,
    NO_CONTACT,
    is_at_fault,
    off_road_m,
    pair_contact,
    progress_m,
    red_light_entry,
    wholly_in_one_lane,
    wrong_way_step_m,
)
from waytrace.rules.limits import OFF_ROAD_M, WRONG_WAY_MINOR_M
from waytrace.scenario.index import MAP_INDEX, ROUTE_INDEX, MapIndex, RouteIndex
from waytrace.scenario.state import AGENT_STATE, LIGHT_ARRAYS, AgentState, LightArrays

WINDOW = 10


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


WATCH = bundle(Watch)


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
        watch.tick[w] += 1


class Watcher:
    """Watches every ego of a world (whose first controlled agent it is)."""

    def __init__(self, world: Any) -> None:
        worlds, slots = world.state.x.shape
        self.world = world
        self.watch = Watch(
            np.ascontiguousarray(world.maps.map_of, np.int32), world.rows.slot[world.rows.lo[:-1]].astype(np.int32),
            np.zeros((worlds, 3)), np.full(worlds, np.nan), np.zeros(worlds), np.zeros((worlds, WINDOW)),
            np.zeros((worlds, slots), np.bool_), np.ones(worlds, np.bool_), np.zeros(worlds, np.int32),
        )  # fmt: skip
        self._lights = world.lights.state.copy()
        self.see(world.active.copy())

    def see(self, active: NDArray[np.bool_]) -> None:
        """Take in the present tick of the worlds that were ``active`` before it."""
        world = self.world
        look(world.maps.index, world.maps.routes, world.state, world.lights, self._lights, active, self.watch)
        self._lights = world.lights.state.copy()

    @property
    def driven_m(self) -> NDArray[np.float64]:
        """[W] metres along the route since the start."""
        driven: NDArray[np.float64] = np.nan_to_num(self.watch.progress_m - self.watch.first_m)
        return driven
