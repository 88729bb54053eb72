"""Microseconds that one controlled agent's observation costs, on one thread, at 200 and at 20,000 map elements a world.

64 worlds of 32 controlled agents and 16 others that drive about at up to 15 m/s on a grid of two-way streets; each
observes 31 agents, 96 map elements, lights, crosswalks, stop lines, all with lines of sight. Nearest elements and
visibility are checked against brute force first. Usage: ``python benchmarks/observation.py [--quick]``; the last line
is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

import numpy as np

from waytrace.geometry import Polylines, segment_hits_box
from waytrace.observe import (
    fill_worlds,
    make_arrays,
    make_memory,
    make_nearest_cache,
    make_observe_scratch,
    pack_elements,
    see_worlds,
)
from waytrace.scenario import Agents, Lights, Provenance, RoadMap, Route, Scenario
from waytrace.scenario.index import compile_maps
from waytrace.scenario.state import AgentState, LightArrays

WORLDS, CONTROLLED, OTHERS = 64, 32, 16


def street_grid(elements: int, seed: int) -> RoadMap:
    """Two-way streets 100 m apart, in lanes of 100 m: thirteen map elements each."""
    side = max(2, round((elements / 52) ** 0.5))
    rng = np.random.default_rng(seed)
    shift = rng.uniform(-500.0, 500.0, 2)
    parts = []
    for i in range(side + 1):
        for j in range(side + 1):
            for dx, dy in ((1, 0), (0, 1)):
                if i + dx > side or j + dy > side:
                    continue
                a = np.array([i, j]) * 100.0 + shift
                b = a + np.array([dx, dy]) * 100.0
                off = np.array([dy, -dx]) * 1.75
                parts += [np.linspace(a + off, b + off, 11), np.linspace(b - off, a - off, 11)]
    parts = parts[: elements // 13]
    n = len(parts)

    def beside(offset: float) -> Polylines:
        out = []
        for p in parts:
            d = (p[-1] - p[0]) / np.hypot(*(p[-1] - p[0]))
            out.append(p + offset * np.array([-d[1], d[0]]))
        return Polylines.of(out)

    none = np.full(n, -1, np.int32)
    return RoadMap(
        tuple(f"l{i}" for i in range(n)), Polylines.of(parts), beside(1.75), beside(-1.75), np.zeros(0, np.int32),
        np.zeros(n + 1, np.int32), none, none, np.full(n, 13.9), np.zeros(n, np.uint8), np.zeros(n, np.bool_),
        np.zeros(n, np.uint8), np.zeros((0, 2, 2)), np.zeros(0, np.int32),
        Polylines.of([p[3] + np.array([[0, 0], [3, 0], [3, 8], [0, 8.0]]) for p in parts[::20]]), Polylines.of([]),
    )  # fmt: skip


def scenario(road: RoadMap) -> Scenario:
    agents = Agents(
        ("ego",), np.zeros(1, np.uint8), np.array([[4.5, 1.9]]), np.zeros((1, 1, 2)), np.zeros((1, 1)),
        np.zeros((1, 1, 2)), np.ones((1, 1), np.bool_),
    )  # fmt: skip
    route = Route(tuple((lane,) for lane in range(min(12, len(road)))))
    return Scenario("b", "bench", road, Lights.none(1), agents, 0, route, 0, 0, Provenance("", ""))


def traffic(index, map_of, seed: int) -> tuple[AgentState, np.ndarray]:
    """Agents on lanes near a random place of each world's map."""
    rng = np.random.default_rng(seed)
    count = CONTROLLED + OTHERS
    shape = (WORLDS, count)
    x, y, h, lane_of = np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape, np.int32)
    for w in range(WORLDS):
        lo, hi = index.element_lo[map_of[w]], index.element_lo[map_of[w] + 1]
        at = rng.integers(lo, hi)
        d = (index.element_x[lo:hi] - index.element_x[at]) ** 2 + (index.element_y[lo:hi] - index.element_y[at]) ** 2
        near = lo + np.argsort(d)[:200]
        pick = rng.choice(near, count, replace=False)
        x[w], y[w] = index.element_x[pick], index.element_y[pick]
        h[w] = index.point_heading[index.element_p0[pick]]
        lane_of[w] = index.element_lane[pick]
    speed = rng.uniform(0.0, 15.0, shape) * (rng.random(shape) > 0.2)
    kind = rng.choice([0, 0, 0, 0, 1, 3, 4], shape).astype(np.uint8)
    length = np.choose(kind, [4.5, 10.0, 2.0, 1.8, 0.7])
    width = np.choose(kind, [1.9, 2.5, 0.8, 0.7, 0.7])
    zero = np.zeros(shape)
    state = AgentState(
        x, y, h, np.cos(h), np.sin(h), speed, zero, zero.copy(), length, width, kind, np.ones(shape, np.bool_),
        lane_of, zero.copy(), zero.copy(),
    )  # fmt: skip
    return state, speed


def move(state: AgentState, speed: np.ndarray) -> None:
    state.x[:] += 0.1 * speed * state.cos
    state.y[:] += 0.1 * speed * state.sin


