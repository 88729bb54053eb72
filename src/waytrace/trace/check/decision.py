"""Claims of the fourth stage: the decisions, their causes, and what should have been cited."""

from __future__ import annotations

import math
from collections.abc import Iterator

from waytrace.observe import Reference, ReferenceKind

from ..causes import SUFFICIENT
from ..compatible import CAUSES
from ..finding import Finding, Margin, all_of, any_of, fact
from ..sets import FREE
from ..thresholds import T
from ..types import Cause
from ..verdicts import Verdict, not_judged, undetermined
from .case import Case
from .constraints import CONSTRAINT_RULES, bars_a_lane_beside
from .demand import demand_mps2
from .entities import exists
from .fits import fitting
from .lateral import LATERAL_RULES
from .longitudinal import LONGITUDINAL_RULES
from .nearest import nearest
from .ways import in_planned_way

NO_PLAN = "There is no plan to judge it against."


def decision_verdicts(case: Case) -> Iterator[Verdict]:
    """Verdicts of the decision stage."""
    d = case.trace.decision
    for axis, value, rules in (
        ("longitudinal", d.longitudinal, LONGITUDINAL_RULES), ("lateral", d.lateral, LATERAL_RULES),
    ):  # fmt: skip
        claim, rule = f"decision.{axis}", f"{axis}.{value}"
        if value not in rules:
            yield undetermined(claim, "", f"There is no rule for {value}.")
        elif case.plan is None:
            yield undetermined(claim, rule, NO_PLAN)
        else:
            yield Verdict.of(claim, rule, rules[value](case), f"the ego's decision is to {value.replace('_', ' ')}")
    yield _changed(case)
    for n, cause in enumerate(d.causes):
        yield from _cause(case, cause, f"decision.causes[{n}]")
    yield _cited(case)
    for n, option in enumerate(d.rejected):
        at = f"decision.rejected[{n}]"
        if option.ref is not None:
            yield Verdict.of(f"{at}.ref", "reference", exists(case, option.ref), f"{option.ref} is there")
        yield not_judged(f"{at}.violates", "interventional", "audit", "What an option would violate is for the audit.")
    yield not_judged("decision.confidence_bin", "forecast", "calibration", "Confidence is judged by calibration.")


def _changed(case: Case) -> Verdict:
    claim, d = "decision.changed", case.trace.decision
    if case.previous is None and case.scene.tick == 0:
        first = fact("nothing came before: the drive begins", d.changed == "no")
        return Verdict.of(claim, "changed", all_of([first]), _new(d.changed))
    if case.previous is None:
        return undetermined(claim, "changed", "The trace before it is not at hand.")
    before = case.previous.decision
    differs = (before.longitudinal, before.lateral) != (d.longitudinal, d.lateral)
    was = fact(f"before it was {before.longitudinal}, {before.lateral}", differs == (d.changed == "yes"))
    return Verdict.of(claim, "changed", all_of([was]), _new(d.changed))


def _new(changed: str) -> str:
    return "the decision is new" if changed == "yes" else "the decision is the last one's"


def _cause(case: Case, c: Cause, at: str) -> Iterator[Verdict]:
    there = exists(case, c.ref)
    yield Verdict.of(f"{at}.ref", "reference", there, f"{c.ref} is there")
    said = f"{c.ref} is a cause by {c.constraint.replace('_', ' ')}"
    found = there if there.value == "false" else CONSTRAINT_RULES[c.constraint](case, c)
    if found.value != "true" and c.role == "enabling" and c.axis == "lateral" and there.value != "false":
        found = any_of([found, bars_a_lane_beside(case, c)])
    before = nearest(case, c, case.measured.row(c.ref))
    if before is not None and before.room < -before.band and found.value != "false":
        found = all_of([before], **found.evidence)
    fits = _fits(case, c)
    if fits.value == "false" and found.value != "false":
        found = fits
    yield Verdict.of(f"{at}.constraint", f"constraint.{c.constraint}", found, said)
    for slot in ("role", "share_bin", "slack_bin"):
        yield not_judged(f"{at}.{slot}", "interventional", "audit", "How much a cause weighs is for the audit.")


