"""Samples of one drive: driven and labelled at once, or driven again from what `waytrace label` left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from waytrace.label import LabelStore, label_drive, runner_up_of
from waytrace.label.drive import DECISION_TICKS, Driver
from waytrace.microgpt import scene_tokens
from waytrace.observe import Observation
from waytrace.scenario import REAR_AXLE_TO_CENTRE, Plan, Scenario, StoreError
from waytrace.scenario.roads import RoadCache
from waytrace.sim import World
from waytrace.trace import Decision, Present, Trace, TraceError, sets
from waytrace.trace.file import TraceLine

from .sample import Branch, Sample, branch_of, pointable

APART = 1e-4
"""A recorded plan starts where the drive is now, to this many metres, radians and m/s."""


def drive_samples(
    scenario: Scenario, kind: str, driver: Driver | None = None, *, tally: Counter[str], every_s: float = 0.5,
    traffic: str = "mixed", style: str = "normal", seed: int = 0, roads: RoadCache | None = None,
) -> Iterator[Sample]:  # fmt: skip
    """The samples of one drive of ``scenario``, up to a crash; ``kind`` says who drives (``DRIVERS``).

    ``tally`` counts drives, decisions, runner-ups, gates, crashes, and branches left out since they point at a lane
    that has no token.
    """
    roads = roads or RoadCache()
    tally["drives"] += 1
    for moment in label_drive(
        scenario, every_s=every_s, runner_up=True, traffic=traffic, style=style, seed=seed, driver=driver
    ):  # fmt: skip
        if moment.world.rows.collided[0]:
            tally["crashed"] += 1
            return
        last = moment.before.decision if moment.before is not None else None
        labels = [label for label in (moment.label, moment.runner_up) if label is not None]
        sample = make_sample(
            moment.observation, last, [(label.trace, label.plan) for label in labels], moment.at.present,
            scenario.id, moment.tick, kind, moment.label.gate, tally, roads,
        )  # fmt: skip
        if sample is not None:
            yield sample


def make_sample(
    observation: Observation, last: Decision | None, said: Sequence[tuple[Trace, Plan]], present: Present,
    scenario: str, tick: int, kind: str, gate: str, tally: Counter[str], roads: RoadCache,
) -> Sample | None:  # fmt: skip
    """The sample of row 0 of an observation; None where its choice points at what has no token."""
    before = numbers_of(last)
    tokens = scene_tokens(observation, np.array([before], np.int8), roads)
    branches: list[Branch] = []
    for trace, plan in said:
        branch = branch_of(trace, present, plan)
        if pointable(branch, tokens):
            branches.append(branch)
            continue
        tally["unpointable"] += 1
        if not branches:
            return None
    tally["decisions"] += 1
    tally["runner_ups"] += len(branches) - 1
    tally[gate or "unchecked"] += 1
    return Sample(
        tokens, tuple(branches), before, float(said[0][1].start.reshape(-1)[3]), float(observation.ego[0, 4]),
        scenario, tick, kind, gate,
    )  # fmt: skip


def numbers_of(decision: Decision | None) -> tuple[int, int]:
    """A decision as numbers in ``sets.LONGITUDINAL`` and ``sets.LATERAL``; -1 for none."""
    if decision is None:
        return -1, -1
    return sets.LONGITUDINAL.number(decision.longitudinal), sets.LATERAL.number(decision.lateral)


def samples_of(labels: LabelStore, scenario: Scenario, tally: Counter[str]) -> Iterator[Sample]:
    """The samples of one scenario from what ``waytrace label`` left of it, without asking the expert.

    The recorded plans are driven again; of a recorded drive, the log drives. Raises :class:`StoreError` where the
    plans do not lead through this scenario, or leave decisions out.
    """
    lines = labels.of(scenario.id)
    settings = labels.manifest["settings"]
    tally["drives"] += 1
    roads, last = RoadCache(), None
    for line, observation in (_logged if settings.get("human") else _driven)(scenario, lines, settings):
        present = Present.of(observation, 0)
        said = [(one.trace, _plan(one)) for one in (line, runner_up_of(line)) if one is not None]
        kind = "log" if settings.get("human") else "expert"
        try:
            sample = make_sample(
                observation, last, said, present, scenario.id, line.tick, kind, line.header.producer.label_gate, tally,
                roads,
            )  # fmt: skip
        except TraceError as error:
            raise StoreError(
                f"{labels.path}: the label of {scenario.id} at tick {line.tick} is not of it: {error}"
            ) from error
        if sample is not None:
            yield sample
        last = line.trace.decision


def _plan(line: TraceLine) -> Plan:
    if line.plan is None:
        raise StoreError(f"The label of {line.scenario} at tick {line.tick} has no plan. Label again.")
    return line.plan


def _logged(
    scenario: Scenario, lines: Sequence[TraceLine], settings: dict[str, Any]
) -> Iterator[tuple[TraceLine, Observation]]:
    for line in lines:
        world = World([scenario.with_(start_step=scenario.start_step + line.tick)], traffic="replay")
        yield line, world.observe()


def _driven(
    scenario: Scenario, lines: Sequence[TraceLine], settings: dict[str, Any]
) -> Iterator[tuple[TraceLine, Observation]]:
    world = World([scenario], traffic=settings["traffic"], style=settings["style"], seed=settings["seed"])
    for line in lines:
        tick = int(world.tick[0])
        if line.tick != tick:
            raise StoreError(
                f"The labels of {scenario.id} have none at tick {tick}: they cannot be driven again. "
                f"Label every decision (--every {DECISION_TICKS / 10:g})."
            )
        observation, plan = world.observe(), _plan(line)
        _fits(observation, plan, scenario, tick)
        yield line, observation
        world.step_plans(plan if plan.start.ndim == 2 else plan[None], ticks=DECISION_TICKS)


def _fits(observation: Observation, plan: Plan, scenario: Scenario, tick: int) -> None:
    """Whether a plan starts where the ego is. Raises :class:`StoreError`."""
    ego = observation.scenes[0].ego
    x, y, h = ego.pose
    rear = REAR_AXLE_TO_CENTRE * ego.length_m
    here = np.array([x - rear * np.cos(h), y - rear * np.sin(h), h, ego.speed_mps])
    off = np.abs(plan.start.reshape(-1) - here)
    off[2] = abs((off[2] + np.pi) % (2.0 * np.pi) - np.pi)
    if off.max() > APART:
        raise StoreError(
            f"The label of {scenario.id} at tick {tick} starts {off.max():.3g} away from where its plans lead. "
            "The labels are of other scenarios or of another version; label again."
        )
