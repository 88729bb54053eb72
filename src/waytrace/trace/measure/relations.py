"""The rules of relations: one for each, true, false or undetermined of something in a measured scene."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from waytrace.observe import Reference, ReferenceKind

from ..compatible import RELATIONS
from ..finding import Finding, Value, all_of, fact
from .measured import Measured
from .relations_road import ROAD_RULES
from .relations_traffic import TRAFFIC_RULES
from .relations_vru import SIDE_RULES

Rule = Callable[[Measured, int], Finding]

RULES: dict[str, Rule] = {**TRAFFIC_RULES, **SIDE_RULES, **ROAD_RULES}
"""By relation; the number is an agent's row among ``others``, or what the reference of a thing holds."""


class Related(NamedTuple):
    """A relation of something, judged."""

    relation: str
    value: Value
    slack: float


def judge_relation(measured: Measured, ref: Reference, relation: str) -> Finding:
    """Whether something stands in a relation to the ego."""
    if relation not in RELATIONS.get(ref.kind, ()):
        return all_of([fact(f"no {ref.kind.name.lower()} can be that", False)])
    number = ref.index
    if ref.kind == ReferenceKind.AGENT:
        number = measured.row(ref)
        if number < 0:
            return all_of([fact("the ego does not know of it", False)])
    return RULES[relation](measured, number)


def relations(measured: Measured, ref: Reference) -> tuple[Related, ...]:
    """Every relation that a reference of this kind can have, judged; those that hold first, by falling slack."""
    found = []
    for relation in RELATIONS.get(ref.kind, ()):
        finding = judge_relation(measured, ref, relation)
        found.append(Related(relation, finding.value, finding.slack))
    rank = {"true": 0, "undetermined": 1, "false": 2}
    return tuple(sorted(found, key=lambda r: (rank[r.value], -r.slack)))
