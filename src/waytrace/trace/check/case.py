"""What a check is given: a trace, the scene that it is about, the plan that goes with it, the trace before it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from waytrace.observe import Reference, Scene
from waytrace.scenario import Plan

from ..measure import Measured, measure
from ..types import Trace


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

    def relations_of(self, ref: Reference) -> tuple[str, ...]:
        """What the trace's entities say of something."""
        return tuple(e.relation for e in self.trace.entities if e.ref == ref)


def claimed(text: Iterable[str]) -> str:
    """A claim in words."""
    return " ".join(text).replace("_", " ")
