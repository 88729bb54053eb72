"""Beam search over single decisions: every second each branch that is kept forks into proposals, all driven at once.

A proposal is a pace (an acceleration, or behind whoever is ahead) and possibly a sideways move (in the lane, or to the
next lane of the route). All branches of a stage are rows of one World without record, so the traffic answers to each.
Branches that break a rule end. Of those alike in place, speed and lane the most valuable one is kept, and the beam is
filled in turn from groups of like speed and lane: a fast branch may be doomed, so slow ones must survive beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import DT_S, PLAN_KNOTS, Plan, Rollout, Scenario
from waytrace.score import WEIGHTS
from waytrace.sim import World

from ..motion import make_plan
from .branch import FITTED, FOLLOW, Branches, branches, plan_ahead, set_out
from .corridors import Corridors
from .watch import Watcher

Array = NDArray[np.float64]
Ints = NDArray[np.int_]

HOLD_TICKS = 5
"""A plan is held so long: planners are asked at 2 Hz."""
STAGE_TICKS = 10
OVERSPEED_UNIT_MPS = 2.23
PACES = (2.2, 1.0, 0.0, -1.3, -2.6, -3.8, -8.0, FOLLOW)
MOVING_PACES = (2.2, 0.0, -3.8, FOLLOW)
"""Paces proposed together with a sideways move."""
OFFSETS_M = (0.0, 0.8, -0.8, 1.5, -1.5)
OFFSET_S = 1.8
HARSH_COST = 0.3
"""What a second of someone else's hard braking costs, in units of the score's weights."""
ASIDE_COST = 0.1
"""What a metre beside the lane's middle costs, likewise."""


@dataclass(frozen=True)
class Breadth:
    """How wide a search is."""

    beam: int
    pool: int
    """Branches that may be driven at once."""
    sideways: bool
    """Whether moves within the lane are proposed beside lane changes."""
    changes_s: tuple[float, ...]
    """How long a lane change may take."""


NARROW, WIDE = Breadth(36, 500, False, (3.5, 2.0)), Breadth(48, 1400, True, (3.5, 2.0, 1.2))


@dataclass(frozen=True)
class Proposal:
    """What a branch is to do from now on."""

    pace: float
    corridor: int = -1
    """-1 for the one it is on."""
    offset_m: float = np.nan
    """NaN for going on as it is."""
    seconds: float = 0.0


START = Proposal(0.0, 0, 0.0, 2.5)
"""To the middle of the first corridor."""


