"""Who answers for what, one English sentence each."""

from __future__ import annotations

import numpy as np
import pytest

from waytrace.scenario import AgentKind
from waytrace.score import score_rollout


def judged(made, reference=50.0):
    return score_rollout(*made, reference)


def test_a_clean_drive_has_the_full_score(drive, actor):
    # 10 m/s for 5 s = 50 m, limit 20 m/s, nobody about: every term 1.
    score = judged(drive(actor(speed=10.0)))
    assert score.terms == {"NC": 1, "DAC": 1, "MP": 1, "DDC": 1, "EP": 1, "TTC": 1, "SL": 1, "C": 1}
    assert score.score == 1.0
    assert score.applied == ("NC", "DAC", "MP", "DDC", "EP", "TTC", "SL", "C")
    assert score.events == ()
    assert score.figures["progress_m"] == pytest.approx(50.0)


def test_the_ego_strikes_a_stopped_car_and_is_at_fault(drive, actor):
    score = judged(drive(actor(speed=10.0), [actor(x=30.0)]))
    (event,) = score.events
    assert (event.kind, event.at_fault, event.agent_id) == ("stopped_track", True, "a1")
    # Centres 30 m apart, both 4 m long: they touch when the ego has gone 26 m, at 2.6 s.
    assert event.row == 26
    assert score.terms["NC"] == 0.0
    assert score.score == 0.0
    assert "standing" in event.cause


def test_the_ego_runs_into_a_slower_car_and_is_at_fault(drive, actor):
    score = judged(drive(actor(speed=10.0), [actor(x=14.0, speed=5.0)]))
    (event,) = score.events
    # 10 m of gap closed at 5 m/s: 2 s.
    assert (event.kind, event.at_fault, event.row) == ("front", True, 20)


def test_the_ego_is_struck_from_behind_and_is_not_at_fault(drive, actor):
    score = judged(drive(actor(speed=5.0), [actor(x=-14.0, speed=10.0)]), 25.0)
    (event,) = score.events
    assert (event.kind, event.at_fault, event.row) == ("rear", False, 20)
    assert score.terms["NC"] == 1.0
    assert score.figures["collision"] == 1.0
    assert score.figures["at_fault"] == 0.0


def test_the_standing_ego_is_struck_and_is_not_at_fault(drive, actor):
    score = judged(drive(actor(), [actor(x=-14.0, speed=10.0)]), 0.0)
    (event,) = score.events
    assert (event.kind, event.at_fault) == ("stopped_ego", False)
    assert score.terms["NC"] == 1.0


def sideways(y0, y1, rows=51, speed=10.0, x=0.0):
    return np.stack([x + speed * 0.1 * np.arange(rows), np.linspace(y0, y1, rows)], -1)


def test_the_lane_changing_ego_touched_at_the_side_is_at_fault(drive, actor):
    ego = actor(speed=10.0, path=sideways(0.0, 3.5))
    other = actor(speed=10.0, path=sideways(3.5, 3.5, x=1.0))
    (event,) = judged(drive(ego, [other])).events
    assert (event.kind, event.at_fault) == ("front", True)
    beside = actor(speed=10.0, path=sideways(3.5, 3.5, x=-1.0))
    (event,) = judged(drive(ego, [beside])).events
    assert (event.kind, event.at_fault) == ("lateral", True)
    assert "not wholly in one lane" in event.cause


def test_the_ego_in_its_lane_is_touched_by_a_lane_changer_and_is_not_at_fault(drive, actor):
    ego = actor(speed=10.0, path=sideways(0.0, 0.0))
    other = actor(speed=10.0, path=sideways(3.5, 0.0, x=-1.0))
    (event,) = judged(drive(ego, [other])).events
    assert (event.kind, event.at_fault) == ("lateral", False)


def test_one_static_object_halves_and_the_second_ends_the_score(drive, actor):
    cone = {"kind": AgentKind.STATIC, "size": (0.5, 0.5)}
    one = judged(drive(actor(speed=10.0), [actor(x=20.0, **cone)]))
    assert one.terms["NC"] == 0.5
    two = judged(drive(actor(speed=10.0), [actor(x=20.0, **cone), actor(x=30.0, **cone)]))
    assert two.terms["NC"] == 0.0


def test_a_pedestrian_is_a_road_user(drive, actor):
    walker = actor(x=20.0, kind=AgentKind.PEDESTRIAN, size=(0.6, 0.6))
    assert judged(drive(actor(speed=10.0), [walker])).terms["NC"] == 0.0


def test_who_overlaps_the_ego_in_the_first_row_is_nobodys_doing(drive, actor):
    score = judged(drive(actor(speed=10.0), [actor(x=2.0, speed=10.0)]))
    assert score.events == ()
    assert score.terms["NC"] == 1.0


def test_entering_on_red_ends_the_score_and_on_green_does_not(drive, actor, road, red):
    made = drive(actor(x=70.0, speed=10.0), road=road(junction=True), light=[red] * 51)
    score = judged(made)
    assert score.terms["TLC"] == 0.0
    (event,) = score.events
    # The front (2 m ahead of the centre) is at 72 m; the entry at 100 m: 28 m, 2.8 s.
    assert (event.kind, event.row, event.agent_id) == ("red_light", 28, "lane0.1")
    assert judged(drive(actor(x=70.0, speed=10.0), road=road(junction=True), light=[3] * 51)).terms["TLC"] == 1.0
    assert judged(drive(actor(x=70.0, speed=5.0), road=road(junction=True), light=[red] * 51)).terms["TLC"] == 1.0


def test_the_tail_beyond_the_recording_is_masked(drive, actor):
    made = drive(actor(speed=10.0), [actor(x=30.0)], horizon=20)
    score = judged(made)
    assert score.terms["NC"] == 1.0
    assert score.figures["scored_s"] == pytest.approx(2.0)
    assert score.figures["progress_m"] == pytest.approx(20.0)
    assert len(score.ticks["off_road_m"]) == 51
    assert np.isnan(score.ticks["off_road_m"][21:]).all()
