"""A planner asked at moments of the expert's drives: what it says, what it would drive, and what force does to either.

The expert drives. The planner is asked at every decision of the drive and remembers its own last decision, as when it
drives itself; it is never told the expert's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from waytrace.label import LabelledMoment, label_drive
from waytrace.microgpt.branch import Decisions
from waytrace.microgpt.forcing import Answer, finished, force, plan_of, prompted, words
from waytrace.microgpt.planner import decision
from waytrace.microgpt.prefix import Model, Prefix
from waytrace.microgpt.session import Session
from waytrace.microgpt.tokens import scene_tokens
from waytrace.observe import Observation, Scene
from waytrace.scenario import Plan, Scenario
from waytrace.scenario.roads import RoadCache
from waytrace.trace import PlanClaim, Present, Trace, TraceError
from waytrace.trace.check import check
from waytrace.trace.measure import Measured, PlanMeasured, measure

AXES = ("longitudinal", "lateral")
CUTS = ("fast", "decision_only", "scene_summary", "entities", "predictions", "decision", "plan")
"""What stands before a plan: nothing, the decisions alone, the trace up to a stage; ``plan`` is all of it."""
PROMPTED = "label"
"""The label's whole trace in its place, where all that it points at has a token."""
_STAGE_AFTER = {"scene_summary": "entities", "entities": "predictions", "predictions": "decision", "decision": "plan"}
KNOT_4S, KNOT_6S = 8, 12


@dataclass(frozen=True, eq=False)
class Forced:
    """A decision put into the slots in place of the planner's own."""

    kind: str
    """``runner_up`` or ``choice``: of the expert's certificate."""
    changed: tuple[str, ...]
    """Axes on which it differs from the planner's own."""
    verdicts: dict[str, str]
    """Of both axes, for the new plan."""
    verdicts_before: dict[str, str]
    """Of both axes, for the plan that was driven without force: what holds anyway."""
    verdicts_label: dict[str, str]
    """Of both axes, for the label's own trace and plan: what can be reached."""
    to_asked_m: float
    """From the new plan to the one that goes with the decision, at 4 s."""
    to_own_m: float
    """From the new plan to the one driven without force."""
    own_to_asked_m: float
    whole_m: tuple[float, float] | None
    """The two distances of the new plan if the label's whole trace is put in; None where it cannot be said."""


@dataclass(frozen=True, eq=False)
class Moment:
    """All that is asked at one moment."""

    scenario: str
    tick: int
    speed_mps: float
    label: LabelledMoment
    answer: Answer
    previous: Trace | None
    """What the planner said half a second before."""
    scene: Scene
    forced: tuple[Forced, ...]
    unforceable: int
    cuts: dict[str, tuple[float, float, float]]
    """By cut: metres to the plan of the whole trace at 4 s, the most within 6 s, and metres to the label's at 4 s."""


class Shadow:
    """A planner that is asked while the expert drives."""

    def __init__(self, model: Model) -> None:
        self.model, self.roads = model, RoadCache()
        self.before, self.previous = np.full((1, 2), -1, np.int8), None
        self._tick, self._answer = -1, None

    model: Model
    previous: Trace | None
    _answer: Answer | None

    def drive(self, observation: Observation, asked: Plan, said: Trace | None) -> tuple[Plan, Trace | None]:
        """The expert's plan; the planner has decided something too."""
        answer = self.ask(observation)
        self.before = np.array([decision(answer.trace, self.before[0])], np.int8)
        self.previous = answer.trace
        return asked, said

    def ask(self, observation: Observation) -> Answer:
        """What it says to an observation of one row."""
        tick = int(observation.tick[0])
        if self._answer is None or self._tick != tick:
            tokens = scene_tokens(observation, self.before, self.roads)
            prefix = Prefix.of(self.model, tokens, 0, Present.of(observation, 0))
            self._tick, self._answer = tick, finished(Session(prefix), observation)
        return self._answer


def moments(model: Model, scenario: Scenario, ticks: list[int]) -> Iterator[Moment]:
    """The moments of one drive; fewer where it ends before."""
    shadow = Shadow(model)
    for label in label_drive(scenario, ticks=ticks, runner_up=True, driver=shadow):
        answer = shadow.ask(label.observation)
        scene = label.at.scene
        measured = measure(scene)
        forced, unforceable = _forced(label, answer, measured, shadow.previous)
        yield Moment(
            scenario.id, label.tick, float(scene.ego.speed_mps), label, answer, shadow.previous, scene, forced,
            unforceable, _cuts(label, answer, measured),
        )  # fmt: skip


