"""What binds a proposal, when, and how much speed it costs."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import Reference
from waytrace.rules.limits import LON_ACCEL_LOW_MPS2
from waytrace.scenario import AgentKind
from waytrace.scenario.paths import STEP_M, Path

from .caps import Cap, lane_reference, road_caps, traffic_caps
from .certificate import Constraint
from .decide import Seen
from .judge import PROGRESS
from .reasons import first_reason
from .rollout import ACCEL, SETTLE_S, SPEED, TICKS, S, agents_allow, roll_out, single, stop_accel

Array = NDArray[np.float64]

EACH_TICKS = 5
"""Constraints are recorded each half second."""

HARD_MPS2 = -LON_ACCEL_LOW_MPS2
"""Whoever calls for harder braking than the comfort term allows does so as ``required_decel``."""

MORE_M = 0.5
"""A proposal that gets this much farther is a more eager one."""


class Curb(NamedTuple):
    """A constraint's name, reference and the acceleration that it allows [17]."""

    name: str
    reference: Reference
    allowed: Array


def path_of(seen: Seen, q: int) -> Path:
    """The base of an option with the curvature of the option's own path."""
    base = seen.all_bases[seen.options[q].base]
    return base.path._replace(curvature=seen.paths.curvature[q, : base.count])


def caps_of(seen: Seen, q: int) -> list[Cap]:
    """Every cap on an option's speed."""
    option = seen.options[q]
    base = seen.all_bases[option.base]
    return [
        *road_caps(path_of(seen, q), base.count, seen.desired_mps, seen.config),
        *traffic_caps(seen.moment, base, option.profile, seen.config),
    ]


def free_drive(seen: Seen, q: int) -> Array:
    """[81, 7] an option driven at the speed limit, heeding nobody and no stop."""
    base, moment, config = seen.all_bases[seen.options[q].base], seen.moment, seen.config
    limit = road_caps(path_of(seen, q), base.count, seen.desired_mps, config)[0].felt(config.brake_mps2)
    caps = seen.paths.cap.copy()
    caps[q, : base.count] = limit
    alone = seen.paths._replace(cap=caps, place=np.full_like(seen.paths.place, np.inf))
    out = np.zeros((1, TICKS + 1, 7))
    roll_out(
        alone, single(q), moment.axle, moment.accel_mps2, moment.front_m, 0.5 * moment.width_m, config.jerk_mps3,
        config.driver, seen.s_start, out,
    )  # fmt: skip
    return out[0]  # type: ignore[no-any-return]


def constraints(seen: Seen, j: int) -> tuple[Constraint, ...]:
    """Everything that holds proposal ``j`` back, the most restrictive now first."""
    top = seen.config.accel_mps2
    curbs = _caps(seen, j) + _agents(seen, j) + _stops(seen, j)
    least = np.min([curb.allowed for curb in curbs], axis=0)
    curbs = _merged(curbs + _spared(seen, j, least))
    raw = np.array([curb.allowed for curb in curbs])
    allowed = np.where(np.isfinite(raw), np.clip(raw, -8.0, top), np.inf)
    binding = np.argmin(raw - 1e-9 * (np.arange(len(curbs)) > 0)[:, None], axis=0)
    want, free = allowed.min(0), np.minimum(allowed[0], top)
    first = [float(np.argmax(binding == c)) * 0.5 if (binding == c).any() else math.inf for c in range(len(curbs))]
    remaining = 0.5 * np.arange(len(want), 0, -1)
    weight = np.maximum(free - want, 0.0) * remaining
    per = np.array([weight[binding == c].sum() for c in range(len(curbs))])
    rollout = seen.rollouts[j]
    lost = max(0.0, float((free_drive(seen, int(seen.proposals.path[j]))[:, SPEED] - rollout[:, SPEED]).mean()))
    shares = per / max(float(per.sum()), 1e-9) * lost
    out = []
    for c, curb in enumerate(curbs):
        now = float(min(allowed[c, 0], top))
        hard = now < -HARD_MPS2 and curb.name in ("headway", "cross_conflict", "merge_gap")
        out.append(
            Constraint(
                "required_decel" if hard else curb.name,
                curb.reference,
                now,
                now - float(want[0]),
                first[c],
                float(shares[c]),
                allowed[c],
                seen.moment.truncated(curb.reference),
            )
        )
    return tuple(sorted(out, key=lambda c: (c.accel_mps2, c.binds_at_s)))


def _merged(curbs: list[Curb]) -> list[Curb]:
    """One for each name and reference: what all of its grounds allow together."""
    out: dict[tuple[str, Reference], Curb] = {}
    for curb in curbs:
        key = curb.name, curb.reference
        out[key] = curb._replace(allowed=np.minimum(out[key].allowed, curb.allowed)) if key in out else curb
    return list(out.values())


