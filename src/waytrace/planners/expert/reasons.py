"""What a drive violates first, of the certificate's constraints, and by how much."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import boxes_overlap, jit, wrap_angle
from waytrace.observe import Reference, ReferenceKind
from waytrace.rules import off_road_m, time_to_contact_s
from waytrace.rules.limits import LON_ACCEL_LOW_MPS2, TTC_LEAST_S
from waytrace.scenario import AgentKind
from waytrace.scenario.paths import STEP_M

from ..moment import OTHERS, Others
from .caps import Cap, lane_reference
from .certificate import Unit
from .decide import Seen
from .judge import (
    AGAINST_M,
    BLOCKING,
    COLLISION,
    CROSSING_MARGIN_S,
    DIRECTION,
    GAP,
    MARGIN_GROWTH,
    MARGIN_M,
    OFF_ROAD,
    OFF_ROAD_LEAST_M,
    REAR_DECEL_MPS2,
    TTC,
    TTC_SPARE_S,
    TTC_TICK,
    WALKING_MARGIN_S,
    WRONG_WAY,
)
from .rollout import ACCEL, CURVATURE, HEADING, PATHS, SPEED, STANDING_MPS, Paths, S, X, Y

Array = NDArray[np.float64]

STOP_SLACK_M = 0.5
"""A stop point is passed where the bumper is this far beyond it: within this a drive has stopped at it."""


class Reason(NamedTuple):
    """The first violation of a drive."""

    name: str
    reference: Reference
    at_s: float
    margin: float
    unit: Unit


@jit("f8", "f8[:,:]", "f8", "f8", "f8", "f8[:,:,:]", OTHERS, "i8")
def arrival_gap_s(
    rollout: Array, rear: float, length: float, width: float, forecast: Array, others: Others, a: int
) -> float:
    """Least time between the ego and road user ``a`` being at the same place; infinity where their ways do not meet."""
    least = math.inf
    reach = 0.5 * (length + width + others.length[a] + others.width[a])
    for t in range(0, len(rollout), 2):
        h = rollout[t, HEADING]
        x, y = rollout[t, X] + rear * math.cos(h), rollout[t, Y] + rear * math.sin(h)
        for k in range(forecast.shape[1]):
            apart = abs(k * 0.2 - t * 0.1)
            dx, dy = forecast[a, k, 0] - x, forecast[a, k, 1] - y
            if apart >= least or dx * dx + dy * dy > reach * reach:
                continue
            if boxes_overlap(
                x, y, h, length, width, forecast[a, k, 0], forecast[a, k, 1], forecast[a, k, 2], others.length[a],
                others.width[a],
            ):  # fmt: skip
                least = apart
    return least


@jit("f8,f8", PATHS, "i8", "i8", "f8[:,:]", "f8", "f8", "f8")
def overlaps_m(
    paths: Paths, q: int, a: int, rollout: Array, front: float, tail: float, half_width: float
) -> tuple[float, float]:
    """How far the ego's front gets beyond road user ``a``'s near end while in its way, and how far it is in its way
    sideways while beside it; metres, negative for what is left. ``tail`` is from rear axle to rear bumper.
    """
    b = paths.base[q]
    along_most, across_most = -math.inf, -math.inf
    for t in range(0, len(rollout), 2):
        k = t // 2
        sa, da = paths.place[b, k, a, 0], paths.place[b, k, a, 1]
        if sa == math.inf:
            continue
        along, across = paths.place[b, k, a, 2], paths.place[b, k, a, 3]
        s = rollout[t, S]
        i = min(max(int(s / STEP_M), 0), paths.samples[q] - 1)
        aside = half_width + across - abs(da - paths.offset[q, i])
        if aside > 0.0:
            along_most = max(along_most, s + front - (sa - along))
        if s + front > sa - along and s - tail < sa + along:
            across_most = max(across_most, aside)
    return along_most, across_most


def first_reason(
    seen: Seen, q: int, rollout: Array, when: Array, who: NDArray[np.int32], how: Array, *, probe: bool,
    caps: list[Cap] | None = None,
) -> Reason | None:  # fmt: skip
    """The first violation of a drive ``rollout`` [81, 7] on path ``q``, None where it violates nothing.

    ``when``, ``who``, ``how`` are its row of what judging yields. A ``probe`` heeds no stops and no speeds but the
    chosen ones, so its stops and ``caps`` are looked at too; another drive may be too uncomfortable instead.
    """
    found = [_by_agent(seen, q, rollout, term, float(when[term]), int(who[term]))
             for term in (COLLISION, GAP, TTC) if math.isfinite(when[term])]  # fmt: skip
    lane = _lane_at(seen, q, rollout)
    if math.isfinite(when[OFF_ROAD]):
        found.append(Reason("lateral_clearance", lane, float(when[OFF_ROAD]), _off_road(seen, rollout), "m"))
    if math.isfinite(when[DIRECTION]):
        found.append(Reason("route_feasibility", lane, float(when[DIRECTION]), float(how[WRONG_WAY]) - AGAINST_M, "m"))
    if math.isfinite(when[BLOCKING]):
        found.append(_blocking(seen, q, rollout, float(when[BLOCKING])))
    if probe:
        found += _stops_passed(seen, q, rollout) + _too_fast(seen, q, rollout, caps or [])
    elif (hard := float(-rollout[:, ACCEL].min())) > -LON_ACCEL_LOW_MPS2:
        at = int(np.argmax(-rollout[:, ACCEL] > -LON_ACCEL_LOW_MPS2))
        found.append(Reason("required_decel", lane, at * 0.1, hard + LON_ACCEL_LOW_MPS2, "m/s2"))
    return min(found, key=lambda reason: reason.at_s) if found else None


def _lane_at(seen: Seen, q: int, rollout: Array) -> Reference:
    """The lane under the rear axle at the end of a drive."""
    base = seen.all_bases[seen.options[q].base]
    return Reference(ReferenceKind.LANE, int(base.path.lane[min(int(rollout[-1, S] / STEP_M), base.count - 1)]))


def _by_agent(seen: Seen, q: int, rollout: Array, term: int, at_s: float, a: int) -> Reason:
    """A violation that is due to a road user."""
    moment, option = seen.moment, seen.options[q]
    others, agent = moment.others, moment.agent(a)
    t, k = round(at_s * 10.0), min(round(at_s * 5.0), seen.others.shape[1] - 1)
    x, y, heading, speed = seen.others[a, k]
    h, v = rollout[t, HEADING], rollout[t, SPEED]
    turned = abs(float(wrap_angle(heading - h)))
    walks = others.kind[a] in (AgentKind.PEDESTRIAN, AgentKind.CYCLIST) and turned > 0.4
    ex, ey = rollout[t, X] + moment.rear_m * math.cos(h), rollout[t, Y] + moment.rear_m * math.sin(h)
    hurry = _ttc_short(seen, rollout, t, a)
    tail = 0.5 * moment.length_m - moment.rear_m
    along, across = overlaps_m(seen.paths, q, a, rollout, moment.front_m, tail, 0.5 * moment.width_m)
    if others.kind[a] == AgentKind.PEDESTRIAN or (turned > 0.4 and abs(speed) > STANDING_MPS):
        needed = WALKING_MARGIN_S if walks else CROSSING_MARGIN_S + MARGIN_GROWTH * at_s
        gap = arrival_gap_s(
            rollout, moment.rear_m, moment.length_m, moment.width_m, seen.others, others, a
        )  # fmt: skip
        return Reason("cross_conflict", agent, at_s, max(needed - gap, hurry), "s")
    if abs(speed) <= STANDING_MPS and across > -MARGIN_M and (option.kind != "keep" or across < 1.2):
        return Reason("lateral_clearance", agent, at_s, across + MARGIN_M, "m")
    ahead = (x - ex) * math.cos(h) + (y - ey) * math.sin(h) > 0.0
    if option.kind in ("left", "right") and (term == GAP or not ahead or _beside(seen, q, a)):
        place = seen.paths.place[seen.paths.base[q], k, a]
        gap = rollout[t, S] - tail - float(place[0]) - float(place[2])
        closing = max(0.0, float(speed) - float(v))
        wanted = 1.0 + closing * closing / (2.0 * REAR_DECEL_MPS2)
        short = wanted - gap if not ahead else along
        return Reason("merge_gap", agent, at_s, float(short), "m")
    if along < 0.0:
        return Reason("headway", agent, at_s, hurry, "s")
    return Reason("headway", agent, at_s, float(along), "m")


def _ttc_short(seen: Seen, rollout: Array, first: int, a: int) -> float:
    """Seconds that the time to collision with someone is short of what is asked for, at worst from ``first`` on."""
    moment, others = seen.moment, seen.moment.others
    least = math.inf
    for t in range(first, TTC_TICK + 1, 2):
        h = rollout[t, HEADING]
        x, y = rollout[t, X] + moment.rear_m * math.cos(h), rollout[t, Y] + moment.rear_m * math.sin(h)
        ox, oy, oh, speed = seen.others[a, t // 2]
        size = moment.length_m, moment.width_m
        if (ox - x) * math.cos(h) + (oy - y) * math.sin(h) > 0.0:
            left = time_to_contact_s(
                x, y, h, *size, rollout[t, SPEED], ox, oy, oh, others.length[a], others.width[a], speed
            )
            least = min(least, left)
    return max(TTC_LEAST_S + TTC_SPARE_S - least, 0.0) if math.isfinite(least) else 0.0


def _beside(seen: Seen, q: int, a: int) -> bool:
    """Whether someone is now neither in the ego's own way nor standing: the ego would have to fit in."""
    d = seen.all_bases[0].place[0, a, 1]
    return abs(float(d)) > 0.5 * seen.moment.width_m + float(seen.all_bases[0].place[0, a, 3])


