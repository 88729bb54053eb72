"""The check of one trace."""

from __future__ import annotations

from collections.abc import Iterator

from waytrace.observe import Scene
from waytrace.scenario import Plan

from ..measure import judge_summary
from ..types import Trace
from ..verdicts import Verdict, not_judged
from .case import Case
from .decision import decision_verdicts
from .entities import entity_verdicts, exists
from .plan import plan_verdicts
from .valid import validate


def check(
    trace: Trace, scene: Scene, plan: Plan | None = None, previous: Trace | None = None
) -> tuple[Verdict, ...]:  # fmt: skip
    """A verdict for every claim of a trace, in the order of the claims.

    Claims about the plan need ``plan`` (of one planner, no leading axis), the claim that a decision is new needs the
    trace before it; without them these are undetermined. Forecasts and interventional claims are ``not_judged``.
    Raises :class:`TraceError` for values that the slots' sets do not hold and for a plan that is none.
    """
    validate(trace, plan)
    case = Case(trace, scene, plan, previous)
    return (
        *_summary(case), *entity_verdicts(case), *_predictions(case), *decision_verdicts(case), *plan_verdicts(case),
    )  # fmt: skip


def _summary(case: Case) -> Iterator[Verdict]:
    said = case.trace.scene_summary
    for slot, finding in judge_summary(case.measured, said).items():
        value = str(getattr(said, slot)).replace("_", " ")
        name = slot.removesuffix("_bin").replace("_", " ")
        yield Verdict.of(f"scene_summary.{slot}", f"summary.{slot}", finding, f"{name} is {value}")


def _predictions(case: Case) -> Iterator[Verdict]:
    for n, prediction in enumerate(case.trace.predictions):
        at = f"predictions[{n}]"
        yield Verdict.of(f"{at}.ref", "reference", exists(case, prediction.ref), f"{prediction.ref} is there")
        for slot in ("intent", "ttc_bin", "conflict_s_bin", "p_bin"):
            yield not_judged(f"{at}.{slot}", "forecast", "calibration", "Forecasts are judged by what then happens.")
