"""What a world's controlled agents have seen and see now: the observation room's arrays, kept for a whole batch."""

from __future__ import annotations

import numpy as np

from waytrace.observe import (
    forget_seen,
    make_arrays,
    make_memory,
    make_nearest_cache,
    make_observe_scratch,
    observe_worlds,
    pack_elements,
)
from waytrace.scenario.index import CompiledMaps
from waytrace.scenario.state import AgentState, LightArrays

from .arrays import Fixed, Moving, Rows

SEEN_BY_ROW = ("seen_tick", "lost_x", "lost_y", "lost_cos", "lost_sin", "lost_speed")
"""Fields of the memory that have a row for each controlled agent; the others have one for each world."""


class Eyes:
    """The looking part of a :class:`~waytrace.sim.World`: memory of who was seen, caches, output arrays."""

    def __init__(self, maps: CompiledMaps, fixed: Fixed, rows: Rows, shards: int) -> None:
        worlds, slots = fixed.key.shape
        count = len(rows.world)
        self.maps, self.fixed, self.rows = maps, fixed, rows
        self.elements = pack_elements(maps.index)
        self.memory = make_memory(worlds, count, slots)
        self.arrays = make_arrays(count)
        self._cache = make_nearest_cache(count, slots)
        self._scratch = [make_observe_scratch(maps.index, slots) for _ in range(shards)]
        is_ego = fixed.ego[rows.world] == rows.slot
        self._route = np.where(is_ego, rows.world, -1).astype(np.int32)
        self._progress = np.full(count, np.nan)

    def forget(self) -> None:
        """Nobody has seen anybody: the start of an episode."""
        forget_seen(self.memory)

    def look(self, state: AgentState, lights: LightArrays, moving: Moving, first: int, last: int, shard: int) -> None:
        """Write what the controlled agents of worlds ``first`` .. ``last`` (exclusive) observe, on one thread."""
        observe_worlds(
            self.maps.index, self.elements, self.maps.routes, self.fixed.map_of, state, lights, self.rows.lo,
            self.rows.slot, self._route, self._progress, moving.tick, first, last, self.memory, self._cache,
            self._scratch[shard], self.arrays,
        )  # fmt: skip
