"""Hand-made scenes with one thing in them, and what the certificate says of it."""

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest

from waytrace.observe import REFERENCE_KIND, Reference, ReferenceKind
from waytrace.planners import CONSTRAINTS, Certificate, Expert
from waytrace.scenario import AgentKind, LightState, Route
from waytrace.sim import World, integrate

from .conftest import LIMIT_MPS, observed, scene, straight_road

CAR, WALKER = AgentKind.VEHICLE, AgentKind.PEDESTRIAN
AGENT, LANE, LIGHT = ReferenceKind.AGENT, ReferenceKind.LANE, ReferenceKind.LIGHT


def certificate(scenario, seconds=0.0) -> Certificate:
    """Of the first decision, or of the one after some seconds."""
    planner, state = Expert(), None
    planner.reset([scenario.id])
    world = World([scenario], traffic="replay")
    for _ in range(round(seconds / 0.5)):
        plan, _, state = planner.plan(observed(world), state)
        world.step_plans(plan)
    planner.plan(observed(world), state)
    return planner.certificates[0]


def of(made, name, reference):
    return next(c for c in made.chosen.constraints if (c.name, c.reference) == (name, reference))


def violations(made, axis):
    return {(r.violates, str(r.reference)) for r in made.rejected if r.axis == axis and r.violates}


SCENES = {
    "free": scene(speed=8.0),
    "two ahead": scene((CAR, 85.0, 0.0, 0.0, 4.0), (CAR, 95.0, 0.0, 0.0, 4.0)),
    "red": scene(light=LightState.RED, speed=12.0),
    "half in the lane": scene((CAR, 120.0, -4.9, 0.0, 0.0), lanes=2, ego_y=-3.5),
    "blocked, one beside": scene((CAR, 95.0, 0.0, 0.0, 0.0), (CAR, 58.0, -3.5, 0.0, 12.0), lanes=2),
    "walks across": scene((WALKER, 95.0, -5.0, math.pi / 2, 1.4)),
    "drives across": scene((CAR, 110.0, -30.0, math.pi / 2, 7.0)),
    "dense": scene(*[(CAR, 20.0 + 9.0 * i, -3.5 * (i % 2), 0.0, 6.0) for i in range(5, 12)], lanes=2),
}


@pytest.mark.parametrize("name", SCENES)
def test_every_certificate_is_whole(name):
    made = certificate(SCENES[name])
    everything = [c for choice in (made.chosen, made.runner_up) if choice for c in choice.constraints]
    assert {c.name for c in everything} <= set(CONSTRAINTS)
    assert {r.violates for r in made.rejected} <= {*CONSTRAINTS, None}
    binding, *rest = made.chosen.constraints
    assert made.chosen.binding is binding
    assert binding.slack_mps2 == 0.0
    for c in made.chosen.constraints:
        assert c.accel_mps2 == pytest.approx(binding.accel_mps2 + c.slack_mps2)
        assert c.allowed_mps2.shape == (17,)
        assert c.lost_mps >= 0.0
        assert math.isfinite(c.binds_at_s) or c.lost_mps == 0.0
    assert all(c.slack_mps2 >= 0.0 for c in rest)
    keys = [(c.name, c.reference) for c in made.chosen.constraints]
    assert len(set(keys)) == len(keys)
    assert min(c.binds_at_s for c in made.chosen.constraints) == 0.0
    for r in made.rejected:
        assert (r.reference is None) == (r.violates is None) == (r.unit == "score")
        assert r.violates is None or (r.margin >= 0.0 and math.isfinite(r.at_s)), r
    lengthwise, sideways = made.chosen.lengthwise, made.chosen.sideways
    assert (lengthwise, sideways) in made.considered.kinds
    assert len(made.considered) == len(made.considered.score) > 10


@pytest.mark.parametrize("name", SCENES)
def test_chosen_and_runner_up_carry_the_plans_that_they_are(name):
    scenario = SCENES[name]
    planner = Expert()
    planner.reset([scenario.id])
    plan, _, _ = planner.plan(observed(World([scenario], traffic="replay")), None)
    made = planner.certificates[0]
    np.testing.assert_array_equal(made.chosen.plan.accel_mps2, plan.accel_mps2[0])
    np.testing.assert_array_equal(made.chosen.plan.waypoints, plan.waypoints[0])
    second = made.runner_up
    assert second is not None
    assert second.clean
    controls = second.plan.start[None], second.plan.accel_mps2[None], second.plan.curvature_1pm[None]
    np.testing.assert_array_equal(second.plan.waypoints, integrate(*controls)[0])
    assert (second.lengthwise, second.sideways, second.lane, np.sign(second.offset_m)) != (
        made.chosen.lengthwise, made.chosen.sideways, made.chosen.lane, np.sign(made.chosen.offset_m),
    )  # fmt: skip
    apart = second.plan.waypoints[:12, :2] - made.chosen.plan.waypoints[:12, :2]
    assert np.hypot(*apart.T).max() >= 1.0


