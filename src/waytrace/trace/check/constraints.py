"""Causes: one rule for each constraint, whether it comes from what is cited and fits what is planned."""

from __future__ import annotations

import math
from collections.abc import Callable

from waytrace.observe import Reference, ReferenceKind
from waytrace.scenario import AgentKind

from ..finding import Finding, Margin, all_of, any_of, either, fact, first_of, least, most
from ..measure import Measured
from ..thresholds import T
from ..types import Cause
from .case import Case
from .demand import demand_mps2
from .stops import target_of
from .ways import in_planned_way

Rule = Callable[[Case, Cause], Finding]
AGENT, LANE, LIGHT = ReferenceKind.AGENT, ReferenceKind.LANE, ReferenceKind.LIGHT
WALK, LINE = ReferenceKind.CROSSWALK, ReferenceKind.STOP_LINE

AHEAD = ("lead", "lead_of_lead", "cut_in_left", "cut_in_right", "cut_out", "parked_in_path", "oncoming_in_path",
         "vru_along", "vru_crossing", "parked_blocker_left", "parked_blocker_right")  # fmt: skip
ACROSS = ("crossing_from_left", "crossing_from_right", "merging", "vru_crossing", "oncoming_in_path")
BESIDE = ("parked_blocker_left", "parked_blocker_right", "parked_in_path", "adjacent_left", "adjacent_right",
          "oncoming", "oncoming_in_path", "vru_along", "vru_roadside", "vru_crossing", "work_zone")  # fmt: skip


def _one_of(case: Case, ref: Reference, names: tuple[str, ...], said: str) -> Finding:
    """Whether something stands in one of these relations to the ego; ``said`` is what they have in common."""
    found = first_of(case.related(ref, name) for name in names)
    return found if found.value == "true" else found._replace(decided_by=said)


def _near(m: Measured, row: int) -> float:
    """Room between the way of the ego's body and someone ahead; large for those elsewhere."""
    o = m.others
    if not o.on_path[row] or float(o.s[row] + o.along[row]) < m.front_m or float(o.gap[row]) > T.lead_gap_m:
        return 99.0
    return max(-float(o.overlap[row]), 0.0)


def _softly(found: Finding, m: Measured, row: int) -> Finding:
    """False only of those well away from the path: nearer ones may matter soon, so it cannot be told."""
    if found.value == "false" and row >= 0 and _near(m, row) <= 0.5 * T.cause_far_m:
        return all_of([Margin(found.decided_by, 0.0, found.unit, 1.0)], **found.evidence)
    return found


def headway(case: Case, cause: Cause) -> Finding:
    """Someone ahead in the path, or coming into it."""
    m, row = case.measured, case.measured.row(cause.ref)
    found = _one_of(case, cause.ref, AHEAD, "it is ahead in the ego's path, or comes into it")
    if found.value != "true" and row >= 0:
        o = m.others
        in_way = Margin("overlap with the ego's way", float(o.overlap[row]), "m", 0.1)
        ahead = Margin("way to it", float(o.s[row] - o.along[row]) - m.front_m + T.ahead_m, "m")
        far = most("gap", float(o.gap[row]), T.reference_range_m, "m")
        place = fact("it has a place along the path", bool(o.on_path[row]))
        found = any_of([found, all_of([place, in_way, ahead, far], gap_m=float(o.gap[row]))])
    if found.value != "true" and case.plan is not None and row >= 0:
        found = any_of([found, in_planned_way(case, row)])
    return _softly(found, m, row)


def stop_point(case: Case, cause: Cause) -> Finding:
    """A place to stop at on the path ahead that the plan does not pass."""
    m, ref = case.measured, cause.ref
    target = target_of(m, ref)
    if target is None:
        what = "it is a red or yellow light on the path" if ref.kind == LIGHT else "one would stop for it on the path"
        return all_of([fact(what, False)])
    margins = [least(f"way to the {target.what}", target.way_m, -T.entered_m, "m", 0.2),
               most(f"way to the {target.what}", target.way_m, T.reference_range_m, "m", 0.3)]  # fmt: skip
    if ref.kind == AGENT:
        found = _softly(
            _one_of(case, ref, (*AHEAD, *ACROSS), "it is in the ego's path, or its way meets it"), m, m.row(ref)
        )
        if found.value != "true":
            return found
        if case.plan is not None:
            speed = abs(float(m.others.state[m.row(ref), 3]))
            margins.append(
                either(
                    most("its speed", speed, T.occluder_mps, "m/s", 0.1),
                    most("slowest planned", float(case.planned.speed.min()), T.stop_point_mps, "m/s", 0.2),
                )
            )
    elif case.plan is not None:
        room = target.way_m - float(case.planned.s[-1])
        margins.append(least("room before it at the plan's end", room, -T.stop_beyond_m - 0.4, "m", 0.3))
        margins.append(most("way to it", target.way_m, T.plan_s * m.speed_mps + T.stop_near_m, "m"))
    return all_of(margins, way_m=target.way_m)


