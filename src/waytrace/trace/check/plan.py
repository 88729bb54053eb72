"""Claims of the fifth stage against the plan's waypoints."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from .. import sets
from ..finding import Finding, Margin, all_of, either, fact, least, most
from ..measure import PlanMeasured, events, in_bin
from ..thresholds import T
from ..types import Segment
from ..verdicts import Verdict, undetermined
from .case import Case
from .decision import NO_PLAN


def plan_verdicts(case: Case) -> Iterator[Verdict]:
    """Verdicts of the plan stage."""
    claim = case.trace.plan
    if case.plan is None:
        for slot in ("target_speed_bin", "stop_s_bin", "target_lane"):
            yield undetermined(f"plan.{slot}", slot.removesuffix("_bin"), NO_PLAN)
        for n, g in enumerate(claim.segments):
            for axis, value in (("lon", g.lon), ("lat", g.lat)):
                yield undetermined(f"plan.segments[{n}].{axis}", f"segment_{axis}.{value}", NO_PLAN)
        return
    p = case.planned
    speed = in_bin(sets.TARGET_SPEED, claim.target_speed_bin, max(float(p.speed[-1]), 0.0), "m/s")
    yield Verdict.of(
        "plan.target_speed_bin",
        "target_speed",
        speed,
        f"the speed at the end is {sets.TARGET_SPEED.range_text(claim.target_speed_bin)}",
    )
    yield Verdict.of(
        "plan.stop_s_bin",
        "stop_s",
        _stop(case),
        f"the way to where it stops is {sets.STOP_S.range_text(claim.stop_s_bin)}",
    )
    yield Verdict.of(
        "plan.target_lane",
        "target_lane",
        _target_lane(case),
        f"the plan drives to {claim.target_lane or 'no other lane'}",
    )
    start = 0.0
    for n, g in enumerate(claim.segments):
        end, at = float(g.t_end), f"plan.segments[{n}]"
        lon, lat = segment_lon(p, g, start, end), segment_lat(case, g, start, end)
        said = f"from {start:g} to {end:g} s"
        yield Verdict.of(f"{at}.lon", f"segment_lon.{g.lon}", lon, f"{said}: {g.lon.replace('_', ' ')}")
        yield Verdict.of(f"{at}.lat", f"segment_lat.{g.lat}", lat, f"{said}: {g.lat.replace('_', ' ')}")
        start = end


def _stop(case: Case) -> Finding:
    p, claim = case.planned, case.trace.plan
    must = case.trace.decision.longitudinal in ("stop", "hold")
    if claim.stop_s_bin == len(sets.STOP_S.edges):
        return all_of([Margin("speed at the end", float(p.speed[-1]) - T.stop_mps, "m/s", 0.1)], end=float(p.speed[-1]))
    if p.rest < 0 and not must:
        unsure = most("speed at the end", float(p.speed[-1]), 0.5 * (T.stop_mps + T.stop_unsure_mps), "m/s", 0.1)
        return all_of([unsure], end_mps=float(p.speed[-1]))
    at, whole = float(p.driven_m[p.rest]) if p.rest >= 0 else math.inf, float(p.driven_m[-1])
    found = [in_bin(sets.STOP_S, claim.stop_s_bin, way, "m") for way in {at, whole} if math.isfinite(way)]
    return max(found, key=lambda f: f.slack)


def _target_lane(case: Case) -> Finding:
    """The lane in which the plan ends, or one from which it leads there."""
    p, claim, roads = case.planned, case.trace.plan.target_lane, case.measured.path.roads
    if claim is None:
        return all_of([fact("the plan does not change lanes", p.changed_lane == 0)])
    driven = {int(v) for v in p.lane if v >= 0} - (set() if p.changed_lane == 0 else set(case.measured.path.start_of))
    if p.changed_lane == 0:
        driven &= set(case.measured.path.start_of) | {p.end_lane}
    ahead = claim.index in driven
    index, todo, seen = roads.index, [claim.index], {claim.index}
    for _ in range(8):  # the claimed one may lie before the plan's first waypoint in the new lane, or after its last
        if ahead or claim.index >= len(roads.map):
            break
        todo = [int(v) for lane in todo for v in index.succ[index.succ_lo[lane] : index.succ_lo[lane + 1]]]
        ahead = bool(set(todo) & driven) and not set(todo) <= seen and p.changed_lane != 0
        seen |= set(todo)
    return all_of([fact(f"the plan ends on lane {p.end_lane}", ahead)], end_lane=p.end_lane)


def _knots(p: PlanMeasured, start: float, end: float) -> tuple[int, int]:
    return int(np.searchsorted(p.t_s, start - 1e-6)), min(int(np.searchsorted(p.t_s, end - 1e-6)), len(p.t_s) - 1)


def segment_lon(p: PlanMeasured, g: Segment, start: float, end: float) -> Finding:
    """The mean acceleration of a segment against its name."""
    a, b = _knots(p, start, end)
    seconds = max(end - start, 0.1)
    accel = float(p.speed[b] - p.speed[a]) / seconds
    brief = 0.0 if seconds >= T.segment_s else 0.2
    fastest, slowest = float(p.speed[a : b + 1].max()), float(p.speed[a : b + 1].min())
    still = most("speed at its middle", float(np.median(p.speed[a + 1 : b + 1])), T.stop_unsure_mps, "m/s", 0.05)
    low, high = T.gentle_mps2, T.strong_mps2
    near, far = T.gentle_band_mps2, T.strong_band_mps2
    moves = least("speed", fastest, T.stop_mps, "m/s")
    if g.lon == "stop":
        return all_of([still], fastest_mps=fastest)
    if g.lon == "reverse":
        return all_of([most("speed", slowest, -0.1, "m/s", 0.1)], slowest_mps=slowest)
    sign = 1.0 if g.lon.endswith("accel") else -1.0
    size, said = sign * accel, "acceleration" if sign > 0 else "braking"
    if g.lon == "maintain":
        margins = [most("change of speed", abs(accel), low + near, "m/s2", brief)]
    elif g.lon.startswith("gentle"):
        margins = [least(said, size, low - near + 0.005, "m/s2", brief), most(said, size, high + far, "m/s2", brief),
                   moves]  # fmt: skip
    else:
        margins = [least(said, size, high - far, "m/s2", brief), moves]
    return all_of(margins, accel_mps2=accel)


def segment_lat(case: Case, g: Segment, start: float, end: float) -> Finding:
    """The movement across the lane in a segment against its name."""
    p = case.planned
    a, b = _knots(p, start, end)
    moved = float(p.d[b] - p.d[a])
    widest = float(np.abs(p.d[a : b + 1] - p.d[a]).max())
    sign = 1.0 if g.lat.endswith("left") else -1.0
    if g.lat == "keep_lane":
        return all_of([most("movement across", widest, T.offset_keep_m + 0.05, "m")], moved_m=moved)
    if g.lat.startswith("turn"):
        reach = float(p.s[b])
        way = [e.way_m for e in events(case.measured) if e.intent in (g.lat, "u_turn")]
        turned = math.degrees(float((p.pose[b, 2] - p.pose[a, 2] + math.pi) % (2.0 * math.pi) - math.pi))
        slow = most("way in the segment", float(p.driven_m[b] - p.driven_m[a]), 3.0, "m")
        bends = either(least("heading turned", sign * turned, T.turn_seen_deg, "deg", 2.0), slow)
        return all_of(
            [most("way to the turn", min(way, default=999.0), reach + T.gives_way_m, "m", 1.0), bends],
            turned_deg=turned,
        )
    side = least("movement across", sign * moved, 0.1, "m", 0.05)
    changes = either(
        fact("it changes lanes", p.changed_lane == sign), fact("it comes over", float(p.d[0]) * sign < -T.crossed_m)
    )
    if g.lat.startswith("change"):
        return all_of([side, changes], moved_m=moved)
    return all_of([side, fact("it stays in its lane", p.changed_lane == 0)], moved_m=moved)
