"""Which rule judges what, in words: one for every value that a claim about the present can hold."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from .. import measure, sets
from .constraints import CONSTRAINT_RULES
from .fits import FITS
from .lateral import LATERAL_RULES
from .longitudinal import LONGITUDINAL_RULES

SUMMARY = {
    "route_intent": "the next thing that the route asks for within reach: turns of junctions' lanes, the change off a "
    "lane that leaves the route, a lane that joins, the route's end; two within 5 m are both next",
    "ego_motion": "as motions of others, of the ego",
    "ego_speed_bin": "the bin of the ego's speed",
    "limit_bin": "the bin of the limit of the lane that the ego follows",
    "zone": "on a junction's lane; else which of junction and crosswalk comes first, if one does within reach",
    "signal_for_ego": "what the next light on the path shows that is not passed",
}

MOTION = {
    "none": "nothing is said of the motion of what is no agent",
    "standing": "its speed is next to nothing",
    "steady": "it drives, and its speed hardly changes over half a second",
    "accelerating": "it drives, and gets faster",
    "braking": "it drives, and gets slower",
    "reversing": "it drives backwards",
}

SEGMENT_LON = {
    "stop": "it stands at the middle of the segment",
    "reverse": "it drives backwards",
    "maintain": "the mean acceleration is next to nothing",
    "gentle_accel": "the mean acceleration is gentle",
    "strong_accel": "the mean acceleration is strong",
    "gentle_decel": "the mean deceleration is gentle",
    "strong_decel": "the mean deceleration is strong",
}

_SHIFT = "it moves to that side, at least 0.1 m across the lane, and the plan changes no lanes"
_CHANGE = "it moves to that side, and the plan changes lanes to it or has just come over"
_TURN = "a junction's lane that turns to that side is reached by then, and the heading turns (or it hardly moves)"
SEGMENT_LAT = {
    "keep_lane": "it moves across the lane by no more than lane keeping does",
    "shift_left": _SHIFT, "shift_right": _SHIFT, "change_left": _CHANGE, "change_right": _CHANGE,
    "turn_left": _TURN, "turn_right": _TURN,
}  # fmt: skip

OTHER = {
    "reference": "what is pointed at exists, is known at t0 (an agent: seen within 3 s) and within reach",
    "class": "it is of that class",
    "gap": "the bin of the free way to it along the path, bumper to bumper",
    "changed": "longitudinal or lateral decision differ from the last ones, at most half a second ago; at a drive's "
    "begin nothing is new",
    "omission": "a decision that is not free has a cause that is enough, a free one none; where the plan slows down, "
    "whoever calls for most braking (lights, the lead in the planned way, those whose way crosses first) is cited, or "
    "something that calls for 70 % as much",
    "target_speed": "the bin of the plan's speed at its end",
    "stop_s": "the bin of the way to where the plan comes to rest; none where it does not",
    "target_lane": "the plan drives on that lane, after a change of lanes on the new one; nothing: it changes none",
}


def _said(rules: Mapping[str, Callable[..., Any]]) -> dict[str, str]:
    """The first sentence of each rule's docstring, with no full stop."""
    return {name: (inspect.getdoc(rule) or "").split("\n\n")[0].rstrip(".") for name, rule in rules.items()}


GROUPS: dict[str, dict[str, str]] = {
    "relation": _said(measure.RULES), "motion": MOTION, "longitudinal": _said(LONGITUDINAL_RULES),
    "lateral": _said(LATERAL_RULES), "constraint": _said(CONSTRAINT_RULES), "segment_lon": SEGMENT_LON,
    "segment_lat": SEGMENT_LAT, "summary": SUMMARY,
}  # fmt: skip

RULES: dict[str, str] = {
    **{f"{group}.{name}": text for group, rules in GROUPS.items() for name, text in rules.items()}, **OTHER
}  # fmt: skip
"""Every rule by its name, and when it holds."""

CLOSED = {
    "relation": sets.RELATION, "motion": sets.MOTION, "longitudinal": sets.LONGITUDINAL, "lateral": sets.LATERAL,
    "constraint": sets.CONSTRAINT, "segment_lon": sets.SEGMENT_LON, "segment_lat": sets.SEGMENT_LAT,
}  # fmt: skip
"""Sets of which every value has a rule of its own."""


def rule_of(slot: str, value: str) -> str:
    """The rule that judges a value of a slot; empty where there is none."""
    name = f"{slot}.{value}"
    return name if name in RULES else ""


def markdown() -> str:
    """The rules, the table of constraints that fit decisions, and the thresholds, for the documentation."""
    from ..thresholds import rows

    parts = []
    for group, rules in {**GROUPS, "all else": OTHER}.items():
        parts += [f"#### {group}\n", "| value | holds if |", "| --- | --- |"]
        parts += [f"| `{name}` | {text.replace('|', '/')} |" for name, text in rules.items()]
        parts.append("")
    parts += ["#### constraints that fit a decision\n", "| decision | its proximate or overdetermining causes |"]
    parts += ["| --- | --- |", *(f"| `{name}` | {', '.join(fits)} |" for name, fits in FITS.items()), ""]
    parts += ["#### thresholds\n", "| threshold | value | why |", "| --- | ---: | --- |"]
    parts += [f"| `{name}` | {value:g} | {why} |" for name, value, why in rows()]
    return "\n".join(parts) + "\n"
