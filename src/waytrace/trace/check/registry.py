"""Which rule judges what: one for every value that a claim about the present can hold."""

from __future__ import annotations

from .. import measure, sets
from ..measure.motion import MOTIONS
from .constraints import CONSTRAINT_RULES
from .lateral import LATERAL_RULES
from .longitudinal import LONGITUDINAL_RULES

SUMMARY = ("route_intent", "ego_motion", "ego_speed_bin", "limit_bin", "zone", "signal_for_ego")

RULES: frozenset[str] = frozenset(
    [
        *(f"relation.{name}" for name in measure.RULES),
        *(f"motion.{name}" for name in (*MOTIONS, "none")),
        *(f"longitudinal.{name}" for name in LONGITUDINAL_RULES),
        *(f"lateral.{name}" for name in LATERAL_RULES),
        *(f"constraint.{name}" for name in CONSTRAINT_RULES),
        *(f"segment_lon.{name}" for name in sets.SEGMENT_LON.values),
        *(f"segment_lat.{name}" for name in sets.SEGMENT_LAT.values),
        *(f"summary.{name}" for name in SUMMARY),
        "reference", "class", "gap", "changed", "omission", "target_speed", "stop_s", "target_lane",
    ]
)  # fmt: skip
"""Names of all rules."""

CLOSED = {
    "relation": sets.RELATION, "motion": sets.MOTION, "longitudinal": sets.LONGITUDINAL, "lateral": sets.LATERAL,
    "constraint": sets.CONSTRAINT, "segment_lon": sets.SEGMENT_LON, "segment_lat": sets.SEGMENT_LAT,
}  # fmt: skip
"""Sets of which every value has a rule of its own."""


def rule_of(slot: str, value: str) -> str:
    """The rule that judges a value of a slot; empty where there is none."""
    name = f"{slot}.{value}"
    return name if name in RULES else ""
