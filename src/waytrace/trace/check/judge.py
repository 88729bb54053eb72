"""The check of one trace."""

from __future__ import annotations

from waytrace.observe import Scene
from waytrace.scenario import Plan

from ..types import Trace
from ..verdicts import Verdict
from .case import Case
from .entities import entity_verdicts


def check(
    trace: Trace, scene: Scene, plan: Plan | None = None, previous: Trace | None = None
) -> tuple[Verdict, ...]:  # fmt: skip
    """A verdict for every claim of a trace, in the order of the claims.

    Claims about the plan need ``plan`` (of one planner, no leading axis), the claim that a decision is new needs the
    trace before it; without them these are undetermined. Forecasts and interventional claims are ``not_judged``.
    """
    case = Case(trace, scene, plan, previous)
    return (*entity_verdicts(case),)
