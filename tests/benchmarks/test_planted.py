"""Planted errors are errors: within the grammar, plainly wrong, and damaged documents are damaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from waytrace.catalogue import generate
from waytrace.scenario import AgentKind
from waytrace.trace import Trace, encode
from waytrace.trace.sets import AGENT_RELATIONS

FAMILIES = ("cut-in", "red-light", "pedestrian-near", "unprotected-left", "dense-lane-change")


@pytest.fixture(scope="module")
def grounds() -> list[Any]:
    from planted_errors import grounds as made

    return list(made((generate(family, 620_000) for family in FAMILIES), len(FAMILIES)))


@pytest.mark.slow
def test_what_is_planted_differs_and_stays_within_the_grammar(grounds: list[Any]) -> None:
    from mutants import PLANTERS

    for kind, planter in PLANTERS.items():
        made = [(g, planter(g.bed, np.random.default_rng(k))) for k, g in enumerate(grounds)]
        planted = [(g, trace) for g, trace in made if trace is not None]
        assert planted or kind in ("wrong role", "omitted cause", "wrong violation"), f"{kind} is never planted"
        for g, trace in planted:
            assert trace != g.bed.trace
            if kind not in ("wrong class", "stale trace"):
                encode(trace, g.bed.present)


@pytest.mark.slow
def test_what_is_planted_is_the_same_each_time(grounds: list[Any]) -> None:
    from mutants import PLANTERS

    def plant() -> list[Trace | None]:
        return [planter(g.bed, np.random.default_rng(3)) for planter in PLANTERS.values() for g in grounds[:8]]

    assert plant() == plant()


@pytest.mark.slow
def test_the_planter_s_geometry_does_not_call_wrong_what_the_check_finds_true(grounds: list[Any]) -> None:
    from mutant_scene import surely_not

    judged = 0
    for g in grounds:
        for k, entity in enumerate(g.bed.trace.entities):
            fact = g.bed.look.of(entity.ref)
            if fact is not None and f"entities[{k}].relation" not in g.false | g.unsure:
                judged += 1
                assert not surely_not(entity.relation, fact), (g.scenario, g.moment.tick, entity, fact)
    assert judged > 50


@pytest.mark.slow
def test_every_damage_is_damage_and_a_whole_document_is_read(grounds: list[Any]) -> None:
    from mutant_documents import DAMAGES, damaged
    from planted_errors import refused

    for k, g in enumerate(grounds[::4]):
        assert not refused(g.document, g.bed.present)
        for kind in DAMAGES:
            assert refused(damaged(g.document, kind, np.random.default_rng(k)), g.bed.present), kind


@pytest.fixture
def fact() -> Callable[..., Any]:
    from mutant_scene import Fact

    ahead = Fact(1, AgentKind.VEHICLE, 20.0, 0.0, 20.0, 0.0, 0.0, 8.0, 0.0, 8.0, 0.0, 2.0)
    return lambda **changes: replace(ahead, **changes)


@pytest.mark.parametrize(
    ("changes", "relation", "wrong"),
    [
        ({}, "lead", False),
        ({}, "rear", True),
        ({}, "oncoming", True),
        ({}, "parked_in_path", True),
        ({}, "vru_crossing", True),
        ({"x": -30.0, "along": -30.0}, "lead", True),
        ({"x": -30.0, "along": -30.0}, "rear", False),
        ({"x": 5.0, "along": 5.0, "y": 3.5, "aside": 3.5}, "adjacent_left", False),
        ({"x": 5.0, "along": 5.0, "y": 3.5, "aside": 3.5}, "adjacent_right", True),
        ({"y": 3.5, "aside": 3.5, "turned": 3.1}, "oncoming", False),
        ({"y": 3.5, "aside": 3.5, "turned": 3.1}, "lead", True),
        ({"kind": AgentKind.PEDESTRIAN, "speed": 1.4, "fastest": 1.4, "turned": 1.6}, "vru_crossing", False),
        ({"kind": AgentKind.PEDESTRIAN, "speed": 1.4, "fastest": 1.4, "turned": 1.6}, "parked_in_path", True),
        ({"speed": 0.0, "fastest": 0.0}, "cut_in_left", True),
    ],
)
def test_only_clear_cases_are_called_wrong(
    changes: dict[str, Any], relation: str, wrong: bool, fact: Callable[..., Any]
) -> None:
    from mutant_scene import surely_not

    assert surely_not(relation, fact(**changes)) == wrong


def test_no_relation_is_wrong_for_everything(fact: Callable[..., Any]) -> None:
    from mutant_scene import surely_not

    rng = np.random.default_rng(0)
    facts = [
        fact(x=x, along=x, y=y, aside=y, turned=turned, speed=speed, fastest=speed, kind=kind)
        for x, y, turned in zip(
            rng.uniform(-60, 100, 400), rng.uniform(-8, 8, 400), rng.uniform(0, 3.1, 400), strict=True
        )
        for speed, kind in ((0.0, AgentKind.VEHICLE), (8.0, AgentKind.VEHICLE), (1.4, AgentKind.PEDESTRIAN))
    ]
    for relation in AGENT_RELATIONS:
        assert not all(surely_not(relation, one) for one in facts), relation
