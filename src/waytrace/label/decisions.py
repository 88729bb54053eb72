"""From what the expert chose to the trace's two decisions: the table of ``docs/labels.md``, executable."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from waytrace.observe import ReferenceKind
from waytrace.planners import Choice, Constraint, Rejected
from waytrace.trace.compatible import CAUSES
from waytrace.trace.thresholds import T

from .lay import U_TURN_RAD, Lay

STANDING_MPS = 0.3
HELD_M = 0.5
"""Who stands and plans to move less than this holds."""

HARD_MPS2 = 4.05
"""Braking beyond the comfort term's bound."""

FREE_MPS = 1.0 / 6.0
"""A drive that loses less than this against a free one, mean over 8 s, is itself free: within 6 s a metre or so."""

GENTLE_MPS2 = 0.1
NUDGE_M = 0.3
ASIDE_M = 0.5


@dataclass(frozen=True)
class Decided:
    """The two decisions, and the constraint that the longitudinal one is named after."""

    longitudinal: str
    lateral: str
    first: Constraint | None
    """What bound first among what costs speed; None for a free drive."""


def decided(choice: Choice, lay: Lay, *, emergency: bool, goes_on: bool, before: str = "") -> Decided:
    """The decisions of a choice.

    ``goes_on`` says that the way leads through a place where one could have had to give way (so that a free drive is
    ``proceed``); ``before`` is the lateral decision before this one, which tells an aborted lane change.
    """
    lateral = sideways(choice, lay, before)
    first = first_bound(choice)
    return Decided(_lengthwise(choice, lay, first, lateral, emergency, goes_on), lateral, first)


def with_reason(choice: Choice, rejected: Sequence[Rejected]) -> Choice:
    """A choice that slows down although none of its constraints costs speed, with what the free drive would run into.

    A hard brake heeds nobody on its way: the certificate says for whom it is only by what it rejects.
    """
    slows = float(choice.plan.start[3] - choice.plan.waypoints[:, 3].min()) >= T.drop_mps
    if not slows or costly(choice):
        return choice
    for r in rejected:
        same = (r.sideways, r.lane, r.offset_m) == (choice.sideways, choice.lane, choice.offset_m)
        if r.lengthwise != "proceed" or not same or r.violates is None or r.reference is None:
            continue
        accel = choice.plan.accel_mps2
        lost = float(np.maximum(choice.plan.start[3] - choice.plan.waypoints[:, 3], 0.0).mean())
        found = Constraint(
            r.violates, r.reference, float(accel[0]), 0.0, 0.0, max(lost, FREE_MPS), np.append(accel[:1], accel),
            r.truncated,
        )  # fmt: skip
        return replace(choice, constraints=(found, *choice.constraints))
    return choice


def costly(choice: Choice) -> list[Constraint]:
    """The constraints that cost speed, the earliest first; none where all of it is next to nothing.

    A speed limit counts where it makes the ego slow down.
    """
    able = [c for c in choice.constraints if c.name in CAUSES.get(("longitudinal", c.reference.kind), ())]
    found = [c for c in able if c.lost_mps > 0.0 and c.name != "speed_cap"]
    total = sum(c.lost_mps for c in found)
    kept = [c for c in found if c.lost_mps >= 0.05 * total] if total >= FREE_MPS else []
    kept += [
        c for c in able
        if c.name == "speed_cap" and c.binds_at_s < math.inf and _slows(choice, c)
    ]  # fmt: skip
    return sorted(kept, key=lambda c: (c.binds_at_s, -c.lost_mps))


def first_bound(choice: Choice) -> Constraint | None:
    """What bound first among what costs speed; None for a free drive."""
    return next(iter(costly(choice)), None)


def _slows(choice: Choice, cap: Constraint) -> bool:
    """Whether a limit takes at least 1 m/s off the present speed while it binds."""
    slower = cap.allowed_mps2 < -GENTLE_MPS2
    return bool(slower[:5].any()) and float(choice.plan.start[3] - choice.plan.waypoints[:, 3].min()) >= 1.0


def _lengthwise(
    choice: Choice, lay: Lay, first: Constraint | None, lateral: str, emergency: bool, goes_on: bool
) -> str:  # fmt: skip
    plan = choice.plan
    speed, last = float(plan.start[3]), float(plan.waypoints[-1, 3])
    moved = float(np.hypot(*(plan.waypoints[-1, :2] - plan.start[:2])))
    if first is None:
        if choice.sideways == "pass" and lateral.startswith("nudge") and choice.about is not None:
            return "pass"
        return "proceed" if goes_on or speed < STANDING_MPS else "set_speed"
    if speed < STANDING_MPS and moved < HELD_M:
        return "hold"
    hardest = -float(plan.accel_mps2[:4].min())
    if hardest > HARD_MPS2 and (emergency or choice.lengthwise == "brake" or first.name == "required_decel"):
        return "emergency_brake"
    agent = first.reference.kind == ReferenceKind.AGENT
    if agent and first.name == "cross_conflict":
        return "yield"
    if last < STANDING_MPS and first.name in ("stop_point", "headway", "required_decel", "lateral_clearance"):
        return "stop"
    if first.name == "merge_gap" or first.name == "route_feasibility":
        return "gap_search"
    if first.name == "headway":
        return "follow"
    return "stop" if last < STANDING_MPS else "adapt_speed"


def sideways(choice: Choice, lay: Lay, before: str = "") -> str:
    """The lateral decision of a choice."""
    if choice.sideways in ("left", "right") and lay.changes_lane:
        return _change(choice, lay)
    beside = lay.beside_m
    side = "left" if beside > 0.0 else "right"
    if choice.sideways in ("offset", "pass") and abs(beside) >= NUDGE_M and beside * choice.offset_m > 0.0:
        return f"nudge_{'out_of' if lay.crosses_line else 'in'}_lane_{side}"
    if before.startswith("lane_change") and choice.sideways == "keep" and abs(float(lay.own.d_m[0])) >= ASIDE_M:
        away = "left" if lay.own.d_m[0] > 0.0 else "right"
        if before.endswith(away):  # it had begun to move over, and comes back
            return "abort"
    bend, _ = lay.turn
    if bend:
        way = "left" if bend > 0.0 else "right"
        return "u_turn" if abs(bend) >= U_TURN_RAD else f"turn_{way}"
    return "keep"


def _change(choice: Choice, lay: Lay) -> str:
    """A lane change; ``merge`` where the own lane has no way on, ``split`` where the new one alone is the route's."""
    index = lay.roads.index
    own = lay.own.lanes[0]
    entry, last = lay.roads.entry(own), lay.last_own_lane
    if math.isfinite(lay.must_leave_m) and not int(index.succ_lo[last + 1] - index.succ_lo[last]):
        return "merge"
    if entry < 0 or math.isfinite(float(lay.roads.run_m[entry])):
        leaves = [int(v) for v in lay.target.lane if lay.roads.entry(int(v)) >= 0]
        if leaves and not bool(index.lane_junction[leaves[-1]]) and _forks(lay):
            return "split"
    return f"lane_change_{choice.sideways}"


def _forks(lay: Lay) -> bool:
    """Whether the way leads from a road that goes on elsewhere onto a branch within the plan, outside intersections."""
    index = lay.roads.index
    for lane, after in zip(lay.target.lane[:-1], lay.target.lane[1:], strict=True):
        if lane == after:
            continue
        ways = [int(index.succ[q]) for q in range(index.succ_lo[lane], index.succ_lo[lane + 1])]
        if len(ways) > 1 and not any(index.lane_junction[w] for w in ways):
            return True
    return False
