from dataclasses import replace

import numpy as np

from waytrace.report.moments import moments, worst_moment
from waytrace.report.plots import limits_along, plots
from waytrace.report.scene import scene_payload
from waytrace.scenario import Rollout, Scenario
from waytrace.score import Event

from .conftest import FakeScore

Drives = list[tuple[Rollout, FakeScore]]


def test_a_clean_drive_has_no_moments_and_opens_where_it_was_tightest(drives: Drives) -> None:
    _, score = drives[0]
    row, why = worst_moment(score)
    assert moments(score) == []
    assert row == int(np.argmin(score.ticks["ttc_s"]))
    assert "shortest time to collision" in why


def test_an_at_fault_collision_is_worse_than_all_else(drives: Drives) -> None:
    _, score = drives[1]
    found = moments(score)
    assert worst_moment(score) == (63, "At-fault collision")
    assert [m.row for m in found] == sorted(m.row for m in found)
    assert {m.kind for m in found} == {"at_fault", "red_light", "ttc", "overspeed", "comfort"}


def test_a_run_of_bad_rows_is_one_moment_with_its_extreme() -> None:
    off_road = np.array([0, 0.2, 0.4, 1.25, 0.4, 0.1, 0.31])
    score = FakeScore("x", 0.0, {"DAC": 0.0}, ("DAC",), {"off_road_m": off_road})
    assert [(m.row, m.until, m.label) for m in moments(score)] == [
        (2, 4, "Off the road by 1.2 m"),
        (6, 6, "Off the road by 0.3 m"),
    ]


def test_events_of_the_score_say_whom_and_why(scenario: Scenario, drives: Drives) -> None:
    rollout, score = drives[1]
    events = (
        Event(30, 3.0, "rear", False, "agent-6", "Vehicle agent-6 ran into the ego from behind."),
        Event(58, 5.8, "red_light", True, "lane-90", "Entered lane-90 on red."),
        Event(63, 6.3, "front", True, "agent-4", "The ego's front struck vehicle agent-4."),
    )
    told = replace(score, events=events)
    found = {m.kind: m for m in moments(told)}
    assert found["at_fault"].detail == "The ego's front struck vehicle agent-4."
    assert (found["collision"].row, found["red_light"].row) == (30, 58)
    assert worst_moment(told) == (63, "At-fault collision")
    payload = scene_payload(scenario, [(rollout, told)])
    struck = payload["drives"][0]["struck"]
    assert struck["row"] == 63
    assert payload["agents"]["id"][struck["agent"]] == "agent-4"


def test_without_events_the_nearest_agent_is_taken_for_the_struck_one(scenario: Scenario, drives: Drives) -> None:
    payload = scene_payload(scenario, drives)
    struck = payload["drives"][1]["struck"]
    assert payload["agents"]["id"][struck["agent"]] == "agent-3"
    assert payload["drives"][0]["struck"] is None


def test_too_little_progress_is_marked_where_it_ends() -> None:
    progress = np.concatenate([np.linspace(0, 9, 10), np.full(20, 9.4), [np.nan]])
    score = FakeScore("x", 0.0, {"MP": 0.0}, ("MP",), {"progress_m": progress})
    assert worst_moment(score) == (9, "Too little progress from here on")
    nothing = FakeScore("x", 0.0, {"MP": 0.0}, ("MP",), {"progress_m": np.full(5, np.nan)})
    assert worst_moment(nothing) == (0, "Too little progress from here on")


def test_a_score_without_ticks_opens_at_the_start() -> None:
    assert worst_moment(FakeScore("x", 1.0, {}, (), {})) == (0, "")


def test_the_limit_is_that_of_the_route_s_lane(scenario: Scenario, drives: Drives) -> None:
    limit = scenario.map.speed_limit_mps.copy()
    limit[list(scenario.route.lanes)] = 7.0
    slow = scenario.with_(map=replace(scenario.map, speed_limit_mps=limit))
    np.testing.assert_array_equal(limits_along(slow, drives[0][0]), np.full(len(drives[0][0].pose), 7.0))


def test_unknown_rows_are_drawn_with_the_unit_of_their_name(scenario: Scenario, drives: Drives) -> None:
    rollout, score = drives[0]
    rows = score.ticks | {"yaw_rate_radps": np.zeros(len(rollout.pose)), "odd_shape": np.zeros(3)}
    drawn = plots(scenario, rollout, FakeScore("x", 1.0, {}, (), rows))
    assert [(p["title"], p["unit"]) for p in drawn if p["key"] == "yaw_rate_radps"] == [("Yaw rate", "rad/s")]
    assert not [p for p in drawn if p["key"] == "odd_shape"]
