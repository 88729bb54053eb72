"""Whole drives by drivers of different temper, each in a fork of one world: the drives that the search starts from.

A driver that breaks a rule (at-fault collision, off the road, against the direction, red light) is given up at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import Plan, Rollout, Scenario
from waytrace.scenario.roads import RoadCache
from waytrace.sim import World

from ..expert import Expert, ExpertConfig
from ..idm import Idm, IdmConfig
from ..reading import moments_of_world
from ..replay import Replay
from .watch import Watcher

Array = NDArray[np.float64]

REPLAN_TICKS = 5
BRISK = ExpertConfig(
    headway_s=0.8, accel_mps2=2.3, brake_mps2=3.5, lateral_accel_mps2=3.5, pass_clearance_m=0.45, settle_s=2.0,
    change_s=3.0, unlimited_mps=16.0,
)  # fmt: skip


@dataclass(frozen=True)
class Driven:
    """One whole drive."""

    name: str
    rollout: Rollout
    clean: bool
    """Whether it kept every rule to its end."""


def drivers(scenario: Scenario) -> list[tuple[str, Any]]:
    """Everyone who tries."""
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


def drive_all(scenario: Scenario, origin: World, tries: list[tuple[str, Any]]) -> list[Driven]:
    """What each driver makes of the world ``origin`` (one scenario, with record, at its start)."""
    world = origin.fork(len(tries))
    watcher = Watcher(world)
    roads = RoadCache()
    states: list[Any] = [None] * len(tries)
    for _, planner in tries:
        planner.reset([scenario.id], origin if planner.privileged else None)
    while world.active.any():
        rows = np.flatnonzero(world.active)
        plans: dict[int, Plan] = {}
        for w, moment in zip(rows, moments_of_world(world, roads, rows), strict=True):
            plans[int(w)], _, states[w] = tries[w][1].plan_moments([moment], states[w])
        world.hold(_together(plans, len(tries)))
        for _ in range(REPLAN_TICKS):
            active = world.active.copy()
            world.advance(1)
            watcher.see(active)
        world.active[~watcher.watch.clean] = False  # given up
    rollouts = world.rollouts("oracle")
    return [Driven(n, r, bool(c)) for (n, _), r, c in zip(tries, rollouts, watcher.watch.clean, strict=True)]


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
