"""Names that hold: of several that fit what bound, the first whose kinematic rule the scene and the plan bear out.

What a decision rests on is the certificate's word alone; what it is *called* is a convention, and the checker's rules
are where that convention is written down. A name is only ever changed to one that its constraint allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from waytrace.observe import ReferenceKind, Scene
from waytrace.scenario import Plan
from waytrace.trace import Cause, Decision, PlanClaim, SceneSummary, Trace, sets
from waytrace.trace.check import Case
from waytrace.trace.check.constraints import CONSTRAINT_RULES
from waytrace.trace.check.fits import fitting
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
    "headway": ("follow", "stop", "pass"),
    "cross_conflict": ("yield", "stop", "adapt_speed"),
    "merge_gap": ("gap_search", "yield"),
    "stop_point": ("stop", "adapt_speed"),
    "route_feasibility": ("gap_search", "stop"),
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
        """The causes with constraints whose rule holds, where one does.

        Enabling ones that nothing bears out go, and lanes that merely add to a cause: a swerve is no bend of the lane.
        """
        case = self._case(longitudinal, lateral, causes)
        out = []
        for cause in causes:
            found = self._held(case, cause)
            held = next((name for name, value in found.items() if value == "true"), "")
            known = held or found[cause.constraint] == "undetermined"
            spare = cause.role == "enabling" or (cause.role == "joint" and cause.ref.kind == ReferenceKind.LANE)
            if known or not spare:
                out.append(replace(cause, constraint=held or cause.constraint))
        needs = {"longitudinal": longitudinal not in sets.FREE, "lateral": lateral != "keep"}
        for axis, needed in needs.items():  # a decision keeps what it rests on, borne out or not
            carries = [c for c in causes if c.axis == axis and (axis == "lateral" or c.role != "enabling")]
            if needed and not any(c.axis == axis and (axis == "lateral" or c.role != "enabling") for c in out):
                out += carries[:1]
        return out

    def _held(self, case: Case, cause: Cause) -> dict[str, str]:
        """What each constraint that a cause could be called comes to, its own first; up to the first that holds."""
        able = CAUSES[cause.axis, cause.ref.kind]
        found: dict[str, str] = {}
        for name in (cause.constraint, *ALSO.get(cause.constraint, ())):
            if name in able:
                found[name] = CONSTRAINT_RULES[name](case, replace(cause, constraint=name)).value
                if found[name] == "true":
                    break
        return found

    def longitudinal(self, preferred: str, lateral: str, causes: Sequence[Cause]) -> tuple[str, list[Cause]]:
        """The longitudinal decision that holds among those which its first cause allows, and the causes.

        Where none that the cause's own constraint allows holds, the other ones that it can be called are tried.
        """
        at = next((k for k, c in enumerate(causes) if c.axis == "longitudinal" and c.role != "enabling"), -1)
        if preferred in FREELY or at < 0:
            return self._first(dict.fromkeys([preferred, *FREELY]), lateral, causes) or preferred, list(causes)
        first = causes[at]
        able = CAUSES[first.axis, first.ref.kind]
        for constraint in (first.constraint, *ALSO.get(first.constraint, ())):
            if constraint not in able:
                continue
            called = replace(first, constraint=constraint)
            given = [*causes[:at], called, *causes[at + 1 :]]
            if CONSTRAINT_RULES[constraint](self._case(preferred, lateral, given), called).value != "true":
                continue
            names = dict.fromkeys([preferred, *NAMES[constraint]])
            fit = [name for name in names if constraint in (fitting(name) or ())]
            if found := self._first(fit, lateral, given):
                return found, given
        return self._first(FREELY, lateral, causes) or preferred, list(causes)

    def holds(self, longitudinal: str, lateral: str, causes: Sequence[Cause]) -> bool:
        """Whether the rule of a longitudinal decision holds."""
        return LONGITUDINAL_RULES[longitudinal](self._case(longitudinal, lateral, causes)).value == "true"

    def _first(self, names: Iterable[str], lateral: str, causes: Sequence[Cause]) -> str:
        """The first of some decisions whose rule holds; empty for none."""
        rested = len(sets.STOP_S.edges) != self._claim.stop_s_bin
        for name in names:
            if name in ("stop", "hold") and not rested:
                continue
            if LONGITUDINAL_RULES[name](self._case(name, lateral, causes)).value == "true":
                return name
        return ""