def _fits(case: Case, c: Cause) -> Finding:
    """Whether the constraint can be what its role says of this decision, and comes from such a thing at all."""
    d = case.trace.decision
    able = c.constraint in CAUSES.get((c.axis, c.ref.kind), ())
    margins = [fact(f"a {c.ref.kind.name.lower()} can be such a cause", able)]
    decision = d.longitudinal if c.axis == "longitudinal" else d.lateral
    fits = fitting(decision)
    if fits is not None and c.role in SUFFICIENT:
        own = [x for x in d.causes if x.axis == c.axis and x.role in SUFFICIENT]
        good = c.constraint in fits or (c.role == "overdetermining" and any(x.constraint in fits for x in own))
        margins.append(fact(f"it can make the ego {decision.replace('_', ' ')}", good))
    return all_of(margins)


def _cited(case: Case) -> Verdict:
    """Whether the causes make the decision, and whoever calls for most braking is among them."""
    claim, rule = "decision.causes", "omission"
    said = "the causes make the decision, and nobody is left out"
    coherent = all_of([_enough(case, "longitudinal"), _enough(case, "lateral")])
    if coherent.value == "false":
        return Verdict.of(claim, rule, coherent, said)
    if case.plan is None:
        return undetermined(claim, rule, NO_PLAN)
    return Verdict.of(claim, rule, _nobody_left_out(case), said)


def _enough(case: Case, axis: str) -> Margin:
    """A decision that needs a cause has one that is enough, and one that needs none is not said to be forced."""
    d = case.trace.decision
    roles = [c.role for c in d.causes if c.axis == axis]
    forced = any(role in SUFFICIENT for role in roles)
    if axis == "longitudinal":
        if d.longitudinal in FREE:
            return fact(f"{d.longitudinal.replace('_', ' ')} is not forced by a cause", not forced)
        return fact(f"{d.longitudinal.replace('_', ' ')} has a cause that is enough", forced)
    if d.lateral == "keep":
        return fact("keeping the lane is not forced by a cause", not forced)
    return fact(f"{d.lateral.replace('_', ' ')} has a lateral cause", bool(roles))


def _nobody_left_out(case: Case) -> Finding:
    """Whoever calls for most braking is cited, where the plan slows down or the decision is not free."""
    p, d = case.planned, case.trace.decision
    slows = p.drop_mps >= T.drop_mps or float(p.speed.max()) < T.stop_unsure_mps
    if not slows and d.longitudinal in FREE:
        return all_of([fact("the plan does not slow down", True)])
    wanted = _demands(case)
    if not wanted:
        return all_of([fact("nobody calls for braking", True)])
    cited = {c.ref for c in d.causes}
    most = max(wanted, key=lambda ref: wanted[ref])
    explained = max((wanted.get(ref, 0.0) for ref in cited), default=0.0)
    need = wanted[most]
    if most in cited:
        room = Margin(f"{most} calls for most and is cited", need, "m/s2")
    else:
        short = explained - T.forced_share * need if need >= T.forced_mps2 else T.forced_mps2 - need
        room = Margin(f"{most} calls for more braking than anything cited", short, "m/s2", 0.05)
    return all_of([room], strongest=str(most), needs_mps2=need, cited_mps2=explained)


def _demands(case: Case) -> dict[Reference, float]:
    """Braking that each thing in the way planned calls for: lights, the nearest lead, those whose way crosses."""
    m = case.measured
    found = {Reference(ReferenceKind.LIGHT, k): 0.0 for k in m.lights}
    for row in m.leads[:1]:
        if in_planned_way(case, row).value == "true":
            found[Reference(ReferenceKind.AGENT, int(m.others.index[row]))] = 0.0
    for row, conflicts in m.conflicts.items():
        ahead = [
            c
            for c in conflicts
            if not c.merges and 0.0 < c.arrives_s <= c.ego_s + T.after_s and c.s0 > 2.0 * T.standstill_m
        ]
        if ahead and case.planned.at_way(ahead[0].s0) > ahead[0].arrives_s:
            found[Reference(ReferenceKind.AGENT, int(m.others.index[row]))] = 0.0
    found |= {c.ref: 0.0 for c in case.trace.decision.causes}
    found = {ref: demand_mps2(m, ref) for ref in found if not m.scene.truncated(ref)}
    return {ref: need for ref, need in found.items() if need > 0.0 and math.isfinite(need)}