def test_on_a_free_road_the_limit_is_all_that_binds():
    made = certificate(SCENES["free"])
    assert [c.name for c in made.chosen.constraints] == ["speed_cap"]
    assert made.chosen.binding.reference == Reference(LANE, 0)
    assert made.chosen.target_speed_mps == pytest.approx(LIMIT_MPS, abs=0.3)
    assert not violations(made, "longitudinal")
    assert not violations(made, "lateral")


def test_the_car_ahead_binds_and_the_one_before_it_has_slack():
    made = certificate(SCENES["two ahead"])
    assert (made.chosen.binding.name, made.chosen.binding.reference) == ("headway", Reference(AGENT, 1))
    assert made.chosen.binding.lost_mps > 2.0
    assert of(made, "headway", Reference(AGENT, 2)).slack_mps2 > 0.5
    assert ("headway", "agent:1") in violations(made, "longitudinal")


def test_the_red_light_binds_later_than_the_limit():
    made = certificate(SCENES["red"])
    stop = of(made, "stop_point", Reference(LIGHT, 0))
    assert 1.0 < stop.binds_at_s < 6.0
    assert stop.lost_mps > 1.0
    assert made.chosen.stop_reference == Reference(LIGHT, 0)
    assert made.chosen.stop_m == pytest.approx(140.0 - 62.4, abs=1.0)
    free = next(r for r in made.rejected if r.lengthwise == "proceed")
    assert (free.violates, free.reference, free.unit) == ("stop_point", Reference(LIGHT, 0), "m")
    reached = (140.0 - 62.4) / 12.0
    assert free.at_s == pytest.approx(reached, abs=0.4)
    assert free.margin == pytest.approx(12.0 * 8.0 - (140.0 - 62.4), abs=1.5)


def test_a_green_light_binds_nothing():
    made = certificate(scene(light=LightState.GREEN, speed=12.0))
    assert all(c.reference.kind != LIGHT for c in made.chosen.constraints)


def test_the_middle_of_the_lane_is_rejected_for_the_room_that_a_parked_car_leaves():
    made = certificate(SCENES["half in the lane"])
    assert made.chosen.sideways in ("pass", "left")
    keep = next(r for r in made.rejected if r.sideways == "keep")
    assert (keep.violates, keep.reference, keep.unit) == ("lateral_clearance", Reference(AGENT, 1), "m")
    room = 0.5 * 1.9 + 0.5 * 1.9 + 0.15 - (4.9 - 3.5)
    assert keep.margin == pytest.approx(room, abs=0.05)


def test_leaving_the_road_is_a_lack_of_room_beside_the_lane():
    made = certificate(SCENES["blocked, one beside"])
    off = [r for r in made.rejected if r.violates == "lateral_clearance" and r.reference.kind == LANE]
    assert off
    assert all(r.axis == "lateral" and r.unit == "m" for r in off)


def test_the_other_lane_is_rejected_for_the_gap_to_who_comes_up_in_it():
    made = certificate(scene((CAR, 90.0, 0.0, 0.0, 9.0), (CAR, 52.0, -3.5, 0.0, 14.0), lanes=2))
    right = next(r for r in made.rejected if r.sideways == "right")
    assert (right.violates, right.reference) == ("merge_gap", Reference(AGENT, 2))
    assert right.unit == "m"


def test_a_lane_change_is_for_the_slow_car_that_it_leaves_behind():
    made = certificate(scene((CAR, 90.0, 0.0, 0.0, 3.0), lanes=2))
    assert made.chosen.sideways == "right"
    keep = next(r for r in made.rejected if r.sideways == "keep")
    assert (keep.violates, keep.reference) == ("headway", Reference(AGENT, 1))


@pytest.mark.parametrize(("name", "agent"), [("walks across", 1), ("drives across", 1)])
def test_who_crosses_is_a_conflict(name, agent):
    made = certificate(SCENES[name])
    assert of(made, "cross_conflict", Reference(AGENT, agent)).lost_mps > 0.5
    assert ("cross_conflict", f"agent:{agent}") in violations(made, "longitudinal")
    free = next(r for r in made.rejected if r.lengthwise == "proceed")
    assert free.unit == "s"


