"""Every relation in scenes of one sentence: where it holds, where it does not, where it cannot be told."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from waytrace.scenario import LightState
from waytrace.trace import sets
from waytrace.trace.measure import judge_relation, measure, relations

from .scenes import (
    BIKE,
    CONE,
    MOTO,
    PERSON,
    TRUCK,
    Sketch,
    a_bend,
    a_crossroads,
    a_lane_that_ends,
    a_ramp,
    a_road,
    ref,
)


class Case(NamedTuple):
    sentence: str
    relation: str
    value: str
    sketch: Sketch
    of: str = "agent:1"


T, F, U = "true", "false", "undetermined"
RED, GREEN = LightState.RED, LightState.GREEN
TWO, THREE = a_road(lanes=2), a_road(lanes=3, ego_lane=1)

CASES = [
    Case("the car 20 m ahead in the lane", "lead", T, a_road().with_lead(20, 8)),
    Case("the car next in a queue", "lead", T, a_road().driving(0).with_lead(8, 0)),
    Case("a car in the next lane", "lead", F, TWO.with_lead(20, 8, y=3.5)),
    Case("a car behind another one", "lead", F, a_road().with_lead(20, 8).with_lead(40, 8), "agent:2"),
    Case("a car 100 m ahead", "lead", F, a_road().with_lead(100, 8)),
    Case("a car that drives 6 s ahead at the same speed", "lead", F, a_road().with_lead(60, 10)),
    Case("a standing car 60 m ahead", "lead", T, a_road().with_lead(60, 0)),
    Case("a car that has been in the lane for half a second", "lead", F,
         TWO.with_lead(20, 9, y=0.9, drift=-1.8)),
    Case("one of two that end equally far ahead", "lead", U,
         a_road().with_lead(20, 8, y=0.9, kind=BIKE, size=(4.8, 0.6)).with_lead(20.2, 8, y=-0.9, kind=BIKE,
                                                                                   size=(4.8, 0.6))),
    Case("a car that comes towards the ego", "lead", F, a_road().with_lead(30, 8, heading_deg=180)),
    Case("the car before the lead", "lead_of_lead", T, a_road().with_lead(20, 8, kind=BIKE).with_lead(45, 8),
         "agent:2"),
    Case("the lead itself", "lead_of_lead", F, a_road().with_lead(20, 8)),
    Case("the car 15 m behind", "rear", T, a_road().with_follower(15, 10)),
    Case("a car 70 m behind", "rear", F, a_road().with_follower(70, 10)),
    Case("a car ahead", "rear", F, a_road().with_lead(20, 8)),
    Case("a car level with the ego on the left", "adjacent_left", T, TWO.with_actor(1, 3.5, 10)),
    Case("a car level with the ego on the right", "adjacent_left", F, THREE.with_actor(1, -3.5, 10)),
    Case("a car two lanes away", "adjacent_left", F, a_road(3).with_actor(1, 7.0, 10)),
    Case("a car 60 m ahead on the left", "adjacent_left", F, TWO.with_actor(64.8, 3.5, 10)),
    Case("a car on the line between the lanes", "adjacent_left", U, TWO.with_actor(12, 1.8, 10)),
    Case("a car level with the ego on the right", "adjacent_right", T, THREE.with_actor(-2, -3.5, 10)),
    Case("a car in the ego's lane", "adjacent_right", F, a_road().with_lead(10, 10)),
    Case("a car on the left that drifts over at 1 m/s", "cut_in_left", T, TWO.with_lead(15, 10, y=3.0, drift=-1.0)),
    Case("a car on the left that keeps its lane", "cut_in_left", F, TWO.with_lead(15, 10, y=3.5)),
    Case("a car on the left that drifts away", "cut_in_left", F, TWO.with_lead(15, 10, y=3.5, drift=0.8)),
    Case("a car on the left that drifts barely", "cut_in_left", U, TWO.with_lead(15, 10, y=3.0, drift=-0.25)),
    Case("a car on the right that drifts over", "cut_in_left", F, THREE.with_lead(15, 10, y=-3.0, drift=1.0)),
    Case("a car on the right that drifts over", "cut_in_right", T, THREE.with_lead(15, 10, y=-3.0, drift=1.0)),
    Case("a car far ahead on the right that drifts over", "cut_in_right", F, THREE.with_lead(75, 10, y=-3, drift=1.0)),
    Case("a lead that moves out to the left", "cut_out", T, TWO.with_lead(20, 8, y=1.0, drift=1.0)),
    Case("a lead that keeps its lane", "cut_out", F, TWO.with_lead(20, 8)),
    Case("a lead that comes back to the middle", "cut_out", F, TWO.with_lead(20, 8, y=1.0, drift=-1.0)),
    Case("a car on the ramp that arrives with the ego", "merging", T,
         a_ramp(40).with_actor(2.4, -10.0, 10, heading_deg=14)),
    Case("a car on the ramp long before the ego", "merging", F,
         a_ramp(90).driving(8).with_actor(86, -1.5, 15, heading_deg=14)),
    Case("a car in the lane", "merging", F, a_ramp(40).with_lead(20, 8)),
    Case("a car from the right that arrives with the ego", "crossing_from_right", T,
         a_crossroads(30).with_actor(42.15, -40, 10, heading_deg=90)),
    Case("a car from the right", "crossing_from_left", F,
         a_crossroads(30).with_actor(42.15, -40, 10, heading_deg=90)),
    Case("a car that has crossed", "crossing_from_right", F,
         a_crossroads(30).with_actor(42.15, 30, 10, heading_deg=90)),
    Case("a car that arrives ten seconds after the ego", "crossing_from_right", F,
         a_crossroads(20).driving(14).with_actor(32.15, -100, 8, heading_deg=90)),
    Case("a car off the road that crosses from the left", "crossing_from_left", T,
         a_road().with_actor(30, 20, 7, heading_deg=-90)),
    Case("a car that comes towards the ego on the left", "oncoming", T, TWO.with_lead(40, 8, y=3.5, heading_deg=180)),
    Case("a car that comes towards the ego in its lane", "oncoming", F, a_road().with_lead(40, 8, heading_deg=180)),
    Case("a car that drives ahead on the left", "oncoming", F, TWO.with_lead(40, 8, y=3.5)),
    Case("a car that comes towards the ego in its lane", "oncoming_in_path", T,
         a_road().with_lead(40, 8, heading_deg=180)),
    Case("a car that comes towards the ego on the left", "oncoming_in_path", F,
         TWO.with_lead(40, 8, y=3.5, heading_deg=180)),
    Case("a car half in the lane that has stood for long, left", "parked_blocker_left", T,
         a_road().with_lead(30, 0, y=2.0)),
    Case("a car parked on the right", "parked_blocker_left", F, a_road().with_lead(30, 0, y=-2.0)),
    Case("a car parked well clear of the lane", "parked_blocker_right", F, a_road().with_lead(30, 0, y=-4.5)),
    Case("a car parked at the lane's right edge", "parked_blocker_right", T, a_road().with_lead(30, 0, y=-2.3)),
    Case("a car that leaves just about 0.8 m", "parked_blocker_right", U, a_road().with_lead(30, 0, y=-2.7)),
    Case("a car that has stood for a second", "parked_blocker_right", F,
         a_road().with_lead(30, 0, y=-2.3, stopped_s=1)),
    Case("a moving car at the lane's right edge", "parked_blocker_right", F, a_road().with_lead(30, 5, y=-2.3)),
    Case("a car that stands in the middle of the lane", "parked_in_path", T, a_road().with_lead(30, 0)),
    Case("a car that stands in a queue", "parked_in_path", F,
         a_road().with_lead(30, 0, kind=MOTO, size=(2.0, 0.6)).with_lead(36, 0)),
    Case("a car that stands before a red light", "parked_in_path", F,
         a_crossroads(40).with_light(1, RED).with_lead(33, 0)),
    Case("a car that drives in the lane", "parked_in_path", F, a_road().with_lead(30, 5)),
    Case("a person who walks into the lane", "vru_crossing", T,
         a_road().with_actor(25, -4, 1.4, heading_deg=90, kind=PERSON)),
    Case("a person who stands in the lane", "vru_crossing", T, a_road().with_actor(25, 0.2, 0, kind=PERSON)),
    Case("a person who walks away from the lane", "vru_crossing", F,
         a_road().with_actor(25, 4, 1.4, heading_deg=90, kind=PERSON)),
    Case("a person who walks along the road", "vru_crossing", F, a_road().with_actor(25, -2.0, 1.4, kind=PERSON)),
    Case("a car that crosses", "vru_crossing", F, a_road().with_actor(30, 20, 7, heading_deg=-90)),
    Case("a person just inside the way of the ego's body", "vru_crossing", U,
         a_road().with_actor(25, -1.25, 0, kind=PERSON)),
    Case("a person who stands at the kerb", "vru_roadside", T, a_road().with_actor(25, -3.5, 0, kind=PERSON)),
    Case("a person who stands in the lane", "vru_roadside", F, a_road().with_actor(25, 0.2, 0, kind=PERSON)),
    Case("a person far from the road", "vru_roadside", F, a_road().with_actor(25, -12, 0, kind=PERSON)),
    Case("a person who walks on the lane's edge", "vru_along", T, a_road().with_actor(25, -2.0, 1.4, kind=PERSON)),
    Case("a cyclist in the lane", "vru_along", T, a_road().with_lead(25, 4, kind=BIKE)),
    Case("a person who stands at the kerb", "vru_along", F, a_road().with_actor(25, -3.5, 0, kind=PERSON)),
    Case("a truck parked beside the lane", "occluder", T, a_road().with_actor(30, -4.0, 0, kind=TRUCK)),
    Case("a truck that drives beside the lane", "occluder", F, TWO.with_actor(30, 4.0, 9, kind=TRUCK)),
    Case("a cone beside the lane", "occluder", F, a_road().with_actor(30, -3.0, 0, kind=CONE)),
    Case("the car ahead", "occluder", F, a_road().with_lead(20, 0)),
    Case("one of three cones at the lane's edge", "work_zone", T,
         a_road().with_actor(25, 2, kind=CONE).with_actor(31, 2, kind=CONE).with_actor(37, 2, kind=CONE)),
    Case("a single cone", "work_zone", F, a_road().with_actor(25, 2, kind=CONE)),
    Case("a parked car", "work_zone", F, a_road().with_lead(30, 0)),
    Case("the light of the lane ahead", "signal", T, a_crossroads(30).with_light(1, RED), "light:0"),
    Case("the light of a crossing lane", "signal", F, a_crossroads(30).with_light(6, RED), "light:0"),
    Case("the light of a lane that is entered", "signal", F, a_crossroads(-6).with_light(1, GREEN), "light:0"),
    Case("the line before the junction", "stop_line", T, a_crossroads(30, line=True), "stop_line:0"),
    Case("a line that is behind", "stop_line", F, a_crossroads(-8, line=True), "stop_line:0"),
    Case("a crosswalk ahead", "crosswalk", T, a_road().with_crosswalk(20), "crosswalk:0"),
    Case("a crosswalk behind", "crosswalk", F, a_road().with_crosswalk(-20), "crosswalk:0"),
    Case("a crosswalk that the ego is just leaving", "crosswalk", U, a_road().with_crosswalk(-8.4), "crosswalk:0"),
    Case("a bend of 30 m radius", "curve", T, a_bend(40, 30), "lane:1"),
    Case("the straight lane before it", "curve", F, a_bend(40, 30), "lane:0"),
    Case("a bend of 400 m radius at 14 m/s", "curve", F, a_bend(40, 400), "lane:1"),
    Case("a bend of 100 m radius on a fast road", "curve", T, a_bend(40, 100, limit_mps=22.0), "lane:1"),
    Case("the ego's lane with a limit", "speed_limit", T, a_road(), "lane:0"),
    Case("a lane without a limit", "speed_limit", F, a_road().with_limit(float("nan")), "lane:0"),
    Case("a lane that is not the ego's", "speed_limit", F, a_crossroads(30), "lane:4"),
    Case("a lane that ends in 60 m", "lane_end", T, a_lane_that_ends(60), "lane:0"),
    Case("a lane that leads on", "lane_end", F, a_road(), "lane:0"),
    Case("a lane that leaves the route", "lane_end", F, a_lane_that_ends(60, goes_elsewhere=True), "lane:0"),
    Case("a lane that leaves the route", "route_exit", T, a_lane_that_ends(60, goes_elsewhere=True), "lane:0"),
    Case("a lane that ends", "route_exit", F, a_lane_that_ends(60), "lane:0"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.relation}: {c.sentence} -> {c.value}")
def test_relation(case: Case) -> None:
    found = judge_relation(measure(case.sketch.scene()), ref(case.of), case.relation)
    assert found.value == case.value, found


def test_every_relation_has_a_sentence_where_it_holds_and_one_where_it_does_not() -> None:
    for value in (T, F):
        assert {case.relation for case in CASES if case.value == value} == set(sets.RELATION.values)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.relation}: {c.sentence}")
def test_the_list_of_relations_says_the_same(case: Case) -> None:
    listed = {r.relation: r.value for r in relations(measure(case.sketch.scene()), ref(case.of))}
    assert listed[case.relation] == case.value