def _off_road(seen: Seen, rollout: Array) -> float:
    """How much farther beyond the road's edge a corner gets than is allowed, metres."""
    moment, most = seen.moment, 0.0
    for t in range(0, len(rollout), 4):
        x, y, h = rollout[t, :3]
        at = x + moment.rear_m * math.cos(h), y + moment.rear_m * math.sin(h)
        most = max(most, off_road_m(moment.roads.index, 0, *at, h, moment.length_m, moment.width_m))
    return most - OFF_ROAD_LEAST_M


def _blocking(seen: Seen, q: int, rollout: Array, at_s: float) -> Reason:
    """Standing across another lane's way: metres of the ego that do."""
    moment, b = seen.moment, int(seen.paths.base[q])
    s = float(rollout[round(at_s * 10.0), S])
    front, tail = s + moment.front_m, s - (0.5 * moment.length_m - moment.rear_m)
    zones = seen.paths.zone[b]
    across = np.minimum(front, zones[:, 1]) - np.maximum(tail, zones[:, 0])
    z = int(np.argmax(np.where(np.isfinite(zones[:, 0]), across, -np.inf)))
    other = Reference(ReferenceKind.LANE, int(seen.paths.zone_lane[b, z]))
    return Reason("cross_conflict", other, at_s, float(across[z]), "m")


