"""Errors in what is said to be there: references, relations, classes, motions, gaps, sides, summary, moment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mutant_bed import (
    AGENT,
    Bed,
    Rng,
    agents_of,
    entity_with,
    low_of,
    mirrored,
    pick,
    ref_of,
    route_lights,
    swapped,
    with_entities,
)
from mutant_scene import surely_not
from waytrace.geometry import project
from waytrace.trace import Trace, sets


def wrong_reference(bed: Bed, rng: Rng) -> Trace | None:
    """A claim points at another agent, for which its relation plainly does not hold."""
    entities = bed.trace.entities
    spots = [(k, f) for k, e in enumerate(entities) if e.ref.kind == AGENT for f in agents_of(bed)
             if surely_not(e.relation, f) and ref_of(f) not in {x.ref for x in entities}]  # fmt: skip
    if not spots:
        return None
    k, fact = pick(spots, rng)
    new = replace(entities[k], ref=ref_of(fact), class_=fact.kind.name.lower())
    return with_entities(bed, [*entities[:k], new, *entities[k + 1 :]])


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
    return entity_with(bed, spots, "relation", rng)


def wrong_class(bed: Bed, rng: Rng) -> Trace | None:
    """A class that its agent does not have."""
    far = {"vehicle": ("pedestrian", "cyclist", "static"), "large_vehicle": ("pedestrian", "cyclist"),
           "pedestrian": ("vehicle", "large_vehicle"), "cyclist": ("vehicle", "static"),
           "static": ("pedestrian", "vehicle")}  # fmt: skip
    spots = [(k, c) for k, e in enumerate(bed.trace.entities) for c in far.get(e.class_, ())]
    return entity_with(bed, spots, "class_", rng)


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
    return entity_with(bed, [(k, m) for k, m in spots if bed.trace.entities[k].motion != m], "motion", rng)


def wrong_gap(bed: Bed, rng: Rng) -> Trace | None:
    """A gap that is off by two bins and more."""
    spots = [
        (k, g)
        for k, e in enumerate(bed.trace.entities)
        if e.relation in ("lead", "rear", "lead_of_lead", "signal", "stop_line", "crosswalk")
        for g in range(len(sets.GAP))
        if abs(g - e.gap_bin) >= 3
        or (abs(g - e.gap_bin) == 2 and abs(low_of(sets.GAP, g) - low_of(sets.GAP, e.gap_bin)) > 9)
    ]
    return entity_with(bed, spots, "gap_bin", rng)


def wrong_summary(bed: Bed, rng: Rng) -> Trace | None:
    """Speed, motion or light of the summary plainly not as they are."""
    s, speed = bed.trace.scene_summary, bed.look.speed
    options: list[dict[str, Any]] = []
    if s.ego_motion != "standing":
        options += [{"ego_speed_bin": b} for b in range(12) if abs(low_of(sets.EGO_SPEED, b) - speed) > 5.0]
    if speed > 3.0:
        options.append({"ego_motion": "reversing"})
    elif speed < 0.05:
        options.append(
            {"ego_motion": "accelerating"} if bed.scene.ego.accel_mps2 < 0.05 else {"ego_motion": "reversing"}
        )
    if s.signal_for_ego in ("red", "green"):
        options.append({"signal_for_ego": {"red": "green", "green": "red"}[s.signal_for_ego]})
    if s.signal_for_ego == "none" and len(bed.scene.light_lane) and not route_lights(bed.scene):
        options.append({"signal_for_ego": "red"})
    return replace(bed.trace, scene_summary=replace(s, **pick(options, rng))) if options else None


def swapped_sides(bed: Bed, rng: Rng) -> Trace | None:
    """Left for right where the side is plain."""
    made: list[Trace] = []
    for k, e in enumerate(bed.trace.entities):
        fact = bed.look.of(e.ref)
        other = mirrored(e.relation)
        if fact and other != e.relation and surely_not(other, fact):
            made.append(replace(bed.trace, entities=swapped(bed.trace.entities, k, replace(e, relation=other))))
    s, d, p = bed.trace.scene_summary, bed.trace.decision, bed.trace.plan
    if s.route_intent.startswith("turn") and abs(bed.look.bends(100.0)) > 0.7:
        made.append(replace(bed.trace, scene_summary=replace(s, route_intent=mirrored(s.route_intent))))
    aside = bed.look.aside_of_plan(bed.plan)
    if d.lateral.startswith("nudge"):  # beside the lane's middle, not beside where the ego is now
        aside = aside + float(project(bed.look.path, bed.scene.ego.pose[None, :2])[1][0])
    sign = 1.0 if d.lateral.endswith("left") else -1.0
    if mirrored(d.lateral) != d.lateral and (sign * aside).max() > 0.8 and (sign * aside).min() > -0.15:
        rest = tuple(r for r in d.rejected if r.option != mirrored(d.lateral))
        made.append(replace(bed.trace, decision=replace(d, lateral=mirrored(d.lateral), rejected=rest)))
    for k, g in enumerate(p.segments):
        if mirrored(g.lat) != g.lat and g.lat.startswith(("change", "turn")):
            made.append(
                replace(bed.trace, plan=replace(p, segments=swapped(p.segments, k, replace(g, lat=mirrored(g.lat)))))
            )
    return pick(made, rng) if made else None


def stale(bed: Bed, rng: Rng) -> Trace | None:
    """The trace of another moment of the same drive, with plainly another speed or other neighbours."""
    if bed.later is None:
        return None
    off = abs(bed.later.scene_summary.ego_speed_bin - bed.trace.scene_summary.ego_speed_bin)
    mine = {e.ref: e for e in bed.trace.entities}
    moved = [e for e in bed.later.entities if e.ref in mine and abs(mine[e.ref].gap_bin - e.gap_bin) >= 2]
    gone = [e for e in bed.later.entities if e.ref not in bed.present.row_of]
    return bed.later if off >= 2 or moved or gone else None
