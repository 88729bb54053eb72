"""From the certificate's constraints to causes with their roles."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

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
MOST_TOGETHER = 3
"""Constraints that are tried together for a set that overdetermines."""


def causes_of(choice: Choice, decided: Decided, lay: Lay, rejected: Sequence[Rejected]) -> list[Cause]:
    """All causes of a choice, the most telling first; more than a trace holds where there are as many."""
    out = _longitudinal(choice, decided, rejected)
    if decided.lateral != "keep":
        out += _lateral(choice, decided.lateral, lay, rejected)
    elif decided.longitudinal not in sets.FREE:
        out += _barred(choice, rejected, {c.ref for c in out})
    return out


def gain_m(choice: Choice, without: Iterable[Constraint]) -> float:
    """How much farther the ego would get within 6 s without some constraints, to first order, from what all others
    allow along the drive; their answers to its new course are not in it."""
    gone = set(map(id, without))
    columns = np.array([c.allowed_mps2 for c in choice.constraints])
    kept = [k for k, c in enumerate(choice.constraints) if id(c) not in gone]
    want = columns.min(0)
    free = np.minimum(columns[kept].min(0) if kept else np.full(columns.shape[1], math.inf), 2.2)
    times = 0.5 * np.arange(WITHIN_KNOTS)
    more = np.maximum(free - np.minimum(want, 2.2), 0.0)[:WITHIN_KNOTS]
    return float((more * 0.5 * (0.5 * WITHIN_KNOTS - times)).sum())


def _longitudinal(choice: Choice, decided: Decided, rejected: Sequence[Rejected]) -> list[Cause]:
    """Proximate, joint and overdetermining causes of the speed."""
    if decided.longitudinal == "pass":
        return [_passed(choice, rejected)] if choice.about is not None else []
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
        elif c.lost_mps > JOINT_MPS:
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


def _passed(choice: Choice, rejected: Sequence[Rejected]) -> Cause:
    """Who is passed: what would hold the ego back, were it to stay in the middle of its lane."""
    assert choice.about is not None
    keep = next((r for r in rejected if r.sideways == "keep" and r.reference == choice.about and r.violates), None)
    name = keep.violates if keep is not None else "lateral_clearance"
    if name not in CAUSES["longitudinal", choice.about.kind]:
        name = "lateral_clearance"
    return Cause(choice.about, "longitudinal", "proximate", str(name), 0, 0)


def _lateral(choice: Choice, lateral: str, lay: Lay, rejected: Sequence[Rejected]) -> list[Cause]:
    """Why it does not simply keep its lane."""
    found: tuple[Reference, str] | None = None
    keep = next((r for r in rejected if r.axis == "lateral" and r.sideways == "keep"), None)
    if lateral.startswith(("turn", "u_turn")):
        found = Reference(ReferenceKind.LANE, lay.turn[1]), "route_feasibility"
    elif lateral == "abort":
        back = next((r for r in rejected if r.sideways in ("left", "right") and r.violates and r.reference), None)
        if back is not None and back.reference is not None:
            found = back.reference, str(back.violates)
    elif choice.about is not None:
        found = choice.about, "lateral_clearance"
    elif keep is not None and keep.violates and keep.reference is not None:
        found = keep.reference, str(keep.violates)
    if found is None or found[1] not in CAUSES.get(("lateral", found[0].kind), ()):
        # nothing speaks against keeping the lane: what makes the move possible is the lane that it leads to
        return [Cause(Reference(ReferenceKind.LANE, lay.end_lane), "lateral", "enabling", "route_feasibility", 0, 0)]
    return [Cause(found[0], "lateral", "proximate", found[1], 0, 0)]


def _barred(choice: Choice, rejected: Sequence[Rejected], cited: set[Reference]) -> list[Cause]:
    """Enabling: whoever bars the best way out. They bind nothing, but without them another option would be open."""
    for r in rejected:
        if r.axis != "lateral" or r.sideways not in ("left", "right", "pass") or not r.violates or r.reference is None:
            continue
        if r.reference in cited or r.reference.kind != ReferenceKind.AGENT:
            continue
        if r.violates in CAUSES["lateral", r.reference.kind]:
            return [Cause(r.reference, "lateral", "enabling", r.violates, 0, 0)]
    return []
