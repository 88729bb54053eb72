from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from waytrace.geometry import Polylines
from waytrace.observe import (
    copied,
    fill_worlds,
    forget_nearest,
    make_arrays,
    make_memory,
    make_nearest_cache,
    make_observe_scratch,
    pack_elements,
    see_worlds,
)
from waytrace.scenario import Agents, Lights, Provenance, RoadMap, Route, Scenario, transformed
from waytrace.scenario.index import compile_maps
from waytrace.scenario.state import AgentState, LightArrays


def street_map(side: int = 3, light: bool = True) -> RoadMap:
    """Two-way streets 61 m apart, with limits on some lanes, stop lines and crosswalks on others.

    61 m is no multiple of the step between lane points: there rounding would decide how a lane is cut.
    """
    parts = []
    for i in range(side + 1):
        for j in range(side + 1):
            for dx, dy in ((1, 0), (0, 1)):
                if i + dx > side or j + dy > side:
                    continue
                a, b = np.array([i, j]) * 61.0, np.array([i + dx, j + dy]) * 61.0
                off = np.array([dy, -dx]) * 1.75
                parts += [np.linspace(a + off, b + off, 7), np.linspace(b - off, a - off, 7)]
    n = len(parts)

    def beside(offset: float) -> Polylines:
        out = []
        for p in parts:
            d = (p[-1] - p[0]) / np.hypot(*(p[-1] - p[0]))
            out.append(p + offset * np.array([-d[1], d[0]]))
        return Polylines.of(out)

    none = np.full(n, -1, np.int32)
    stops = np.arange(0, n, 3, dtype=np.int32)
    ends = np.array([[parts[s][5] + [-1.5, -1.5], parts[s][5] + [1.5, 1.5]] for s in stops])
    return RoadMap(
        tuple(f"l{i}" for i in range(n)), Polylines.of(parts), beside(1.75), beside(-1.75), np.zeros(0, np.int32),
        np.zeros(n + 1, np.int32), none, none, np.where(np.arange(n) % 4 == 0, np.nan, 13.9), np.zeros(n, np.uint8),
        np.arange(n) % 5 == 0, np.zeros(n, np.uint8), ends, stops,
        Polylines.of([p[3] + np.array([[0, 0], [3, 0], [3, 8], [0, 8.0]]) for p in parts[::2]]), Polylines.of([]),
    )  # fmt: skip


@dataclass
class Bench:
    """A few worlds on one map, agents anywhere, observed tick by tick."""

    scenario: Scenario
    compiled: Any
    table: Any
    state: AgentState
    lights: LightArrays
    row_lo: np.ndarray
    row_slot: np.ndarray
    memory: Any
    cache: Any
    scratch: Any
    out: Any

    @property
    def worlds(self) -> int:
        return len(self.row_lo) - 1

    def see(self, tick: int) -> None:
        ticks = np.full(self.worlds, tick, np.int32)
        see_worlds(self.state, self.row_lo, self.row_slot, ticks, 0, self.worlds, self.memory, self.scratch)

    def observe(self, tick: int, *, cached: bool = True) -> Any:
        self.see(tick)
        if not cached:
            forget_nearest(self.cache)
        rows = len(self.row_slot)
        route = np.repeat(np.arange(self.worlds, dtype=np.int32), np.diff(self.row_lo))
        fill_worlds(
            self.compiled.index, self.table, self.compiled.routes, self.compiled.map_of, self.state, self.lights,
            self.row_lo, self.row_slot, route, np.full(rows, np.nan), np.full(self.worlds, tick, np.int32),
            0, self.worlds, self.memory, self.cache, self.scratch, self.out,
        )  # fmt: skip
        return copied(self.out)

    def place(self, x: Any, y: Any, heading: Any, speed: Any = 0.0) -> None:
        s = self.state
        s.x[:], s.y[:], s.heading[:], s.speed[:] = x, y, heading, speed
        s.cos[:], s.sin[:] = np.cos(s.heading), np.sin(s.heading)

    def drive(self, rng: np.random.Generator) -> None:
        """Move everyone a tick on, now and then by a jump."""
        far = np.where(rng.random(self.state.x.shape) < 0.05, 40.0, 0.1 * self.state.speed)
        self.state.x[:] += far * self.state.cos
        self.state.y[:] += far * self.state.sin


def build(
    seed: int = 0, *, worlds: int = 2, agents: int = 12, rows: int = 4, side: int = 3, turn: float = 0.0,
    move: tuple[float, float] = (0.0, 0.0), kinds: tuple[int, ...] = (0, 0, 0, 1, 2, 3, 4, 5),
) -> Bench:  # fmt: skip
    rng = np.random.default_rng(seed)
    road = street_map(side)
    n = len(road)
    one = Agents(
        ("ego",), np.zeros(1, np.uint8), np.array([[4.5, 1.9]]), np.zeros((1, 1, 2)), np.zeros((1, 1)),
        np.zeros((1, 1, 2)), np.ones((1, 1), np.bool_),
    )  # fmt: skip
    lane = np.arange(1, n, 5, dtype=np.int32)
    lights = Lights(
        lane, np.array([road.centre[i][0] for i in lane]), rng.integers(0, 5, (1, len(lane))).astype(np.uint8)
    )
    scenario = Scenario(
        "s", "test", road, lights, one, 0, Route(((0,), (1, 4), (6,))), 0, 0, Provenance("", "")
    )  # fmt: skip
    scenario = transformed(scenario, (*move, turn)) if turn or move != (0.0, 0.0) else scenario
    compiled = compile_maps([scenario] * worlds)
    index = compiled.index
    shape = (worlds, agents)
    kind = rng.choice(kinds, shape).astype(np.uint8)
    zero = [np.zeros(shape) for _ in range(8)]
    state = AgentState(
        *zero, np.choose(kind, [4.5, 11.0, 2.0, 1.8, 0.7, 1.0]), np.choose(kind, [1.9, 2.5, 0.8, 0.7, 0.7, 1.0]), kind,
        np.ones(shape, np.bool_), np.full(shape, -1, np.int32), np.zeros(shape), np.zeros(shape),
    )  # fmt: skip
    x, y = rng.uniform(0, 61 * side, shape), rng.uniform(0, 61 * side, shape)
    xy = np.stack([np.cos(turn) * x - np.sin(turn) * y + move[0], np.sin(turn) * x + np.cos(turn) * y + move[1]])
    k = len(lane)
    light_xy = np.asarray(scenario.lights.xy)
    arrays = LightArrays(
        np.tile(lane, (worlds, 1)), np.tile(scenario.lights.state[0], (worlds, 1)),
        np.tile(light_xy[:, 0], (worlds, 1)), np.tile(light_xy[:, 1], (worlds, 1)),
    )  # fmt: skip
    assert k == arrays.lane.shape[1]
    total = worlds * rows
    bench = Bench(
        scenario, compiled, pack_elements(index), state, arrays, np.arange(0, total + 1, rows, dtype=np.int32),
        np.tile(np.arange(rows, dtype=np.int32), worlds), make_memory(worlds, total, agents),
        make_nearest_cache(total, agents), make_observe_scratch(index, agents), make_arrays(total),
    )  # fmt: skip
    bench.place(xy[0], xy[1], rng.uniform(-np.pi, np.pi, shape) + turn, rng.uniform(0, 20, shape))
    return bench


@pytest.fixture(scope="session")
def make_bench() -> Any:
    """Builds a :class:`Bench`."""
    return build
