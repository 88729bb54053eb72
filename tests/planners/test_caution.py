"""Where the expert slows for whom it cannot see or cannot trust, one sentence a test."""

from __future__ import annotations

import numpy as np
import pytest

from waytrace.catalogue import generate
from waytrace.planners import make
from waytrace.planners.expert.forecast import BRISK_WALK_MPS, forecast
from waytrace.planners.reading import moments, still_s
from waytrace.scenario import AgentKind, LightState
from waytrace.scenario.roads import RoadCache
from waytrace.score import score_rollout
from waytrace.sim import World

from .conftest import LIMIT_MPS, drive, observed, scene

CAR, WALKER = AgentKind.VEHICLE, AgentKind.PEDESTRIAN
BESIDE = (CAR, 120.0, -2.9, 0.0, 0.0)
"""A parked car whose side is 1 m from the ego's, were it to stay in the middle."""


def first_decision(scenario):
    planner = make("expert")
    planner.reset([scenario.id])
    planner.plan(observed(World([scenario], traffic="replay")), None)
    return planner.certificates[0]


def speed_at(ego_path, world, x_m):
    pose, speed = ego_path(world)
    return float(np.interp(x_m, pose[:, 0], speed))


def test_it_drives_slowly_past_a_parked_car_that_could_hide_someone(ego_path):
    world = drive(make("expert"), [scene(BESIDE, speed=LIMIT_MPS)])
    _, speed = ego_path(world)
    assert speed_at(ego_path, world, 119.0) < 0.8 * LIMIT_MPS
    assert speed[-1] > 0.95 * LIMIT_MPS, "and on at the limit once it is past"


def test_the_certificate_names_the_car_that_could_hide_someone():
    names = {(c.name, c.reference.index) for c in first_decision(scene(BESIDE, speed=LIMIT_MPS)).chosen.constraints}
    assert ("occlusion_speed", 1) in names


@pytest.mark.parametrize("y_m", [-3.5, -9.0])
def test_who_stands_in_traffic_or_far_away_hides_nobody(y_m):
    """A car that waits in the middle of the next lane, and one parked well off the road."""
    decision = first_decision(scene((CAR, 120.0, y_m, 0.0, 0.0), lanes=2 if y_m == -3.5 else 1, speed=LIMIT_MPS))
    assert "occlusion_speed" not in {c.name for c in decision.chosen.constraints}


def test_a_queue_at_a_red_light_is_not_passed(ego_path):
    """It waits behind a car that waits at the line, though there is room in the other lane of the road's own way."""
    made = scene((CAR, 130.0, 0.0, 0.0, 0.0), light=LightState.RED, speed=8.0)
    decision = first_decision(made)
    assert "pass" not in {sideways for _, sideways in decision.considered.kinds}
    pose, speed = ego_path(drive(make("expert"), [made]))
    assert speed[-1] < 0.1
    assert np.abs(pose[:, 1]).max() < 0.6


def test_who_has_only_just_stopped_is_waited_for():
    """Ways round are looked for beside what has stood for a while; a car that moved 2 s ago is none of that."""
    speeds = np.array([[0.0] * 30, [5.0] * 10 + [0.0] * 20, [5.0] * 30])
    np.testing.assert_allclose(still_s(speeds, 0.1), [np.inf, 2.0, 0.0])


def test_someone_who_sets_off_is_expected_to_walk_briskly():
    """However little speed has been seen yet: 0.3 m/s now, 2.2 m/s within a second and a half."""
    made = scene((WALKER, 110.0, -4.0, 1.57, 0.3))
    moment = moments(observed(World([made], traffic="replay")), RoadCache())[0]
    setting_off = moment.others._replace(accel=np.full(1, 0.3))
    there, _ = forecast(moment.__class__(**(moment.__dict__ | {"others": setting_off})))
    steady, _ = forecast(moment)
    assert there[0, 8, 3] == pytest.approx(BRISK_WALK_MPS)
    assert steady[0, 8, 3] == pytest.approx(0.3)


@pytest.mark.parametrize(("away_m", "stops"), [(60.0, True), (12.0, False)])
def test_a_car_is_expected_to_heed_a_red_light_only_while_it_could_do_so_gently(away_m, stops):
    """At 10 m/s, not braking yet: 60 m before the line it will stop, 12 m before it (4 m/s2) it will not."""
    made = scene((CAR, 140.0 - away_m - 2.4, 0.0, 0.0, 10.0), light=LightState.RED, speed=3.0)
    moment = moments(observed(World([made], traffic="replay")), RoadCache())[0]
    there, _ = forecast(moment)
    assert (there[0, -1, 0] < 140.0) == stops


def test_left_turns_wait_for_a_gap_and_say_so():
    """In an unprotected left turn it considers waiting until a gap comes, and takes it without touching anyone."""
    made = generate("unprotected-left", 8)
    planner, state = make("expert"), None
    planner.reset([made.id])
    world = World([made])
    kinds = set()
    while world.active.any():
        plan, _, state = planner.plan(world.observe(), state)
        kinds.add(planner.certificates[0].chosen.lengthwise)
        world.step_plans(plan)
    assert "wait" in kinds
    assert score_rollout(made, world.rollouts()[0], None).figures["collision"] == 0.0
