"""The oracle: most progress among rule-clean drives of forked worlds. It says what a scenario can give.

Privileged. Several drivers of different temper drive the whole episode in forks of one world, with the traffic
answering to each; a drive that breaks a rule (at-fault collision, off the road, against the direction, red light)
is given up at once. Then the expert drives again, knowing what the traffic did in the best of those drives. A first
version: it searches among drivers, not among single decisions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import DT_S, Plan, Rollout, Scenario
from waytrace.scenario.errors import WaytraceError
from waytrace.sim import World

from ._lookup import RoadCache
from ._moment import Moment
from ._reading import moments, moments_of_world, rear_m
from ._watch import Watcher
from .expert import Expert, ExpertConfig
from .idm import Idm, IdmConfig
from .motion import make_plan, stack_controls
from .replay import Replay, rejoin

if TYPE_CHECKING:
    from waytrace.observe import Observation

Array = NDArray[np.float64]

REPLAN_TICKS = 5
BRISK = ExpertConfig(
    headway_s=0.8, accel_mps2=2.3, brake_mps2=3.5, lateral_accel_mps2=3.5, pass_clearance_m=0.45, settle_s=2.0,
    change_s=3.0, unlimited_mps=16.0,
)  # fmt: skip


@dataclass(frozen=True)
class OracleResult:
    """What the oracle makes of a scenario."""

    progress_m: float
    """Metres along the route, by the score's own measure."""
    clean: bool
    """Whether any drive kept every rule; else the figures are those of the one that kept them longest."""
    rollout: Rollout
    proposal: str
    """Which driver it was."""

    def __float__(self) -> float:
        return self.progress_m


def _drivers(scenario: Scenario) -> list[tuple[str, Any]]:
    """Everyone who tries, the most promising first."""
    tries: list[tuple[str, Any]] = [
        ("expert", Expert()),
        ("brisk expert", Expert(BRISK)),
        ("idm", Idm()),
        ("brisk idm", Idm(IdmConfig(headway_s=0.8, accel_mps2=2.5, brake_mps2=4.0, lateral_accel_mps2=3.0))),
        ("careful idm", Idm(IdmConfig(headway_s=2.0, limit_share=0.7))),
        ("slow idm", Idm(IdmConfig(headway_s=2.5, limit_share=0.4))),
    ]
    if scenario.recorded:
        tries.append(("replay", Replay()))
    return tries


def oracle_reference(
    scenario: Scenario, *, traffic: str = "mixed", style: str = "normal", seed: int = 0
) -> OracleResult:
    """Drive a scenario as well as anyone could who knows the traffic; about a second on one core.

    Deterministic. Raises :class:`WaytraceError` as the World does for an unknown traffic mode or style.
    """
    first = _search(scenario, _drivers(scenario), None, traffic, style, seed)
    future = first.rollout.pose, first.rollout.speed_mps, first.rollout.valid
    knowing = [("knowing expert", Expert()), ("brisk knowing expert", Expert(BRISK))]
    second = _search(scenario, knowing, future, traffic, style, seed)
    return max((first, second), key=lambda r: (r.clean, r.progress_m))


def _search(
    scenario: Scenario, tries: list[tuple[str, Any]], future: tuple[Array, Array, NDArray[np.bool_]] | None,
    traffic: str, style: str, seed: int,
) -> OracleResult:  # fmt: skip
    """The best drive of several drivers, each in a fork of its own."""
    origin = World([scenario], traffic=traffic, style=style, seed=seed)
    world = origin.fork(len(tries))
    watcher = Watcher(world)
    roads = RoadCache()
    states: list[Any] = [None] * len(tries)
    broke = np.full(len(tries), np.iinfo(np.int32).max)
    for _, planner in tries:
        planner.reset([scenario.id], origin if planner.privileged else None)
    while world.active.any():
        rows = np.flatnonzero(world.active)
        plans: dict[int, Plan] = {}
        for w, moment in zip(rows, moments_of_world(world, roads, rows), strict=True):
            known = None if future is None else [_known(future, scenario, moment)]
            planner = tries[w][1]
            args = {} if known is None else {"futures": known}
            plans[int(w)], _, states[w] = planner.plan_moments([moment], states[w], **args)
        world.hold(_together(plans, len(tries)))
        for _ in range(REPLAN_TICKS):
            active = world.active.copy()
            world.advance(1)
            watcher.see(active)
        for w in rows:
            if not watcher.watch.clean[w]:
                broke[w] = world.tick[w]
                world.active[w] = False  # given up
    order = [(bool(watcher.watch.clean[w]), float(min(broke[w], 10**6)), float(watcher.driven_m[w]))
             for w in range(len(tries))]  # fmt: skip
    best = max(range(len(tries)), key=lambda w: order[w])
    return OracleResult(order[best][2], order[best][0], world.fork(worlds=[best]).rollouts("oracle")[0], tries[best][0])


