"""From the certificate's constraints to causes with their roles."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from waytrace.observe import Reference, ReferenceKind
from waytrace.planners import Choice, Constraint, Rejected
from waytrace.trace import Cause, sets
from waytrace.trace.compatible import CAUSES

from .decisions import Decided, costly
from .lay import Lay

JOINT_MPS = 0.5
"""Mean speed over 8 s that a further cause has to cost."""

MOVED_M = 1.0
"""A removal that lets the ego get less than this farther within 6 s does not change the plan."""

WITHIN_KNOTS = 12
PREFERENCE = 0.08
"""An option that is worse by no more than this may be so for the expert's liking of its lane alone."""

WAITING = ("yield", "hold", "stop")
MOST_LATER = 2

UNDER_WAY_M = 0.5
"""Whoever is this far over already changes lanes because it has begun to."""

MOST_TOGETHER = 3
"""Constraints that are tried together for a set that overdetermines."""


def causes_of(
    choice: Choice, decided: Decided, lay: Lay, rejected: Sequence[Rejected], group: Sequence[Reference] = (),
    slower: Reference | None = None, beside: Mapping[str, Reference] = MappingProxyType({}),
    later: Sequence[Reference] = (),
) -> list[Cause]:  # fmt: skip
    """All causes of a choice, the most telling first; more than a trace holds where there are as many.

    ``group`` are those who are passed in one go, where it passes someone; ``slower`` is whoever drives ahead in the
    own lane, slower than the plan means to get; ``beside`` holds, by side, who drives slowly in the lane there;
    ``later`` are those who come into the ego's way after the one it waits for.
    """
    out = _longitudinal(choice, decided, rejected, group)
    if decided.longitudinal in WAITING and decided.first is not None and decided.first.name == "cross_conflict":
        first, *rest = out
        adds = [c for c in rest if _streams(c)]
        named = {c.ref for c in out}
        out = [first, *(c for c in rest if not _streams(c)), *_stream(adds, [ref for ref in later if ref not in named])]
    if decided.lateral != "keep":
        out += _lateral(choice, decided.lateral, lay, rejected, group, slower)
    if decided.longitudinal not in sets.FREE:
        stays = decided.lateral == "keep" or decided.lateral.startswith("turn")
        slow = sum(c.lost_mps for c in choice.constraints) > JOINT_MPS
        out += _barred(rejected, {c.ref for c in out}, beside if slow else {}, sideways=stays)
    return out


def gain_m(choice: Choice, without: Iterable[Constraint]) -> float:
    """How much farther the ego would get within 6 s without some constraints, to first order, from what all others
    allow along the drive; their answers to its new course are not in it.
    """
    gone = set(map(id, without))
    columns = np.array([c.allowed_mps2 for c in choice.constraints])
    kept = [k for k, c in enumerate(choice.constraints) if id(c) not in gone]
    want = columns.min(0)
    free = np.minimum(columns[kept].min(0) if kept else np.full(columns.shape[1], math.inf), 2.2)
    times = 0.5 * np.arange(WITHIN_KNOTS)
    more = np.maximum(free - np.minimum(want, 2.2), 0.0)[:WITHIN_KNOTS]
    return float((more * 0.5 * (0.5 * WITHIN_KNOTS - times)).sum())


def _longitudinal(
    choice: Choice, decided: Decided, rejected: Sequence[Rejected], group: Sequence[Reference]
) -> list[Cause]:
    """Proximate, joint and overdetermining causes of the speed."""
    if decided.longitudinal == "pass":
        return _passed(choice, group, rejected) if choice.about is not None else []
    binding = costly(choice)
    if not binding:
        return []
    total = max(sum(c.lost_mps for c in binding), 1e-9)
    together = overdetermining(choice, binding)
    out = []
    for k, c in enumerate(binding):
        if c in together:
            role = "overdetermining"
        elif k == 0:
            role = "proximate"
        elif c.lost_mps > JOINT_MPS and gain_m(choice, [c]) >= MOVED_M:
            role = "joint"
        else:
            continue
        out.append(_cause(c, role, c.lost_mps / total))
    return out


def overdetermining(choice: Choice, binding: Sequence[Constraint]) -> list[Constraint]:
    """The smallest set of constraints that has to go as a whole for the plan to change; empty where one suffices.

    Whoever would bind in another's place counts too, whether or not it binds now.
    """
    first = binding[0]
    if gain_m(choice, [first]) >= MOVED_M:
        return []
    able = [
        c for c in choice.constraints
        if c is not first and c.name != "speed_cap" and np.isfinite(c.allowed_mps2).any()
        and c.name in CAUSES.get(("longitudinal", c.reference.kind), ())
    ]  # fmt: skip
    for size in range(1, MOST_TOGETHER):
        sets_ = [(first, *others) for others in itertools.combinations(able[:6], size)]
        if not sets_:
            break
        best = max(sets_, key=lambda members: gain_m(choice, members))
        if gain_m(choice, best) >= MOVED_M:
            return list(best)
    return []