def cross_conflict(case: Case, cause: Cause) -> Finding:
    """Someone whose way meets the ego's, or who may step into it; a lane or crosswalk where that happens."""
    m, ref = case.measured, cause.ref
    if ref.kind in (LANE, WALK):
        return _place(case, ref)
    row = m.row(ref)
    walks = row >= 0 and m.others.kind[row] == AgentKind.PEDESTRIAN  # who walks along can step aside at any time
    names = (*ACROSS, "vru_roadside", "vru_along") if walks else (*ACROSS, "vru_roadside")
    found = _one_of(case, ref, names, "its way meets the ego's")
    if found.value != "true" and row >= 0:
        zones = [
            all_of([most("its arrival", z.arrives_s, 12.0, "s", 0.5), most("way to the zone", z.s0, T.conflict_m, "m"),
                    least("way to the zone's end", z.s1, 0.0, "m", 0.5)])
            for z in m.conflicts.get(row, ())
        ]  # fmt: skip
        found = any_of([found, *zones])
    along = row >= 0 and m.others.in_path[row] and abs(math.degrees(float(m.others.turned[row]))) < T.crossing_low_deg
    return found if along else _softly(found, m, row)


def _place(case: Case, ref: Reference) -> Finding:
    """A lane or crosswalk on the path ahead where ways meet."""
    m = case.measured
    if ref.kind == WALK:
        return case.related(ref, "crosswalk")
    index, stretch = m.path.roads.index, m.stretches.get(ref.index)
    if stretch is None:
        meets = any(
            int(index.conf_lane[c]) == ref.index and index.conf_kind[c] != 2
            for lane in m.stretches for c in range(index.conf_lo[lane], index.conf_lo[lane + 1])
        )  # fmt: skip
        return all_of([fact("it is a lane of the ego's path ahead, or crosses it", meets)])
    met = any(index.conf_kind[c] != 2 for c in range(index.conf_lo[ref.index], index.conf_lo[ref.index + 1]))
    return all_of([fact("other lanes cross or join it", met), least("way to its end", stretch.end_m, 0.0, "m", 0.2),
                   most("way to it", stretch.way_m, T.conflict_m, "m", 0.3)])  # fmt: skip


def merge_gap(case: Case, cause: Cause) -> Finding:
    """Someone in a lane beside, or on one that joins."""
    m, row = case.measured, case.measured.row(cause.ref)
    if row < 0:
        return all_of([fact("the ego knows of it", False)])
    o = m.others
    beyond = float(-o.inside[row])
    beside = all_of([
        fact("it has a place along the path", bool(o.on_path[row])),
        least("from the lane's edge to its middle", beyond, -0.5, "m", 0.2),
        most("from the lane's edge to its middle", beyond, T.adjacent_lane_m + 1.75, "m", 0.75),
        most("angle to the path", abs(math.degrees(float(o.turned[row]))), T.aligned_deg, "deg", 2.0),
        most("gap", float(o.gap[row]), T.lead_gap_m, "m", 0.3),
    ])  # fmt: skip
    joins = _one_of(case, cause.ref, ("merging", "cut_in_left", "cut_in_right"), "it comes over or joins")
    return any_of([beside, joins])


def _beside(case: Case, ref: Reference) -> Reference:
    """The lane of the path that a lane beside it goes with, where the plan changes to that one; else the lane."""
    m, i = case.measured, ref.index
    if i in m.stretches or case.plan is None or case.planned.changed_lane == 0 or i >= len(m.scene.map):
        return ref
    index = m.path.roads.index
    near = [int(v) for v in (index.lane_left[i], index.lane_right[i]) if int(v) in m.stretches]
    return Reference(LANE, near[0]) if near else ref