def _stops_passed(seen: Seen, q: int, rollout: Array) -> list[Reason]:
    """Stops that a probe does not heed: metres beyond them."""
    front = rollout[:, S] + seen.moment.front_m
    out = []
    for stop in seen.stops[seen.options[q].base].must:
        beyond = front > max(stop.s, float(front[0])) + STOP_SLACK_M
        if beyond.any():
            out.append(Reason(stop.name, stop.reference, 0.1 * int(np.argmax(beyond)), float(front[-1] - stop.s), "m"))
    return out


def _too_fast(seen: Seen, q: int, rollout: Array, caps: list[Cap]) -> list[Reason]:
    """Caps that a probe does not heed: curves by the acceleration across, all others by the speed beyond them."""
    path = seen.all_bases[seen.options[q].base].path
    speed = rollout[:, SPEED]
    at = np.clip((rollout[:, S] / STEP_M).astype(int), 0, int(seen.paths.samples[q]) - 1)
    out = []
    for cap in caps:
        allowed = cap.speed_mps[at]
        over = speed > np.maximum(allowed, seen.moment.axle[3] if not cap.ahead else 0.0) + 0.3
        if not over.any():
            continue
        t = int(np.argmax(over))
        reference = cap.reference or lane_reference(path, cap, cap.speed_mps, int(at[t]))
        if cap.name == "curve_lat_accel":
            across = speed * speed * np.abs(rollout[:, CURVATURE])
            margin = float(across.max()) - seen.config.lateral_accel_mps2
            if margin > 0.0:
                out.append(Reason(cap.name, reference, 0.1 * t, margin, "m/s2"))
        else:
            out.append(Reason(cap.name, reference, 0.1 * t, float((speed - allowed).max()), "m/s"))
    return out
