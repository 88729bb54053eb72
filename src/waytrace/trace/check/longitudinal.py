"""Longitudinal decisions against the plan: one rule for each."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import chain

import numpy as np

from waytrace.observe import Reference, ReferenceKind
from waytrace.scenario import PLAN_KNOT_S

from ..finding import Finding, Margin, all_of, any_of, either, fact, first_of, least, most
from ..measure import Conflict, Measured, PlanMeasured
from ..thresholds import T
from .case import Case
from .stops import Target, next_red, room_at, target_of, targets
from .ways import headway_planned_s, in_planned_way, leads_at

Rule = Callable[[Case], Finding]

SPLIT = 2
"""Kind of a lane conflict that is none: both come from one lane."""


def slowest_allowed(m: Measured, p: PlanMeasured) -> float:
    """The least speed that limits and curves ask for on the stretch that a plan covers; the present speed else."""
    path, far = m.path, float(p.s[-1]) + 10.0
    rows = slice(path.sample(0.0), path.sample(max(far, 1.0)) + 1)
    limit = path.path.limit[rows]
    bend = np.abs(path.path.curvature[rows])
    curve = np.sqrt(T.curve_accel_mps2 / np.maximum(bend, 1e-6))
    known = np.where(np.isnan(limit), np.inf, limit)
    return float(min(m.speed_mps, known.min(initial=np.inf), curve.min(initial=np.inf)))


def no_drop(m: Measured, p: PlanMeasured) -> Margin:
    """Does not get slower than limits and curves ask for."""
    allowed = slowest_allowed(m, p)
    tolerance = max(T.free_drop_mps, T.drop_share * allowed)
    return Margin("keeps its speed", float(p.speed.min()) - (allowed - tolerance), "m/s", 0.1)


def goes(p: PlanMeasured) -> Margin:
    """Drives at the end."""
    return Margin("speed at the end", float(p.speed[-1]) - T.stop_unsure_mps, "m/s")


def set_speed(case: Case) -> Finding:
    """Goes as fast as limits and curves allow: nothing else slows it down."""
    m, p = case.measured, case.planned
    return all_of([no_drop(m, p), goes(p)], speed_mps=m.speed_mps, least_mps=float(p.speed.min()))


def proceed(case: Case) -> Finding:
    """Goes on, without slowing down, through a place where one could have to give way; or sets off."""
    m, p = case.measured, case.planned
    reach = float(p.s[-1]) + T.gives_way_m
    way = [t.way_m for t in targets(m) if t.what in ("light", "stop line", "crosswalk", "road user")]
    way += [line.entry_m for line in m.lights.values() if line.entry_m > -T.entered_m - 2.0 * m.front_m]
    way += [s.way_m for s in m.stretches.values() if s.junction]
    way += [c.s0 for found in m.conflicts.values() for c in found]
    way += _zones_ahead(m)
    place = most("way to a place where one could have to give way", min(way, default=999.0), reach, "m")
    slow = most("its speed now", m.speed_mps, T.sets_off_mps, "m/s")
    return all_of([no_drop(m, p), goes(p), either(place, slow)], least_mps=float(p.speed.min()))


def _zones_ahead(m: Measured) -> list[float]:
    """Ways to where other lanes cross or join the path."""
    index = m.path.roads.index
    return [
        start + float(index.conf_s0[c]) - m.front_m
        for lane, start, end in m.path.starts if m.path.lane >= 0 and end > m.front_m
        for c in range(index.conf_lo[lane], index.conf_lo[lane + 1])
        if index.conf_kind[c] != SPLIT and start + float(index.conf_s1[c]) > m.front_m
    ]  # fmt: skip


def _followed(case: Case) -> list[Reference]:
    """Who may be followed: cited agents first, then the leads."""
    m = case.measured
    cited = [c.ref for c in case.causes if c.axis == "longitudinal" and m.row(c.ref) >= 0]
    ahead = [Reference(ReferenceKind.AGENT, int(m.others.index[i])) for i in m.leads[:1]]
    return list(dict.fromkeys([*cited, *ahead]))


def follow(case: Case) -> Finding:
    """There is someone ahead in the path, or coming into it, and the plan keeps behind."""
    m = case.measured
    found = []
    for ref in _followed(case):
        row = m.row(ref)
        leads = first_of(chain([in_planned_way(case, row)], (case.related(ref, r) for r in FOLLOWED)))
        room = float(leads_at(case, row).min())
        stays = Margin("room left behind it", room - T.follow_behind_m + 1.0, "m", 0.5)
        unsure = 0.1 if leads.value == "undetermined" else 0.0
        said = f"{ref} is ahead in the way, or comes into it"
        near = most("headway planned", headway_planned_s(case, row), T.lead_headway_s, "s", 0.2)
        found.append(
            all_of([Margin(said, 0.0 if unsure else leads.slack, leads.unit, unsure), stays, near],
                   followed=str(ref), room_m=room)
        )  # fmt: skip
    return any_of(found) if found else all_of([fact("there is someone ahead to follow", False)])


FOLLOWED = ("lead", "lead_of_lead", "cut_in_left", "cut_in_right", "cut_out", "parked_in_path", "vru_along")


def slows(case: Case, what: str = "slows down") -> Margin:
    """Gets slower by more than noise, or loses speed against a free drive to the limit."""
    m, p = case.measured, case.planned
    drop = least(what, p.drop_mps, min(T.drop_mps, T.drop_share * max(m.speed_mps, 1.0)), "m/s", 0.05)
    limit = m.limit_mps if not math.isnan(m.limit_mps) else max(m.speed_mps, float(p.speed.max()))
    free = np.minimum(np.maximum(limit, m.speed_mps), m.speed_mps + T.free_accel_mps2 * p.t_s)
    loses = least("speed lost against a free drive", float((free - p.speed).mean()), T.free_loss_mps, "m/s", 0.05)
    return either(drop, loses)


def adapt_speed(case: Case) -> Finding:
    """Drives slower than it could, without coming to rest."""
    p = case.planned
    return all_of(
        [slows(case), goes(p)],
        drop_mps=p.drop_mps, end_mps=float(p.speed[-1]),
    )  # fmt: skip


def gap_search(case: Case) -> Finding:
    """Fits its speed to a gap: someone drives beside or on a lane that joins, or the own lane ends."""
    m = case.measured
    sides = ("adjacent_left", "adjacent_right", "cut_in_left", "cut_in_right", "merging", "rear", "lead")
    cited = [c.ref for c in case.causes if c.constraint == "merge_gap"]
    beside = [first_of(case.related(ref, r) for r in sides) for ref in cited if m.row(ref) >= 0]
    near = [_beside(m, m.row(ref)) for ref in cited if m.row(ref) >= 0]
    ends = fact("its lane leaves the route", math.isfinite(m.path.run_m) and m.path.run_m < T.gap_search_m)
    gaps = [fact("someone drives beside it", any(f.value == "true" for f in beside)), *near, ends]
    return all_of([slows(case), either(*gaps)], run_m=min(m.path.run_m, 1e4))


def _beside(m: Measured, row: int) -> Margin:
    """In a lane beside the ego's, not far before or behind."""
    o = m.others
    aside = min(float(-o.inside[row]), T.beside_far_m - float(-o.inside[row]))
    return Margin(
        "in a lane beside", min(aside + 0.5, T.beside_gap_m - float(o.gap[row])) if o.on_path[row] else -9.0, "m", 0.2
    )