def speed_cap(case: Case, cause: Cause) -> Finding:
    """A limit on the path that the plan comes to, or is above."""
    m, ref = case.measured, _beside(case, cause.ref)
    stretch, found = m.stretches.get(ref.index), case.related(ref, "speed_limit")
    if found.value != "true" or stretch is None or case.plan is None:
        return found
    p = case.planned
    top = max(float(p.speed.max()), m.speed_mps)
    reach = float(p.s[-1]) + max(_slowing_m(m.speed_mps, stretch.limit_mps), 0.0) + T.cap_reach_m
    return all_of([least("speed against the limit", top, stretch.limit_mps - T.cap_below_mps, "m/s", 0.3),
                   most("way to it", stretch.way_m, reach, "m", 1.0)], limit_mps=stretch.limit_mps)  # fmt: skip


def _slowing_m(speed_mps: float, to_mps: float) -> float:
    """Way on which one slows down gently from one speed to another; negative for a faster one."""
    return (speed_mps**2 - to_mps**2) / (2.0 * T.cap_brake_mps2)


def curve_lat_accel(case: Case, cause: Cause) -> Finding:
    """A curve on the path, near enough to slow down for."""
    m, ref = case.measured, _beside(case, cause.ref)
    stretch, found = m.stretches.get(ref.index), case.related(ref, "curve")
    if found.value == "false" or stretch is None or case.plan is None:
        return found
    curve = math.sqrt(T.curve_accel_mps2 / max(stretch.curvature_1pm, 1e-4))
    reach = max(float(case.planned.s[-1]), _slowing_m(m.speed_mps, curve)) + T.cap_reach_m
    bends = Margin(found.decided_by, found.slack, found.unit, 0.1 if found.value == "undetermined" else 0.0)
    near = most("way to it", stretch.curve_m, reach, "m", 1.0)
    return all_of([bends, near], radius_m=1.0 / max(stretch.curvature_1pm, 1e-4))


def lateral_clearance(case: Case, cause: Cause) -> Finding:
    """Something beside or in the ego's way that leaves little room; a lane whose edge does."""
    m, ref = case.measured, cause.ref
    if ref.kind == LANE:
        near = _own_or_beside(case, ref)
        drives = case.plan is not None and case.planned.changed_lane != 0 and case.planned.end_lane == ref.index
        return all_of([Margin(near.decided_by, near.slack, near.unit), fact("the plan does not end on it", not drives)])
    row = m.row(ref)
    if row < 0:
        return all_of([fact("the ego knows of it", False)])
    o, room = m.others, -float(m.others.overlap[row])
    close = all_of([
        fact("it has a place along the path", bool(o.on_path[row])),
        least("its far end ahead", float(o.s[row] + o.along[row]) + m.front_m, 0.0, "m", 0.3),
        most("room beside the ego's way", room, T.cause_room_m, "m", 0.2),
        either(
            most("it reaches over the lane's middle", float(o.across[row]) - abs(float(o.d[row])), 0.0, "m", 0.2),
            most("its speed", abs(float(o.state[row, 3])), T.occluder_mps, "m/s", 0.1),
        ),
        most("gap", float(o.gap[row]), T.lead_gap_m, "m", 0.3),
    ])  # fmt: skip
    return any_of([close, _one_of(case, ref, BESIDE, "it is beside the ego's way")])


def _own_or_beside(case: Case, ref: Reference) -> Finding:
    """A lane of the path, or its neighbour."""
    m, i = case.measured, ref.index
    if m.path.lane < 0 or i >= len(m.scene.map):
        return all_of([fact("it is a lane of the path or beside it", False)])
    index = m.path.roads.index
    beside = {i, int(index.lane_left[i]), int(index.lane_right[i])} - {-1}
    near = bool(beside & set(m.stretches))
    if not near:
        around = {int(index.lane_left[v]) for v in m.stretches} | {int(index.lane_right[v]) for v in m.stretches}
        before = [int(p) for p in index.pred[index.pred_lo[i] : index.pred_lo[i + 1]]]
        near = bool(set(before) & around)
    return all_of([fact("it is a lane of the path or beside it", near)])