def _states(seen: Seen, j: int) -> tuple[Array, Array, NDArray[np.int64]]:
    """(s, speed, path sample) [17] of a proposal each half second."""
    rows = seen.rollouts[j, ::EACH_TICKS]
    last = int(seen.paths.samples[seen.proposals.path[j]]) - 1
    return rows[:, S], rows[:, SPEED], np.clip((rows[:, S] / STEP_M).astype(np.int64), 0, last)


def _caps(seen: Seen, j: int) -> list[Curb]:
    """What every cap on the speed allows; the speed limit first."""
    q = int(seen.proposals.path[j])
    path, config = path_of(seen, q), seen.config
    _, v, at = _states(seen, j)
    out = []
    for cap in caps_of(seen, q):
        felt = cap.felt(config.brake_mps2)
        allowed = np.clip((felt[at] - v) / SETTLE_S, -config.brake_mps2, None)
        if not np.isfinite(allowed).any():
            continue
        lowest = cap.speed_mps[at].min() < cap.speed_mps[at[0]] - 1e-6 or felt[at[0]] < cap.speed_mps[at[0]] - 1e-6
        where = int(at[int(np.argmin(allowed))] if lowest else at[0])
        out.append(Curb(cap.name, cap.reference or lane_reference(path, cap, felt, where), allowed))
    return out


def _agents(seen: Seen, j: int) -> list[Curb]:
    """What everybody on the path allows."""
    moment, q = seen.moment, int(seen.proposals.path[j])
    count = len(moment.others.x)
    out, look = np.zeros((17, count)), np.zeros(count, np.int32)
    if seen.proposals.brake[j] > 0.0:
        return []
    agents_allow(
        seen.paths, seen.proposals, j, seen.rollouts[j], moment.front_m, 0.5 * moment.width_m, seen.config.driver,
        out, look,
    )  # fmt: skip
    place = seen.paths.place[seen.paths.base[q], 0]
    changes = seen.options[q].kind in ("left", "right")
    curbs = []
    for a in np.flatnonzero(np.isfinite(out).any(0)):
        along, across = abs(float(place[a, 4])), abs(float(place[a, 5]))
        walker = moment.others.kind[a] == AgentKind.PEDESTRIAN
        name = "cross_conflict" if walker or (across > 0.5 * along and across > 0.3) else "headway"
        if changes and name == "headway" and not _in_own_lane(seen, int(a)):
            name = "merge_gap"
        curbs.append(Curb(name, moment.agent(int(a)), np.ascontiguousarray(out[:, a])))
    return curbs


def _in_own_lane(seen: Seen, a: int) -> bool:
    """Whether someone is in the way of the lane being driven."""
    place = seen.all_bases[0].place[0, a]
    return abs(float(place[1])) < 0.5 * seen.moment.width_m + float(place[3])


def _stops(seen: Seen, j: int) -> list[Curb]:
    """What the lane's stops allow."""
    s, v, _ = _states(seen, j)
    front = s + seen.moment.front_m
    base = seen.options[seen.proposals.path[j]].base
    return [
        Curb(
            stop.name, stop.reference,
            np.array([stop_accel(float(v[k]), stop.s - float(front[k]), seen.config.driver) for k in range(len(v))]),
        )
        for stop in seen.stops[base].must
    ]  # fmt: skip


def _spared(seen: Seen, j: int, least: Array) -> list[Curb]:
    """For whose sake the proposal is less eager than others on its path.

    Each of the more eager ones violates something first. What that allows is the acceleration of the most eager
    proposal that does not violate it.
    """
    q = int(seen.proposals.path[j])
    same = np.flatnonzero(seen.proposals.path == q)
    progress = seen.verdicts.how[:, PROGRESS]
    reasons = {
        int(i): first_reason(
            seen, q, seen.rollouts[i], seen.verdicts.when[i], seen.verdicts.who[i], seen.verdicts.how[i], probe=False
        )
        for i in same if np.isfinite(seen.verdicts.when[i]).any()
    }  # fmt: skip
    causes = {
        (reason.name, reason.reference): None
        for i, reason in reasons.items()
        if reason is not None and progress[i] > progress[j] + MORE_M and reason.name != "required_decel"
    }
    out = []
    for name, reference in causes:
        sparing = [
            int(i) for i in same
            if (reason := reasons.get(int(i))) is None or (reason.name, reason.reference) != (name, reference)
        ] + [j]  # fmt: skip
        eager = max(sparing, key=lambda i: (progress[i], i == j))
        accel = seen.rollouts[eager, ::EACH_TICKS, ACCEL]
        ahead = np.append(seen.rollouts[eager, EACH_TICKS::EACH_TICKS, ACCEL], accel[-1])
        allowed = np.where(np.minimum(accel, ahead) < least - 0.05, np.minimum(accel, ahead), np.inf)
        out.append(Curb(name, reference, allowed))
    return out
