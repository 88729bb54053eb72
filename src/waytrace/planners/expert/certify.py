"""Writing the certificate of a decision from what it has looked at."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import Reference, ReferenceKind

from ..motion import make_plan
from .certificate import Certificate, Choice, Considered, Rejected
from .decide import Seen, fitted, judged
from .evidence import caps_of, constraints, free_drive
from .reasons import Reason, first_reason
from .rollout import SPEED, S, single, trace_out

Array = NDArray[np.float64]

APART_M = 1.0
APART_KNOTS = 12
"""A runner-up leads at least so far elsewhere within so many knots."""

STANDING_MPS = 0.3
LOST_MPS = 0.1
"""A drive that loses less than this against a free one is itself a free one."""

RUNNERS_UP = 8
"""How many candidates are fitted in search of a runner-up."""


def certify(seen: Seen) -> Certificate:
    """The evidence of one decision."""
    chosen = choice_of(seen, seen.best, seen.accel_mps2, seen.curvature_1pm)
    return Certificate(
        seen.moment.t_s, chosen, _runner_up(seen, chosen), (*_lengthwise(seen), *_sideways(seen)), _considered(seen),
        seen.emergency,
    )  # fmt: skip


def choice_of(seen: Seen, j: int, accel: Array, curvature: Array) -> Choice:
    """A proposal with its plan and its constraints."""
    moment, q = seen.moment, int(seen.proposals.path[j])
    option = seen.options[q]
    base = seen.all_bases[option.base]
    plan = make_plan(np.array([moment.t_s]), moment.axle[None], accel[None], curvature[None], "expert")[0]
    front = base.s0 + moment.front_m
    stop_s, at_rest = float(seen.proposals.stop_s[j]), np.flatnonzero(seen.rollouts[j, :, SPEED] < STANDING_MPS)
    rests_s = float(seen.rollouts[j, at_rest[0], S]) + moment.front_m if len(at_rest) else math.inf
    wait = seen.waits[j]
    places = [*seen.stops[option.base].must, *([wait] if wait is not None else [])]
    nearest = min(places, key=lambda stop: stop.s) if places else None
    named = nearest is not None and nearest.s <= rests_s + 3.0
    return Choice(
        seen.lengthwise[j], option.kind, base.lane, option.offset_m, float(seen.proposals.share[j]),
        moment.agent(option.about) if option.about >= 0 else None, float(plan.waypoints[-1, 3]),
        max(0.0, min(stop_s, rests_s) - front), nearest.reference if nearest is not None and named else None,
        float(seen.score[j]), bool(seen.clean[j]), plan, constraints(seen, j),
    )  # fmt: skip


def _kind(seen: Seen, j: int) -> tuple[Any, ...]:
    """What makes two proposals of one kind: way of driving, option, lane, side."""
    option = seen.options[seen.proposals.path[j]]
    lane = seen.all_bases[option.base].lane
    return seen.lengthwise[j], option.kind, lane, int(np.sign(option.offset_m))


def _runner_up(seen: Seen, chosen: Choice) -> Choice | None:
    """The best clean proposal of another kind that leads elsewhere."""
    mine = _kind(seen, seen.best)
    tried = 0
    for j in np.argsort(-seen.score, kind="stable"):
        if not seen.clean[j] or _kind(seen, int(j)) == mine:
            continue
        rows = slice(5, 5 * APART_KNOTS + 1, 5)
        if np.hypot(*(seen.rollouts[j, rows, :2] - seen.rollouts[seen.best, rows, :2]).T).max() < APART_M:
            continue
        accel, curvature, kept = fitted(seen, int(j))
        if kept:
            found = choice_of(seen, int(j), accel, curvature)
            apart = found.plan.waypoints[:APART_KNOTS, :2] - chosen.plan.waypoints[:APART_KNOTS, :2]
            if np.hypot(*apart.T).max() >= APART_M:
                return found
        tried += 1
        if tried >= RUNNERS_UP:
            break
    return None


def _lengthwise(seen: Seen) -> Iterable[Rejected]:
    """Other ways to go about the chosen path's speed: the free drive, then the best of every kind."""
    q = int(seen.proposals.path[seen.best])
    same = np.flatnonzero(seen.proposals.path == q)
    same = same[np.argsort(-seen.score[same], kind="stable")]
    full = next(int(j) for j in same if seen.proposals.share[j] == 1.0 and seen.lengthwise[j] == "speed")
    free = free_drive(seen, q)
    if float((free[:, SPEED] - seen.rollouts[seen.best, :, SPEED]).mean()) > LOST_MPS:
        yield _rejected(seen, "longitudinal", full, _probed(seen, q, free[:, SPEED], caps=True), proceeds=True)
    met = {_pace(seen, seen.best)}
    for j in same:
        pace = _pace(seen, int(j))
        if pace not in met:
            met.add(pace)
            yield _rejected(seen, "longitudinal", int(j), _own(seen, int(j)))


