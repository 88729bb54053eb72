"""What a world's controlled agents have seen and see now: the observation room's arrays, kept for a whole batch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import I4, B1x3, jit
from waytrace.observe import (
    NEVER,
    forget_seen,
    make_arrays,
    make_memory,
    make_nearest_cache,
    make_observe_scratch,
    observe_worlds,
    pack_elements,
    see_worlds,
)
from waytrace.scenario import DT_S
from waytrace.scenario.index import CompiledMaps
from waytrace.scenario.state import AGENT_STATE, AgentState, LightArrays

from .arrays import FIXED, Fixed, Moving, Rows
from .traffic.drive import put_on_log

SEEN_BY_ROW = ("seen_tick", "hint")
"""Fields of the memory that have a row for each controlled agent; the others have one for each world."""


LOOK_BACK_S = 3.0
"""At the start the recorded history is looked at from so long before, so that agents lost since are remembered."""


class Seen(NamedTuple):
    """Whom each controlled agent saw at which recorded step."""

    seen: B1x3
    """[B, steps, A]; one step where nothing is recorded."""


@jit("void", FIXED, AGENT_STATE, "i4[:]", "i8")
def put_all_on_log(f: Fixed, st: AgentState, ticks: I4, tick: int) -> None:
    """Set every agent of every world to its recorded state ``tick`` ticks after the start step (negative: before)."""
    for w in range(len(f.agents)):
        step = f.start[w] + tick
        ticks[w] = tick
        for a in range(f.agents[w]):
            st.present[w, a] = step >= 0 and f.log_valid[w, a, max(step, 0)]
            if st.present[w, a]:
                put_on_log(f, st, w, a, step)


class Eyes:
    """The looking part of a :class:`~waytrace.sim.World`: memory of who was seen, caches, output arrays."""

    def __init__(self, maps: CompiledMaps, fixed: Fixed, rows: Rows, shards: int, steps: int) -> None:
        worlds, slots = fixed.key.shape
        count = len(rows.world)
        self.maps, self.fixed, self.rows = maps, fixed, rows
        self.elements = pack_elements(maps.index)
        self.memory = make_memory(worlds, count, slots)
        self.record = Seen(np.zeros((count, steps, slots), np.bool_))
        self.arrays = make_arrays(count)
        self._cache = make_nearest_cache(count, slots)
        self._scratch = [make_observe_scratch(maps.index, slots) for _ in range(shards)]
        is_ego = fixed.ego[rows.world] == rows.slot
        self._route = np.where(is_ego, rows.world, -1).astype(np.int32)
        self._progress = np.full(count, np.nan)

    def start(self, state: AgentState) -> None:
        """The start of an episode: forget everyone, then look at the recorded history, oldest first."""
        forget_seen(self.memory)
        self.record.seen[:] = False
        past = AgentState._make([array.copy() for array in state])
        ticks = np.zeros(len(self.fixed.start), np.int32)
        for tick in range(-min(int(self.fixed.start.max()), round(LOOK_BACK_S / DT_S)), 0):
            put_all_on_log(self.fixed, past, ticks, tick)
            self._see(past, ticks)

    def see(self, state: AgentState, moving: Moving) -> None:
        """Look around without writing an observation; keeps the record complete between decisions."""
        self._see(state, moving.tick)

    def _see(self, state: AgentState, ticks: NDArray[np.int32]) -> None:
        worlds = len(self.fixed.start)
        see_worlds(state, self.rows.lo, self.rows.slot, ticks, 0, worlds, self.memory, self._scratch[0])
        self.note(ticks)

    def note(self, ticks: NDArray[np.int32]) -> None:
        """Write whom each row's agent sees at ``ticks`` [W] into the record."""
        if self.record.seen.shape[1] == 1:
            return
        world = self.rows.world
        now = ticks[world]
        seen = (self.memory.seen_tick == now[:, None]) & (self.memory.seen_tick != NEVER)
        step = self.fixed.start[world] + now
        self.record.seen[np.arange(len(world)), np.maximum(step, 0)] = seen

    def look(self, state: AgentState, lights: LightArrays, moving: Moving, first: int, last: int, shard: int) -> None:
        """Write what the controlled agents of worlds ``first`` .. ``last`` (exclusive) observe, on one thread."""
        observe_worlds(
            self.maps.index, self.elements, self.maps.routes, self.fixed.map_of, state, lights, self.rows.lo,
            self.rows.slot, self._route, self._progress, moving.tick, first, last, self.memory, self._cache,
            self._scratch[shard], self.arrays,
        )  # fmt: skip
