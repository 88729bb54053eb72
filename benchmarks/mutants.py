"""Planted errors: each turns a valid trace into one that plainly says something wrong about its scene or its plan.

A planter gets a :class:`Bed` (trace, scene, plan) and a random generator and answers with the changed trace, or None
where nothing plainly wrong of its kind can be planted there. Traces stay within the grammar: that they are wrong is all
that can give them away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mutant_scene import Fact, Look, surely_not
from waytrace.geometry import project
from waytrace.observe import Reference, ReferenceKind, Scene
from waytrace.scenario import LightState, Plan
from waytrace.trace import Cause, Entity, Present, Trace, sets
from waytrace.trace.compatible import CAUSES
from waytrace.trace.sets import Bins

AGENT, LANE, LIGHT = ReferenceKind.AGENT, ReferenceKind.LANE, ReferenceKind.LIGHT
Rng = np.random.Generator
_AHEAD = ("headway", "stop_point", "cross_conflict")
"""Constraints that come from what lies ahead."""


@dataclass(frozen=True)
class Bed:
    """A labelled decision to plant in."""

    trace: Trace
    scene: Scene
    plan: Plan
    present: Present
    look: Look
    later: Trace | None = None
    """The trace of another moment of the drive, at least 3 s away."""


Planter = Callable[[Bed, Rng], Trace | None]


def wrong_reference(bed: Bed, rng: Rng) -> Trace | None:
    """A claim points at another agent, for which its relation plainly does not hold."""
    entities = bed.trace.entities
    spots = [(k, f) for k, e in enumerate(entities) if e.ref.kind == AGENT for f in _agents(bed)
             if surely_not(e.relation, f) and _ref(f) not in {x.ref for x in entities}]  # fmt: skip
    if not spots:
        return None
    k, fact = _pick(spots, rng)
    new = replace(entities[k], ref=_ref(fact), class_=fact.kind.name.lower())
    return _with_entities(bed, [*entities[:k], new, *entities[k + 1 :]])


def wrong_relation(bed: Bed, rng: Rng) -> Trace | None:
    """A relation that plainly does not hold for its agent."""
    mirrored = {"left": "right", "right": "left"}
    spots = [
        (k, relation)
        for k, e in enumerate(bed.trace.entities)
        if (fact := bed.look.of(e.ref)) is not None
        for relation in sets.AGENT_RELATIONS
        if relation != e.relation and surely_not(relation, fact)
        and not any(relation == e.relation.replace(a, b) for a, b in mirrored.items())
    ]  # fmt: skip
    return _entity(bed, spots, "relation", rng)


def wrong_class(bed: Bed, rng: Rng) -> Trace | None:
    """A class that its agent does not have."""
    far = {"vehicle": ("pedestrian", "cyclist", "static"), "large_vehicle": ("pedestrian", "cyclist"),
           "pedestrian": ("vehicle", "large_vehicle"), "cyclist": ("vehicle", "static"),
           "static": ("pedestrian", "vehicle")}  # fmt: skip
    spots = [(k, c) for k, e in enumerate(bed.trace.entities) for c in far.get(e.class_, ())]
    return _entity(bed, spots, "class_", rng)


def wrong_motion(bed: Bed, rng: Rng) -> Trace | None:
    """A motion that its agent plainly does not show."""
    spots: list[tuple[int, str]] = []
    for k, e in enumerate(bed.trace.entities):
        fact = bed.look.of(e.ref)
        if fact is None or fact.seen_s < 1.0:
            continue
        if fact.speed > 3.0:
            spots += [(k, "standing"), (k, "reversing")]
        if fact.fastest < 0.05:
            spots += [(k, "accelerating"), (k, "braking"), (k, "reversing")]
        if fact.gained > 1.5 and fact.speed > 2.0:
            spots.append((k, "braking"))
        if fact.gained < -1.5 and fact.speed > 2.0:
            spots.append((k, "accelerating"))
    return _entity(bed, [(k, m) for k, m in spots if bed.trace.entities[k].motion != m], "motion", rng)


def wrong_gap(bed: Bed, rng: Rng) -> Trace | None:
    """A gap that is off by two bins and more."""
    spots = [
        (k, g)
        for k, e in enumerate(bed.trace.entities)
        if e.relation in ("lead", "rear", "lead_of_lead", "signal", "stop_line", "crosswalk")
        for g in range(len(sets.GAP))
        if abs(g - e.gap_bin) >= 3
        or (abs(g - e.gap_bin) == 2 and abs(_low(sets.GAP, g) - _low(sets.GAP, e.gap_bin)) > 9)
    ]
    return _entity(bed, spots, "gap_bin", rng)


def wrong_summary(bed: Bed, rng: Rng) -> Trace | None:
    """Speed, motion or light of the summary plainly not as they are."""
    s, speed = bed.trace.scene_summary, bed.look.speed
    options: list[dict[str, Any]] = []
    if s.ego_motion != "standing":
        options += [{"ego_speed_bin": b} for b in range(12) if abs(_low(sets.EGO_SPEED, b) - speed) > 5.0]
    if speed > 3.0:
        options.append({"ego_motion": "reversing"})
    elif speed < 0.05:
        options.append(
            {"ego_motion": "accelerating"} if bed.scene.ego.accel_mps2 < 0.05 else {"ego_motion": "reversing"}
        )
    if s.signal_for_ego in ("red", "green"):
        options.append({"signal_for_ego": {"red": "green", "green": "red"}[s.signal_for_ego]})
    if s.signal_for_ego == "none" and len(bed.scene.light_lane) and not _route_lights(bed.scene):
        options.append({"signal_for_ego": "red"})
    return replace(bed.trace, scene_summary=replace(s, **_pick(options, rng))) if options else None


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
    axis, value = _pick(options, rng)
    return _decide(bed, axis, value)


def against_plan(bed: Bed, rng: Rng) -> Trace | None:
    """A decision that its own plan plainly does not follow."""
    d, speeds = bed.trace.decision, _speeds(bed)
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
    return _decide(bed, *_pick(options, rng)) if options else None


def plan_claim(bed: Bed, rng: Rng) -> Trace | None:
    """A claim about the plan that its waypoints plainly contradict: segment, final speed, halt, lane."""
    p, speeds = bed.trace.plan, _speeds(bed)
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
                {"segments": _at(p.segments, k, replace(segment, lon=lon))} for lon in wrong if lon != segment.lon
            ]
            aside = np.concatenate([[0.0], bed.look.aside_of_plan(bed.plan)])[begin : end + 1]
            if np.ptp(aside) < 0.25:
                lats = [f"{w}_{side}" for w in ("change", "shift") for side in ("left", "right")]
                options += [
                    {"segments": _at(p.segments, k, replace(segment, lat=lat))} for lat in lats if lat != segment.lat
                ]
        begin = end
    if bed.trace.decision.longitudinal != "hold":
        bins = [b for b in range(14) if abs(_low(sets.TARGET_SPEED, b) - speeds[-1]) > 5.0]
        options += [{"target_speed_bin": b} for b in bins]
    if p.stop_s_bin < len(sets.STOP_S.edges):
        bins = [b for b in range(len(sets.STOP_S.edges)) if abs(b - p.stop_s_bin) >= 3]
        options += [{"stop_s_bin": b} for b in bins]
    way = np.concatenate([bed.scene.ego.pose[None, :2], np.asarray(bed.plan.waypoints).reshape(-1, 4)[:, :2]])
    road = bed.scene.map
    for ref, _ in _held(bed, (LANE,)):
        xy = road.centre[ref.index]
        if ref != p.target_lane and float(np.abs(project(xy, way)[1]).min()) > 6.0:  # nowhere near it all along
            options.append({"target_lane": ref})
    return replace(bed.trace, plan=replace(p, **_pick(options, rng))) if options else None


def omitted_cause(bed: Bed, rng: Rng) -> Trace | None:
    """The cause that held the plan back most is not said; a limit that holds nothing back stands in its place."""
    d = bed.trace.decision
    strong = [c for c in d.causes if c.role == "proximate" and c.axis == "longitudinal" and c.share_bin >= 3
              and c.constraint in ("headway", "stop_point", "cross_conflict")]  # fmt: skip
    if not strong or d.longitudinal in sets.FREE or bed.look.speed > 0.8 * _limit(bed):
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
    far = [f for f in _agents(bed) if _ref(f) not in cited and f.behind and f.along < -12.0]
    room = sets.MOST_CAUSES - len(d.causes)
    if not far or not room:
        return None
    role = "joint" if any(c.axis == "longitudinal" for c in d.causes) else "proximate"
    constraint = str(rng.choice(["headway", "stop_point", "cross_conflict", "required_decel"]))
    new = Cause(_ref(_pick(far, rng)), "longitudinal", role, constraint, 3, 2)
    return replace(bed.trace, decision=replace(d, causes=(*d.causes, new)))


def wrong_constraint(bed: Bed, rng: Rng) -> Trace | None:
    """The right cause for a reason that plainly is not its own."""
    spots: list[tuple[int, str]] = []
    for k, c in enumerate(bed.trace.decision.causes):
        fact = bed.look.of(c.ref)
        if fact and c.constraint == "headway" and fact.turned < 0.15 and abs(fact.aside) < 0.8 and fact.speed > 3.0:
            spots += [(k, "cross_conflict"), (k, "merge_gap"), (k, "occlusion_speed")]
            spots += [(k, "stop_point")] if _speeds(bed).min() > 2.0 else []
        if fact and fact.kind.name == "PEDESTRIAN" and c.constraint == "cross_conflict":
            spots += [(k, "merge_gap")]
        if c.ref.kind == LANE and c.constraint == "speed_cap" and abs(bed.look.bends(120.0)) < 0.03:
            spots += [(k, "curve_lat_accel"), (k, "stop_point")]
    spots = [(k, v) for k, v in spots if v in CAUSES[_cause(bed, k).axis, _cause(bed, k).ref.kind]]
    if not spots:
        return None
    k, value = _pick(spots, rng)
    causes = _at(bed.trace.decision.causes, k, replace(_cause(bed, k), constraint=value))
    return replace(bed.trace, decision=replace(bed.trace.decision, causes=causes))


def wrong_role(bed: Bed, rng: Rng) -> Trace | None:
    """What bound first and what bound nothing have changed roles."""
    d = bed.trace.decision
    for axis in sets.AXIS.values:
        own = [k for k, c in enumerate(d.causes) if c.axis == axis]
        first = [k for k in own if d.causes[k].role == "proximate" and d.causes[k].share_bin >= 3]
        idle = [k for k in own if d.causes[k].role == "enabling" and d.causes[k].share_bin == 0]
        if first and idle:
            a, b = first[0], _pick(idle, rng)
            causes = list(d.causes)
            causes[a], causes[b] = replace(causes[a], role="enabling"), replace(causes[b], role="proximate")
            return replace(bed.trace, decision=replace(d, causes=tuple(causes)))
    return None


def swapped_sides(bed: Bed, rng: Rng) -> Trace | None:
    """Left for right where the side is plain."""
    made: list[Trace] = []
    for k, e in enumerate(bed.trace.entities):
        fact = bed.look.of(e.ref)
        other = _mirror(e.relation)
        if fact and other != e.relation and surely_not(other, fact):
            made.append(replace(bed.trace, entities=_at(bed.trace.entities, k, replace(e, relation=other))))
    s, d, p = bed.trace.scene_summary, bed.trace.decision, bed.trace.plan
    if s.route_intent.startswith("turn") and abs(bed.look.bends(100.0)) > 0.7:
        made.append(replace(bed.trace, scene_summary=replace(s, route_intent=_mirror(s.route_intent))))
    aside = bed.look.aside_of_plan(bed.plan)
    if d.lateral.startswith("nudge"):  # beside the lane's middle, not beside where the ego is now
        aside = aside + float(project(bed.look.path, bed.scene.ego.pose[None, :2])[1][0])
    sign = 1.0 if d.lateral.endswith("left") else -1.0
    if _mirror(d.lateral) != d.lateral and (sign * aside).max() > 0.8 and (sign * aside).min() > -0.15:
        made.append(replace(bed.trace, decision=replace(d, lateral=_mirror(d.lateral))))
    for k, g in enumerate(p.segments):
        if _mirror(g.lat) != g.lat and g.lat.startswith(("change", "turn")):
            made.append(
                replace(bed.trace, plan=replace(p, segments=_at(p.segments, k, replace(g, lat=_mirror(g.lat)))))
            )
    return _pick(made, rng) if made else None


def stale(bed: Bed, rng: Rng) -> Trace | None:
    """The trace of another moment of the same drive, with plainly another speed or other neighbours."""
    if bed.later is None:
        return None
    off = abs(bed.later.scene_summary.ego_speed_bin - bed.trace.scene_summary.ego_speed_bin)
    mine = {e.ref: e for e in bed.trace.entities}
    moved = [e for e in bed.later.entities if e.ref in mine and abs(mine[e.ref].gap_bin - e.gap_bin) >= 2]
    gone = [e for e in bed.later.entities if e.ref not in bed.present.row_of]
    return bed.later if off >= 2 or moved or gone else None


def wrong_violation(bed: Bed, rng: Rng) -> Trace | None:
    """A rejected option is said to fail ahead, and at an agent that is well behind."""
    d = bed.trace.decision
    far = [f for f in _agents(bed) if f.behind and f.along < -40.0 and f.speed < 1.5 * max(bed.look.speed, 2.0)]
    spots = [(k, _ref(f)) for k, r in enumerate(d.rejected) for f in far
             if r.ref != _ref(f) and r.axis == "longitudinal" and r.violates in _AHEAD]  # fmt: skip
    if not spots:
        return None
    k, ref = _pick(spots, rng)
    return replace(bed.trace, decision=replace(d, rejected=_at(d.rejected, k, replace(d.rejected[k], ref=ref))))


PLANTERS: dict[str, Planter] = {
    "wrong reference": wrong_reference, "wrong relation": wrong_relation, "wrong class": wrong_class,
    "wrong motion": wrong_motion, "wrong gap": wrong_gap, "wrong summary": wrong_summary,
    "impossible decision": impossible_decision, "decision against the plan": against_plan,
    "plan claim against the plan": plan_claim, "omitted cause": omitted_cause, "false cause": false_cause,
    "wrong constraint": wrong_constraint, "wrong role": wrong_role, "swapped sides": swapped_sides,
    "stale trace": stale, "wrong violation": wrong_violation,
}  # fmt: skip


def _agents(bed: Bed) -> list[Fact]:
    return [f for f in bed.look.facts.values() if _ref(f) in bed.present.row_of]


def _ref(fact: Fact) -> Reference:
    return Reference(AGENT, fact.index)


def _held(bed: Bed, kinds: Sequence[ReferenceKind]) -> list[tuple[Reference, int]]:
    return [(ref, row) for ref, row in bed.present.row_of.items() if ref.kind in kinds]


def _pick(items: Sequence[Any], rng: Rng) -> Any:
    return items[int(rng.integers(len(items)))]


def _at(items: tuple[Any, ...], k: int, new: Any) -> tuple[Any, ...]:
    return (*items[:k], new, *items[k + 1 :])


def _cause(bed: Bed, k: int) -> Cause:
    return bed.trace.decision.causes[k]


def _entity(bed: Bed, spots: Sequence[tuple[int, Any]], name: str, rng: Rng) -> Trace | None:
    if not spots:
        return None
    k, value = _pick(spots, rng)
    changed: dict[str, Any] = {name: value}
    return replace(bed.trace, entities=_at(bed.trace.entities, k, replace(bed.trace.entities[k], **changed)))


def _with_entities(bed: Bed, entities: Sequence[Entity]) -> Trace:
    """Entities in the canonical order of the reference table."""
    return replace(bed.trace, entities=tuple(sorted(entities, key=lambda e: bed.present.row_of[e.ref])))


def _decide(bed: Bed, axis: str, value: str) -> Trace | None:
    """Another decision, with what the grammar then asks for: causes, and a place to stop."""
    d, p = bed.trace.decision, bed.trace.plan
    causes = d.causes
    if axis == "lateral" and value != "keep" and not any(c.axis == "lateral" for c in causes):
        lane = Reference(LANE, bed.look.lane)
        if lane not in bed.present.row_of or len(causes) == sets.MOST_CAUSES:
            return None
        causes = (*causes, Cause(lane, "lateral", "proximate", "route_feasibility", 0, 3))
    new = replace(d, causes=causes, **{axis: value})
    if axis == "longitudinal":
        stops = value in ("stop", "hold")
        none = len(sets.STOP_S.edges)
        halt = (p.stop_s_bin if p.stop_s_bin != none else 6) if stops else none
        p = replace(p, stop_s_bin=halt, target_speed_bin=0 if value == "hold" else p.target_speed_bin)
    rejected = tuple(r for r in d.rejected if r.option != value)
    return replace(bed.trace, decision=replace(new, rejected=rejected), plan=p)


def _mirror(name: str) -> str:
    for a, b in (("left", "right"), ("right", "left")):
        if name.endswith(f"_{a}"):
            return name[: -len(a)] + b
    return name


def _speeds(bed: Bed) -> np.ndarray[Any, np.dtype[np.float64]]:
    """[17] speed of the plan each 0.5 s, now first."""
    return np.concatenate([[bed.look.speed], np.asarray(bed.plan.waypoints, np.float64).reshape(-1, 4)[:, 3]])


def _low(bins: Bins, number: int) -> float:
    middle = bins.middle(number)
    return np.inf if middle is None else float(middle)


def _limit(bed: Bed) -> float:
    limit = float(bed.scene.map.speed_limit_mps[bed.look.lane])
    return limit if np.isfinite(limit) else np.inf


def _route_lights(scene: Scene) -> bool:
    return bool(np.isin(scene.light_lane, scene.route.lanes).any()) or bool((scene.light_state == LightState.RED).any())
