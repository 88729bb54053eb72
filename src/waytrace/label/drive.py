"""Labels of a closed-loop drive: the expert is asked at every decision, whoever drives, and each one is labelled."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from waytrace.observe import Observation
from waytrace.planners import Certificate, Expert
from waytrace.scenario import Plan, Scenario, WaytraceError
from waytrace.scenario.roads import RoadCache
from waytrace.sim import World
from waytrace.trace import Header, Producer, Trace, vocabulary_hash

from .asking import Asker
from .from_certificate import Label, Setting, from_certificate, setting

DECISION_TICKS = 5
"""The expert is asked at 2 Hz."""


class LabelError(WaytraceError):
    """Labels cannot be written. The message says why and what would do."""


class Driver(Protocol):
    """Who drives while the expert is asked what it would do."""

    def drive(self, observation: Observation, asked: Plan, said: Trace | None) -> tuple[Plan, Trace | None]:
        """(the plan that is driven until the next decision, the trace of what was decided).

        ``asked`` is the expert's plan and ``said`` its label, or the last one where this decision has none. The trace
        tells what the next label means by "the last decision"; None for nothing.
        """
        ...


class Itself:
    """The expert drives."""

    def drive(self, observation: Observation, asked: Plan, said: Trace | None) -> tuple[Plan, Trace | None]:
        """What the expert was asked for."""
        return asked, said


@dataclass(frozen=True, eq=False)
class LabelledMoment:
    """One decision of a drive with its labels."""

    tick: int
    observation: Observation
    label: Label
    runner_up: Label | None
    certificate: Certificate
    at: Setting
    world: World
    """As it stood when the decision was made; it is advanced when the next one is asked for."""
    state: Any
    """What the planner carried into the decision."""
    before: Trace | None
    """The trace of the decision before it, of whoever drives."""


def check_planner(planner: Any) -> None:
    """Refuse whoever may know the future, and whoever gives no evidence. Raises :class:`LabelError`."""
    name = getattr(planner, "name", type(planner).__name__)
    if getattr(planner, "privileged", False):
        raise LabelError(
            f"Planner {name!r} is privileged: it may know what is going to happen, and a label must not. "
            "Label with the expert."
        )
    if not hasattr(planner, "certificates") or not hasattr(planner, "forecasts"):
        raise LabelError(f"Planner {name!r} gives no certificates to write labels from. Label with the expert.")


def label_drive(
    scenario: Scenario, planner: Any = None, *, every_s: float = 0.5, ticks: Collection[int] | None = None,
    runner_up: bool = False, second_look: bool = True, traffic: str = "mixed", style: str = "normal", seed: int = 0,
    driver: Driver | None = None,
) -> Iterator[LabelledMoment]:  # fmt: skip
    """The labels of one drive: one every ``every_s`` seconds, or those of the decisions at ``ticks`` alone.

    ``planner`` is the expert unless another one with certificates and forecasts is given. It drives itself unless
    there is a ``driver``; then it is asked at every state that the driver comes to, and remembers its own answers.
    Moments at which no road is in reach have no label. Raises :class:`LabelError` for a privileged planner.
    """
    planner, driver = planner or Expert(), driver or Itself()
    check_planner(planner)
    asker = Asker(planner.config) if second_look and isinstance(planner, Expert) else None
    each = max(round(every_s / scenario.dt_s / DECISION_TICKS), 1) * DECISION_TICKS

    def wanted(tick: int) -> bool:
        return tick in ticks if ticks is not None else tick % each == 0

    world, roads = World([scenario], traffic=traffic, style=style, seed=seed), RoadCache()
    planner.reset([scenario.id])
    state: Any = None
    before: Trace | None = None
    while world.active.any():
        tick = int(world.tick[0])
        observation = world.observe()
        carried = state
        plan, _, state = planner.plan(observation, state)
        said = before
        if wanted(tick) or wanted(tick + DECISION_TICKS):  # the one before a wanted one tells what has changed
            certificate, forecast = planner.certificates[0], planner.forecasts[0]
            if certificate is not None:
                at = setting(observation, 0, forecast, roads)
                last = before.decision if before is not None else None
                label, other = from_certificate(
                    certificate, at, last, runner_up=runner_up and wanted(tick), asker=asker, state=carried
                )
                if wanted(tick):
                    yield LabelledMoment(tick, observation, label, other, certificate, at, world, carried, before)
                said = label.trace
        if ticks is not None and tick >= max(ticks, default=-1):
            return
        plan, before = driver.drive(observation, plan, said)
        world.step_plans(plan, ticks=DECISION_TICKS)


def header_of(
    label: Label, at: Setting, scene_hash: str, *, code: str = "", seed: int = 0, kind: str = "expert_certificate"
) -> Header:
    """The header of a label: which moment of which scenario, and who wrote it with what."""
    scene = at.scene
    producer = Producer(kind, "", vocabulary_hash(), code, seed, "trace", label.gate)
    history_s = (len(scene.ego.history_valid) - 1) * scene.dt_s
    return Header(scene_hash, round(float(label.plan.t0_s) * 1e6), round(history_s, 6), scene.dt_s, producer)
