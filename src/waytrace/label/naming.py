"""Names that hold: of several that fit what bound, the first whose kinematic rule the scene and the plan bear out.

What a decision rests on is the certificate's word alone; what it is *called* is a convention, and the checker's rules
are where that convention is written down. A name is only ever changed to one that its constraint allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from waytrace.observe import Scene
from waytrace.scenario import Plan
from waytrace.trace import Cause, Decision, PlanClaim, SceneSummary, Trace, sets
from waytrace.trace.check import Case
from waytrace.trace.check.constraints import CONSTRAINT_RULES
from waytrace.trace.check.longitudinal import LONGITUDINAL_RULES
from waytrace.trace.compatible import CAUSES

ALSO: dict[str, tuple[str, ...]] = {
    "headway": ("merge_gap", "cross_conflict", "lateral_clearance"),
    "cross_conflict": ("headway", "merge_gap", "lateral_clearance"),
    "merge_gap": ("headway", "cross_conflict"),
    "lateral_clearance": ("headway", "cross_conflict"),
    "required_decel": ("headway", "cross_conflict", "merge_gap"),
}
"""What else the certificate's constraint can be called: it names whoever walks in the lane a crossing, and whoever
is about to join it someone ahead."""

NAMES: dict[str, tuple[str, ...]] = {
    "headway": ("follow", "stop", "adapt_speed"),
    "cross_conflict": ("yield", "stop", "adapt_speed"),
    "merge_gap": ("gap_search", "follow", "yield", "adapt_speed"),
    "stop_point": ("stop", "adapt_speed"),
    "route_feasibility": ("gap_search", "stop", "adapt_speed"),
    "required_decel": ("emergency_brake", "yield", "follow", "stop", "adapt_speed"),
    "lateral_clearance": ("pass", "stop", "adapt_speed"),
    "speed_cap": ("adapt_speed",),
    "curve_lat_accel": ("adapt_speed",),
    "occlusion_speed": ("adapt_speed",),
}
"""Longitudinal decisions by the constraint that bound first, in the order in which they are tried."""

FREELY = ("proceed", "set_speed")


class Naming:
    """The checker's rules, asked about one choice."""

    def __init__(self, scene: Scene, plan: Plan, summary: SceneSummary, claim: PlanClaim) -> None:
        self.scene, self.plan, self._summary, self._claim = scene, plan, summary, claim

    def _case(self, longitudinal: str, lateral: str, causes: Iterable[Cause]) -> Case:
        decision = Decision(longitudinal, lateral, "no", tuple(causes), (), 0)
        return Case(Trace(self._summary, (), (), decision, self._claim), self.scene, self.plan)

    def causes(self, causes: Sequence[Cause], longitudinal: str, lateral: str) -> list[Cause]:
        """The causes with constraints whose rule holds, where one does. Enabling ones that nothing bears out go."""
        case = self._case(longitudinal, lateral, causes)
        out = []
        for cause in causes:
            able = CAUSES[cause.axis, cause.ref.kind]
            names = [n for n in (cause.constraint, *ALSO.get(cause.constraint, ())) if n in able]
            found = {}
            for name in names:
                found[name] = CONSTRAINT_RULES[name](case, replace(cause, constraint=name)).value
                if found[name] == "true":
                    break
            held = next((n for n in names if found.get(n) == "true"), "")
            if held or cause.role != "enabling" or found[cause.constraint] == "undetermined":
                out.append(replace(cause, constraint=held or cause.constraint))
        return out

    def longitudinal(self, preferred: str, lateral: str, causes: Sequence[Cause]) -> str:
        """The longitudinal decision that holds among those which the first cause allows."""
        first = next((c for c in causes if c.axis == "longitudinal" and c.role != "enabling"), None)
        names = [preferred]
        if preferred in FREELY:
            names += FREELY
        elif first is not None and preferred not in ("hold", "emergency_brake"):
            names = [preferred, *NAMES[first.constraint], *FREELY]
            if preferred not in NAMES[first.constraint] and preferred != "pass":
                names = [*NAMES[first.constraint], *FREELY]
        rested = len(sets.STOP_S.edges) != self._claim.stop_s_bin
        for name in dict.fromkeys(names):
            if name == "stop" and not rested:
                continue
            case = self._case(name, lateral, causes)
            if LONGITUDINAL_RULES[name](case).value == "true":
                return name
        return names[0]
