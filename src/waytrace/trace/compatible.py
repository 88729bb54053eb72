"""Which claims can be made about what: relations, intents and constraints by the kind of the reference."""

from __future__ import annotations

from waytrace.observe import ReferenceKind

from . import sets

AGENT, LANE, LIGHT = ReferenceKind.AGENT, ReferenceKind.LANE, ReferenceKind.LIGHT
CROSSWALK, STOP_LINE = ReferenceKind.CROSSWALK, ReferenceKind.STOP_LINE

RELATIONS: dict[ReferenceKind, tuple[str, ...]] = {
    AGENT: sets.AGENT_RELATIONS,
    LANE: sets.LANE_RELATIONS,
    LIGHT: ("signal",),
    CROSSWALK: ("crosswalk",),
    STOP_LINE: ("stop_line",),
}
INTENTS: dict[ReferenceKind, tuple[str, ...]] = {
    AGENT: (*sets.VEHICLE_INTENTS, "static"),
    LIGHT: sets.LIGHT_INTENTS,
}
CLASSES: dict[ReferenceKind, str] = {LANE: "lane", LIGHT: "light", CROSSWALK: "crosswalk", STOP_LINE: "stop_line"}

CAUSES: dict[tuple[str, ReferenceKind], tuple[str, ...]] = {
    ("longitudinal", AGENT): (
        "headway", "stop_point", "cross_conflict", "merge_gap", "lateral_clearance", "occlusion_speed",
        "required_decel",
    ),
    ("longitudinal", LANE): (
        "stop_point", "cross_conflict", "speed_cap", "curve_lat_accel", "route_feasibility", "required_decel",
    ),
    ("longitudinal", LIGHT): ("stop_point", "required_decel"),
    ("longitudinal", CROSSWALK): ("stop_point", "cross_conflict", "occlusion_speed"),
    ("longitudinal", STOP_LINE): ("stop_point", "required_decel"),
    ("lateral", AGENT): ("headway", "cross_conflict", "merge_gap", "lateral_clearance", "required_decel"),
    ("lateral", LANE): ("lateral_clearance", "route_feasibility"),
}  # fmt: skip
"""Constraints of a cause by its axis and what it points at."""


def kinds_of(constraint: str) -> tuple[ReferenceKind, ...]:
    """What a constraint can come from, on either axis."""
    return tuple(dict.fromkeys(kind for (_, kind), names in CAUSES.items() if constraint in names))


def axes_of(kind: ReferenceKind) -> tuple[str, ...]:
    """Decisions that something of this kind can be a cause of."""
    return tuple(axis for axis in sets.AXIS.values if (axis, kind) in CAUSES)
