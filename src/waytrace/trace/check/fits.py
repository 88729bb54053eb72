"""Which constraints can be reason enough for which decision."""

from __future__ import annotations

FITS: dict[str, tuple[str, ...]] = {
    "follow": ("headway", "required_decel"),
    "adapt_speed": (
        "speed_cap", "curve_lat_accel", "occlusion_speed", "cross_conflict", "lateral_clearance", "stop_point",
        "required_decel",
    ),
    "gap_search": ("merge_gap", "route_feasibility"),
    "pass": ("lateral_clearance", "headway", "cross_conflict", "merge_gap", "required_decel"),
    "yield": ("cross_conflict", "merge_gap", "occlusion_speed", "required_decel"),
    "stop": ("stop_point", "headway", "cross_conflict", "route_feasibility", "required_decel", "lateral_clearance"),
    "hold": (
        "stop_point", "headway", "cross_conflict", "merge_gap", "route_feasibility", "lateral_clearance",
        "required_decel",
    ),
    "emergency_brake": ("required_decel", "headway", "cross_conflict", "stop_point", "merge_gap"),
    "nudge": ("lateral_clearance", "cross_conflict", "headway", "merge_gap", "required_decel", "route_feasibility"),
    "lane_change": (
        "route_feasibility", "headway", "lateral_clearance", "merge_gap", "required_decel", "cross_conflict",
    ),
    "merge": ("route_feasibility", "merge_gap"),
    "split": ("route_feasibility",),
    "turn": ("route_feasibility",),
    "u_turn": ("route_feasibility",),
    "pull_over": ("route_feasibility", "lateral_clearance"),
    "abort": ("merge_gap", "cross_conflict", "headway", "lateral_clearance", "required_decel"),
}  # fmt: skip
"""Constraints that a proximate or overdetermining cause of a decision can be; lateral ones by their first word."""


def fitting(decision: str) -> tuple[str, ...] | None:
    """Constraints that fit a decision; None where it needs no cause."""
    for name in (decision, decision.removesuffix("_left").removesuffix("_right"), decision.split("_")[0]):
        if name in FITS:
            return FITS[name]
    return None
