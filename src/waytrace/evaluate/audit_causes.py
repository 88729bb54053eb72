"""Causes by leave-one-out, and what was left out: the labeller's own tests, put to anybody's trace."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np

from waytrace.label.asking import differ
from waytrace.label.decisions import Decided
from waytrace.label.from_certificate import Label
from waytrace.label.verify import Test, tests_of
from waytrace.label.without import testable
from waytrace.observe import Reference, ReferenceKind, Scene
from waytrace.scenario import LightState
from waytrace.trace import Cause, Trace, Verdict, sets
from waytrace.trace.measure import measure
from waytrace.trace.thresholds import T

from .audit_moment import AuditMoment, judged, room_m, there

MOST_AGENTS = 8
"""Uncited agents that are taken away, one at a time, nearest first."""

SINGLE = ("proximate", "joint", "enabling")


def cause_verdicts(trace: Trace, moment: AuditMoment, most_agents: int = MOST_AGENTS) -> Iterator[Verdict]:
    """A verdict for every cited cause, then those about omissions.

    Proximate and joint causes are undone one at a time, overdetermining ones of an axis together: borne out where the
    expert's plan moves by more than the labeller's threshold, and each of a set matters once its others are gone.
    Enabling ones are borne out where an option is no longer turned down on their account, or the plan moves. Routes
    and ends of lanes cannot be undone: undetermined.
    """
    if moment.certificate is None:
        yield judged(
            "decision.causes", "audit.cause", "undetermined", "No road is in reach: the expert has no options."
        )
        return
    d = trace.decision
    able = tuple(c for c in d.causes if there(moment.scene, c.ref))
    label = Label(
        replace(trace, decision=replace(d, causes=able)), moment.plan, Decided(d.longitudinal, d.lateral, None)
    )  # fmt: skip
    tests = tests_of(label, moment.certificate, moment.scene, moment.state, moment.asker)
    single = iter([t for t in tests if t.claim in ("necessary", "enabling")])
    together = {_axis(t, able): t for t in tests if t.claim == "together"}
    for n, cause in enumerate(d.causes):
        claim = f"decision.causes[{n}]"
        if cause not in able:
            why = f"There is no {cause.ref} in the scene, so nothing rests on it."
            yield judged(claim, "audit.cause", "false", why, ref=str(cause.ref))
        elif not testable(cause):
            why = f"{cause.ref} by {cause.constraint} cannot be undone: no edit of a scene takes it away."
            yield judged(claim, "audit.cause", "undetermined", why, ref=str(cause.ref))
        elif cause.role in SINGLE:
            yield _of(next(single), claim, cause)
        elif cause.axis in together:
            yield _member(
                together[cause.axis], claim, cause, [c for c in able if _overdetermines(c, cause.axis)], moment
            )
        else:
            why = "One of the set that it overdetermines with cannot be undone."
            yield judged(claim, "audit.cause", "undetermined", why, ref=str(cause.ref))
    enough = next(t for t in tests if t.claim == "sufficient")
    yield from _omissions(trace, moment, enough, most_agents)


def _axis(test: Test, causes: tuple[Cause, ...]) -> str:
    """The axis of a set that is undone together."""
    return next(
        axis for axis in ("longitudinal", "lateral")
        if tuple(c.ref for c in causes if _overdetermines(c, axis)) == test.refs
    )  # fmt: skip


def _of(test: Test, claim: str, cause: Cause) -> Verdict:
    room = room_m(test.along_m, test.across_m)
    gone = " and ".join(map(str, test.refs))
    move = f"the expert's plan moves by {test.along_m:.2f} m along and {test.across_m:.2f} m across the lane"
    if test.claim == "enabling":
        opened = "an option opens or the plan changes" if test.holds else "no option opens and the plan stays"
        why = f"Without {gone} {opened}: {move}."
        slack = max(room, 0.0) if test.holds else min(room, 0.0)
    else:
        why = f"Without {gone} {move} within 6 s{'' if test.holds else ': it stays'}."
        slack = room
    return judged(
        claim, f"audit.{test.claim}", "true" if test.holds else "false", why, slack=slack, unit="m",
        ref=str(cause.ref), role=cause.role, along_m=test.along_m, across_m=test.across_m,
    )  # fmt: skip


def _overdetermines(cause: Cause, axis: str) -> bool:
    return cause.role == "overdetermining" and cause.axis == axis


def _member(test: Test, claim: str, cause: Cause, members: list[Cause], moment: AuditMoment) -> Verdict:
    """One of a set: the set has to move the plan, and with the others gone this one has to matter still."""
    whole = _of(test, claim, cause)
    if not test.holds:
        return whole
    others = [c for c in members if c is not cause]
    apart = moment.apart_m(moment.plan_undone(members), moment.plan_undone(others))
    if differ(*apart):
        return whole
    why = f"With the others of its set gone the expert's plan is the same with {cause.ref} and without it."
    return judged(
        claim, whole.rule, "false", why, slack=room_m(*apart), unit="m", ref=str(cause.ref), role=cause.role,
        along_m=apart[0], across_m=apart[1],
    )  # fmt: skip


def _omissions(trace: Trace, moment: AuditMoment, enough: Test, most_agents: int) -> Iterator[Verdict]:
    """One false verdict for each uncited thing without which, alone, the plan moves; else one that says there is none.

    Who is overdetermined, so that the plan stays without them alone, is no omission. Where no single one moves the
    plan and all that is uncited together does, it cannot be told who should have been cited: undetermined.
    """
    claim, rule = "decision.causes", "audit.omission"
    asked = uncited(moment.scene, {c.ref for c in trace.decision.causes}, most_agents)
    full = len(trace.decision.causes) >= sets.MOST_CAUSES
    named = {r.ref for r in trace.decision.rejected}
    found, most = False, 0.0
    for ref in asked:
        along, across = moment.moved_m([ref])
        most = max(most, along)
        if not differ(along, across):
            continue
        found = True
        why = f"Without {ref}, which is not cited, the expert's plan moves by {along:.2f} m along and {across:.2f} m"
        why += " across; the trace cites as many causes as it can hold." if full else " across."
        if ref in named:
            why += " It is named among what rejected options violate."
        yield judged(
            claim, rule, "undetermined" if full else "false", why, slack=0.0 if full else -room_m(along, across),
            unit="m", ref=str(ref), along_m=along, across_m=across,
        )  # fmt: skip
    if found:
        return
    if not enough.holds:
        why = (
            "No single uncited thing moves the expert's plan, but with all of them gone it moves by "
            f"{enough.along_m:.2f} m along and {enough.across_m:.2f} m across: they overdetermine it."
        )
        yield judged(
            claim, rule, "undetermined", why, asked=len(asked), along_m=enough.along_m, across_m=enough.across_m
        )  # fmt: skip
        return
    why = f"Of {len(asked)} uncited things none moves the expert's plan when it is taken away."
    yield judged(claim, rule, "true", why, asked=len(asked), most_along_m=most)


def uncited(scene: Scene, cited: Collection[Reference], most_agents: int = MOST_AGENTS) -> list[Reference]:
    """What is not among ``cited``: the nearest agents, lights ahead on the path that are not green, lines to stop at.

    A line that belongs to a light goes with it, and one is cited where the lane that it guards is.
    """
    away = np.hypot(*(scene.agents.pose[:, :2] - scene.ego.pose[:2]).T)
    agents = [Reference(ReferenceKind.AGENT, int(scene.agents.index[i])) for i in np.argsort(away, kind="stable")]
    measured = measure(scene)
    lights = [
        Reference(ReferenceKind.LIGHT, k) for k, line in measured.lights.items()
        if line.state != LightState.GREEN and -T.entered_m < line.entry_m <= T.reference_range_m
    ]  # fmt: skip
    lanes = {ref.index for ref in cited if ref.kind == ReferenceKind.LANE}
    lit = {int(lane) for lane in scene.light_lane}
    lines = []
    for lane, line in measured.stop_lines.items():
        guards = {lane, *(int(v) for v in scene.map.successors(lane))}
        if line.way_m <= T.reference_range_m and line.entry_m > -T.entered_m and not guards & (lanes | lit):
            lines.append(Reference(ReferenceKind.STOP_LINE, lane))
    near = [ref for ref in agents if ref not in cited][:most_agents]
    return [*near, *(ref for ref in [*lights, *lines] if ref not in cited)]
