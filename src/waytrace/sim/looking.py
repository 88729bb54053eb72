"""What a world's controlled agents have seen and see now: the observation room's arrays, kept for a whole batch."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import (
    NearestCache,
    ObservationArrays,
    VisibilityMemory,
    forget_seen,
    make_arrays,
    make_memory,
    make_nearest_cache,
    observe_worlds,
    pack_elements,
)
from waytrace.scenario.index import CompiledMaps
from waytrace.scenario.state import AgentState, LightArrays

from .arrays import Fixed, Rows

SEEN_BY_ROW = ("seen_tick", "lost_x", "lost_y", "lost_cos", "lost_sin", "lost_speed")
"""Fields of the memory that have a row for each controlled agent; the others have one for each world."""


class Eyes:
    """The looking part of a :class:`~waytrace.sim.World`: memory of who was seen, caches, output arrays."""

    def __init__(self, maps: CompiledMaps, fixed: Fixed, rows: Rows, bounds: NDArray[np.int_]) -> None:
        worlds, slots = fixed.key.shape
        count = len(rows.world)
        self.maps, self.fixed, self.rows = maps, fixed, rows
        self.elements = pack_elements(maps.index)
        self.memory = make_memory(worlds, count, slots)
        self.arrays = make_arrays(count)
        self._cuts = [slice(int(rows.lo[a]), int(rows.lo[b])) for a, b in itertools.pairwise(bounds)]
        self._caches: list[NearestCache] = [
            make_nearest_cache(maps.index, cut.stop - cut.start, slots) for cut in self._cuts
        ]
        is_ego = fixed.ego[rows.world] == rows.slot
        self._route = np.where(is_ego, rows.world, -1).astype(np.int32)
        self._progress = np.full(count, np.nan)

    def forget(self) -> None:
        """Nobody has seen anybody: the start of an episode."""
        forget_seen(self.memory)

    def look(self, shard: int, state: AgentState, lights: LightArrays, tick: int) -> None:
        """Write the observation of one shard's controlled agents at ``tick``."""
        cut = self._cuts[shard]
        memory = VisibilityMemory(
            *(part[cut] if name in SEEN_BY_ROW else part for name, part in self.memory._asdict().items())
        )
        observe_worlds(
            self.maps.index, self.elements, self.maps.routes, self.fixed.map_of, state, lights, self.rows.world[cut],
            self.rows.slot[cut], self._route[cut], self._progress[cut], tick, memory, self._caches[shard],
            ObservationArrays._make([part[cut] for part in self.arrays]),
        )  # fmt: skip
