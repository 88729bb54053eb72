"""A plan in stretches: what speed and path do, cut from its knots."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import Reference, ReferenceKind
from waytrace.scenario import Plan
from waytrace.trace import PlanClaim, Present, Segment, sets

from .decisions import STANDING_MPS
from .lay import Lay

GENTLE_MPS2 = 0.1
STRONG_MPS2 = 1.25
LEAST_KNOTS = 2
"""A stretch lasts at least 0.8 s: two knots of half a second."""

ASIDE_M = 0.1
"""Sideways movement in a knot, relative to the lane, from which on the path shifts."""

SHIFT_M = 0.2
"""Sideways movement over a whole stretch from which on it is called a shift, or part of a change of lanes."""


def plan_claim(plan: Plan, lay: Lay, lateral: str, present: Present, *, must_stop: bool, holds: bool) -> PlanClaim:
    """The plan's claims; ``must_stop`` where the decision needs a place to stop, ``holds`` where it is to stay put."""
    last = float(plan.waypoints[-1, 3])
    speed = 0 if holds else sets.TARGET_SPEED.number(last)
    rests = last < STANDING_MPS
    stop = sets.STOP_S.number(travelled_m(plan) if rests or must_stop else None)
    return PlanClaim(speed, stop, _lane(lay, present), segments(plan, lay, lateral))


def travelled_m(plan: Plan) -> float:
    """Way that the plan covers in 8 s, metres; to where it first comes to rest."""
    xy = np.concatenate([plan.start[None, :2], plan.waypoints[:, :2]])
    return float(np.hypot(*np.diff(xy, axis=0).T).sum())


def _lane(lay: Lay, present: Present) -> Reference | None:
    """The farthest lane of the plan's way that can be pointed at."""
    track = lay.target if lay.changes_lane else lay.own
    for lane in dict.fromkeys(int(v) for v in track.lane[::-1]):
        ref = Reference(ReferenceKind.LANE, lane)
        if ref in present.row_of:
            return ref
    return None


def segments(plan: Plan, lay: Lay, lateral: str) -> tuple[Segment, ...]:
    """Stretches of at least a second in which speed and path do the same; at most six.

    Each is named after what it comes to as a whole; neighbours that come to the same are one.
    """
    lon = _smoothed([_lon(plan, k) for k in range(16)], plan.accel_mps2)
    lat = _settled([_lat(lay, lateral, k) for k in range(16)])
    cuts = _fewer([k for k in range(1, 16) if (lon[k], lat[k]) != (lon[k - 1], lat[k - 1])])
    while True:
        bounds = list(zip([0, *cuts], [*cuts, 16], strict=True))
        named = [(_lon_of(plan, b, e), _lat_of(lay, lateral, b, e)) for b, e in bounds]
        same = [cuts[i] for i in range(len(cuts)) if named[i] == named[i + 1]]
        if not same:
            return tuple(Segment(f"{0.5 * e:g}", *name) for (_, e), name in zip(bounds, named, strict=True))
        cuts = [c for c in cuts if c not in same[:1]]


def _lon_of(plan: Plan, begin: int, end: int) -> str:
    """What the speed does from knot ``begin`` to knot ``end``."""
    speed = np.concatenate([[plan.start[3]], plan.waypoints[:, 3]])
    if float(np.median(np.abs(speed[begin + 1 : end + 1]))) < STANDING_MPS:
        return "stop"
    mean = float(speed[end] - speed[begin]) / (0.5 * (end - begin))
    return lon_name(mean, float(np.median(speed[begin + 1 : end + 1])))


def _lat_of(lay: Lay, lateral: str, begin: int, end: int) -> str:
    """What the path does from knot ``begin`` to knot ``end``."""
    d = lay.own.d_m[begin : end + 1]
    moved = float(d[-1] - d[0])
    side = "left" if moved > 0.0 else "right"
    track = lay.target if lay.changes_lane else lay.own
    if lateral.startswith(("turn", "u_turn")):
        inside = [bool(lay.roads.index.lane_junction[v]) for v in track.lane[begin : end + 1]]
        if sum(inside) * 2 > len(inside):
            return "turn_left" if lay.turn[0] > 0.0 else "turn_right"
    if float(np.abs(d - d[0]).max()) < SHIFT_M:
        return "keep_lane"
    return f"change_{side}" if lay.changes_lane else f"shift_{side}"


def _lon(plan: Plan, k: int) -> str:
    before = float(plan.start[3] if k == 0 else plan.waypoints[k - 1, 3])
    after = float(plan.waypoints[k, 3])
    if max(before, after) < STANDING_MPS and min(before, after) > -STANDING_MPS:
        return "stop"
    return lon_name(float(plan.accel_mps2[k]), 0.5 * (before + after))


def lon_name(accel_mps2: float, speed_mps: float) -> str:
    """What an acceleration is called at a speed."""
    if speed_mps < -STANDING_MPS:
        return "reverse"
    if abs(accel_mps2) <= GENTLE_MPS2:
        return "maintain"
    strength = "strong" if abs(accel_mps2) > STRONG_MPS2 else "gentle"
    return f"{strength}_{'accel' if accel_mps2 > 0.0 else 'decel'}"


def _lat(lay: Lay, lateral: str, k: int) -> str:
    track = lay.target if lay.changes_lane else lay.own
    if lateral.startswith(("turn", "u_turn")) and lay.roads.index.lane_junction[track.lane[k]]:
        return "turn"
    moved = float(lay.own.d_m[k + 1] - lay.own.d_m[k])
    return "keep" if abs(moved) < ASIDE_M else "left" if moved > 0.0 else "right"


def _smoothed(names: list[str], accel: NDArray[np.float64]) -> list[str]:
    """Stretches of a single knot join the neighbour whose acceleration is nearer."""
    out = list(names)
    for k in range(16):
        alone = (k == 0 or out[k - 1] != out[k]) and (k == 15 or out[k + 1] != out[k])
        if not alone or out[k] == "stop":
            continue
        sides = [i for i in (k - 1, k + 1) if 0 <= i < 16]
        pair = [float(np.mean(accel[min(k, i) : max(k, i) + 1])) for i in sides]
        nearest = min(range(len(sides)), key=lambda n: abs(float(accel[sides[n]]) - float(accel[k])))
        joined = sides[nearest]
        out[k] = out[joined] if out[joined] != "stop" else lon_name(pair[nearest], 1.0)
    return out


def _settled(names: list[str]) -> list[str]:
    """A single knot of a kind becomes what stands before it (the first one: what follows)."""
    out = list(names)
    for k in range(16):
        alone = (k == 0 or out[k - 1] != out[k]) and (k == 15 or out[k + 1] != out[k])
        if alone:
            out[k] = out[k - 1] if k > 0 else out[1]
    return out


def _fewer(cuts: list[int]) -> list[int]:
    """At most five cuts, none nearer to another than two knots: the shortest stretches join a neighbour first."""
    kept = list(cuts)
    while kept:
        bounds = [0, *kept, 16]
        lengths = [bounds[i + 1] - bounds[i] for i in range(len(bounds) - 1)]
        shortest = min(range(len(lengths)), key=lambda i: (lengths[i], -i))
        if len(kept) < sets.MOST_SEGMENTS and lengths[shortest] >= LEAST_KNOTS:
            break
        kept.pop(max(shortest - 1, 0))
    return kept