def check(index, map_of, state, tick, ctrl_world, ctrl_slot, memory, cache, rows) -> None:
    """Nearest elements and visibility of some controlled agents against brute force."""
    for c in rows:
        w, s = ctrl_world[c], ctrl_slot[c]
        lo, hi = index.element_lo[map_of[w]], index.element_lo[map_of[w] + 1]
        dx, dy = index.element_x[lo:hi] - state.x[w, s], index.element_y[lo:hi] - state.y[w, s]
        best = lo + np.lexsort((np.arange(hi - lo), dx * dx + dy * dy))[:96]
        if not np.array_equal(cache.kept[c, : len(best)], best):
            sys.exit(f"observation: nearest elements of controlled agent {c} differ from brute force")
        ex, ey = state.x[w, s], state.y[w, s]
        for a in range(state.x.shape[1]):
            if a == s:
                continue
            box = np.array([state.x[w, a], state.y[w, a]])
            u, v = 0.45 * state.length[w, a], 0.45 * state.width[w, a]
            ch, sh = state.cos[w, a], state.sin[w, a]
            points = [
                box + np.array([ch * p - sh * q, sh * p + ch * q])
                for p, q in ((0, 0), (u, v), (-u, v), (-u, -v), (u, -v))
            ]
            wall = [
                k for k in range(state.x.shape[1])
                if k not in (a, s) and (state.kind[w, k] == 1 or (state.kind[w, k] == 0 and state.kind[w, a] != 1))
            ]  # fmt: skip
            clear = any(
                not any(
                    segment_hits_box(ex, ey, px, py, state.x[w, k], state.y[w, k], state.heading[w, k],
                                     state.length[w, k], state.width[w, k])
                    and not segment_hits_box(ex, ey, ex, ey, state.x[w, k], state.y[w, k], state.heading[w, k],
                                             state.length[w, k], state.width[w, k])
                    for k in wall
                )
                for px, py in points
            )  # fmt: skip
            sees = clear and np.hypot(*(box - [ex, ey])) <= 120.0
            if bool(memory.seen_tick[c, a] == tick) != bool(sees):
                sys.exit(f"observation: visibility of agent {a} for controlled agent {c} differs from brute force")


def measure(elements: int, ticks: int, distinct: int) -> dict[str, float]:
    maps = [street_grid(elements, seed) for seed in range(distinct)]
    compiled = compile_maps([scenario(maps[w % distinct]) for w in range(WORLDS)])
    index, map_of = compiled.index, compiled.map_of
    table = pack_elements(index)
    state, speed = traffic(index, map_of, 1)
    ctrl_world = np.repeat(np.arange(WORLDS, dtype=np.int32), CONTROLLED)
    ctrl_slot = np.tile(np.arange(CONTROLLED, dtype=np.int32), WORLDS)
    n, slots = len(ctrl_world), CONTROLLED + OTHERS
    memory, cache, out = make_memory(WORLDS, n, slots), make_nearest_cache(n, slots), make_arrays(n)
    scratch = make_observe_scratch(index, slots)
    row_lo = np.arange(0, n + 1, CONTROLLED, dtype=np.int32)
    lights = LightArrays(
        np.full((WORLDS, 0), -1, np.int32),
        np.zeros((WORLDS, 0), np.uint8),
        np.zeros((WORLDS, 0)),
        np.zeros((WORLDS, 0)),
    )
    progress = np.full(n, np.nan)
    see_s, fill_s, searches = [], [], 0
    for tick in range(ticks):
        before = cache.kept_x.copy()
        t0 = time.thread_time()
        ticks_now = np.full(WORLDS, tick, np.int32)
        see_worlds(state, row_lo, ctrl_slot, ticks_now, 0, WORLDS, memory, scratch)
        t1 = time.thread_time()
        fill_worlds(
            index, table, compiled.routes, map_of, state, lights, row_lo, ctrl_slot, ctrl_world, progress, ticks_now,
            0, WORLDS, memory, cache, scratch, out,
        )  # fmt: skip
        t2 = time.thread_time()
        see_s.append(t1 - t0)
        fill_s.append(t2 - t1)
        searches += int((cache.kept_x != before).sum()) if tick else 0
        if tick in (0, 3, 7):
            check(index, map_of, state, tick, ctrl_world, ctrl_slot, memory, cache, range(0, n, 97))
        move(state, speed)
    see_us, fill_us = (float(np.min(t[1:])) / n * 1e6 for t in (see_s, fill_s))
    mean_us = float(np.mean(np.add(see_s, fill_s)[1:])) / n * 1e6
    return {
        "elements": int(np.median(np.diff(index.element_lo))), "us_per_agent": see_us + fill_us, "mean_us": mean_us,
        "visibility_us": see_us, "arrays_us": fill_us, "hidden_share": float((memory.seen_tick < ticks - 1).mean()),
        "search_share": searches / (n * (ticks - 1)),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few ticks only")
    quick = parser.parse_args().quick
    ticks = 10 if quick else 60
    figures = {}
    for elements in (200, 20_000):
        figures[str(elements)] = measure(elements, ticks, 64 if elements < 1000 else 8)
        print(elements, figures[str(elements)])
    print(
        json.dumps({"benchmark": "observation", "controlled": WORLDS * CONTROLLED, "us_per_controlled_agent": figures})
    )


if __name__ == "__main__":
    main()
