import numpy as np

from waytrace.planners import make, oracle_reference
from waytrace.planners.oracle import reference
from waytrace.scenario import AgentKind

from ..conftest import drive
from .test_reference import late_swerve, only_followers

CAR = AgentKind.VEHICLE


def test_it_drives_what_the_search_found_tick_by_tick(monkeypatch):
    only_followers(monkeypatch)
    made = late_swerve()
    found = oracle_reference(made, traffic="replay")
    driven = drive(make("oracle"), [made]).rollouts()[0]
    assert found.proposal == "search"
    np.testing.assert_allclose(driven.pose[:, 0], found.rollout.pose[:, 0], atol=1e-9)


def test_plans_of_the_search_look_eight_seconds_ahead_along_the_road(monkeypatch):
    only_followers(monkeypatch)
    rollout = oracle_reference(late_swerve(), traffic="replay").rollout
    late = rollout.plan_waypoints[len(rollout.decision_row) // 2]
    assert late[-1, 0] - late[0, 0] > 60.0
    assert np.ptp(late[:, 1]) < 0.3
    assert np.abs(late[:, 1] + 3.5).max() < 1.0


def test_privileged_it_searches_the_traffic_of_the_world_that_it_is_given(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "waytrace.planners.oracle.planner.oracle_reference",
        lambda scenario, **how: asked.append(how) or reference.oracle_reference(scenario, **how),
    )
    only_followers(monkeypatch)
    drive(make("oracle"), [late_swerve()], seconds=1.0)
    assert make("oracle").privileged
    assert asked == [{"traffic": "replay", "style": "normal", "seed": 0}]
