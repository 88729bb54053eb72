"""How steady a planner is from one decision to the next: what it decides, what it cites, where its plans lead.

None of this is a fault by itself: a planner has to decide anew where the world changes. The floor is what the expert
does on the same scenes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import Reference
from waytrace.scenario import DT_S, PLAN_KNOT_S, PLAN_KNOTS, Rollout
from waytrace.trace import Trace

RETURN_S = 1.0
"""A decision that is given up and taken again within this time has flickered."""

Array = NDArray[np.float64]


class Said(NamedTuple):
    """What one trace decides, and on account of what."""

    tick: int
    """Ticks of 0.1 s since the scenario's start step."""
    longitudinal: str
    lateral: str
    causes: frozenset[tuple[str, Reference]]
    """(axis, what is pointed at); roles and constraints are left out."""

    @classmethod
    def of(cls, tick: int, trace: Trace) -> Said:
        """What is compared of a trace."""
        d = trace.decision
        return cls(tick, d.longitudinal, d.lateral, frozenset((c.axis, c.ref) for c in d.causes))

    @property
    def decision(self) -> tuple[str, str]:
        """Both axes."""
        return self.longitudinal, self.lateral


@dataclass(frozen=True)
class WordStability:
    """Counts over the steps of one drive; a step is from one decision to the next."""

    steps: int
    flips: int
    """Steps after which the decision is another one, on whichever axis."""
    longitudinal_flips: int
    lateral_flips: int
    flickers: int
    """Flips after which the decision of before was taken again within :data:`RETURN_S`."""
    cause_steps: int
    """Steps with a cause before or after."""
    causes_kept: float
    """Sum over those of |before and after| / |before or after|, the causes as sets (Jaccard 1901)."""


@dataclass(frozen=True)
class PlanStability:
    """How far apart each plan of a drive and the next one are at the same moment of world time; means over steps."""

    steps: int
    apart_2s_m: float
    """2 s after the later one was made."""
    apart_4s_m: float


def word_stability(said: Sequence[Said], step_ticks: int) -> WordStability:
    """Counts over the decisions of one drive in order of time, made every ``step_ticks`` ticks.

    Where a decision is missing between two, they make no step.
    """
    steps = [(a, b) for a, b in pairwise(said) if b.tick - a.tick == step_ticks]
    cited = [(a.causes, b.causes) for a, b in steps if a.causes or b.causes]
    return WordStability(
        steps=len(steps),
        flips=sum(a.decision != b.decision for a, b in steps),
        longitudinal_flips=sum(a.longitudinal != b.longitudinal for a, b in steps),
        lateral_flips=sum(a.lateral != b.lateral for a, b in steps),
        flickers=sum(a.decision != b.decision and _returns(a, b, said) for a, b in steps),
        cause_steps=len(cited),
        causes_kept=sum(len(a & b) / len(a | b) for a, b in cited),
    )


def plan_stability(rollout: Rollout) -> PlanStability | None:
    """How far apart the plans of a drive are; None with fewer than two.

    In the world frame, so a plan that is not driven as it was meant counts as well as one that was changed.
    """
    return plans_apart(rollout.decision_row.astype(np.float64) * rollout.dt_s, rollout.plan_waypoints)


def plans_apart(time_s: Array, waypoints: Array) -> PlanStability | None:
    """The same of plans [D, 16, 4] made at ``time_s`` [D]; None with fewer than two.

    Between two waypoints a plan is taken to go straight, which matters only where decisions are not a multiple of
    0.5 s apart. Steps for which the earlier plan ends too soon are left out.
    """
    gap = np.diff(np.asarray(time_s, np.float64))
    usable = np.flatnonzero(gap + 4.0 <= PLAN_KNOTS * PLAN_KNOT_S + 1e-9)
    if not len(usable):
        return None
    apart = []
    for after_s in (2.0, 4.0):
        earlier = _place(waypoints[usable], gap[usable] + after_s)
        later = _place(waypoints[usable + 1], np.full(len(usable), after_s))
        apart.append(float(np.hypot(*(earlier - later).T).mean()))
    return PlanStability(len(usable), *apart)


def _returns(before: Said, after: Said, said: Sequence[Said]) -> bool:
    """Whether the decision of before is taken again soon after it was given up."""
    ticks = round(RETURN_S / DT_S)
    return any(s.decision == before.decision for s in said if after.tick < s.tick <= after.tick + ticks)


def _place(waypoints: Array, at_s: Array) -> Array:
    """[D, 2] where plans [D, 16, 4] are ``at_s`` [D] after they were made, 0.5 to 8 s."""
    knot = np.clip(at_s / PLAN_KNOT_S - 1.0, 0.0, PLAN_KNOTS - 1.0)
    low = np.minimum(knot.astype(np.int64), PLAN_KNOTS - 2)
    rows, part = np.arange(len(waypoints)), (knot - low)[:, None]
    out: Array = (1.0 - part) * waypoints[rows, low, :2] + part * waypoints[rows, low + 1, :2]
    return out
