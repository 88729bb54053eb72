"""Does the plan come from the trace? Slots are filled by somebody else, and the plan is watched.

Only of planners whose trace can be written into: learned ones that write whole traces. The scene stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from waytrace.label import Label
from waytrace.microgpt import Learned
from waytrace.microgpt.forcing import Answer, filler, finished, force, plan_of, words
from waytrace.microgpt.prefix import Prefix
from waytrace.microgpt.session import Session
from waytrace.microgpt.tokens import scene_tokens
from waytrace.observe import Observation
from waytrace.scenario import Plan
from waytrace.trace import Present, TraceError
from waytrace.trace.check import check

Apart = Callable[[Plan, Plan], tuple[float, float]]
"""How far two plans are apart within 6 s, and how much further the other one gets; metres."""

APART_M = 0.5
"""Where the plan asked for is nearer than this to the planner's own, obeying cannot be told from not."""

AXES = ("longitudinal", "lateral")


def mediation(
    planner: Any, observation: Observation, carried: Any, runner_up: Label | None, apart: Apart
) -> dict[str, Any] | None:  # fmt: skip
    """The record of one moment, the first row of ``observation``; None for a planner that writes no trace.

    ``runner_up`` is the expert's next best decision, with its plan: feasible, and not what it would do.
    """
    if not isinstance(planner, Learned) or planner.mode != "trace":
        return None
    seen = first_row(observation)
    before = carried[:1] if carried is not None else np.full((1, 2), -1, np.int8)
    prefix = Prefix.of(planner.model, scene_tokens(seen, before), 0, Present.of(seen, 0))
    own = finished(Session(prefix), seen)
    silent = plan_of(Session(prefix, "fast"), seen)
    filled = finished(filler(own.session), seen)
    return {
        "forced": _forced(own, silent, runner_up, seen, apart),
        "silent_m": apart(own.plan, silent)[0],
        "filler_m": apart(own.plan, filled.plan)[0],
        "filler_decides_alike": words(filled.trace) == words(own.trace),
    }


def first_row(observation: Observation) -> Observation:
    """An observation of its first row alone."""
    names = ("ego", "agents", "map", "lights", "crosswalks", "stop_lines", "reference", "tick", "time_s")
    parts = {name: getattr(observation, name)[:1] for name in names}
    return replace(observation, ids=observation.ids[:1], scenes=[observation.scenes[0]], **parts)


def _forced(
    own: Answer, silent: Plan, runner_up: Label | None, seen: Observation, apart: Apart
) -> dict[str, Any] | None:  # fmt: skip
    """What becomes of the plan, and of one made without a word, once the runner-up's decisions are put in.

    None where there is no runner-up, it decides alike, its plan cannot be told from the planner's own, or the grammar
    does not let its decisions stand here.
    """
    if runner_up is None or words(runner_up.trace) == words(own.trace):
        return None
    if apart(own.plan, runner_up.plan)[0] < APART_M:
        return None
    asked = words(runner_up.trace)
    try:
        new = force(own.session, asked, seen)
    except TraceError:
        return None
    found = {v.claim: v.value for v in check(new.trace, seen.scenes[0], new.plan) if v.kind == "present"}
    changed = [axis for axis, a, b in zip(AXES, asked, words(own.trace), strict=True) if a != b]
    silent_after = plan_of(Session(new.session.prefix, "fast"), seen)
    return {
        "asked": list(asked), "moved_m": apart(own.plan, new.plan)[0],
        "obeyed": _nearer(new.plan, own.plan, runner_up.plan, apart),
        "rules_hold": all(found[f"decision.{axis}"] == "true" for axis in changed),
        "silent_moved_m": apart(silent, silent_after)[0],
        "silent_obeyed": _nearer(silent_after, silent, runner_up.plan, apart),
    }  # fmt: skip


def _nearer(plan: Plan, own: Plan, asked: Plan, apart: Apart) -> bool:
    """Whether a plan is nearer to the one that was asked for than to the one driven without force."""
    return apart(plan, asked)[0] < apart(plan, own)[0]
