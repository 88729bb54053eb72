"""Decisions and claims about the plan, in scenes of one sentence: true, false, or not to be told."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from waytrace.scenario import LightState, Plan
from waytrace.trace import Cause, PlanClaim, Segment, Trace, sets

from .scenes import (
    PERSON,
    Sketch,
    a_bend,
    a_cause,
    a_crossroads,
    a_fork,
    a_lane_that_ends,
    a_plan,
    a_ramp,
    a_road,
    a_trace,
    checked,
    ref,
    slowing,
)


class Case(NamedTuple):
    sentence: str
    decision: str
    value: str
    sketch: Sketch
    plan: Plan
    causes: tuple[Cause, ...] = ()
    before: Trace | None = None


T, F, U = "true", "false", "undetermined"
RED = LightState.RED
ONE, TWO = a_road(), a_road(lanes=2)
MIDDLE = a_road(lanes=3, ego_lane=1)
STEADY, AWAY, DOWN = a_plan(10), a_plan([10, 10.5, 11, 11.5, 12]), a_plan(slowing(10, 2.0), start=10.0)
REST = a_plan(0.0)
HEADWAY = (a_cause("agent:1", "headway"),)
CROSS = (a_cause("agent:1", "cross_conflict"),)
LIGHT = (a_cause("light:0", "stop_point"),)
AT_LIGHT = a_crossroads(24.5).with_light(1, RED)
WALKER = ONE.with_actor(25, -4, 1.4, heading_deg=90, kind=PERSON)
FROM_RIGHT = a_crossroads(30).with_actor(42.15, -37, 10, heading_deg=90)

LONGITUDINAL = [
    Case("a plan at the same speed on an empty road", "set_speed", T, ONE, STEADY),
    Case("a plan that comes to rest", "set_speed", F, ONE, DOWN),
    Case("a plan that slows by 1 m/s", "set_speed", U, ONE, a_plan([9.5, 9.0, 8.5], start=10.0)),
    Case("a plan that slows down for a limit", "set_speed", T, ONE.driving(17), a_plan(slowing(17, 1, 14), start=17.0)),
    Case("a plan that stands", "set_speed", F, ONE.driving(0), REST),
    Case("a plan that keeps behind the car ahead", "follow", T, ONE.with_lead(20, 8), a_plan([9, 8.5, 8]), HEADWAY),
    Case("a plan that runs into the car ahead", "follow", F, ONE.with_lead(15, 2), STEADY, HEADWAY),
    Case("nobody ahead", "follow", F, ONE, STEADY),
    Case("a car ahead in the lane that the plan changes to", "follow", T, TWO.with_lead(20, 10, y=3.5),
         a_plan(10, offset_m=3.5), HEADWAY),
    Case("a car in the next lane, where the plan does not go", "follow", F, TWO.with_lead(20, 10, y=3.5), STEADY,
         HEADWAY),
    Case("a plan that slows down for a bend", "adapt_speed", T, a_bend(30, 15), a_plan([9, 8, 7, 6, 6]),
         (a_cause("lane:1", "curve_lat_accel"),)),
    Case("a plan at the limit", "adapt_speed", F, ONE.driving(14), a_plan(14)),
    Case("a plan that comes to rest at once", "adapt_speed", F, ONE.driving(3), a_plan(0.0, start=3.0)),
    Case("a plan that lets the car on the left go first", "gap_search", T, TWO.with_actor(4, 3.5, 10),
         a_plan([9.5, 9, 8.5]), (a_cause("agent:1", "merge_gap"),)),
    Case("nobody beside", "gap_search", F, TWO, a_plan([9.5, 9, 8.5])),
    Case("a plan at the limit beside a car", "gap_search", F, TWO.driving(14).with_actor(4, 3.5, 14), a_plan(14),
         (a_cause("agent:1", "merge_gap"),)),
    Case("a plan that leaves its ending lane late", "gap_search", T, a_lane_that_ends(60), a_plan([9, 8, 7, 6])),
    Case("a plan round a parked car", "pass", T, ONE.with_lead(25, 0, y=-2.0), a_plan(8, start=10, offset_m=0.9),
         (a_cause("agent:1", "lateral_clearance"),)),
    Case("a plan that stops behind the parked car", "pass", F, ONE.with_lead(25, 0, y=-2.0), DOWN,
         (a_cause("agent:1", "lateral_clearance"),)),
    Case("nobody to pass", "pass", F, ONE, STEADY),
    Case("a plan that lets a person cross", "yield", T, WALKER, a_plan([9, 8, 7, 6, 5, 4, 3, 3, 4, 5, 6]), CROSS),
    Case("a plan that does not slow down for a person", "yield", F, WALKER, STEADY, CROSS),
    Case("a plan that lets a car from the right go first", "yield", T, FROM_RIGHT,
         a_plan(slowing(10, 2.0, 4.0), start=10.0), CROSS),
    Case("a plan that goes before the car from the right", "yield", F, FROM_RIGHT.driving(14), a_plan(14), CROSS),
    Case("a red light before the crossing", "yield", F, a_crossroads(24.5).with_light(1, RED).with_actor(
        36.65, -37, 10, heading_deg=90), a_plan(slowing(10, 2.1), start=10.0), CROSS),
    Case("nobody to yield to", "yield", F, ONE, DOWN),
    Case("a plan that stops at the red light", "stop", T, AT_LIGHT, a_plan(slowing(10, 2.1), start=10.0), LIGHT),
    Case("a plan that drives on", "stop", F, AT_LIGHT, STEADY, LIGHT),
    Case("a plan that ends at 0.4 m/s", "stop", U, AT_LIGHT, a_plan(slowing(10, 2.2, 0.4), start=10.0), LIGHT),
    Case("a plan that stops 12 m before the light", "stop", F, AT_LIGHT, a_plan(slowing(10, 4.0), start=10.0), LIGHT),
    Case("a plan that stops behind a standing car", "stop", T, ONE.with_lead(27, 0),
         a_plan(slowing(10, 2.1), start=10.0), (a_cause("agent:1", "headway"),)),
    Case("a plan that stops for nothing", "stop", F, ONE, DOWN),
    Case("a plan that stays", "hold", T, ONE.driving(0).with_lead(2, 0), REST, HEADWAY),
    Case("a plan that sets off", "hold", F, ONE.driving(0), a_plan([0.5, 1, 2, 3], start=0.0)),
    Case("an ego that still rolls", "hold", F, ONE.driving(2), a_plan(0.0, start=2.0)),
    Case("a plan through a junction", "proceed", T, a_crossroads(20), STEADY),
    Case("a plan that sets off", "proceed", T, ONE.driving(0), a_plan([1, 2, 3, 4], start=0.0)),
    Case("a plan on an open road", "proceed", F, ONE, STEADY),
    Case("a plan that stops before the junction", "proceed", F, a_crossroads(24.5),
         a_plan(slowing(10, 2.1), start=10.0)),
    Case("a plan that brakes at 6 m/s2", "emergency_brake", T, ONE.with_lead(10, 0), a_plan(slowing(10, 6), start=10.0),
         (a_cause("agent:1", "required_decel"),)),
    Case("a plan that brakes at 2 m/s2", "emergency_brake", F, ONE.with_lead(30, 0), DOWN,
         (a_cause("agent:1", "required_decel"),)),
    Case("a plan that brakes at just about 4 m/s2", "emergency_brake", U, ONE.with_lead(10, 0),
         a_plan(slowing(10, 3.97), start=10.0), (a_cause("agent:1", "required_decel"),)),
]  # fmt: skip

CHANGED = a_trace("set_speed", "lane_change_left")
LATERAL = [
    Case("a plan along the middle", "keep", T, ONE, STEADY),
    Case("a plan that moves 0.8 m aside", "keep", F, ONE, a_plan(10, offset_m=0.8)),
    Case("a plan that comes back to the middle", "keep", T, ONE.driving(10, offset_m=0.6),
         a_plan(10, from_m=0.6, offset_m=0.0, by_s=2.0)),
    Case("a plan that changes lanes", "keep", F, TWO, a_plan(10, offset_m=3.5)),
    Case("a plan 0.6 m to the left", "nudge_in_lane_left", T, ONE, a_plan(10, offset_m=0.6)),
    Case("a plan 0.6 m to the right", "nudge_in_lane_left", F, ONE, a_plan(10, offset_m=-0.6)),
    Case("a plan along the middle", "nudge_in_lane_left", F, ONE, STEADY),
    Case("a plan whose body just touches the line", "nudge_in_lane_left", T, ONE, a_plan(10, offset_m=0.8)),
    Case("a plan whose body just touches the line", "nudge_out_of_lane_left", T, ONE, a_plan(10, offset_m=0.8)),
    Case("a plan 0.6 m to the right", "nudge_in_lane_right", T, ONE, a_plan(10, offset_m=-0.6)),
    Case("a plan over the line", "nudge_in_lane_right", F, ONE, a_plan(10, offset_m=-1.5)),
    Case("a plan over the line and back", "nudge_out_of_lane_left", T, TWO, a_plan(10, offset_m=1.5, back_s=5.0)),
    Case("a plan within the lane", "nudge_out_of_lane_left", F, TWO, a_plan(10, offset_m=0.5)),
    Case("a plan over the right line", "nudge_out_of_lane_right", T, MIDDLE, a_plan(10, offset_m=-1.4, back_s=5.0)),
    Case("a change of lanes", "nudge_out_of_lane_right", F, MIDDLE, a_plan(10, offset_m=-3.5)),
    Case("a plan into the left lane", "lane_change_left", T, TWO, a_plan(10, offset_m=3.5)),
    Case("a plan along the middle", "lane_change_left", F, TWO, STEADY),
    Case("a plan into the left lane close before a fast car", "lane_change_left", F,
         TWO.with_follower(12, 22, y=3.5), a_plan(10, offset_m=3.5)),
    Case("a plan into the right lane", "lane_change_left", F, MIDDLE, a_plan(10, offset_m=-3.5)),
    Case("a plan into the right lane", "lane_change_right", T, MIDDLE, a_plan(10, offset_m=-3.5)),
    Case("a plan into the left lane", "lane_change_right", F, MIDDLE, a_plan(10, offset_m=3.5)),
    Case("a plan out of a lane that ends", "merge", T, a_lane_that_ends(90), a_plan(10, offset_m=3.5)),
    Case("a plan past the end of a ramp", "merge", T, a_ramp(40), STEADY),
    Case("a plan on a road that does not end", "merge", F, TWO, a_plan(10, offset_m=3.5)),
    Case("a plan past a fork", "split", T, a_fork(30), STEADY),
    Case("a plan on a straight road", "split", F, ONE, STEADY),
    Case("a plan into a junction where the route turns left", "turn_left", T, a_crossroads(20, "left"),
         a_plan(slowing(10, 1, 5), start=10.0)),
    Case("a route straight on", "turn_left", F, a_crossroads(20), STEADY),
    Case("a route that turns right", "turn_right", T, a_crossroads(20, "right"), a_plan(slowing(10, 1, 5), start=10.0)),
    Case("a route that turns left", "turn_right", F, a_crossroads(20, "left"), a_plan(slowing(10, 1, 5), start=10.0)),
    Case("a turn far beyond the plan", "turn_right", F, a_crossroads(90, "right").driving(3), a_plan(3)),
    Case("a route that turns left", "u_turn", F, a_crossroads(20, "left"), a_plan(slowing(10, 1, 5), start=10.0)),
    Case("a plan that comes to rest at the right edge", "pull_over", T, ONE,
         a_plan(slowing(10, 2), start=10.0, offset_m=-0.8)),
    Case("a plan that comes to rest in mid-lane", "pull_over", F, ONE, DOWN),
    Case("a plan that drives at the right edge", "pull_over", F, ONE, a_plan(10, offset_m=-0.8)),
    Case("a plan back into the lane after a change was begun", "abort", T, TWO.driving(10, offset_m=0.9),
         a_plan(10, from_m=0.9, offset_m=0.0, by_s=2.5), (), CHANGED),
    Case("a plan back into the lane, and what was before is not known", "abort", U, TWO.driving(10, offset_m=0.9),
         a_plan(10, from_m=0.9, offset_m=0.0, by_s=2.5)),
    Case("a plan along the middle", "abort", F, TWO, STEADY, (), CHANGED),
]  # fmt: skip


def test_u_turns_hold_where_the_route_turns_back() -> None:
    there = a_crossroads(20, "left")
    back = [*there.lanes[1].points]
    lanes = list(there.lanes)
    lanes[1] = lanes[1].__class__(tuple(back), on=(2,), junction=True)
    end = back[-1]
    arc = [(end[0] - 9.75 + 9.75 * c, end[1] + 9.75 * s) for c, s in ((1.0, 0.0), (0.92, 0.38), (0.71, 0.71),
                                                                     (0.38, 0.92), (0.0, 1.0))]  # fmt: skip
    lanes[2] = lanes[2].__class__(tuple(arc), on=(), junction=True)
    sketch = Sketch(tuple(lanes), there.groups, there.ego)
    said = checked(sketch, a_trace("proceed", "u_turn"), a_plan(slowing(10, 1, 5), start=10.0))
    assert said["decision.lateral"] == T


@pytest.mark.parametrize("case", LONGITUDINAL, ids=lambda c: f"{c.decision}: {c.sentence} -> {c.value}")
def test_longitudinal(case: Case) -> None:
    said = checked(case.sketch, a_trace(case.decision, "keep", *case.causes), case.plan, case.before)
    assert said["decision.longitudinal"] == case.value, said.by_claim["decision.longitudinal"]


@pytest.mark.parametrize("case", LATERAL, ids=lambda c: f"{c.decision}: {c.sentence} -> {c.value}")
def test_lateral(case: Case) -> None:
    said = checked(case.sketch, a_trace("set_speed", case.decision, *case.causes), case.plan, case.before)
    assert said["decision.lateral"] == case.value, said.by_claim["decision.lateral"]


def test_every_decision_has_a_sentence_where_it_holds_and_one_where_it_does_not() -> None:
    for cases, values in ((LONGITUDINAL, sets.LONGITUDINAL.values), (LATERAL, sets.LATERAL.values)):
        for value in (T, F):
            assert {c.decision for c in cases if c.value == value} | {"u_turn"} == {*values, "u_turn"}


def test_without_a_plan_decisions_and_plan_claims_cannot_be_told() -> None:
    said = checked(ONE.with_lead(20, 8), a_trace("follow", "keep", *HEADWAY))
    names = ("decision.longitudinal", "decision.lateral", "plan.target_speed_bin", "plan.stop_s_bin",
             "plan.target_lane", "plan.segments[0].lon", "plan.segments[0].lat", "decision.causes")  # fmt: skip
    assert {said[name] for name in names} == {U}


def segments(*said: tuple[str, str, str], speed: int = 6, stop: int = 13, lane: str | None = None) -> PlanClaim:
    return PlanClaim(speed, stop, ref(lane) if lane else None, tuple(Segment(*s) for s in said))


class Says(NamedTuple):
    sentence: str
    claim: PlanClaim
    plan: Plan
    slot: str
    value: str
    sketch: Sketch = ONE
    decision: str = "set_speed"


HELD = (("8", "maintain", "keep_lane"),)
SLOTS = [
    Says("ten at the end", segments(*HELD), STEADY, "target_speed_bin", T),
    Says("a bin higher, and the speed lies on the edge", segments(*HELD, speed=5), STEADY, "target_speed_bin", T),
    Says("two bins higher", segments(*HELD, speed=8), STEADY, "target_speed_bin", F),
    Says("nowhere to rest", segments(*HELD), STEADY, "stop_s_bin", T),
    Says("at rest after 25 m", segments(*HELD, stop=8), DOWN, "stop_s_bin", T, ONE, "stop"),
    Says("at rest after 5 m", segments(*HELD, stop=3), DOWN, "stop_s_bin", F, ONE, "stop"),
    Says("at rest, and it drives on", segments(*HELD, stop=8), STEADY, "stop_s_bin", F),
    Says("driving on, and it comes to rest", segments(*HELD), DOWN, "stop_s_bin", F),
    Says("its own lane", segments(*HELD, lane="lane:0"), STEADY, "target_lane", T, TWO),
    Says("the left lane, and it stays", segments(*HELD, lane="lane:1"), STEADY, "target_lane", F, TWO),
    Says("the left lane", segments(*HELD, lane="lane:1"), a_plan(10, offset_m=3.5), "target_lane", T, TWO),
    Says("its own lane, and it changes", segments(*HELD, lane="lane:0"), a_plan(10, offset_m=3.5), "target_lane", F,
         TWO),
    Says("no lane, and it changes", segments(*HELD), a_plan(10, offset_m=3.5), "target_lane", F, TWO),
    Says("a lane that does not exist", segments(*HELD, lane="lane:99"), STEADY, "target_lane", F),
    Says("the speed held", segments(*HELD), STEADY, "segments[0].lon", T),
    Says("the speed held, and it brakes", segments(*HELD), DOWN, "segments[0].lon", F),
    Says("gentle braking", segments(("4", "gentle_decel", "keep_lane"), ("8", "maintain", "keep_lane")),
         a_plan(slowing(10, 0.8, 6.8), start=10.0), "segments[0].lon", T),
    Says("strong braking, and it is gentle", segments(("4", "strong_decel", "keep_lane"), *HELD),
         a_plan(slowing(10, 0.8, 6.8), start=10.0), "segments[0].lon", F),
    Says("strong braking", segments(("4", "strong_decel", "keep_lane"), *HELD), DOWN, "segments[0].lon", T),
    Says("braking, and it accelerates", segments(("8", "gentle_decel", "keep_lane")), AWAY, "segments[0].lon", F),
    Says("gentle acceleration", segments(("2.5", "gentle_accel", "keep_lane"), *HELD), AWAY, "segments[0].lon", T),
    Says("strong acceleration, and it is gentle", segments(("2.5", "strong_accel", "keep_lane"), *HELD), AWAY,
         "segments[0].lon", F),
    Says("strong acceleration", segments(("2", "strong_accel", "keep_lane"), *HELD),
         a_plan([11, 12, 13, 14], start=10.0), "segments[0].lon", T),
    Says("half a second of some braking", segments(("0.5", "gentle_decel", "keep_lane"), *HELD),
         a_plan([10.02], start=10.0), "segments[0].lon", U),
    Says("a halt", segments(("5", "strong_decel", "keep_lane"), ("8", "stop", "keep_lane")), DOWN, "segments[1].lon",
         T),
    Says("a halt, and it drives", segments(("8", "stop", "keep_lane")), STEADY, "segments[0].lon", F),
    Says("backwards, and it drives on", segments(("8", "reverse", "keep_lane")), STEADY, "segments[0].lon", F),
    Says("backwards", segments(("8", "reverse", "keep_lane")), a_plan([-0.5, -1.0]), "segments[0].lon", T),
    Says("along the lane", segments(*HELD), STEADY, "segments[0].lat", T),
    Says("along the lane, and it changes", segments(*HELD), a_plan(10, offset_m=3.5), "segments[0].lat", F, TWO),
    Says("to the left within the lane", segments(("4", "maintain", "shift_left"), *HELD), a_plan(10, offset_m=0.7),
         "segments[0].lat", T),
    Says("to the right, and it goes left", segments(("4", "maintain", "shift_right"), *HELD),
         a_plan(10, offset_m=0.7), "segments[0].lat", F),
    Says("to the right", segments(("4", "maintain", "shift_right"), *HELD), a_plan(10, offset_m=-0.7),
         "segments[0].lat", T),
    Says("to the left, and it stays", segments(("4", "maintain", "shift_left"), *HELD), STEADY, "segments[0].lat", F),
    Says("a change to the left", segments(("4", "maintain", "change_left"), *HELD), a_plan(10, offset_m=3.5),
         "segments[0].lat", T, TWO),
    Says("a change to the left that stays in the lane", segments(("4", "maintain", "change_left"), *HELD),
         a_plan(10, offset_m=0.7), "segments[0].lat", F, TWO),
    Says("a change to the right", segments(("4", "maintain", "change_right"), *HELD), a_plan(10, offset_m=-3.5),
         "segments[0].lat", T, MIDDLE),
    Says("a change to the right, and it goes left", segments(("4", "maintain", "change_right"), *HELD),
         a_plan(10, offset_m=3.5), "segments[0].lat", F, MIDDLE),
    Says("a turn to the left where the road goes straight on", segments(("8", "maintain", "turn_left")), STEADY,
         "segments[0].lat", F),
    Says("a turn to the right where the road goes straight on", segments(("8", "maintain", "turn_right")), STEADY,
         "segments[0].lat", F),
]  # fmt: skip


@pytest.mark.parametrize("case", SLOTS, ids=lambda c: f"{c.slot}: {c.sentence} -> {c.value}")
def test_plan_slots(case: Says) -> None:
    said = checked(case.sketch, a_trace(case.decision, plan=case.claim), case.plan)
    found = said.by_claim[f"plan.{case.slot}"]
    assert found.value == case.value, found


@pytest.mark.parametrize("stop", [True, False])
def test_a_plan_that_contradicts_its_decision_makes_it_false(stop: bool) -> None:
    trace = a_trace("stop", "keep", *LIGHT) if stop else a_trace("set_speed")
    said = checked(AT_LIGHT, trace, STEADY if stop else DOWN)
    assert said["decision.longitudinal"] == F