def apart_m(one: PlanMeasured, other: PlanMeasured, knot: int = KNOT_4S) -> float:
    """Metres between two plans after so many half seconds, along and across the ego's path."""
    return float(np.hypot(one.s[knot] - other.s[knot], one.d[knot] - other.d[knot]))


def most_apart_m(one: PlanMeasured, other: PlanMeasured) -> float:
    """The most within 6 s."""
    return max(apart_m(one, other, knot) for knot in range(KNOT_6S + 1))


def with_words(trace: Trace, said: tuple[str, str]) -> Trace:
    """The trace with other decisions, its references as they are."""
    return replace(trace, decision=replace(trace.decision, longitudinal=said[0], lateral=said[1]))


def with_claims(trace: Trace, other: Trace) -> tuple[Trace, bool]:
    """The trace with the plan-bound words of another; and whether a target lane can be told.

    What points at the scene stays its own: the lanes and causes of another scene are not there. A lane that the other
    one names has no meaning here, so that claim is left out.
    """
    claim = other.plan
    told = PlanClaim(claim.target_speed_bin, claim.stop_s_bin, None, claim.segments)
    return replace(with_words(trace, words(other)), plan=told), claim.target_lane is None


def verdicts(trace: Trace, scene: Scene, plan: Plan, previous: Trace | None) -> dict[str, str]:
    """Of every claim about the present its value."""
    return {v.claim: v.value for v in check(trace, scene, plan, previous) if v.kind == "present"}


def _axis_verdicts(trace: Trace, scene: Scene, plan: Plan, previous: Trace | None) -> dict[str, str]:
    found = verdicts(trace, scene, plan, previous)
    return {axis: found[f"decision.{axis}"] for axis in AXES}


def _forced(
    label: LabelledMoment, answer: Answer, measured: Measured, previous: Trace | None
) -> tuple[tuple[Forced, ...], int]:  # fmt: skip
    own, scene = words(answer.trace), label.at.scene
    own_plan = PlanMeasured.of(measured, answer.plan)
    out: list[Forced] = []
    failed = 0
    for kind, other in (("runner_up", label.runner_up), ("choice", label.label)):
        if other is None or words(other.trace) == own:
            continue
        asked = words(other.trace)
        try:
            new = force(answer.session, asked, label.observation)
        except TraceError:
            failed += 1
            continue
        lay, target = PlanMeasured.of(measured, new.plan), PlanMeasured.of(measured, other.plan)
        told = prompted(answer.session, other.trace)
        whole = PlanMeasured.of(measured, plan_of(told, label.observation)) if told is not None else None
        out.append(
            Forced(
                kind, tuple(axis for axis, a, b in zip(AXES, asked, own, strict=True) if a != b),
                _axis_verdicts(new.trace, scene, new.plan, previous),
                _axis_verdicts(with_words(answer.trace, asked), scene, answer.plan, previous),
                _axis_verdicts(other.trace, scene, other.plan, label.before),
                apart_m(lay, target), apart_m(lay, own_plan), apart_m(own_plan, target),
                (apart_m(whole, target), apart_m(whole, own_plan)) if whole is not None else None,
            )
        )  # fmt: skip
    return tuple(out), failed


def _cuts(label: LabelledMoment, answer: Answer, measured: Measured) -> dict[str, tuple[float, float, float]]:
    whole, wanted = PlanMeasured.of(measured, answer.plan), PlanMeasured.of(measured, label.label.plan)
    out: dict[str, tuple[float, float, float]] = {}
    for cut in CUTS:
        lay = PlanMeasured.of(measured, plan_of(_cut(answer.session, cut), label.observation))
        out[cut] = apart_m(lay, whole), most_apart_m(lay, whole), apart_m(lay, wanted)
    told = prompted(answer.session, label.label.trace)
    if told is not None:
        lay = PlanMeasured.of(measured, plan_of(told, label.observation))
        out[PROMPTED] = apart_m(lay, whole), most_apart_m(lay, whole), apart_m(lay, wanted)
    return out


def _cut(session: Session, cut: str) -> Session:
    if cut == "plan":
        return session
    if cut in _STAGE_AFTER:
        fork = session.fork()
        fork.truncate(_STAGE_AFTER[cut])
        return fork
    other = Session(session.prefix, cut)
    for _ in other.write():
        pass
    assert cut == "fast" or isinstance(other.said, Decisions)
    return other


def proximate(trace: Trace) -> Any:
    """What the longitudinal proximate cause points at; None without one."""
    found = [c.ref for c in trace.decision.causes if c.axis == "longitudinal" and c.role == "proximate"]
    return found[0] if found else None