def test_a_bend_binds_by_the_acceleration_across():
    road = straight_road(400.0)
    x = np.linspace(0.0, 150.0, 76)
    bend = np.linspace(0.0, np.pi / 2, 40)[1:]
    line = np.concatenate(
        [np.stack([x, 0.0 * x], -1), np.stack([150.0 + 25.0 * np.sin(bend), 25.0 - 25.0 * np.cos(bend)], -1)]
    )
    line = np.concatenate([line, line[-1] + np.arange(2, 200, 2.0)[:, None] * [0.0, 1.0]])
    heading = np.arctan2(np.gradient(line[:, 1]), np.gradient(line[:, 0]))
    across = 1.75 * np.stack([-np.sin(heading), np.cos(heading)], -1)
    one = type(road.centre)
    bent = dataclasses.replace(
        road, centre=one.of([line]), left=one.of([line + across]), right=one.of([line - across]),
        drivable=one.of([np.concatenate([line + 1.5 * across, (line - 1.5 * across)[::-1]])]),
    )  # fmt: skip
    made = certificate(scene(road=bent, speed=12.0), seconds=2.5)
    curve = of(made, "curve_lat_accel", Reference(LANE, 0))
    assert curve.lost_mps > 0.5
    assert curve.binds_at_s < 6.0
    free = next(r for r in made.rejected if r.lengthwise == "proceed")
    assert (free.violates, free.unit) == ("curve_lat_accel", "m/s2")
    assert free.margin == pytest.approx(LIMIT_MPS**2 / 25.0 - 2.5, abs=0.8)


def test_a_lane_that_leaves_the_route_is_rejected_and_binds_while_the_other_is_full():
    road = straight_road(lanes=2, stop_m=150.0)
    road = dataclasses.replace(road, stop_line_xy=road.stop_line_xy[:0], stop_line_lane=road.stop_line_lane[:0])
    route = Route(((0, 2), (1,)))
    free = certificate(scene(road=road, ego_y=-3.5).with_(route=route))
    assert free.chosen.sideways == "left"
    keep = next(r for r in free.rejected if r.sideways == "keep")
    assert (keep.violates, keep.reference, keep.unit) == ("route_feasibility", Reference(LANE, 2), "m")
    beside = [(CAR, 50.0 + 7.0 * i, 0.0, 0.0, 10.0) for i in range(6)]
    full = certificate(scene(*beside, road=road, ego_y=-3.5).with_(route=route))
    assert full.chosen.sideways == "keep"
    assert of(full, "route_feasibility", Reference(LANE, 2)).lost_mps > 0.5
    left = next(r for r in full.rejected if r.sideways == "left")
    assert left.violates == "merge_gap"


def test_someone_who_appears_close_by_requires_hard_braking():
    made = certificate(scene((WALKER, 74.0, 0.0, math.pi / 2, 1.0), speed=11.0))
    assert any(c.name == "required_decel" and c.reference == Reference(AGENT, 1) for c in made.chosen.constraints)


def seen_by(expert, scenario, without=()):
    """The expert's plan where the observation's arrays do not hold some elements."""
    world = World([scenario], traffic="replay")
    shown = observed(world).scenes[0]
    reference = shown.reference.copy()
    for kind, index in without:
        reference[(int(kind) == REFERENCE_KIND) & (reference == index)] = -1
    held = set(reference[int(AGENT) == REFERENCE_KIND].tolist())
    agents = dataclasses.replace(shown.agents, in_arrays=np.array([i in held for i in shown.agents.index.tolist()]))
    expert.reset([scenario.id])
    shown = dataclasses.replace(shown, reference=reference, agents=agents)
    return expert.plan(SimpleNamespace(scenes=[shown]), None)[0]


@pytest.mark.parametrize(
    ("with_it", "without_it", "element"),
    [
        (scene((CAR, 85.0, 0.0, 0.0, 4.0)), scene(), (AGENT, 1)),
        (scene(light=LightState.RED), scene(light=LightState.GREEN), (LIGHT, 0)),
    ],
)
def test_what_the_arrays_cannot_hold_has_no_influence(with_it, without_it, element):
    plain = seen_by(Expert(), without_it)
    hidden = seen_by(Expert(), with_it, [element])
    shown = seen_by(Expert(), with_it)
    np.testing.assert_array_equal(hidden.accel_mps2, plain.accel_mps2)
    np.testing.assert_array_equal(hidden.curvature_1pm, plain.curvature_1pm)
    assert np.abs(shown.accel_mps2 - plain.accel_mps2).max() > 0.5


def test_a_lane_that_the_arrays_do_not_hold_is_cited_as_truncated():
    expert = Expert()
    seen_by(expert, scene(speed=8.0), [(LANE, 0)])
    assert expert.certificates[0].truncated_share == 1.0
    seen_by(expert, scene(speed=8.0))
    assert expert.certificates[0].truncated_share == 0.0