def passing(case: Case) -> Finding:
    """Drives by someone slower, or standing, who is beside the plan's way."""
    m, p, o = case.measured, case.planned, case.measured.others
    cited = [m.row(c.ref) for c in case.causes if m.row(c.ref) >= 0]
    found = []
    for row in cited or range(len(o)):
        if not o.on_path[row] or float(o.s[row] + o.along[row]) < -m.front_m:
            continue
        at = float(o.s[row]) + np.maximum(float(o.v_along[row]), 0.0) * p.t_s
        level = np.flatnonzero(p.s + m.front_m > at - float(o.along[row]))
        if not len(level):
            continue
        k = level[: max(1, len(level))]
        room = np.abs(p.d[k] - float(o.d[row])) - float(o.across[row]) - 0.5 * m.scene.ego.width_m
        slower = Margin("slower than the plan", float(p.speed[k[0]]) - float(o.v_along[row]), "m/s", 0.2)
        found.append(
            all_of([slower, Margin("room beside it", float(room[:3].min()), "m", 0.05),
                    Margin("is beside the lane or in it", T.pass_side_m - abs(float(o.d[row])), "m"), goes(p)],
                   passed=int(o.index[row]))
        )  # fmt: skip
    return any_of(found) if found else all_of([fact("there is someone whom the plan gets level with", False)])


def _zones(m: Measured, ref: Reference) -> list[Conflict]:
    return list(m.conflicts.get(m.row(ref), ()))


def yielding(case: Case) -> Finding:
    """Slows down for someone whose way meets its own, and gets there after; not where a red light binds instead."""
    m, p = case.measured, case.planned
    cited = [c.ref for c in case.causes if c.axis == "longitudinal" and m.row(c.ref) >= 0]
    found = [_yields_to(case, ref) for ref in cited or case.agents()]
    red = next_red(m)
    if math.isfinite(red) and p.at_way(red + T.stop_beyond_m) == math.inf and p.rest >= 0:
        zones = [z.s0 for ref in cited for z in _zones(m, ref)]
        if min(zones, default=math.inf) > red - 1.0:
            return all_of([fact("no red light binds instead", False)], red_m=red)
    return any_of(found) if found else all_of([fact("there is someone to yield to", False)])