def _pace(seen: Seen, j: int) -> tuple[Any, ...]:
    """What makes two proposals on one path of one kind."""
    wait = seen.waits[j]
    return seen.lengthwise[j], seen.proposals.share[j] == 1.0, wait and wait.s


def _sideways(seen: Seen) -> Iterable[Rejected]:
    """Every other lateral option, driven at the chosen drive's speeds (the lane's middle also at free ones)."""
    speeds = seen.rollouts[seen.best, :, SPEED]
    met = {_kind(seen, seen.best)[1:]}
    for j in np.argsort(-seen.score, kind="stable"):
        kind = _kind(seen, int(j))[1:]
        if kind in met:
            continue
        met.add(kind)
        q = int(seen.proposals.path[j])
        reason = _probed(seen, q, speeds, caps=False) or _ends(seen, q)
        if reason is None and seen.options[q].kind == "keep":  # what is it that would be left behind?
            reason = _probed(seen, q, free_drive(seen, q)[:, SPEED], caps=False)
        yield _rejected(seen, "lateral", int(j), reason)


def _ends(seen: Seen, q: int) -> Reason | None:
    """An option whose lane leaves the route sooner than the chosen one: metres short of the room sought to change."""
    base = seen.all_bases[seen.options[q].base]
    chosen = seen.all_bases[seen.options[seen.proposals.path[seen.best]].base]
    speed = float(seen.moment.axle[3])
    short = 70.0 + 8.0 * speed - base.run_m
    if not base.run_m < chosen.run_m or short <= 0.0:
        return None
    last = int(base.path.lane[min(max(int(base.s0 + base.run_m) - 1, 0), base.count - 1)])
    at_s = base.run_m / max(speed, 1.0)
    return Reason("route_feasibility", Reference(ReferenceKind.LANE, last), at_s, short, "m")


def _probed(seen: Seen, q: int, speeds: Array, *, caps: bool) -> Reason | None:
    """What path ``q`` driven at given speeds [81] violates first."""
    moment, base = seen.moment, seen.all_bases[seen.options[q].base]
    rollout = np.zeros((1, len(speeds), 7))
    trace_out(seen.paths, q, base.s0, np.ascontiguousarray(speeds), rollout[0])
    moves = 0.0 if seen.options[q].kind == "keep" else 1.0
    found = judged(moment, seen.paths, single(q, moves), seen.others, seen.changes, rollout, seen.s_start)
    return first_reason(
        seen, q, rollout[0], found.when[0], found.who[0], found.how[0], probe=True,
        caps=caps_of(seen, q) if caps else [],
    )  # fmt: skip


def _own(seen: Seen, j: int) -> Reason | None:
    """What a proposal violates first as it would be driven."""
    found = seen.verdicts
    return first_reason(
        seen, int(seen.proposals.path[j]), seen.rollouts[j], found.when[j], found.who[j], found.how[j], probe=False
    )  # fmt: skip


def _rejected(seen: Seen, axis: Any, j: int, reason: Reason | None, *, proceeds: bool = False) -> Rejected:
    """Why something was turned down; ``j`` is the proposal that it stands for."""
    option = seen.options[seen.proposals.path[j]]
    worse = float(seen.score[seen.best] - seen.score[j])
    return Rejected(
        axis, "proceed" if proceeds else seen.lengthwise[j], option.kind, seen.all_bases[option.base].lane,
        option.offset_m, float(seen.proposals.share[j]), reason.name if reason else None,
        reason.reference if reason else None, reason.at_s if reason else math.inf, reason.margin if reason else worse,
        reason.unit if reason else "score", float(seen.score[j]),
        seen.moment.truncated(reason.reference) if reason else False,
    )  # fmt: skip


def _considered(seen: Seen) -> Considered:
    """All proposals."""
    of = [seen.options[q] for q in seen.proposals.path]
    return Considered(
        seen.lengthwise, tuple(option.kind for option in of),
        np.array([seen.all_bases[option.base].lane for option in of], np.int32),
        np.array([option.offset_m for option in of]), seen.proposals.share.copy(), seen.score.copy(),
        seen.clean.copy(),
    )  # fmt: skip
