"""What the kernels write to and remember in. The simulator owns these arrays: copying them is all a snapshot takes.

Legend: W worlds, C rows (one for each controlled agent, world by world), A agent slots of a world, L lanes.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import F4, F8, I4, F4x2, F4x3, F8x2, F8x3, F8x4, I4x2, bundle
from waytrace.scenario.index import MapIndex

from .features import (
    AGENT,
    AGENT_ROWS,
    CROSSWALK,
    CROSSWALK_ROWS,
    EGO,
    LIGHT,
    LIGHT_ROWS,
    MAP,
    MAP_ROWS,
    REFERENCES,
    STOP,
    STOP_ROWS,
)

PAST_TICKS = 32
"""How many ticks everybody's state is kept for; more than a lost agent is remembered."""

NEVER = -(1 << 30)
"""``seen_tick`` of an agent that was never seen, or is forgotten."""

KEPT = 128
"""Map elements to keep at hand for a row, at least (see :mod:`.nearest`)."""
KEPT_MOST = 176
KEPT_FEW = 16
"""The same for crosswalks and stop lines."""

LANES = 64
BOX_ROWS, ROUGH_ROWS = 6, 20
"""Shapes of what :mod:`.visibility` works on."""

_T = TypeVar("_T", bound=tuple)  # type: ignore[type-arg]


class ObservationArrays(NamedTuple):
    """One moment as seen by C controlled agents, each in its own frame. Columns: :mod:`.features`; padding is 0."""

    ego: F4x2
    """[C, 13]."""
    agents: F4x3
    """[C, 31, 10] nearest first."""
    map: F4x3
    """[C, 96, 15] nearest first."""
    lights: F4x3
    """[C, 8, 7] those of the route first, then nearest first."""
    crosswalks: F4x3
    """[C, 8, 6] nearest first."""
    stop_lines: F4x3
    """[C, 8, 6] nearest first."""
    reference: I4x2
    """[C, 151] what each row is: its index in the scenario, -1 where the row is padding. The kind is fixed by the
    row's place: ``features.REFERENCE_KIND``."""


class VisibilityMemory(NamedTuple):
    """Who has been seen by whom and when, and where everybody was then."""

    seen_tick: I4x2
    """[C, A] tick at which a row's agent last saw each other one, or ``NEVER``."""
    hint: I4x2
    """[C, A] what to try first when looking again (:mod:`.visibility`); never changes what is seen."""
    past: F8x4
    """[W, PAST_TICKS, A, 5] x, y, cosine, sine, speed of every agent at tick t, in place t modulo PAST_TICKS."""


class NearestCache(NamedTuple):
    """Candidates for "nearest" and last orders: what makes the kernels fast and never changes what they write.

    For each row, the elements listed hold its nearest ones as long as it stays within ``sqrt(reach2)``
    of the anchor. ``reach2`` -1 means: look anew.
    """

    kept: I4x2
    """[C, KEPT_MOST] map elements, in the order of their distance at the last tick."""
    kept_count: I4
    kept_x: F8
    """[C] anchor."""
    kept_y: F8
    kept_reach2: F8
    walk: I4x2
    """[C, KEPT_FEW] crosswalks."""
    walk_count: I4
    walk_at: F8x2
    """[C, 3] anchor x, y, reach2."""
    stop: I4x2
    stop_count: I4
    stop_at: F8x2
    order: I4x2
    """[C, A] agent slots in the order of their distance at the last tick."""


class ObserveScratch(NamedTuple):
    """Working memory of one thread; nothing in it outlives a call."""

    key: F8
    """Squared distances."""
    found: I4
    """Elements met by a grid search."""
    bucket: I4
    past: F8x3
    """[PAST_TICKS, A, 5] ``VisibilityMemory.past`` of the world at hand."""
    lane_now: F4x2
    """[L, 4] of the lanes of the world and route at hand: 1 + ``LightState`` of the lane's light, 1 on the route,
    route progress at the lane's start, route progress per metre; 0 otherwise and between calls."""
    box: F8
    """[A / LANES, BOX_ROWS, LANES] flat: the agents of the world at hand (rows: :mod:`.visibility`). Rows of a width
    known beforehand, so that the compiler sees that they do not overlap."""
    rough: F4
    """[A / LANES, ROUGH_ROWS, LANES] flat: what they hide, in single precision."""
    outline: F8x2
    """[A, 10] what they hide, exactly."""
    outline_of: I4
    """[A] the observation's row for which that holds."""
    slot: I4
    """[A] their slots."""
    place: I4
    """[A] where a slot's agent stands among them, or -1."""
    held: I4
    """[A] agents put aside for another look."""
    hides: I4
    """[A / LANES * LANES] which of a target's five points each agent hides."""
    whose: I4
    """[A] points to look at: the agent that each belongs to, and which of its five it is."""
    which: I4
    point_x: F4
    point_y: F4
    point_at: F4
    """Their directions (:mod:`.shadows`)."""
    found_there: I4


