"""What errors are planted in, and what planting takes: picking, replacing, staying within the grammar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mutant_scene import Fact, Look
from waytrace.observe import Reference, ReferenceKind, Scene
from waytrace.scenario import LightState, Plan
from waytrace.trace import Cause, Entity, Present, Trace, sets
from waytrace.trace.sets import Bins

AGENT, LANE, LIGHT = ReferenceKind.AGENT, ReferenceKind.LANE, ReferenceKind.LIGHT
Rng = np.random.Generator


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
"""Answers with the changed trace, or None where nothing plainly wrong of its kind can be planted."""


def agents_of(bed: Bed) -> list[Fact]:
    return [f for f in bed.look.facts.values() if ref_of(f) in bed.present.row_of]


def ref_of(fact: Fact) -> Reference:
    return Reference(AGENT, fact.index)


def held(bed: Bed, kinds: Sequence[ReferenceKind]) -> list[tuple[Reference, int]]:
    return [(ref, row) for ref, row in bed.present.row_of.items() if ref.kind in kinds]


def pick(items: Sequence[Any], rng: Rng) -> Any:
    return items[int(rng.integers(len(items)))]


def swapped(items: tuple[Any, ...], k: int, new: Any) -> tuple[Any, ...]:
    return (*items[:k], new, *items[k + 1 :])


def cause_of(bed: Bed, k: int) -> Cause:
    return bed.trace.decision.causes[k]


def entity_with(bed: Bed, spots: Sequence[tuple[int, Any]], name: str, rng: Rng) -> Trace | None:
    if not spots:
        return None
    k, value = pick(spots, rng)
    changed: dict[str, Any] = {name: value}
    return replace(bed.trace, entities=swapped(bed.trace.entities, k, replace(bed.trace.entities[k], **changed)))


def with_entities(bed: Bed, entities: Sequence[Entity]) -> Trace:
    """Entities in the canonical order of the reference table."""
    return replace(bed.trace, entities=tuple(sorted(entities, key=lambda e: bed.present.row_of[e.ref])))


def decided(bed: Bed, axis: str, value: str) -> Trace | None:
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


def mirrored(name: str) -> str:
    for a, b in (("left", "right"), ("right", "left")):
        if name.endswith(f"_{a}"):
            return name[: -len(a)] + b
    return name


def speeds_of(bed: Bed) -> np.ndarray[Any, np.dtype[np.float64]]:
    """[17] speed of the plan each 0.5 s, now first."""
    return np.concatenate([[bed.look.speed], np.asarray(bed.plan.waypoints, np.float64).reshape(-1, 4)[:, 3]])


def low_of(bins: Bins, number: int) -> float:
    middle = bins.middle(number)
    return np.inf if middle is None else float(middle)


def limit_of(bed: Bed) -> float:
    limit = float(bed.scene.map.speed_limit_mps[bed.look.lane])
    return limit if np.isfinite(limit) else np.inf


def route_lights(scene: Scene) -> bool:
    return bool(np.isin(scene.light_lane, scene.route.lanes).any()) or bool((scene.light_state == LightState.RED).any())
