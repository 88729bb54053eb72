"""Looking, kept for a batch of worlds: memory of who was seen, caches, output arrays.

The simulator looks with it while a drive runs, and :mod:`.rebuilt` when a recorded one is looked at again: both see the
same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import I4, B1x3
from waytrace.scenario import AgentKind, Agents
from waytrace.scenario.index import CompiledMaps
from waytrace.scenario.state import AgentState, LightArrays

from .arrays import NEVER, forget_seen, make_arrays, make_memory, make_nearest_cache, make_observe_scratch
from .elements import pack_elements
from .kernel import observe_worlds
from .visibility import see_worlds

SEEN_BY_ROW = ("seen_tick", "hint")
"""Fields of the memory that have a row for each controlled agent; the others have one for each world."""

LOOK_BACK_S = 3.0
"""At the start the recorded history is looked at from so long before, so that agents lost since are remembered."""


class Seen(NamedTuple):
    """Whom each controlled agent saw at which recorded step."""

    seen: B1x3
    """[B, steps, A]; one step where nothing is recorded."""


def recorded_speed(agents: Agents) -> NDArray[np.float64]:
    """[N, T] recorded speed along the heading: negative for a vehicle that moves against it."""
    speed = np.hypot(agents.velocity_mps[..., 0], agents.velocity_mps[..., 1])
    facing = np.cos(agents.heading_rad) * agents.velocity_mps[..., 0]
    facing += np.sin(agents.heading_rad) * agents.velocity_mps[..., 1]
    backwards = (facing < 0) & (agents.kind[:, None] <= AgentKind.MOTORCYCLE)
    signed: NDArray[np.float64] = np.where(backwards, -speed, speed)
    return signed


class Eyes:
    """The looking part of W worlds with B observing agents.

    World w has rows ``lo[w] .. lo[w + 1]``, ``slot`` is each row's agent, ``ego`` each world's; ``start`` is the step
    at which tick 0 lies. With ``steps`` above 1 it is recorded who was seen at which step.
    """

    def __init__(
        self, maps: CompiledMaps, lo: I4, slot: I4, ego: I4, start: I4, slots: int, *, shards: int = 1, steps: int = 1
    ) -> None:
        worlds, count = len(start), len(slot)
        self.maps, self.lo, self.slot, self.first_step = maps, lo, slot, start
        self.world = np.repeat(np.arange(worlds), np.diff(lo))
        self.elements = pack_elements(maps.index)
        self.memory = make_memory(worlds, count, slots)
        self.record = Seen(np.zeros((count, steps, slots), np.bool_))
        self.arrays = make_arrays(count)
        self._cache = make_nearest_cache(count, slots)
        self._scratch = [make_observe_scratch(maps.index, slots) for _ in range(shards)]
        self._route = np.where(ego[self.world] == slot, self.world, -1).astype(np.int32)
        self._progress = np.full(count, np.nan)

    def start(self, history: Iterable[tuple[AgentState, I4]]) -> None:
        """The start of an episode: forget everyone, then look at the recorded history, oldest first.

        ``history`` yields the state of all worlds and the tick [W] (negative) of each moment.
        """
        forget_seen(self.memory)
        self.record.seen[:] = False
        for state, ticks in history:
            self.see(state, ticks)

    def see(self, state: AgentState, ticks: I4) -> None:
        """Look around without writing an observation; keeps the record complete between decisions."""
        see_worlds(state, self.lo, self.slot, ticks, 0, len(self.first_step), self.memory, self._scratch[0])
        self._note(ticks)

    def _note(self, ticks: I4) -> None:
        """Write whom each row's agent sees at ``ticks`` [W] into the record."""
        if self.record.seen.shape[1] == 1:
            return
        now = ticks[self.world]
        seen = (self.memory.seen_tick == now[:, None]) & (self.memory.seen_tick != NEVER)
        step = self.first_step[self.world] + now
        self.record.seen[np.arange(len(self.world)), np.maximum(step, 0)] = seen

    def look(self, state: AgentState, lights: LightArrays, ticks: I4, first: int, last: int, shard: int = 0) -> None:
        """Write what the observing agents of worlds ``first`` .. ``last`` (exclusive) observe, on one thread."""
        observe_worlds(
            self.maps.index, self.elements, self.maps.routes, self.maps.map_of, state, lights, self.lo, self.slot,
            self._route, self._progress, ticks, first, last, self.memory, self._cache, self._scratch[shard],
            self.arrays,
        )  # fmt: skip


def look_back_ticks(first_step: int, dt_s: float) -> range:
    """Ticks of the history that is looked at before an episode begins."""
    return range(-min(first_step, round(LOOK_BACK_S / dt_s)), 0)