def _cause(c: Constraint, role: str, share: float) -> Cause:
    return Cause(
        c.reference, "longitudinal", role, c.name, sets.SHARE.number(min(share, 1.0)), sets.SLACK.number(c.slack_mps2)
    )


def _passed(choice: Choice, group: Sequence[Reference], rejected: Sequence[Rejected]) -> list[Cause]:
    """Who is passed: what would hold the ego back, were it to stay in the middle of its lane."""
    assert choice.about is not None
    keep = next((r for r in rejected if r.sideways == "keep" and r.reference == choice.about and r.violates), None)
    name = str(keep.violates) if keep is not None else "lateral_clearance"
    out = []
    for ref in group:
        able = CAUSES["longitudinal", ref.kind]
        out.append(Cause(ref, "longitudinal", _role(group), name if name in able else "lateral_clearance", 0, 0))
    return out


def _role(group: Sequence[Reference]) -> str:
    return "proximate" if len(group) == 1 else "overdetermining"


def _lateral(
    choice: Choice, lateral: str, lay: Lay, rejected: Sequence[Rejected], group: Sequence[Reference],
    slower: Reference | None,
) -> list[Cause]:  # fmt: skip
    """Why it does not simply keep its lane."""
    keep = next((r for r in rejected if r.axis == "lateral" and r.sideways == "keep"), None)
    moves_over = lateral.startswith(("lane_change", "merge", "split"))
    if lateral.startswith(("turn", "u_turn")):
        return [_route(lay.turn[1])]
    against = _violated(keep)
    if moves_over and not against and slower is not None:
        against = [Cause(slower, "lateral", "proximate", "headway", 0, 0)]
    if lateral == "merge" or (moves_over and lay.must_leave_m < lay.room_sought_m):
        return [_route(lay.last_own_lane), *_enabling(against)]
    if moves_over and abs(float(lay.own.d_m[0])) >= UNDER_WAY_M:
        return [_route(lay.end_lane, "enabling"), *_enabling(against)]
    if lateral == "abort":
        back = next((r for r in rejected if r.sideways in ("left", "right") and r.violates), None)
        return _violated(back) or [_route(lay.end_lane, "enabling")]
    if choice.about is not None and choice.sideways == "pass":
        return [Cause(ref, "lateral", _role(group), "lateral_clearance", 0, 0) for ref in group]
    # where nothing speaks against keeping the lane, what makes the move possible is the lane that it leads to
    return against or [_route(lay.end_lane, "enabling")]


def _enabling(causes: Sequence[Cause]) -> list[Cause]:
    """The same in the role of what would leave another option open."""
    return [replace(c, role="enabling") for c in causes]


def _route(lane: int, role: str = "proximate") -> Cause:
    return Cause(Reference(ReferenceKind.LANE, lane), "lateral", role, "route_feasibility", 0, 0)


def _violated(r: Rejected | None) -> list[Cause]:
    """What a rejected option violates as the cause of doing otherwise; nothing where it violates nothing."""
    if r is None or r.reference is None or r.violates not in CAUSES.get(("lateral", r.reference.kind), ()):
        return []
    return [Cause(r.reference, "lateral", "proximate", str(r.violates), 0, 0)]


def _streams(c: Cause) -> bool:
    return c.role == "joint" and c.constraint == "cross_conflict" and c.ref.kind == ReferenceKind.AGENT


def _stream(adds: Sequence[Cause], later: Sequence[Reference]) -> list[Cause]:
    """Those who keep the ego waiting after the first: one adds to the wait, of several any does."""
    found = [*adds, *(Cause(ref, "longitudinal", "joint", "cross_conflict", 0, 0) for ref in later)][:MOST_LATER]
    return found if len(found) < MOST_LATER else [replace(c, role="overdetermining") for c in found]


def _barred(
    rejected: Sequence[Rejected], cited: set[Reference], beside: Mapping[str, Reference], *, sideways: bool
) -> list[Cause]:
    """Enabling: whoever bars another option. They bind nothing, but without them it would be open.

    Ways out to the side first (where ``sideways``), then other ways to go about the speed. A lane that is merely no
    better is so for whoever drives slowly there.
    """
    out: dict[Reference, Cause] = {}
    for r in sorted(rejected, key=lambda r: r.axis == "longitudinal"):
        if r.axis == "lateral" and not (sideways and r.sideways in ("left", "right", "pass")):
            continue
        if not r.violates and r.margin > PREFERENCE and r.sideways in beside and beside[r.sideways] not in cited:
            out.setdefault(beside[r.sideways], Cause(beside[r.sideways], "lateral", "enabling", "headway", 0, 0))
        if not r.violates or r.reference is None or r.reference.kind != ReferenceKind.AGENT:
            continue
        if r.reference not in cited and r.reference not in out and r.violates in CAUSES[r.axis, r.reference.kind]:
            out[r.reference] = Cause(r.reference, r.axis, "enabling", r.violates, 0, 0)
    return list(out.values())