class Search:
    """One search in one scene; :meth:`run` gives the most valuable drives, most valuable first."""

    def __init__(
        self, world: World, ways: Corridors, bound_m: float, rear_m: float, breadth: Breadth, floor: float
    ) -> None:
        self.breadth, self.ways, self.bound_m, self.rear_m = breadth, ways, max(bound_m, 2.0), rear_m
        self.floor = floor
        """Value of the best drive known; branches that cannot exceed it are dropped."""
        self.world = world.fork(breadth.pool)
        self.watcher = Watcher(self.world)
        self.b = branches(breadth.pool)
        self.ego = self.watcher.watch.ego
        self.ticks = int(world.fixed.last_tick[0])
        self.fastest = float(max(ways.cap[0].max(), world.state.speed[0, self.ego[0]]))
        apply(ways, self.b, self.world.state, 0, int(self.ego[0]), rear_m, START)
        self._plan = [np.zeros((breadth.pool, 4)), *(np.zeros((breadth.pool, PLAN_KNOTS)) for _ in range(2))]
        self._t0, self._points = np.zeros(breadth.pool), np.zeros((breadth.pool, PLAN_KNOTS, 4))

    def run(self) -> list[list[Proposal]]:
        """Sequences of proposals, one a stage, of the best drives that reach the end of the episode."""
        kept = np.zeros(1, int)
        lines: list[list[Proposal]] = [[]]
        tick = 0
        while tick < self.ticks and len(kept):
            parents, proposals = self._propose(kept)
            self._branch(parents, proposals)
            self._drive(len(parents))
            tick += STAGE_TICKS
            alive = np.flatnonzero(self.watcher.watch.clean[: len(parents)])
            value, most = self._values(alive, tick)
            alive, value = alive[most > self.floor], value[most > self.floor]
            chosen = self._select(alive, value) if tick < self.ticks else np.argsort(-value, kind="stable")[:3]
            kept = alive[chosen]
            before = lines
            lines = [[*before[self._line[k]], proposals[k]] for k in kept]
        return lines

    def _propose(self, kept: Ints) -> tuple[Ints, list[Proposal]]:
        """Every proposal of every kept branch: (parent's row [n], what to do)."""
        parents: list[int] = []
        out: list[Proposal] = []
        line: list[int] = []
        for number, row in enumerate(kept):
            mine = [Proposal(pace) for pace in PACES]
            for corridor in self._beside(int(row)):
                mine += [Proposal(pace, corridor, 0.0, s) for s in self.breadth.changes_s for pace in MOVING_PACES]
            if self.breadth.sideways:
                now = float(self.b.d1[row])
                mine += [
                    Proposal(pace, -1, offset, OFFSET_S)
                    for offset in OFFSETS_M if offset != now for pace in MOVING_PACES
                ]  # fmt: skip
            parents += [int(row)] * len(mine)
            line += [number] * len(mine)
            out += mine
        most = self.breadth.pool
        self._line = line[:most]
        return np.array(parents[:most], int), out[:most]

    def _beside(self, row: int) -> list[int]:
        """Corridors that the branch's lane lets it change to."""
        c, index = int(self.b.corridor[row]), self.world.maps.index
        at = min(max(int(self.b.s[row]), 0), int(self.ways.samples[c]) - 1)
        lane = int(self.ways.lane[c, at])
        if lane < 0 or index.lane_junction[lane]:
            return []
        near = (int(index.lane_left[lane]), int(index.lane_right[lane]))
        found = [int(self.ways.of_lane[on]) for on in near if on >= 0 and self.ways.of_lane[on] >= 0]
        return [on for on in found if on != c]

    def _branch(self, parents: Ints, proposals: list[Proposal]) -> None:
        """Copy each parent's state into its children's rows and tell them what to do."""
        n, world = len(parents), self.world
        rows = [getattr(world.rows, name) for name in world.rows._fields if name not in ("lo", "world", "slot")]
        watch = [
            getattr(self.watcher.watch, name) for name in self.watcher.watch._fields if name not in ("map_of", "ego")
        ]
        for array in (*world.state, *world.lights, *world.moving, *rows, *watch, *self.b):
            array[:n] = array[parents]
        world.active[n:] = False
        st = world.state
        for w, proposal in enumerate(proposals):
            apply(self.ways, self.b, st, w, int(self.ego[w]), self.rear_m, proposal)

    def _drive(self, n: int) -> None:
        """Drive the first ``n`` rows for one stage."""
        world = self.world
        for _ in range(STAGE_TICKS // HOLD_TICKS):
            if not world.active.any():
                break
            plan_ahead(
                self.ways, self.b, world.state, world.lights, world.active, self.ego, self.rear_m, FITTED, *self._plan
            )
            start, accel, curvature = self._plan
            world.hold(Plan(self._t0, start, accel, curvature, self._points, "oracle"))
            for _ in range(HOLD_TICKS):
                active = world.active.copy()
                world.advance(1)
                self.watcher.see(active)
                world.active[~self.watcher.watch.clean] = False
        rows = np.arange(len(self.ego)) < n
        self.watcher.judge_comfort(rows & self.watcher.watch.clean, STAGE_TICKS, not world.active[:n].any())

    def _values(self, rows: Ints, tick: int) -> tuple[Array, Array]:
        """Of some rows: value so far, and the most that it can come to; both on the score's scale, 0 to 1."""
        watch = self.watcher.watch
        driven = self.watcher.driven_m[rows]
        w = WEIGHTS
        rest = w["TTC"] * watch.safe[rows] + w["C"] * watch.comfortable[rows] - HARSH_COST * watch.harsh[rows]
        over = watch.over_m[rows] / (OVERSPEED_UNIT_MPS * self.ticks * DT_S)
        rest += w["SL"] * np.maximum(0.0, 1.0 - over)
        speed = self.world.state.speed[rows, self.ego[rows]]
        left = max(self.ticks - tick, 0) * DT_S
        reach = np.maximum(self.fastest, speed) * left
        total = float(sum(w.values()))
        aside = ASIDE_COST * np.abs(self.b.d1[rows])
        value = (w["EP"] * np.minimum(driven / self.bound_m, 1.0) + rest - aside) / total
        most = (w["EP"] * np.minimum((driven + reach) / self.bound_m, 1.0) + rest) / total
        return value, most

    def _select(self, rows: Ints, value: Array) -> Ints:
        """Places in ``rows`` of those to go on with."""
        speed = self.world.state.speed[rows, self.ego[rows]]
        c, s = self.b.corridor[rows], self.b.s[rows]
        d = np.rint(2.0 * self.b.d1[rows])
        cell = np.column_stack([c, d, np.rint(s / 4.0), np.rint(speed / 1.5), self.b.served[rows]])
        order = np.argsort(-value, kind="stable")
        _, first = np.unique(cell[order], axis=0, return_index=True)
        unique = order[np.sort(first)]
        band = np.rint(8.0 * speed[unique] / max(self.fastest, 1.0))
        group = np.unique(np.column_stack([band, c[unique], d[unique]]), axis=0, return_inverse=True)[1].reshape(-1)
        rank = np.zeros(len(unique), int)
        seen: dict[int, int] = {}
        for k, g in enumerate(group):
            rank[k] = seen.get(int(g), 0)
            seen[int(g)] = int(rank[k]) + 1
        return np.asarray(unique[np.lexsort((np.arange(len(unique)), rank))][: self.breadth.beam])


def apply(ways: Corridors, b: Branches, st: Any, w: int, e: int, rear_m: float, proposal: Proposal) -> None:
    """Tell branch ``w`` what to do from now on."""
    b.pace[w] = proposal.pace
    if np.isnan(proposal.offset_m):
        return
    if proposal.corridor >= 0:
        b.corridor[w] = proposal.corridor
    x, y = st.x[w, e] - rear_m * st.cos[w, e], st.y[w, e] - rear_m * st.sin[w, e]
    set_out(ways, b, w, x, y, st.heading[w, e], st.speed[w, e], proposal.offset_m, proposal.seconds)


def drive_line(scenario: Scenario, origin: World, ways: Corridors, line: list[Proposal], rear_m: float) -> Rollout:
    """Drive a found sequence once more, with record, handing over whole plans."""
    world = origin.fork()
    b, ego = branches(1), np.array([scenario.ego_index], np.int32)
    apply(ways, b, world.state, 0, int(ego[0]), rear_m, START)
    for proposal in line:
        apply(ways, b, world.state, 0, int(ego[0]), rear_m, proposal)
        for _ in range(STAGE_TICKS // HOLD_TICKS):
            if not world.active.any():
                break
            start, accel, curvature = np.zeros((1, 4)), np.zeros((1, PLAN_KNOTS)), np.zeros((1, PLAN_KNOTS))
            plan_ahead(
                ways, b, world.state, world.lights, world.active, ego, rear_m, PLAN_KNOTS, start, accel, curvature
            )
            world.step_plans(make_plan(np.array([world.tick[0] * DT_S]), start, accel, curvature, "oracle"), HOLD_TICKS)
    return world.rollouts("oracle")[0]
