"""The closed sets and the bins of a trace: every value that a slot can hold, in the order of its numbers.

Changing anything here changes the vocabulary's hash, and with it which traces and checkpoints fit.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Closed:
    """A set of names."""

    name: str
    values: tuple[str, ...]
    about: str

    def __len__(self) -> int:
        return len(self.values)

    def number(self, value: str) -> int:
        """Number of a name. Raises ``ValueError`` for one that the set does not hold."""
        return self.values.index(value)


@dataclass(frozen=True)
class Bins:
    """A range cut at ``edges``: bin k holds [edges[k], edges[k + 1]), the last one all that is more.

    With ``none`` there is one number more, the last, for "does not apply". What lies below the first edge is in the
    first bin.
    """

    name: str
    edges: tuple[float, ...]
    unit: str
    about: str
    none: bool = False

    def __len__(self) -> int:
        return len(self.edges) + self.none

    def number(self, value: float | None) -> int:
        """Bin of a value; None and infinity are "does not apply" where there is such a number."""
        if value is None or (math.isinf(value) and self.none):
            if not self.none:
                raise ValueError(f"{self.name} always applies")
            return len(self.edges)
        if math.isnan(value):
            raise ValueError(f"{self.name} of nothing")
        return max(bisect.bisect_right(self.edges, value) - 1, 0)

    def middle(self, number: int) -> float | None:
        """A value that stands for a bin: its middle; of the last one its lower edge; None for "does not apply"."""
        if number == len(self.edges):
            return None
        low = self.edges[number]
        return 0.5 * (low + self.edges[number + 1]) if number + 1 < len(self.edges) else low

    def range_text(self, number: int) -> str:
        """A bin in words: ``10 to 15 m``."""
        if number == len(self.edges):
            return "none"
        low = f"{self.edges[number]:g}"
        upper = f" to {self.edges[number + 1]:g}" if number + 1 < len(self.edges) else " or more"
        return f"{low}{upper} {self.unit}".strip()


_SPEEDS = (0.0, 0.3, *(float(v) for v in range(2, 41, 2)))

ROUTE_INTENT = Closed(
    "route_intent",
    ("follow_lane", "turn_left", "turn_right", "u_turn", "change_left", "change_right", "merge", "end"),
    "what the route asks for next, within 100 m",
)
EGO_MOTION = Closed(
    "ego_motion", ("standing", "accelerating", "steady", "braking", "reversing"), "what the ego does now"
)
EGO_SPEED = Bins("ego_speed", _SPEEDS, "m/s", "the ego's speed")
LIMIT = Bins("limit", _SPEEDS, "m/s", "speed limit of the ego's lane", none=True)
ZONE = Closed("zone", ("road", "before_junction", "junction", "before_crosswalk"), "where the ego is")
SIGNAL = Closed("signal_for_ego", ("none", "red", "yellow", "green", "unknown"), "the next light on the route")

AGENT_CLASSES = ("vehicle", "large_vehicle", "motorcycle", "cyclist", "pedestrian", "static", "unknown")
CLASS = Closed("class", (*AGENT_CLASSES, "lane", "light", "crosswalk", "stop_line"), "what the reference points at")
AGENT_RELATIONS = (
    "lead", "lead_of_lead", "rear", "adjacent_left", "adjacent_right", "cut_in_left", "cut_in_right", "cut_out",
    "merging", "crossing_from_left", "crossing_from_right", "oncoming", "oncoming_in_path", "parked_blocker_left",
    "parked_blocker_right", "parked_in_path", "vru_crossing", "vru_roadside", "vru_along", "occluder", "work_zone",
)  # fmt: skip
LANE_RELATIONS = ("curve", "speed_limit", "lane_end", "route_exit")
RELATION = Closed(
    "relation", (*AGENT_RELATIONS, "signal", "stop_line", "crosswalk", *LANE_RELATIONS), "what it is to the ego"
)
GAP = Bins("gap", (0.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0, 80.0), "m", "free way to it, bumper to bumper")
MOTION = Closed(
    "motion", ("none", "standing", "steady", "accelerating", "braking", "reversing"), "what it does; none for things"
)

VEHICLE_INTENTS = (
    "keep", "accelerate", "brake", "stop", "stay_stopped", "start", "lane_change_left", "lane_change_right",
    "turn_left", "turn_right", "cross", "yield_to_ego", "go_before_ego",
)  # fmt: skip
LIGHT_INTENTS = ("stays_red", "turns_red", "stays_green", "turns_green")
INTENT = Closed("intent", (*VEHICLE_INTENTS, *LIGHT_INTENTS, "static"), "what it is expected to do")
TTC = Bins("ttc", tuple(0.5 * k for k in range(17)), "s", "time to a collision if both go on as now", none=True)
CONFLICT_S = Bins(
    "conflict_s", (0.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0, 80.0), "m", "way to where the paths meet", none=True
)
PROBABILITY = Bins("p", (0.0, 0.2, 0.4, 0.6, 0.8, 0.95), "", "how probable")

LONGITUDINAL = Closed(
    "longitudinal",
    (
        "set_speed", "follow", "adapt_speed", "gap_search", "pass", "yield", "stop", "hold", "proceed",
        "emergency_brake",
    ),
    "what to do along the path",
)  # fmt: skip
FREE = ("set_speed", "proceed")
"""Longitudinal decisions that need no cause."""
LATERAL = Closed(
    "lateral",
    (
        "keep", "nudge_in_lane_left", "nudge_in_lane_right", "nudge_out_of_lane_left", "nudge_out_of_lane_right",
        "lane_change_left", "lane_change_right", "merge", "split", "turn_left", "turn_right", "u_turn", "pull_over",
        "abort",
    ),
    "what to do across it",
)  # fmt: skip
CHANGED = Closed("changed", ("no", "yes"), "whether the decision differs from the last one")
AXIS = Closed("axis", ("longitudinal", "lateral"), "which decision it is about")
ROLE = Closed("role", ("proximate", "joint", "overdetermining", "enabling"), "how it is a cause")
CONSTRAINT = Closed(
    "constraint",
    (
        "headway", "stop_point", "cross_conflict", "merge_gap", "speed_cap", "curve_lat_accel", "lateral_clearance",
        "route_feasibility", "occlusion_speed", "required_decel",
    ),
    "what binds, or would be violated",
)  # fmt: skip
VIOLATES = Closed(
    "violates", (*CONSTRAINT.values, "nothing"), "what a rejected option would violate; nothing: it is worse"
)
SHARE = Bins("share", (0.0, 0.05, 0.25, 0.5, 0.75, 0.95), "", "share of the speed lost over 8 s")
SLACK = Bins("slack", (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0), "m/s2", "acceleration beyond what the tightest allows")
MARGIN = Bins("margin", (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0), "", "by how much, in the constraint's own unit")
CONFIDENCE = Bins("confidence", (0.0, 0.2, 0.4, 0.6, 0.8, 0.95), "", "how sure the decision is")

TARGET_SPEED = Bins("target_speed", _SPEEDS, "m/s", "speed at the plan's end")
STOP_S = Bins(
    "stop_s", (0.0, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0, 80.0), "m",
    "way to where the front bumper comes to rest", none=True,
)  # fmt: skip
T_END = Closed("t_end", tuple(f"{0.5 * k:g}" for k in range(1, 17)), "when a segment ends, s; the last ends at 8")
SEGMENT_LON = Closed(
    "segment_lon",
    ("stop", "strong_decel", "gentle_decel", "maintain", "gentle_accel", "strong_accel", "reverse"),
    "speed during a segment",
)
SEGMENT_LAT = Closed(
    "segment_lat",
    ("keep_lane", "shift_left", "shift_right", "change_left", "change_right", "turn_left", "turn_right"),
    "path during a segment",
)

MOST_ENTITIES, MOST_PREDICTIONS, MOST_CAUSES, MOST_REJECTED, MOST_SEGMENTS = 8, 8, 4, 3, 6