def _yields_to(case: Case, ref: Reference) -> Finding:
    m, p = case.measured, case.planned
    row, o = m.row(ref), m.others
    crosses = case.related(ref, "vru_crossing")
    zones = _zones(m, ref)
    need = max(T.drop_mps, T.drop_share * m.speed_mps)
    waits = either(
        least("slows down", p.drop_mps, min(need, max(m.speed_mps - 0.1, 0.05)), "m/s", 0.05),
        most("hardly moves within 2 s", float(p.driven_m[4]), T.creep_m, "m"),
    )
    if not zones:
        if crosses.value == "false":
            return all_of([Margin(crosses.decided_by, crosses.slack, crosses.unit)], to=str(ref))
        way = float(o.s[row] - o.along[row]) - m.front_m
        comes = float(o.toward[row]) > 0.0
        left_m = float(o.overlap[row]) + (2.0 * abs(float(o.d[row])) if comes else 0.0)
        leaves_s = left_m / max(abs(float(o.v_across[row])), T.vru_walk_mps)
        after = least(
            "gets there after", min(p.at_way(way), 99.0), min(leaves_s - T.crosses_spare_s, T.crosses_s), "s", 0.2
        )
        return all_of([waits, after], to=str(ref), way_m=way)
    judged = []
    for zone in zones:
        apart = either(
            most("arrivals apart", zone.apart_s, T.yield_apart_s, "s", 0.2),
            most("its arrival from now", zone.arrives_s, T.crossing_arrival_s, "s", 0.2),
        )
        there = p.at_way(max(zone.s0, 0.0))
        after = least("gets there after", min(there, 99.0), zone.arrives_s - T.after_s, "s", 0.3)
        judged.append(
            all_of([apart, waits, after], to=str(ref), zone_m=zone.s0, ego_arrives_s=min(there, 99.0),
                   it_arrives_s=zone.arrives_s)
        )  # fmt: skip
    return any_of(judged)


def stop(case: Case) -> Finding:
    """Comes to rest before something that one stops for."""
    m, p = case.measured, case.planned
    end = float(p.speed[-1])
    slow = Margin("speed at the end", 0.5 * (T.stop_mps + T.stop_unsure_mps) - end, "m/s",
                  0.5 * (T.stop_unsure_mps - T.stop_mps))  # fmt: skip
    moving = either(
        least("speed now", m.speed_mps, T.standing_mps, "m/s"), least("moves", float(p.driven_m[-1]), T.hold_m, "m")
    )
    if slow.room < -slow.band:
        return all_of([slow], end_mps=end)
    at = float(p.driven_m[p.rest]) if p.rest >= 0 else float(p.driven_m[-1])
    places = targets(m)
    cited = [t for c in case.causes if (t := target_of(m, c.ref)) is not None]
    fits = [_fit(m, t, at) for t in (cited or places)]
    best = max(fits, key=lambda f: f.room, default=fact("there is something to stop for", False))
    return all_of([slow, moving, best], end_mps=end, stop_m=at)


def _fit(m: Measured, target: Target, stop_m: float) -> Margin:
    """How well a place of rest fits a target; someone who still moves is taken to brake as now, or gently."""
    row, way = m.row(target.ref), target.way_m
    rolls = row >= 0 and float(m.others.v_along[row]) > T.standing_mps
    if rolls and m.others.in_path[row]:
        v, brakes = float(m.others.v_along[row]), max(-float(m.others.accel[row]), T.rolls_out_mps2)
        way += v * v / (2.0 * brakes)
    room, fit = room_at(target._replace(way_m=way), stop_m)
    if rolls and room > 0.0:
        fit = max(fit, min(room + T.stop_beyond_m, T.stop_moving_m - room))
    return Margin(f"room before the {target.what} where it stops", fit, "m")


def hold(case: Case) -> Finding:
    """Stands and stays."""
    m, p = case.measured, case.planned
    return all_of(
        [most("speed now", abs(m.speed_mps), T.standing_mps, "m/s", 0.1),
         most("moves", float(p.driven_m[-1]), T.hold_m, "m", 0.1)],
        moves_m=float(p.driven_m[-1]),
    )  # fmt: skip


def emergency_brake(case: Case) -> Finding:
    """Brakes harder than comfort allows within the first two seconds."""
    p = case.planned
    hardest = -float(p.accel[:4].min())
    stops = float(p.speed[0]) / PLAN_KNOT_S  # slower than that: at rest within a knot
    wanted = min(T.emergency_mps2, max(stops - 0.2, T.emergency_least_mps2))
    return all_of([least("hardest braking", hardest, wanted, "m/s2", 0.05)], hardest_mps2=hardest)


LONGITUDINAL_RULES: dict[str, Rule] = {
    "set_speed": set_speed, "follow": follow, "adapt_speed": adapt_speed, "gap_search": gap_search, "pass": passing,
    "yield": yielding, "stop": stop, "hold": hold, "proceed": proceed, "emergency_brake": emergency_brake,
}  # fmt: skip
