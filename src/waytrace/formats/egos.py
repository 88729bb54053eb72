"""Choosing an ego among recorded vehicles, for sources that have no ego log."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import boxes_distance, corners, wrap
from waytrace.scenario import DT_S, Agents

from .coverage import front_beyond_map
from .routes import Locator
from .tracks import VEHICLES, select

Array = NDArray[np.float64]

MIN_HISTORY = 10
MAX_HISTORY = 20
FUTURE = 80
MIN_FUTURE = 20
"""Steps of history and future around the start: 1.0 to 2.0 s, 8.0 s wanted, 2.0 s the least."""
ENOUGH = 0.75
"""A sound recording goes before a flawed one of up to a third more future."""
CLEARANCE_M = 0.4
OFF_LANE_M = 0.05
MAX_LATERAL_MPS2 = 6.0
ACCEL_MPS2 = (-8.0, 5.0)
HALF_WINDOW = 2


def starts(agents: Agents, locator: Locator, recorded: set[str]) -> list[tuple[int, int, int]]:
    """(agent, start step, last step) of every vehicle of those ``recorded`` that can be the ego.

    Those with most future (up to 8 s) come first, then those with most way. The future ends where the recording does,
    or where the vehicle comes to the end of the map.
    """
    named = np.array([name in recorded for name in agents.agent_id], dtype=np.bool_)
    able = np.flatnonzero(named & np.isin(agents.kind, VEHICLES) & (agents.valid.sum(1) > MIN_HISTORY + MIN_FUTURE))
    few = select(agents, np.isin(np.arange(len(agents)), able))
    usable = few.valid & ~front_beyond_map(locator, few)
    ranked = []
    for k, i in enumerate(able.tolist()):
        edges = np.diff(np.r_[0, usable[k].astype(np.int8), 0])
        runs = np.stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1], axis=-1)
        if not len(runs):
            continue
        begin, end = (int(x) for x in runs[np.argmax(runs[:, 1] - runs[:, 0])])
        start = begin + min(MAX_HISTORY, max(MIN_HISTORY, end - begin - FUTURE))
        if end - start < MIN_FUTURE:
            continue
        way = float(np.hypot(*np.diff(agents.xy[i, start : end + 1], axis=0).T).sum())
        ranked.append((-min(end - start, FUTURE), -round(way, 1), i, start, end))
    return [(i, start, end) for *_, i, start, end in sorted(ranked)]


def best_first(agents: Agents, locator: Locator, recorded: set[str]) -> Iterator[tuple[int, int, int]]:
    """(agent, start step, last step) of every possible ego, lazily: sound recordings of enough future before others."""
    ranked = starts(agents, locator, recorded)
    if not ranked:
        return
    longest = min(ranked[0][2] - ranked[0][1], FUTURE)
    later = []
    for ego, start, end in ranked:
        if end - start >= ENOUGH * longest and sound(agents, locator, ego, start, end):
            yield ego, start, end
        else:
            later.append((ego, start, end))
    yield from later


def sound(agents: Agents, locator: Locator, ego: int, start: int, end: int) -> bool:
    """Whether a planner can be held to a vehicle's recording from its history to step ``end``.

    It must move as a vehicle can (trackers let some jump sideways where two cameras meet), keep its box on the lanes,
    and keep it 0.4 m clear of every other box.
    """
    span = slice(start - MIN_HISTORY, end + 1)
    return (
        drivable(agents.heading_rad[ego, span], agents.velocity_mps[ego, span])
        and _on_lanes(agents, locator, ego, start, end)
        and not strikes(agents, ego, start, end)
    )


def drivable(heading_rad: Array, velocity_mps: Array) -> bool:
    """Whether headings [n] and velocities [n, 2] at successive steps stay within 6 m/s2 sideways, -8 to 5 along."""
    window = 2 * HALF_WINDOW
    if len(heading_rad) <= window:
        return True
    speed = np.hypot(*velocity_mps.T)
    turn = wrap(heading_rad[window:] - heading_rad[:-window]) / (window * DT_S)
    along = (speed[window:] - speed[:-window]) / (window * DT_S)
    sideways = np.abs(turn) * speed[HALF_WINDOW:-HALF_WINDOW]
    return bool(sideways.max() <= MAX_LATERAL_MPS2 and along.min() >= ACCEL_MPS2[0] and along.max() <= ACCEL_MPS2[1])


def _on_lanes(agents: Agents, locator: Locator, ego: int, start: int, end: int) -> bool:
    span = slice(start, end + 1)
    length, width = agents.size_m[ego]
    points = corners(agents.xy[ego, span], agents.heading_rad[ego, span], length, width).reshape(-1, 2)
    return bool((locator.distance(points, OFF_LANE_M) <= OFF_LANE_M).all())


def strikes(agents: Agents, ego: int, first: int, last: int) -> bool:
    """Whether the recording lets the ego's box come within 0.4 m of another's at some step ``first`` to ``last``."""
    span = slice(first, last + 1)
    reach = 0.5 * np.hypot(agents.size_m[:, 0], agents.size_m[:, 1])
    gap = np.hypot(*(agents.xy[:, span] - agents.xy[ego, span]).transpose(2, 0, 1))
    near = agents.valid[:, span] & (gap <= (reach + reach[ego] + CLEARANCE_M)[:, None])
    near[ego] = False

    def box(agent: int, step: int) -> tuple[float, float, float, float, float]:
        x, y = agents.xy[agent, step].tolist()
        length, width = agents.size_m[agent].tolist()
        return x, y, float(agents.heading_rad[agent, step]), length, width

    return any(
        boxes_distance(*box(ego, first + t), *box(i, first + t)) < CLEARANCE_M for i, t in np.argwhere(near).tolist()
    )
