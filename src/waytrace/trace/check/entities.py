"""Claims of the second stage: what is there, what it is, how far away, what it does."""

from __future__ import annotations

import math
from collections.abc import Iterator

from waytrace.observe import Reference, ReferenceKind
from waytrace.scenario import AgentKind

from .. import sets
from ..compatible import CLASSES
from ..finding import Finding, all_of, fact, most
from ..measure import in_bin, judge_motion, judge_relation
from ..thresholds import T
from ..types import Entity
from ..verdicts import Verdict
from .case import Case

KIND = ReferenceKind


def entity_verdicts(case: Case) -> Iterator[Verdict]:
    """Verdicts of all entities."""
    for n, entity in enumerate(case.trace.entities):
        yield from _one(case, entity, f"entities[{n}]")


def _one(case: Case, e: Entity, at: str) -> Iterator[Verdict]:
    m, name = case.measured, str(e.ref)
    yield Verdict.of(f"{at}.ref", "reference", exists(case, e.ref), f"{name} is there")
    yield Verdict.of(f"{at}.class", "class", judge_class(case, e.ref, e.class_), f"{name} is a {e.class_}")
    said = f"{name} is {e.relation.replace('_', ' ')}"
    yield Verdict.of(f"{at}.relation", f"relation.{e.relation}", judge_relation(m, e.ref, e.relation), said)
    gap = m.gap_m(e.ref, e.relation)
    near = all_of([fact("it has a place along the path", False)]) if math.isnan(gap) else in_bin(
        sets.GAP, e.gap_bin, gap, "m"
    )  # fmt: skip
    yield Verdict.of(f"{at}.gap_bin", "gap", near, f"the way to {name} is {sets.GAP.range_text(e.gap_bin)}")
    motion = judge_motion(m, e.ref, e.motion)
    yield Verdict.of(f"{at}.motion", f"motion.{e.motion}", motion, f"the motion of {name} is {e.motion}")


def exists(case: Case, ref: Reference) -> Finding:
    """Whether a reference points at something in the scene, within reach."""
    if ref not in case.existing:
        case.existing[ref] = _exists(case, ref)
    return case.existing[ref]


def _exists(case: Case, ref: Reference) -> Finding:
    scene, i = case.scene, ref.index
    if ref.kind == KIND.AGENT:
        row = case.measured.row(ref)
        if row < 0:
            return all_of([fact("the ego knows of no such agent", False)])
        away = float(case.measured.others.distance[row])
        return all_of([most("distance", away, T.reference_range_m + 3.0, "m")], distance_m=away)
    count = {KIND.LANE: len(scene.map), KIND.LIGHT: len(scene.light_lane), KIND.CROSSWALK: len(scene.map.crosswalk)}
    if ref.kind == KIND.STOP_LINE:
        there = i < len(scene.map) and i in scene.map.stop_line_lane
    else:
        there = i < count.get(ref.kind, 0)
    held = not scene.truncated(ref) if there else False
    return all_of([fact("the map holds it", there), fact("it is among what the ego perceives", held)])


def judge_class(case: Case, ref: Reference, class_: str) -> Finding:
    """Whether something is of a class."""
    if ref.kind == KIND.AGENT:
        row = case.measured.row(ref)
        if row < 0:
            return all_of([fact("the ego knows of no such agent", False)])
        actual = AgentKind(int(case.measured.others.kind[row])).name.lower()
    else:
        actual = CLASSES.get(ref.kind, "nothing")
    return all_of([fact(f"it is a {actual}", actual == class_)], actual=actual)
