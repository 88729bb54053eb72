"""What a check is given: a trace, the scene that it is about, the plan that goes with it, the trace before it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from waytrace.observe import Reference, ReferenceKind, Scene
from waytrace.scenario import Plan

from ..finding import Finding
from ..measure import Measured, PlanMeasured, judge_relation, measure
from ..types import Cause, Trace


@dataclass(frozen=True, eq=False)
class Case:
    """One trace to be checked."""

    trace: Trace
    scene: Scene
    plan: Plan | None = None
    previous: Trace | None = None

    @cached_property
    def measured(self) -> Measured:
        """The scene along the ego's path."""
        return measure(self.scene)

    @cached_property
    def planned(self) -> PlanMeasured:
        """The plan along the ego's path. Ask only where there is a plan."""
        assert self.plan is not None
        return PlanMeasured.of(self.measured, self.plan)

    @cached_property
    def causes(self) -> tuple[Cause, ...]:
        """Causes of the decision."""
        return self.trace.decision.causes

    @cached_property
    def _related(self) -> dict[tuple[Reference, str], Finding]:
        return {}

    @cached_property
    def existing(self) -> dict[Reference, Finding]:
        """Whether what is pointed at exists, as far as it was asked for."""
        return {}

    def related(self, ref: Reference, relation: str) -> Finding:
        """Whether something stands in a relation to the ego; each asked for once."""
        key = ref, relation
        if key not in self._related:
            self._related[key] = judge_relation(self.measured, ref, relation)
        return self._related[key]

    def agents(self) -> list[Reference]:
        """References to everyone known, nearest first."""
        return [Reference(ReferenceKind.AGENT, int(i)) for i in self.measured.others.index]
