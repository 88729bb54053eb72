"""Causes, entities and summaries in scenes of one sentence; what is left out; claims that are not judged."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import pytest

from waytrace.scenario import LightState, Plan
from waytrace.trace import Cause, Entity, Prediction, Rejection, SceneSummary, sets
from waytrace.trace.check import check

from .scenes import (
    MOTO,
    PERSON,
    SUMMARY,
    TRUCK,
    Sketch,
    a_bend,
    a_cause,
    a_crossroads,
    a_lane_that_ends,
    a_plan,
    a_ramp,
    a_road,
    a_trace,
    checked,
    ref,
    slowing,
)

T, F, U = "true", "false", "undetermined"
RED, GREEN = LightState.RED, LightState.GREEN
ONE, TWO = a_road(), a_road(lanes=2)
STEADY, DOWN = a_plan(10), a_plan(slowing(10, 2.1), start=10.0)
GIVES_WAY = a_plan(slowing(10, 2.0, 4.0), start=10.0)
FROM_RIGHT = a_crossroads(30).with_actor(42.15, -37, 10, heading_deg=90)


class Case(NamedTuple):
    sentence: str
    constraint: str
    value: str
    sketch: Sketch
    of: str = "agent:1"
    decision: str = "follow"
    plan: Plan = STEADY
    axis: str = "longitudinal"


CASES = [
    Case("the car ahead", "headway", T, ONE.with_lead(20, 8)),
    Case("a car far to the side", "headway", F, ONE.with_lead(20, 8, y=12)),
    Case("a car behind", "headway", F, ONE.with_follower(20, 10)),
    Case("a car ahead whose side comes near the ego's way", "headway", U, TWO.with_lead(20, 8, y=2.6)),
    Case("a red light that the plan stops at", "stop_point", T, a_crossroads(24.5).with_light(1, RED), "light:0",
         "stop", DOWN),
    Case("a red light that the plan drives through", "stop_point", F, a_crossroads(24.5).with_light(1, RED), "light:0",
         "stop", STEADY),
    Case("a green light", "stop_point", F, a_crossroads(24.5).with_light(1, GREEN), "light:0", "stop", DOWN),
    Case("a plan that ends just beyond the line", "stop_point", U, a_crossroads(22.7).with_light(1, RED), "light:0",
         "stop", DOWN),
    Case("the stop line", "stop_point", T, a_crossroads(25, line=True), "stop_line:0", "stop", DOWN),
    Case("a car from the right", "cross_conflict", T, FROM_RIGHT, plan=GIVES_WAY, decision="yield"),
    Case("the car ahead in the lane", "cross_conflict", F, ONE.with_lead(20, 8), decision="yield"),
    Case("a car parked far off the road", "cross_conflict", F, ONE.with_actor(20, 20), decision="yield"),
    Case("a person who stands some metres off, near the ego's way", "cross_conflict", U,
         ONE.with_actor(12, 1.9, 2, heading_deg=180), decision="yield"),
    Case("a car beside the ego", "merge_gap", T, TWO.with_actor(4, 3.5, 10), decision="gap_search"),
    Case("a car on the ramp", "merge_gap", T, a_ramp(40).with_actor(2.4, -10.0, 10, heading_deg=14),
         decision="gap_search"),
    Case("the car ahead in the lane", "merge_gap", F, ONE.with_lead(20, 8), decision="gap_search"),
    Case("a car two lanes away", "merge_gap", U, a_road(3).with_actor(4, 6.6, 10), decision="gap_search"),
    Case("the limit that the ego drives at", "speed_cap", T, ONE.driving(14), "lane:0", "adapt_speed", a_plan(14)),
    Case("a limit far above the speed", "speed_cap", F, ONE, "lane:0", "adapt_speed", a_plan(5)),
    Case("a lane without a limit", "speed_cap", F, ONE.with_limit(float("nan")), "lane:0", "adapt_speed"),
    Case("a limit that the plan comes within about 2 m/s of", "speed_cap", U, ONE, "lane:0", "adapt_speed",
         a_plan(11.8)),
    Case("the bend ahead", "curve_lat_accel", T, a_bend(30, 20), "lane:1", "adapt_speed", a_plan([9, 8, 7])),
    Case("the straight lane", "curve_lat_accel", F, a_bend(30, 20), "lane:0", "adapt_speed"),
    Case("a car parked at the edge", "lateral_clearance", T, ONE.with_lead(20, 0, y=-2.2), decision="pass",
         plan=a_plan(10, offset_m=0.8)),
    Case("a car parked far from the lane", "lateral_clearance", F, ONE.with_lead(20, 0, y=-6), decision="pass"),
    Case("a car parked about 1.5 m beside the ego's way", "lateral_clearance", U, ONE.with_lead(20, 0, y=-3.4),
         decision="pass"),
    Case("the lane that ends", "route_feasibility", T, a_lane_that_ends(60), "lane:0", "gap_search"),
    Case("the map's end", "route_feasibility", T, a_road(length_m=70.0), "lane:0", "stop", plan=DOWN),
    Case("a lane that leads on", "route_feasibility", F, ONE, "lane:0", "gap_search"),
    Case("a lane of another road", "route_feasibility", F, a_crossroads(30), "lane:4", "gap_search"),
    Case("a truck parked at the roadside", "occlusion_speed", T, ONE.with_actor(30, -4, kind=TRUCK),
         decision="adapt_speed"),
    Case("a truck that drives along", "occlusion_speed", F, TWO.with_actor(30, 4, 9, kind=TRUCK),
         decision="adapt_speed"),
    Case("a truck that creeps at 1 m/s", "occlusion_speed", U, TWO.with_actor(30, 4, 1.0, kind=TRUCK),
         decision="adapt_speed"),
    Case("a standing car 12 m ahead", "required_decel", T, ONE.with_lead(12, 0), decision="emergency_brake",
         plan=a_plan(slowing(10, 6), start=10.0)),
    Case("a car 40 m ahead at the same speed", "required_decel", F, ONE.with_lead(40, 10), decision="emergency_brake"),
    Case("a standing car for which about 3 m/s2 suffice", "required_decel", U, ONE.with_lead(17.7, 0),
         decision="emergency_brake", plan=a_plan(slowing(10, 2.9), start=10.0)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.constraint}: {c.sentence} -> {c.value}")
def test_constraint(case: Case) -> None:
    trace = a_trace(case.decision, "keep", a_cause(case.of, case.constraint, case.axis))
    found = checked(case.sketch, trace, case.plan).by_claim["decision.causes[0].constraint"]
    assert found.value == case.value, found


def test_every_constraint_has_a_sentence_where_it_holds_and_one_where_it_does_not() -> None:
    for value in (T, F):
        assert {c.constraint for c in CASES if c.value == value} == set(sets.CONSTRAINT.values)


def test_a_constraint_that_cannot_make_the_decision_is_false() -> None:
    sketch = ONE.with_lead(20, 8)
    said = checked(sketch, a_trace("yield", "keep", a_cause("agent:1", "headway")), a_plan([9, 8.5, 8]))
    assert said["decision.causes[0].constraint"] == F
    assert "yield" in said.by_claim["decision.causes[0].constraint"].why


class Left(NamedTuple):
    sentence: str
    value: str
    sketch: Sketch
    decision: str
    plan: Plan
    causes: tuple[str, ...]


LEFT_OUT = [
    Left("the lead that the plan brakes for is cited", T, ONE.with_lead(15, 4), "follow",
         a_plan(slowing(10, 2, 4), start=10.0), ("agent:1 headway",)),
    Left("the plan brakes for a lead, and a truck beside is cited instead", F,
         ONE.with_lead(15, 4).with_actor(30, -4, kind=TRUCK), "adapt_speed", a_plan(slowing(10, 2, 4), start=10.0),
         ("agent:2 occlusion_speed",)),
    Left("the plan stops at a red light, and the limit is cited", F, a_crossroads(24.5).with_light(1, RED),
         "adapt_speed", DOWN, ("lane:0 speed_cap",)),
    Left("a decision without any cause", F, ONE.with_lead(15, 4), "follow", a_plan(slowing(10, 2, 4), start=10.0), ()),
    Left("a free decision that is said to be forced", F, ONE.with_lead(40, 10), "set_speed", STEADY,
         ("agent:1 headway",)),
    Left("a free drive on an empty road", T, ONE, "set_speed", STEADY, ()),
    Left("a person beside the road is cited, and the plan keeps its speed", T,
         ONE.with_actor(25, -3.5, 0, kind=PERSON), "set_speed", STEADY, ()),
]  # fmt: skip


@pytest.mark.parametrize("case", LEFT_OUT, ids=lambda c: f"{c.sentence} -> {c.value}")
def test_whoever_forces_the_plan_has_to_be_cited(case: Left) -> None:
    trace = a_trace(case.decision, "keep", *(a_cause(*text.split()) for text in case.causes))
    assert checked(case.sketch, trace, case.plan)["decision.causes"] == case.value


def test_a_lateral_decision_needs_a_lateral_cause() -> None:
    said = checked(TWO, a_trace("set_speed", "lane_change_left"), a_plan(10, offset_m=3.5))
    assert said["decision.causes"] == F
    cause = a_cause("lane:1", "route_feasibility", "lateral", "enabling")
    said = checked(TWO, a_trace("set_speed", "lane_change_left", cause), a_plan(10, offset_m=3.5))
    assert said["decision.causes"] == T


@pytest.mark.parametrize(
    ("before", "changed", "value"),
    [("set_speed", "no", T), ("set_speed", "yes", F), ("proceed", "yes", T), ("proceed", "no", F)],
)
def test_whether_the_decision_is_new(before: str, changed: str, value: str) -> None:
    said = checked(ONE, a_trace("set_speed", changed=changed), STEADY, a_trace(before))
    assert said["decision.changed"] == value


@pytest.mark.parametrize(("changed", "first", "later"), [("no", T, U), ("yes", F, U)])
def test_at_the_begin_of_a_drive_nothing_is_new_and_later_it_takes_the_trace_before(
    changed: str, first: str, later: str
) -> None:
    scene = ONE.scene()
    for tick, value in ((0, first), (35, later)):
        verdicts = check(a_trace(changed=changed), replace(scene, tick=tick), STEADY)
        assert {v.claim: v.value for v in verdicts}["decision.changed"] == value


def entity(of: str = "agent:1", class_: str = "vehicle", relation: str = "lead", gap: int = 5, motion: str = "steady",
           ) -> Entity:  # fmt: skip
    return Entity(ref(of), class_, relation, gap, motion)


LED = ONE.with_lead(24, 8)


@pytest.mark.parametrize(
    ("said", "slot", "value"),
    [
        (entity(), "ref", T), (entity("agent:7"), "ref", F),
        (entity("lane:0", "lane", "speed_limit", 0, "none"), "ref", T),
        (entity("light:0", "light", "signal", 0, "none"), "ref", F), (entity(f"agent:{10**30}"), "ref", F),
        (entity("crosswalk:3", "crosswalk", "crosswalk", 0, "none"), "ref", F),
        (entity("stop_line:0", "stop_line", "stop_line", 0, "none"), "ref", F),
        (entity(), "class", T), (entity(class_="pedestrian"), "class", F),
        (entity(), "gap_bin", T), (entity(gap=4), "gap_bin", F), (entity(gap=8), "gap_bin", F),
        (entity(), "motion", T), (entity(motion="standing"), "motion", F), (entity(motion="braking"), "motion", F),
        (entity(motion="reversing"), "motion", F), (entity("lane:0", "lane", "speed_limit", 0, "none"), "motion", T),
    ],
)  # fmt: skip
def test_entities(said: Entity, slot: str, value: str) -> None:
    found = checked(LED, a_trace(entities=[said])).by_claim[f"entities[0].{slot}"]
    assert found.value == value, found


@pytest.mark.parametrize(
    ("motion", "lead"),
    [
        ("standing", ONE.with_lead(24, 0)), ("accelerating", ONE.with_lead(24, 8, accel=1.5)),
        ("braking", ONE.with_lead(24, 8, accel=-1.5)), ("reversing", ONE.with_lead(24, -2)), ("steady", LED),
    ],
)  # fmt: skip
def test_motions(motion: str, lead: Sketch) -> None:
    for named in sets.MOTION.values[1:]:
        said = checked(lead, a_trace(entities=[entity(motion=named)]))
        assert (said["entities[0].motion"] == T) == (named == motion)


def test_near_the_edge_of_a_bin_both_neighbours_are_true() -> None:
    near = ONE.with_lead(20.2, 8)
    assert [checked(near, a_trace(entities=[entity(gap=k)]))["entities[0].gap_bin"] for k in range(3, 7)] == [
        F,
        T,
        T,
        F,
    ]


SUMMARIES: list[tuple[str, Sketch, dict[str, object], dict[str, object]]] = [
    ("a steady drive", ONE, {}, {"route_intent": "turn_left", "ego_motion": "braking", "ego_speed_bin": 9,
                                "limit_bin": 20, "zone": "junction", "signal_for_ego": "red"}),
    ("before a left turn at a red light", a_crossroads(20, "left").with_light(1, RED),
     {"route_intent": "turn_left", "zone": "before_junction", "signal_for_ego": "red"},
     {"route_intent": "turn_right", "zone": "road", "signal_for_ego": "green"}),
    ("in the junction", a_crossroads(-6, "right"), {"route_intent": "turn_right", "zone": "junction"},
     {"zone": "before_junction"}),
    ("before a crosswalk", ONE.with_crosswalk(15), {"zone": "before_crosswalk"}, {"zone": "road"}),
    ("on a lane that ends", a_lane_that_ends(60), {"route_intent": "change_left"}, {"route_intent": "follow_lane"}),
    ("before a ramp", a_ramp(40), {"route_intent": "merge"}, {"route_intent": "follow_lane"}),
    ("standing", ONE.driving(0), {"ego_motion": "standing", "ego_speed_bin": 0}, {"ego_motion": "steady"}),
    ("on a road without a limit", ONE.with_limit(float("nan")), {"limit_bin": 22}, {"limit_bin": 8}),
]  # fmt: skip


@pytest.mark.parametrize("case", SUMMARIES, ids=lambda c: c[0])
def test_summaries(case: tuple[str, Sketch, dict[str, object], dict[str, object]]) -> None:
    _, sketch, right, wrong = case
    for said, value in ((right, T), (wrong, F)):
        summary: SceneSummary = replace(SUMMARY, **said)  # type: ignore[arg-type]
        found = checked(sketch, a_trace(summary=summary))
        assert {slot: found[f"scene_summary.{slot}"] for slot in said} == dict.fromkeys(said, value)


def test_forecasts_and_interventional_claims_are_not_judged() -> None:
    trace = a_trace("follow", "keep", a_cause("agent:1", "headway"))
    prediction = Prediction(ref("agent:1"), "keep", 3, 2, 4)
    option = Rejection("longitudinal", "set_speed", "headway", ref("agent:1"), 2)
    trace = replace(trace, predictions=(prediction,), decision=replace(trace.decision, rejected=(option,)))
    verdicts = checked(LED, trace, STEADY).by_claim.values()
    apart = {v.claim: v.kind for v in verdicts if v.value == "not_judged"}
    assert apart["predictions[0].intent"] == apart["decision.confidence_bin"] == "forecast"
    assert apart["decision.causes[0].role"] == apart["decision.rejected[0].violates"] == "interventional"
    assert all((v.kind == "present") == (v.value != "not_judged") for v in verdicts)
    assert checked(LED, trace)["decision.rejected[0].ref"] == T


@pytest.mark.parametrize(
    ("sentence", "sketch", "decision", "cause", "value"),
    [
        ("the nearer of two cars ahead", ONE.with_lead(15, 8, kind=MOTO, size=(2.0, 0.6)).with_lead(35, 8), "follow",
         a_cause("agent:1", "headway"), T),
        ("the car behind the nearer one", ONE.with_lead(15, 8, kind=MOTO, size=(2.0, 0.6)).with_lead(35, 8), "follow",
         a_cause("agent:2", "headway"), F),
        ("the nearer of two cars beside", TWO.with_actor(3, 3.5, 10).with_actor(20, 3.5, 10), "gap_search",
         a_cause("agent:1", "merge_gap"), T),
        ("the further of two cars beside", TWO.with_actor(3, 3.5, 10).with_actor(20, 3.5, 10), "gap_search",
         a_cause("agent:2", "merge_gap"), F),
    ],
)  # fmt: skip
def test_nobody_stands_between_the_ego_and_what_is_reason_enough(
    sentence: str, sketch: Sketch, decision: str, cause: Cause, value: str
) -> None:
    said = checked(sketch, a_trace(decision, "keep", cause), a_plan([9.5, 9, 8.5, 8]))
    assert said["decision.causes[0].constraint"] == value, sentence


def test_an_enabling_cause_bars_a_lane_beside() -> None:
    beside = a_cause("agent:1", "merge_gap", "lateral", "enabling")
    for y, value in ((3.5, T), (9.0, F)):
        said = checked(TWO.with_actor(3, y, 10), a_trace("set_speed", "keep", beside), STEADY)
        assert said["decision.causes[0].constraint"] == value
