"""Rejected options, driven forward: does each violate what the trace says it would?

The option is driven as the expert's certificate drives it: along its own path, at the chosen drive's speeds (the free
drive at the limit), over 8 s, against the expert's own forecast of all others. No fork of the simulator is needed, and
what others in truth do later plays no part, as it must not in a claim that is made now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from waytrace.label.decisions import decided, with_reason
from waytrace.label.from_certificate import own_lane
from waytrace.label.lay import lay_out
from waytrace.label.rejections import option_of
from waytrace.label.survey import survey
from waytrace.planners import Rejected
from waytrace.trace import Rejection, Trace, Verdict

from .audit_moment import AuditMoment, judged


def rejected_verdicts(trace: Trace, moment: AuditMoment) -> Iterator[Verdict]:
    """A verdict for every rejected option of a trace: constraint and reference against those that the probe finds."""
    probes = Probes(moment)
    for n, claimed in enumerate(trace.decision.rejected):
        yield _verdict(f"decision.rejected[{n}].violates", claimed, probes)


class Probes:
    """Every option that the expert looked at, by the name that it has in a trace."""

    def __init__(self, moment: AuditMoment) -> None:
        self.of: dict[tuple[str, str], list[Rejected]] = {}
        self.taken: set[tuple[str, str]] = set()
        made, scene = moment.certificate, moment.scene
        if made is None:
            return
        choice = with_reason(made.chosen, made.rejected)
        roads = moment.asker.roads.of(scene.map, scene.route)
        lay = lay_out(roads, scene, choice.plan, own_lane(made), choice.lane)
        goes_on = survey(scene).gives_way_here
        found = decided(choice, lay, emergency=made.emergency, goes_on=goes_on)
        self.taken = {("longitudinal", found.longitudinal), ("lateral", found.lateral)}
        for r in made.rejected:
            self.of.setdefault((r.axis, option_of(r, lay, goes_on=goes_on)), []).append(r)

    def find(self, axis: str, option: str) -> Sequence[Rejected]:
        """The drives that bear this name, those that violate something first."""
        return sorted(self.of.get((axis, option), ()), key=lambda r: r.violates is None)


def _verdict(claim: str, claimed: Rejection, probes: Probes) -> Verdict:
    rule, option = "audit.rejected", claimed.option.replace("_", " ")
    said = f"{option} would violate {claimed.violates}" + (f" at {claimed.ref}" if claimed.ref is not None else "")
    drives = probes.find(claimed.axis, claimed.option)
    if not drives and (claimed.axis, claimed.option) in probes.taken:
        why = f'"{said}" is false: it is what the expert does itself.'
        return judged(claim, rule, "false", why, option=claimed.option)
    if not drives:
        why = f"The expert drives nothing ahead that is a {option} here."
        return judged(claim, rule, "undetermined", why, option=claimed.option)
    borne = next((r for r in drives if _same(claimed, r)), None)
    shown = borne or drives[0]
    found = shown.violates or "nothing"
    what = found + (f" at {shown.reference}" if shown.reference is not None else "")
    when = f" after {shown.at_s:.1f} s, by {shown.margin:.2f} {shown.unit}" if shown.violates else ""
    value = "true" if borne is not None else "false"
    why = f'"{said}" is {value}: driven ahead it violates {what}{when}.'
    evidence: dict[str, float | str] = {"option": claimed.option, "violates": found, "ref": str(shown.reference or "")}
    if shown.violates:
        evidence |= {"at_s": shown.at_s, "margin": shown.margin, "margin_unit": shown.unit}
    slack = shown.margin if shown.violates and borne is not None else 0.0
    return judged(claim, rule, value, why, slack=slack, unit=shown.unit if slack else "", found=evidence)


def _same(claimed: Rejection, found: Rejected) -> bool:
    return (found.violates or "nothing") == claimed.violates and (
        claimed.ref is None or found.reference == claimed.ref
    )  # fmt: skip
