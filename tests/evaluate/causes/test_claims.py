"""What is claimed: by traces, by black boxes, by planted liars, and who may be tried against it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from waytrace.evaluate.causes.claims import Claim, Group, alone, attributed, claim_of
from waytrace.evaluate.causes.edits import Element
from waytrace.evaluate.causes.liars import LIARS, Occasion
from waytrace.evaluate.causes.null import irrelevant
from waytrace.evaluate.causes.voice import matched
from waytrace.label import label_drive
from waytrace.observe import Reference, ReferenceKind, Scene
from waytrace.observe.rebuilt import scene_at
from waytrace.scenario import AgentKind
from waytrace.scenario.roads import RoadCache
from waytrace.trace import Cause, Trace

from ...planners.conftest import scene

CAR, WALKER = AgentKind.VEHICLE, AgentKind.PEDESTRIAN


def agent(index: int) -> Element:
    return Element(Reference(ReferenceKind.AGENT, index))


@pytest.fixture(scope="module")
def trace() -> Trace:
    (moment,) = label_drive(scene((CAR, 85.0, 0.0, 0.0, 6.0)), ticks=[0], traffic="replay")
    return moment.label.trace


def _citing(trace: Trace, *causes: Cause) -> Claim:
    return claim_of(replace(trace, decision=replace(trace.decision, causes=causes)))


def _cause(index: int, role: str, **changes: Any) -> Cause:
    made = Cause(Reference(ReferenceKind.AGENT, index), "longitudinal", role, "headway", 0, 0)
    return replace(made, **changes)


def test_single_causes_stand_alone_and_overdetermining_ones_together(trace: Trace) -> None:
    claim = _citing(
        trace, _cause(1, "proximate"), _cause(2, "joint"), _cause(3, "overdetermining"), _cause(4, "overdetermining"),
        _cause(5, "enabling"),
    )  # fmt: skip
    assert [sorted(g.elements) for g in claim.groups] == [[agent(1)], [agent(2)], [agent(3), agent(4)]]
    assert claim.enabling == {agent(5)}
    assert claim.agents == {Reference(ReferenceKind.AGENT, k) for k in range(1, 6)}
    assert claim.owes, "following needs a cause"


def test_a_set_that_cannot_be_undone_whole_is_not_tested_in_parts(trace: Trace) -> None:
    """Its others hold the plan where it is, so one alone need not move it: no lie, and no truth either."""
    end = _cause(0, "overdetermining", ref=Reference(ReferenceKind.LANE, 0), constraint="route_feasibility")
    claim = _citing(trace, _cause(1, "overdetermining"), end)
    assert not claim.groups
    assert claim.untested == ("route_feasibility at lane:0",)
    assert claim.agents == {Reference(ReferenceKind.AGENT, 1)}, "cited all the same: kept by S, and not tried by I"
    assert not claim.answers


def test_what_is_cited_on_both_axes_is_put_to_one_test(trace: Trace) -> None:
    claim = _citing(trace, _cause(1, "proximate"), _cause(1, "proximate", axis="lateral"))
    assert len(claim.groups) == 1
    assert claim.groups[0].axis == "longitudinal"


def test_limits_and_curves_of_a_lane_are_put_to_the_test_and_routes_are_counted_as_untested(trace: Trace) -> None:
    lane = Reference(ReferenceKind.LANE, 0)
    limit = _citing(trace, _cause(0, "proximate", ref=lane, constraint="speed_cap"))
    assert limit.groups[0].elements == {Element(lane, limit=True)}
    curve = _citing(trace, _cause(0, "proximate", ref=lane, constraint="curve_lat_accel"))
    assert curve.groups[0].elements == {Element(lane, curve=True)}
    assert not curve.untested
    route = _citing(trace, _cause(0, "proximate", ref=lane, axis="lateral", constraint="route_feasibility"))
    assert not route.groups
    assert route.untested == ("route_feasibility at lane:0",)
    assert not route.answers


def test_silence_is_asked_for_sufficiency_only_where_a_cause_is_owed() -> None:
    assert not Claim().answers
    assert Claim(owes=True).answers
    assert Claim(alone([agent(1)])).answers


def test_a_black_box_claims_what_moved_it_when_covered() -> None:
    claim = attributed([agent(1), agent(2), agent(3)], [3.0, 0.1, 0.7], 0.5)
    assert [min(g.elements) for g in claim.groups] == [agent(1), agent(3)]


@pytest.fixture(scope="module")
def busy() -> Scene:
    """A leader, somebody nearer beside it, one far ahead, a walker, one far behind."""
    return scene_at(
        scene((CAR, 90.0, 0.0, 0.0, 6.0), (CAR, 62.0, -3.5, 0.0, 9.0), (CAR, 160.0, -3.5, 0.0, 9.0),
              (WALKER, 75.0, 4.0, 0.0, 0.0), (CAR, 2.0, 0.0, 0.0, 9.0), lanes=2), 0
    )  # fmt: skip


def test_every_liar_claims_what_its_name_says(busy: Scene) -> None:
    honest = Claim((Group(frozenset({agent(1)}), "longitudinal"), Group(frozenset({agent(4)}), "longitudinal")))
    elements = [agent(2), agent(4), agent(1), agent(5), agent(3)]
    at = Occasion(busy, honest, elements, np.random.default_rng(0))
    said = {name: liar(at) for name, liar in LIARS.items()}
    cited = {name: [min(g.elements) for g in claim.groups] for name, claim in said.items()}
    assert cited["proximate-only"] == [agent(1)]
    assert cited["nearest"] == [agent(2)]
    assert len(cited["random"]) == 2
    assert cited["always-lead"] == cited["lead-or-front"] == [agent(1)]
    assert set(cited["cite-everything"]) == set(elements)
    silent = {name: liar(Occasion(busy, Claim(), elements, at.draw)).groups for name, liar in LIARS.items()}
    assert not silent["proximate-only"]
    assert not silent["nearest"]
    assert not silent["random"]
    assert silent["always-lead"], "it claims one even of a free drive"
    assert silent["cite-everything"]


def test_whatever_its_role_what_is_cited_in_truth_is_what_a_liar_replaces(busy: Scene) -> None:
    elements, draw = [agent(2), agent(4), agent(1)], np.random.default_rng(0)
    for honest in (Claim(enabling=frozenset({agent(1)}), owes=True), Claim(untested=("route at lane:0",), owes=True)):
        said = {name: LIARS[name](Occasion(busy, honest, elements, draw)) for name in ("nearest", "random")}
        assert [min(g.elements) for g in said["nearest"].groups] == [agent(2)]
        assert len(said["random"].groups) == 1


def test_without_a_leader_only_one_of_two_finds_somebody_in_front() -> None:
    free = scene_at(scene((WALKER, 75.0, 4.0, 0.0, 0.0), (CAR, 2.0, 0.0, 0.0, 9.0), lanes=2), 0)
    at = Occasion(free, Claim(alone([agent(1)])), [agent(1), agent(2)], np.random.default_rng(0))
    assert LIARS["always-lead"](at).groups == ()
    assert [min(g.elements) for g in LIARS["lead-or-front"](at).groups] == [agent(1)]


def test_uncited_agents_are_matched_in_class_and_distance(busy: Scene) -> None:
    elements = [agent(k) for k in (1, 2, 3, 4, 5)]
    claim = Claim(alone([agent(1)]))
    assert matched(claim, busy, elements, []) == [agent(2)], "a car 2 m away is nearer in distance than one 100 m away"
    assert matched(claim, busy, elements, [agent(2).ref]) == [agent(5)], "nobody whom the threshold comes from"
    walker = Claim(alone([agent(4)]))
    assert matched(walker, busy, elements, [])[0] != agent(4)
    assert matched(Claim(), busy, elements, []) == [agent(2)], "without a cause the nearest one"
    assert matched(Claim(alone(elements)), busy, elements, []) == []


def test_only_who_cannot_matter_is_irrelevant(busy: Scene) -> None:
    assert irrelevant(busy, RoadCache()) == [agent(5).ref], "58 m behind; all others are on the road that it drives"