def _together(plans: dict[int, Plan], rows: int) -> Plan:
    """The plans of some rows as one plan of all; the rest stands still, in worlds that are no longer stepped."""
    any_plan = next(iter(plans.values()))

    def stacked(name: str) -> Array:
        one = getattr(any_plan, name)[0]
        out = np.zeros((rows, *np.shape(one)))
        for w, plan in plans.items():
            out[w] = getattr(plan, name)[0]
        return out

    return Plan(
        stacked("t0_s"), stacked("start"), stacked("accel_mps2"), stacked("curvature_1pm"), stacked("waypoints"),
        "oracle",
    )  # fmt: skip


def _known(future: tuple[Array, Array, NDArray[np.bool_]], scenario: Scenario, moment: Moment) -> Array:
    """What the others did in an earlier drive, [A, 41, 4] each 0.2 s from now; after its end they go straight on.

    Everyone starts from where they are now: the earlier drive gives the displacement from here on.
    """
    pose, speed, valid = future
    tick = round(moment.t_s / DT_S)
    others = moment.others
    out = np.zeros((len(others.x), 41, 4))
    last = len(pose) - 1
    for row, a in enumerate(moment.other_index):
        base = min(tick, last)
        for k in range(41):
            t = min(tick + 2 * k, last)
            if not (valid[t, a] and valid[base, a]):
                t = base
            late = max(0.0, (tick + 2 * k - t) * DT_S) if valid[t, a] else 0.0
            x, y, h = pose[t, a]
            v = float(speed[t, a])
            out[row, k] = (
                others.x[row] + x - pose[base, a, 0] + late * v * np.cos(h),
                others.y[row] + y - pose[base, a, 1] + late * v * np.sin(h),
                others.heading[row] + h - pose[base, a, 2],
                v,
            )
    return out


class Oracle:
    """Drives the best drive that the search found. Privileged: it searches in forks of the world itself."""

    name = "oracle"
    privileged: ClassVar[bool] = True

    def __init__(self) -> None:
        self._roads = RoadCache()
        self._found: list[tuple[Rollout, Array]] = []

    def reset(self, ids: Sequence[str], world: Any = None) -> None:
        """Search every scenario. Raises :class:`WaytraceError` where no world is given."""
        if world is None:
            raise WaytraceError("the oracle needs the world: call reset(ids, world)")
        self._found = []
        for scenario in world.scenarios:
            result = oracle_reference(scenario, traffic=world.traffic, style=world.style, seed=world.seed)
            ego, rollout = scenario.ego_index, result.rollout
            rear = rear_m(int(scenario.agents.kind[ego]), float(scenario.agents.size_m[ego, 0]))
            x, y, h = rollout.pose[:, ego].T
            driven = np.column_stack([x - rear * np.cos(h), y - rear * np.sin(h), h, rollout.speed_mps[:, ego]])
            self._found.append((rollout, driven))

    def plan(self, observation: Observation, state: Any) -> tuple[Plan, None, Any]:
        """One plan a row."""
        return self.plan_moments(moments(observation, self._roads), state)

    def plan_moments(self, rows: Sequence[Moment], state: Any) -> tuple[Plan, None, Any]:
        """The plans of the best drive; where the vehicle is not on it, plans that lead back."""
        controls = []
        for (rollout, driven), moment in zip(self._found, rows, strict=True):
            tick = round(moment.t_s / DT_S)
            at = np.flatnonzero(rollout.decision_row == tick)
            on_it = tick < len(driven) and np.abs(driven[tick] - moment.axle).max() < 1e-6
            if len(at) and on_it:
                controls.append((rollout.plan_accel_mps2[at[0]], rollout.plan_curvature_1pm[at[0]]))
            else:
                controls.append(rejoin(_prolonged(driven), tick, moment.axle))
        accel, curvature = stack_controls(controls)
        start = np.stack([m.axle for m in rows]) if rows else np.zeros((0, 4))
        return make_plan(np.array([m.t_s for m in rows]), start, accel, curvature, self.name), None, state


def _prolonged(states: Array) -> Array:
    """Recorded states with 8.5 s straight on at the end."""
    last = states[-1]
    late = np.arange(1, 86)[:, None] * DT_S
    return np.concatenate(
        [states, last + late * np.array([last[3] * np.cos(last[2]), last[3] * np.sin(last[2]), 0.0, 0.0])]
    )


__all__ = ["BRISK", "Oracle", "OracleResult", "oracle_reference"]