OBSERVATION_ARRAYS = bundle(ObservationArrays)
VISIBILITY_MEMORY = bundle(VisibilityMemory)
NEAREST_CACHE = bundle(NearestCache)
OBSERVE_SCRATCH = bundle(ObserveScratch)


def make_arrays(controlled: int) -> ObservationArrays:
    """Arrays for ``controlled`` agents, all padding."""

    def table(rows: int, columns: int) -> F4x3:
        return np.zeros((controlled, rows, columns), np.float32)

    return ObservationArrays(
        ego=np.zeros((controlled, len(EGO)), np.float32),
        agents=table(AGENT_ROWS, len(AGENT)),
        map=table(MAP_ROWS, len(MAP)),
        lights=table(LIGHT_ROWS, len(LIGHT)),
        crosswalks=table(CROSSWALK_ROWS, len(CROSSWALK)),
        stop_lines=table(STOP_ROWS, len(STOP)),
        reference=np.full((controlled, REFERENCES), -1, np.int32),
    )


def make_memory(worlds: int, controlled: int, agents: int) -> VisibilityMemory:
    """A memory in which nobody has seen anybody."""
    pair = (controlled, agents)
    return VisibilityMemory(
        seen_tick=np.full(pair, NEVER, np.int32), hint=np.zeros(pair, np.int32),
        past=np.zeros((worlds, PAST_TICKS, agents, 5)),
    )  # fmt: skip


def fork_memory(memory: VisibilityMemory, worlds: NDArray[np.int_], controlled: NDArray[np.int_]) -> VisibilityMemory:
    """The memory of some worlds and of their rows, copied."""
    parts = memory._asdict()
    return VisibilityMemory(**{k: v[worlds if k == "past" else controlled] for k, v in parts.items()})


def make_nearest_cache(controlled: int, agents: int) -> NearestCache:
    """An empty cache. :func:`forget_nearest` where a row's world gets another map."""
    few = (controlled, KEPT_FEW)
    return NearestCache(
        kept=np.zeros((controlled, KEPT_MOST), np.int32), kept_count=np.zeros(controlled, np.int32),
        kept_x=np.zeros(controlled), kept_y=np.zeros(controlled), kept_reach2=np.full(controlled, -1.0),
        walk=np.zeros(few, np.int32), walk_count=np.zeros(controlled, np.int32),
        walk_at=np.full((controlled, 3), -1.0),
        stop=np.zeros(few, np.int32), stop_count=np.zeros(controlled, np.int32),
        stop_at=np.full((controlled, 3), -1.0),
        order=np.tile(np.arange(agents, dtype=np.int32), (controlled, 1)),
    )  # fmt: skip


def make_observe_scratch(m: MapIndex, agents: int) -> ObserveScratch:
    """Working memory for worlds of up to ``agents`` agents on the maps of ``m``; one for each thread."""
    most = max(int(np.max(np.diff(m.element_lo), initial=0)), KEPT_MOST, agents)
    lanes = len(m.lane_length)
    blocks = (agents + LANES - 1) // LANES
    return ObserveScratch(
        key=np.zeros(most), found=np.zeros(most, np.int32), bucket=np.zeros(257, np.int32),
        past=np.zeros((PAST_TICKS, agents, 5)), lane_now=np.zeros((lanes, 4), np.float32),
        box=np.zeros(blocks * BOX_ROWS * LANES), rough=np.zeros(blocks * ROUGH_ROWS * LANES, np.float32),
        outline=np.zeros((agents, 10)), outline_of=np.zeros(agents, np.int32),
        slot=np.zeros(agents, np.int32), place=np.zeros(agents, np.int32),
        held=np.zeros(agents, np.int32), hides=np.zeros(blocks * LANES, np.int32),
        whose=np.zeros(agents, np.int32), which=np.zeros(agents, np.int32),
        point_x=np.zeros(agents, np.float32), point_y=np.zeros(agents, np.float32),
        point_at=np.zeros(agents, np.float32), found_there=np.zeros(agents, np.int32),
    )  # fmt: skip


def forget_nearest(cache: NearestCache, rows: slice | NDArray[np.int_] = slice(None)) -> None:
    """Empty the cache (of some rows): needed where a world was given another map."""
    cache.kept_reach2[rows] = -1.0
    cache.walk_at[rows, 2] = -1.0
    cache.stop_at[rows, 2] = -1.0


def forget_seen(
    memory: VisibilityMemory,
    worlds: slice | NDArray[np.int_] = slice(None),
    controlled: slice | NDArray[np.int_] = slice(None),
) -> None:
    """Forget what (the rows of some) worlds have seen: at the start of an episode."""
    memory.seen_tick[controlled] = NEVER


def copied(arrays: _T) -> _T:
    """An independent copy of a bundle of arrays."""
    return type(arrays)(*(a.copy() for a in arrays))
