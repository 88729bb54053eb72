"""The expert, asked what it would do if something were not there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from waytrace.observe import Scene
from waytrace.planners import Certificate, Expert, ExpertConfig
from waytrace.scenario import Plan
from waytrace.scenario.roads import RoadCache
from waytrace.trace import Cause

from .lay import apart_m, lay_out
from .without import STRAIGHT_MPS2, without

ALONG_M, ACROSS_M = 1.0, 0.3
"""Two plans that stay within this of each other for 6 s, along and across the lane, are the same."""


def differ(along_m: float, across_m: float) -> bool:
    """Whether two plans that come so far apart are different ones."""
    return along_m > ALONG_M or across_m > ACROSS_M


@dataclass(frozen=True)
class Question:
    """A decision to ask about."""

    scene: Scene
    state: Any
    """What the expert carried into it."""
    plan: Plan
    """What it chose."""
    lane: int
    """The lane that it drives."""


@dataclass(frozen=True)
class _Scenes:
    """All that the expert reads of an observation."""

    scenes: tuple[Scene, ...]


class Asker:
    """The expert, asked about edited scenes with the memory that it had."""

    def __init__(self, config: ExpertConfig | None = None) -> None:
        config = config or ExpertConfig()
        self.expert = Expert(config)
        self.straight = Expert(replace(config, lateral_accel_mps2=STRAIGHT_MPS2))
        self.roads = RoadCache()

    def ask(self, scene: Scene, state: Any, *, mind_curves: bool = True) -> tuple[Plan, Certificate | None]:
        """The plan (of one planner) and its certificate for a scene."""
        plan = self.plan(scene, state, mind_curves=mind_curves)
        return plan, (self.expert if mind_curves else self.straight).certificates[0]

    def plan(self, scene: Scene, state: Any, *, mind_curves: bool = True) -> Plan:
        """The plan (of one planner) for a scene."""
        expert = self.expert if mind_curves else self.straight
        plan, _, _ = expert.plan(_Scenes((scene,)), state)  # type: ignore[arg-type]
        return plan[0]

    def apart_m(self, scene: Scene, one: Plan, other: Plan, lane: int) -> tuple[float, float]:
        """How far two plans come apart within 6 s, along and across the scene's lane."""
        roads = self.roads.of(scene.map, scene.route)
        return apart_m(lay_out(roads, scene, one, lane, lane).own, lay_out(roads, scene, other, lane, lane).own)

    def moved(self, question: Question, edited: Scene, *, mind_curves: bool = True) -> tuple[float, float]:
        """How far the plan for an edited scene comes from the one that was chosen."""
        plan = self.plan(edited, question.state, mind_curves=mind_curves)
        return self.apart_m(question.scene, plan, question.plan, question.lane)

    def undone(self, question: Question, causes: Collection[Cause]) -> tuple[float, float]:
        """How far the plan comes from the one that was chosen once some causes are undone."""
        curves = not any(c.constraint == "curve_lat_accel" for c in causes)
        limits = any(c.constraint == "speed_cap" for c in causes)
        refs = {c.ref for c in causes if c.constraint != "curve_lat_accel"}
        return self.moved(question, without(question.scene, refs, limits=limits), mind_curves=curves)


def opened(
    asker: Asker, question: Question, certificate: Certificate, cause: Cause
) -> tuple[bool, tuple[float, float]]:
    """Whether something that is cited as barring an option does, and how far the plan moves without it.

    Without it the option is no longer turned down on its account, or the expert takes another one.
    """
    barred = any(r.axis == cause.axis and r.reference == cause.ref and r.violates for r in certificate.rejected)
    plan, again = asker.ask(without(question.scene, {cause.ref}), question.state)
    still = again is not None and any(r.reference == cause.ref for r in again.rejected)
    apart = asker.apart_m(question.scene, question.plan, plan, question.lane)
    return (barred and not still) or differ(*apart), apart


def opens(asker: Asker, question: Question, certificate: Certificate, cause: Cause) -> bool:
    """Whether something that is cited as barring an option does."""
    return opened(asker, question, certificate, cause)[0]
