"""Planted errors by kind: each turns a valid trace into one that plainly says something wrong about its scene or plan.

Traces stay within the grammar: that they are wrong is all that can give them away.
"""

from __future__ import annotations

from mutant_bed import Bed, Planter
from mutant_said import (
    against_plan,
    false_cause,
    impossible_decision,
    omitted_cause,
    plan_claim,
    wrong_constraint,
    wrong_role,
    wrong_violation,
)
from mutant_seen import (
    stale,
    swapped_sides,
    wrong_class,
    wrong_gap,
    wrong_motion,
    wrong_reference,
    wrong_relation,
    wrong_summary,
)

__all__ = ["PLANTERS", "Bed"]

PLANTERS: dict[str, Planter] = {
    "wrong reference": wrong_reference, "wrong relation": wrong_relation, "wrong class": wrong_class,
    "wrong motion": wrong_motion, "wrong gap": wrong_gap, "wrong summary": wrong_summary,
    "impossible decision": impossible_decision, "decision against the plan": against_plan,
    "plan claim against the plan": plan_claim, "omitted cause": omitted_cause, "false cause": false_cause,
    "wrong constraint": wrong_constraint, "wrong role": wrong_role, "swapped sides": swapped_sides,
    "stale trace": stale, "wrong violation": wrong_violation,
}  # fmt: skip
