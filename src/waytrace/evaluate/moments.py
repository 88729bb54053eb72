"""Moments to be judged by people: one a scenario, spread over families and recordings, each as its ego perceived it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from waytrace.observe import Scene
from waytrace.planners import make
from waytrace.scenario import Purpose, Scenario, WaytraceError, permit, scenario_hash
from waytrace.scenario.store import ScenarioStore
from waytrace.sim import World

from .drive import REPLAN_TICKS

FIRST_S, LAST_S = 0.5, 10.0
"""When a moment lies: after the drive has begun, before most of them are over."""
_LEFT_S = 2.0
"""What is left of the drive at least, so that there is something to decide."""


@dataclass(frozen=True)
class Moment:
    """Which decision of which drive: enough to come by it again, and to label it."""

    scenario: str
    tick: int
    """Ticks since the scenario's start step."""
    scenario_hash: str
    planner: str
    """What drove up to this moment."""
    traffic: str
    seed: int


def choose(store: ScenarioStore, count: int, seed: int = 0) -> list[str]:
    """Ids of ``count`` scenarios of split ``train``, families and sources of recordings taken in turn, then shuffled.

    Raises :class:`WaytraceError` where the store holds fewer.
    """
    groups: dict[str, list[str]] = {}
    for name in store.ids:
        summary = store.summary(name)
        if summary["split"] == "train":
            groups.setdefault(summary["family"] or f"recorded: {summary['source']}", []).append(name)
    found = sum(map(len, groups.values()))
    if found < count or count < 1:
        raise WaytraceError(
            f"{store.path} holds {found} scenarios of split train; {count} are wanted. Ask for fewer with --count, or "
            f"make more: `waytrace scenarios generate --split train --count {max(count, 1)} --out STORE`."
        )
    rng = np.random.default_rng(seed)
    shuffled = [[groups[name][k] for k in rng.permutation(len(groups[name]))] for name in sorted(groups)]
    in_turn = [ids[k] for k in range(max(map(len, shuffled))) for ids in shuffled if k < len(ids)]
    return [in_turn[k] for k in rng.permutation(count)]


def moments(
    store: ScenarioStore, ids: Sequence[str], *, planner: str = "expert", seed: int = 0
) -> Iterator[tuple[Moment, Scenario, Scene]]:
    """One moment of each scenario, at a decision drawn from ``seed`` and the id.

    Generated scenarios are driven there by ``planner`` in mixed traffic; recorded ones are as they were recorded, the
    ego included. A scene holds nothing that comes after its moment.
    """
    for scenario in permit((store[name] for name in ids), Purpose.TRAIN):
        how, traffic = ("replay", "replay") if scenario.recorded else (planner, "mixed")
        tick = _tick(scenario, seed)
        scene = _driven(make(how), scenario, tick, traffic, seed)
        yield Moment(scenario.id, scene.tick, scenario_hash(scenario), how, traffic, seed), scenario, scene


def _tick(scenario: Scenario, seed: int) -> int:
    ticks = scenario.end_step - scenario.start_step
    last = min(round(LAST_S / scenario.dt_s), ticks - round(_LEFT_S / scenario.dt_s))
    steps = np.arange(0, max(last, 0) + 1, REPLAN_TICKS)
    steps = steps[steps * scenario.dt_s >= FIRST_S] if (steps * scenario.dt_s >= FIRST_S).any() else steps
    draw = np.random.default_rng([seed, *scenario.id.encode()])
    return int(draw.choice(steps))


def _driven(planner: Any, scenario: Scenario, tick: int, traffic: str, seed: int) -> Scene:
    """The scene at ``tick`` of a drive, or at its last decision where it ends before."""
    world = World([scenario], traffic=traffic, seed=seed)
    planner.reset([scenario.id], world if getattr(planner, "privileged", False) else None)
    state: Any = None
    while True:
        observation = world.observe()
        scene = observation.scenes[0]
        if int(world.tick[0]) >= tick:
            return scene
        plan, _, state = planner.plan(observation, state)
        world.step_plans(plan, ticks=REPLAN_TICKS)
        if not world.active.any():
            return scene
