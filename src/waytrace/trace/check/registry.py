"""Which rule judges what: one for every value that a claim about the present can hold."""

from __future__ import annotations

from collections.abc import Iterable

from .. import measure, sets
from ..measure.motion import MOTIONS

RULES: frozenset[str] = frozenset(
    [
        *(f"relation.{relation}" for relation in measure.RULES),
        *(f"motion.{motion}" for motion in (*MOTIONS, "none")),
        "reference", "class", "gap",
    ]
)  # fmt: skip
"""Names of all rules."""


def rule_of(slot: str, value: str) -> str:
    """The rule that judges a value of a slot; empty where there is none."""
    name = f"{slot}.{value}"
    return name if name in RULES else ""


def missing() -> Iterable[str]:
    """Values without a rule."""
    closed = {"relation": sets.RELATION, "motion": sets.MOTION}
    return [f"{slot}.{v}" for slot, values in closed.items() for v in values.values if not rule_of(slot, v)]
