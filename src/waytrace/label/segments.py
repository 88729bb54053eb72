"""A plan in stretches: what speed and path do, cut from its knots."""

from __future__ import annotations

import math

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
    """Stretches of at least a second in which speed and path do the same; at most six."""
    lon = _smoothed([_lon(plan, k) for k in range(16)], plan.accel_mps2)
    lat = _settled([_lat(lay, lateral, k) for k in range(16)])
    cuts = [k for k in range(1, 16) if (lon[k], lat[k]) != (lon[k - 1], lat[k - 1])]
    cuts = _fewer(cuts, lon, lat)
    ends = [*cuts, 16]
    starts = [0, *cuts]
    return tuple(
        Segment(f"{0.5 * e:g}", _main(lon[b:e]), _main(lat[b:e])) for b, e in zip(starts, ends, strict=True)
    )


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
    moved = float(lay.own.d_m[k + 1] - lay.own.d_m[k])
    side = "left" if moved > 0.0 else "right"
    if lateral.startswith(("lane_change", "merge", "split")):
        near = abs(float(track.d_m[k + 1])) < ASIDE_M and abs(moved) < ASIDE_M
        return "keep_lane" if near or abs(moved) < 0.5 * ASIDE_M else f"change_{side}"
    index = lay.roads.index
    if lateral.startswith(("turn", "u_turn")) and index.lane_junction[track.lane[k]]:
        bend = lay.turn[0]
        return "turn_left" if bend > 0.0 else "turn_right"
    if abs(moved) >= ASIDE_M:
        return f"shift_{side}"
    return "keep_lane"


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


def _fewer(cuts: list[int], lon: list[str], lat: list[str]) -> list[int]:
    """At most five cuts: the shortest stretches go first, then those that begin latest."""
    kept = list(cuts)
    while True:
        bounds = [0, *kept, 16]
        lengths = [bounds[i + 1] - bounds[i] for i in range(len(bounds) - 1)]
        shortest = min(range(len(lengths)), key=lambda i: (lengths[i], -i))
        if len(kept) <= sets.MOST_SEGMENTS - 1 and (lengths[shortest] >= LEAST_KNOTS or not kept):
            return kept
        kept.pop(min(shortest, len(kept) - 1) if shortest == 0 else shortest - 1)


def _main(names: list[str]) -> str:
    """The most frequent one, the first of equals."""
    return max(dict.fromkeys(names), key=names.count)


def at_rest_s(plan: Plan) -> float:
    """When the plan first comes to rest; infinity for never."""
    slow = np.flatnonzero(np.abs(plan.waypoints[:, 3]) < STANDING_MPS)
    return 0.5 * float(slow[0] + 1) if len(slow) else math.inf
