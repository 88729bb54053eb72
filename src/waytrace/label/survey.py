"""What a label says of the scene itself, as the checker's rules see it: the summary, and what in it matters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from waytrace.observe import Reference, ReferenceKind, Scene
from waytrace.trace import Entity, Present, SceneSummary, sets
from waytrace.trace.compatible import CLASSES, RELATIONS
from waytrace.trace.measure import Measured, judge_relation, measure, motion, summary

SALIENCE = (
    "lead", "cut_in_left", "cut_in_right", "vru_crossing", "crossing_from_left", "crossing_from_right",
    "oncoming_in_path", "parked_in_path", "merging", "cut_out", "parked_blocker_left", "parked_blocker_right",
    "lead_of_lead", "vru_along", "vru_roadside", "adjacent_left", "adjacent_right", "rear", "oncoming", "work_zone",
    "occluder", "signal", "stop_line", "crosswalk", "curve", "lane_end", "route_exit", "speed_limit",
)  # fmt: skip
"""Of several relations that hold the one that is said; what matters more comes first."""

SUITING: Mapping[str, tuple[str, ...]] = {
    "headway": ("lead", "cut_in_left", "cut_in_right", "parked_in_path", "lead_of_lead", "merging"),
    "cross_conflict": (
        "vru_crossing", "crossing_from_left", "crossing_from_right", "oncoming_in_path", "merging", "vru_roadside",
    ),
    "merge_gap": ("adjacent_left", "adjacent_right", "rear", "merging", "cut_in_left", "cut_in_right"),
    "lateral_clearance": ("parked_blocker_left", "parked_blocker_right", "parked_in_path", "vru_along"),
    "occlusion_speed": ("occluder",),
    "curve_lat_accel": ("curve",),
    "route_feasibility": ("lane_end", "route_exit"),
    "speed_cap": ("speed_limit",),
}  # fmt: skip
"""Relations that go with what something is cited for: said first where they hold."""

NEAR_M = 60.0
MOST_LOOKED_AT = 12
"""Agents nearest to the ego that are looked at besides those cited."""


@dataclass(frozen=True, eq=False)
class Survey:
    """One scene as the checker's rules see it."""

    measured: Measured

    @cached_property
    def summary(self) -> SceneSummary:
        """The first stage."""
        return summary(self.measured)

    @property
    def gives_way_here(self) -> bool:
        """Whether the ego is at a place where one may have to give way."""
        return self.summary.zone != "road"

    def relation_of(self, ref: Reference, cited_for: str = "") -> str:
        """The relation to say of something: one that holds, the one that matters most; empty where none holds."""
        able = RELATIONS.get(ref.kind, ())
        first = [r for r in SUITING.get(cited_for, ()) if r in able]
        for relation in dict.fromkeys([*first, *(r for r in SALIENCE if r in able)]):
            if (ref, relation) not in self._judged:  # choice and runner-up ask about the same scene
                self._judged[ref, relation] = judge_relation(self.measured, ref, relation).value == "true"
            if self._judged[ref, relation]:
                return relation
        return ""

    @cached_property
    def _judged(self) -> dict[tuple[Reference, str], bool]:
        return {}

    def entities(self, cited: Mapping[Reference, str], present: Present) -> list[Entity]:
        """At most eight: those cited (with what for), then whatever else matters by relation and nearness.

        What stands in no relation that holds is left out: better unsaid than untrue.
        """
        found: dict[Reference, Entity] = {}
        for ref, constraint in cited.items():
            self._add(found, ref, constraint, present)
        more: dict[Reference, Entity] = {}
        for ref in self._others(cited):
            self._add(more, ref, "", present)
        rest = sorted(more.values(), key=lambda e: (_rank(e), e.gap_bin))
        chosen = [*found.values(), *rest][: sets.MOST_ENTITIES]
        return sorted(chosen, key=lambda e: present.row_of[e.ref])

    def _add(self, found: dict[Reference, Entity], ref: Reference, constraint: str, present: Present) -> None:
        if ref not in present.row_of:
            return
        relation = self.relation_of(ref, constraint)
        gap = self.measured.gap_m(ref, relation) if relation else math.nan
        if math.isnan(gap):
            return
        agent = ref.kind == ReferenceKind.AGENT
        class_ = present.agent_class[present.row_of[ref]] if agent else CLASSES[ref.kind]
        found[ref] = Entity(ref, class_, relation, sets.GAP.number(gap), motion(self.measured, ref))

    def _others(self, cited: Iterable[Reference]) -> Sequence[Reference]:
        """What could matter besides: agents on or near the way, the lights, lines and crosswalks of the way."""
        m, known = self.measured, set(cited)
        o = m.others
        rows = [*m.leads[:2], *m.followers[:1], *m.conflicts]
        near = np.flatnonzero(o.distance < NEAR_M)
        rows += [int(i) for i in near[np.argsort(o.distance[near], kind="stable")][:MOST_LOOKED_AT]]
        refs = [Reference(ReferenceKind.AGENT, int(o.index[row])) for row in dict.fromkeys(rows)]
        if m.next_light >= 0:
            refs.append(Reference(ReferenceKind.LIGHT, m.next_light))
        refs += [Reference(ReferenceKind.STOP_LINE, lane) for lane in m.stop_lines]
        refs += [Reference(ReferenceKind.CROSSWALK, number) for number in m.crosswalks]
        return [ref for ref in dict.fromkeys(refs) if ref not in known]


def _rank(entity: Entity) -> int:
    return SALIENCE.index(entity.relation)


def survey(scene: Scene) -> Survey:
    """A scene, measured."""
    return Survey(measure(scene))
