"""Errors in what is decided and why: decisions, claims about the plan, causes, constraints, roles, violations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mutant_bed import (
    LANE,
    Bed,
    Rng,
    agents_of,
    cause_of,
    decided,
    held,
    limit_of,
    low_of,
    pick,
    ref_of,
    speeds_of,
    swapped,
)
from waytrace.geometry import project
from waytrace.observe import Reference
from waytrace.trace import Cause, Trace, sets
from waytrace.trace.compatible import CAUSES

_AHEAD = ("headway", "stop_point", "cross_conflict")
"""Constraints that come from what lies ahead."""


def impossible_decision(bed: Bed, rng: Rng) -> Trace | None:
    """A decision that the place does not allow: a lane that is not there, holding at speed, a turn on a straight."""
    options: list[tuple[str, str]] = []
    d = bed.trace.decision
    if abs(bed.look.aside_of_plan(bed.plan)).max() < 0.6:
        options += [("lateral", f"lane_change_{side}") for side in ("left", "right") if bed.look.neighbour(side) < 0]
        if abs(bed.look.bends(90.0)) < 0.15:
            options += [("lateral", "turn_left"), ("lateral", "turn_right"), ("lateral", "u_turn")]
    if bed.look.speed > 4.0 and d.longitudinal not in sets.FREE:
        options.append(("longitudinal", "hold"))
    if not options or d.lateral != "keep":
        return None
    axis, value = pick(options, rng)
    return decided(bed, axis, value)


def against_plan(bed: Bed, rng: Rng) -> Trace | None:
    """A decision that its own plan plainly does not follow."""
    d, speeds = bed.trace.decision, speeds_of(bed)
    options: list[tuple[str, str]] = []
    caused = d.longitudinal not in sets.FREE
    if speeds.min() > 3.0 and caused:
        options.append(("longitudinal", "stop"))
    if caused and np.diff(speeds).min() > -1.0:
        options.append(("longitudinal", "emergency_brake"))
    if caused and speeds.min() > speeds[0] - 0.1 and speeds[0] > 3.0:
        options.append(("longitudinal", "yield"))
    if speeds[-1] < 0.1 and speeds[0] > 3.0:
        options.append(("longitudinal", "set_speed"))
    aside = bed.look.aside_of_plan(bed.plan)
    if d.lateral == "keep" and abs(aside).max() < 0.25:
        options += [("lateral", f"lane_change_{side}") for side in ("left", "right") if bed.look.neighbour(side) >= 0]
    if d.lateral.startswith("lane_change") and abs(aside[-1]) > 2.5:
        options.append(("lateral", "keep"))
    options = [(axis, value) for axis, value in options if value != getattr(d, axis)]
    return decided(bed, *pick(options, rng)) if options else None


def plan_claim(bed: Bed, rng: Rng) -> Trace | None:
    """A claim about the plan that its waypoints plainly contradict: segment, final speed, halt, lane."""
    p, speeds = bed.trace.plan, speeds_of(bed)
    options: list[dict[str, Any]] = []
    begin = 0
    for k, segment in enumerate(p.segments):
        end = round(float(segment.t_end) / 0.5)
        if end - begin >= 3:
            rate = (speeds[end] - speeds[begin]) / (0.5 * (end - begin))
            wrong = ["reverse"] if speeds[begin : end + 1].min() > 1.0 else []
            wrong += ["strong_accel", "gentle_accel"] if rate < -0.6 else []
            wrong += ["strong_decel", "gentle_decel"] if rate > 0.6 else []
            wrong += ["strong_decel", "strong_accel"] if abs(rate) < 0.2 else []
            wrong += ["stop"] if speeds[begin : end + 1].min() > 2.0 else []
            options += [
                {"segments": swapped(p.segments, k, replace(segment, lon=lon))} for lon in wrong if lon != segment.lon
            ]
            aside = np.concatenate([[0.0], bed.look.aside_of_plan(bed.plan)])[begin : end + 1]
            if np.ptp(aside) < 0.25:
                lats = [f"{w}_{side}" for w in ("change", "shift") for side in ("left", "right")]
                options += [
                    {"segments": swapped(p.segments, k, replace(segment, lat=lat))}
                    for lat in lats
                    if lat != segment.lat
                ]
        begin = end
    if bed.trace.decision.longitudinal != "hold":
        bins = [b for b in range(14) if abs(low_of(sets.TARGET_SPEED, b) - speeds[-1]) > 5.0]
        options += [{"target_speed_bin": b} for b in bins]
    if p.stop_s_bin < len(sets.STOP_S.edges):
        bins = [b for b in range(len(sets.STOP_S.edges)) if abs(b - p.stop_s_bin) >= 3]
        options += [{"stop_s_bin": b} for b in bins]
    way = np.concatenate([bed.scene.ego.pose[None, :2], np.asarray(bed.plan.waypoints).reshape(-1, 4)[:, :2]])
    road = bed.scene.map
    for ref, _ in held(bed, (LANE,)):
        xy = road.centre[ref.index]
        if ref != p.target_lane and float(np.abs(project(xy, way)[1]).min()) > 6.0:  # nowhere near it all along
            options.append({"target_lane": ref})
    return replace(bed.trace, plan=replace(p, **pick(options, rng))) if options else None


def omitted_cause(bed: Bed, rng: Rng) -> Trace | None:
    """The cause that held the plan back most is not said; a limit that holds nothing back stands in its place."""
    d = bed.trace.decision
    strong = [c for c in d.causes if c.role == "proximate" and c.axis == "longitudinal" and c.share_bin >= 3
              and c.constraint in ("headway", "stop_point", "cross_conflict")]  # fmt: skip
    if not strong or d.longitudinal in sets.FREE or bed.look.speed > 0.8 * limit_of(bed):
        return None
    lane = Reference(LANE, bed.look.lane)
    if lane not in bed.present.row_of:
        return None
    stand_in = Cause(lane, "longitudinal", "proximate", "speed_cap", 4, 1)
    rest = [c for c in d.causes if c is not strong[0] and c.axis == "lateral"]
    return replace(bed.trace, decision=replace(d, causes=(stand_in, *rest)))


def false_cause(bed: Bed, rng: Rng) -> Trace | None:
    """A cause that holds nothing back: an agent well behind, or going the other way beside the road."""
    d = bed.trace.decision
    cited = {c.ref for c in d.causes}
    far = [f for f in agents_of(bed) if ref_of(f) not in cited and f.behind and f.along < -12.0]
    room = sets.MOST_CAUSES - len(d.causes)
    if not far or not room:
        return None
    role = "joint" if any(c.axis == "longitudinal" for c in d.causes) else "proximate"
    constraint = str(rng.choice(["headway", "stop_point", "cross_conflict", "required_decel"]))
    new = Cause(ref_of(pick(far, rng)), "longitudinal", role, constraint, 3, 2)
    return replace(bed.trace, decision=replace(d, causes=(*d.causes, new)))


def wrong_constraint(bed: Bed, rng: Rng) -> Trace | None:
    """The right cause for a reason that plainly is not its own."""
    spots: list[tuple[int, str]] = []
    for k, c in enumerate(bed.trace.decision.causes):
        fact = bed.look.of(c.ref)
        if fact and c.constraint == "headway" and fact.turned < 0.15 and abs(fact.aside) < 0.8 and fact.speed > 3.0:
            spots += [(k, "cross_conflict"), (k, "merge_gap"), (k, "occlusion_speed")]
            spots += [(k, "stop_point")] if speeds_of(bed).min() > 2.0 else []
        if fact and fact.kind.name == "PEDESTRIAN" and c.constraint == "cross_conflict":
            spots += [(k, "merge_gap")]
        if c.ref.kind == LANE and c.constraint == "speed_cap" and abs(bed.look.bends(120.0)) < 0.03:
            spots += [(k, "curve_lat_accel"), (k, "stop_point")]
    spots = [(k, v) for k, v in spots if v in CAUSES[cause_of(bed, k).axis, cause_of(bed, k).ref.kind]]
    if not spots:
        return None
    k, value = pick(spots, rng)
    causes = swapped(bed.trace.decision.causes, k, replace(cause_of(bed, k), constraint=value))
    return replace(bed.trace, decision=replace(bed.trace.decision, causes=causes))


def wrong_role(bed: Bed, rng: Rng) -> Trace | None:
    """What bound first and what bound nothing have changed roles."""
    d = bed.trace.decision
    for axis in sets.AXIS.values:
        own = [k for k, c in enumerate(d.causes) if c.axis == axis]
        first = [k for k in own if d.causes[k].role == "proximate" and d.causes[k].share_bin >= 3]
        idle = [k for k in own if d.causes[k].role == "enabling" and d.causes[k].share_bin == 0]
        if first and idle:
            a, b = first[0], pick(idle, rng)
            causes = list(d.causes)
            causes[a], causes[b] = replace(causes[a], role="enabling"), replace(causes[b], role="proximate")
            return replace(bed.trace, decision=replace(d, causes=tuple(causes)))
    return None


def wrong_violation(bed: Bed, rng: Rng) -> Trace | None:
    """A rejected option is said to fail ahead, and at an agent that is well behind."""
    d = bed.trace.decision
    far = [f for f in agents_of(bed) if f.behind and f.along < -40.0 and f.speed < 1.5 * max(bed.look.speed, 2.0)]
    spots = [(k, ref_of(f)) for k, r in enumerate(d.rejected) for f in far
             if r.ref != ref_of(f) and r.axis == "longitudinal" and r.violates in _AHEAD]  # fmt: skip
    if not spots:
        return None
    k, ref = pick(spots, rng)
    return replace(bed.trace, decision=replace(d, rejected=swapped(d.rejected, k, replace(d.rejected[k], ref=ref))))