def route_feasibility(case: Case, cause: Cause) -> Finding:
    """A lane that the route needs, or that leaves it: a turn, an end (of the map too), the lane to change to."""
    m, i = case.measured, cause.ref.index
    near = _own_or_beside(case, cause.ref)
    if near.value != "true":
        return near
    stretch = m.stretches.get(i)
    turns = stretch is not None and (stretch.junction or abs(math.degrees(stretch.turned)) > T.turn_deg)
    ends = stretch is not None and not stretch.has_successor and stretch.end_m < T.reference_range_m
    leaves = math.isfinite(m.path.run_m)
    planned = case.plan is not None and bool((case.planned.lane == i).any()) and case.planned.changed_lane != 0
    free = cause.role == "enabling"
    said = fact("the route turns, ends or changes lanes there", turns or ends or leaves or planned or free)
    return all_of([said], run_m=min(m.path.run_m, 1e4))


def occlusion_speed(case: Case, cause: Cause) -> Finding:
    """Something that hides a place beside the path; a crosswalk with such a thing near."""
    m, ref = case.measured, cause.ref
    if ref.kind == AGENT:
        return case.related(ref, "occluder")
    walk = case.related(ref, "crosswalk")
    hidden = any(case.related(agent, "occluder").value == "true" for agent in case.agents())
    return all_of([Margin(walk.decided_by, walk.slack, walk.unit), fact("something beside the path hides it", hidden)],
                  others=len(m.others))  # fmt: skip


def bars_a_lane_beside(case: Case, cause: Cause) -> Finding:
    """Someone in the ego's lane or one beside it who bars the way out to that side, as the constraint says: ahead
    there (``headway``), driving there (``merge_gap``), coming or crossing there (``cross_conflict``).
    """
    m, row, name = case.measured, case.measured.row(cause.ref), cause.constraint
    if row < 0 or name not in ("headway", "merge_gap", "cross_conflict"):
        return all_of([fact("it can bar a lane beside", False)])
    o, angle = m.others, abs(math.degrees(float(m.others.turned[row])))
    margins = [
        fact("it has a place along the path", bool(o.on_path[row])),
        most("from the lane's edge to its near side", float(o.edge[row]), T.adjacent_lane_m + 0.5, "m", 0.2),
        most("gap", float(o.gap[row]), T.lead_gap_m, "m", 0.3),
    ]
    if name == "cross_conflict":
        margins.append(least("angle to the path", angle, T.crossing_low_deg, "deg", 1.0))
    else:
        margins.append(most("angle to the path", angle, T.aligned_deg, "deg", 2.0))
    if name == "headway":
        margins.append(least("way to it", float(o.s[row] - o.along[row]) - m.front_m, -T.ahead_m, "m"))
    return all_of(margins, d_m=float(o.d[row]), gap_m=float(o.gap[row]))


def required_decel(case: Case, cause: Cause) -> Finding:
    """Something that calls for hard braking now."""
    m, ref = case.measured, cause.ref
    need = demand_mps2(m, ref)
    if ref.kind == LANE:
        hard = 0.0 if case.plan is None else -float(case.planned.accel.min())
        near = _own_or_beside(case, ref)
        braking = least("braking planned", hard, T.required_mps2, "m/s2", 0.3)
        return all_of([Margin(near.decided_by, near.slack, near.unit), braking])
    margins = [least("braking called for", need, T.required_mps2, "m/s2", 0.5)]
    if case.plan is not None:
        planned = least("braking planned", -float(case.planned.accel[:4].min()), T.required_mps2, "m/s2", 0.3)
        margins = [either(margins[0], planned)]
        found = (
            _one_of(case, ref, (*AHEAD, *ACROSS), "it is in the ego's path, or its way meets it")
            if ref.kind == AGENT
            else None
        )
        if found is not None:
            found = _softly(found, m, m.row(ref))
            margins.append(Margin(found.decided_by, found.slack, found.unit, 0.1 if found.value[0] == "u" else 0.0))
    return all_of(margins, needs_mps2=need)


CONSTRAINT_RULES: dict[str, Rule] = {
    "headway": headway, "stop_point": stop_point, "cross_conflict": cross_conflict, "merge_gap": merge_gap,
    "speed_cap": speed_cap, "curve_lat_accel": curve_lat_accel, "lateral_clearance": lateral_clearance,
    "route_feasibility": route_feasibility, "occlusion_speed": occlusion_speed, "required_decel": required_decel,
}  # fmt: skip
