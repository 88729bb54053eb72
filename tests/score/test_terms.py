"""Golden vectors: every term worked out by hand. Rows are 0.1 s apart; the ego is 4 m x 2 m."""

from __future__ import annotations

import math

import numpy as np
import pytest

from waytrace.score import TERMS, progress_ratio, score_rollout, total


def judged(made, reference=50.0):
    return score_rollout(*made, reference)


def test_the_total_of_all_terms():
    # 0.5 * 1 * 1 * 0.5 * 1 * (5 * 0.8 + 5 * 1 + 4 * 0.5 + 2 * 0) / 16 = 0.25 * 11 / 16
    terms = {"NC": 0.5, "DAC": 1, "MP": 1, "DDC": 0.5, "TLC": 1, "EP": 0.8, "TTC": 1, "SL": 0.5, "C": 0}
    assert total(terms) == pytest.approx(0.171875)


def test_the_total_without_speed_limit_and_light_is_renormalised():
    # (5 * 0.8 + 5 * 0 + 2 * 1) / 12 = 0.5: the 4 of SL is gone from the weights too
    assert total({"NC": 1, "DAC": 1, "MP": 1, "DDC": 1, "EP": 0.8, "TTC": 0, "C": 1}) == pytest.approx(0.5)


def test_the_total_without_reference():
    # (5 * 1 + 4 * 0.25 + 2 * 1) / 11 = 8 / 11
    assert total({"NC": 1, "DAC": 1, "DDC": 1, "TTC": 1, "SL": 0.25, "C": 1}) == pytest.approx(8 / 11)


def test_the_total_of_multipliers_alone_and_of_a_stranger():
    assert total({"NC": 0.5, "DDC": 0.5}) == 0.25
    with pytest.raises(KeyError, match="EPX"):
        total({"EPX": 1.0})


@pytest.mark.parametrize("term", TERMS[:5])
def test_each_multiplier_alone_ends_the_score(term):
    assert total({**dict.fromkeys(TERMS, 1.0), term: 0.0}) == 0.0


@pytest.mark.parametrize(
    ("ego", "oracle", "ratio"),
    [(30.0, 60.0, 0.5), (1.0, 60.0, 2 / 60), (0.0, 1.0, 1.0), (-5.0, 4.0, 0.5), (60.0, 50.0, 1.2)],
)
def test_progress_ratio(ego, oracle, ratio):
    assert progress_ratio(ego, oracle) == pytest.approx(ratio)


def test_progress_against_the_oracle(drive, actor):
    # 4 m/s for 5 s = 20 m.
    made = drive(actor(speed=4.0))
    score = judged(made, 80.0)  # 20 / 80 = 0.25 >= 0.2
    assert score.terms["EP"] == pytest.approx(0.25)
    assert score.terms["MP"] == 1.0
    # (5 * 0.25 + 5 + 4 + 2) / 16
    assert score.score == pytest.approx(12.25 / 16)
    assert judged(made, 101.0).terms["MP"] == 0.0  # 20 / 101 = 0.198
    assert judged(made, 10.0).terms["EP"] == 1.0  # never more than 1
    without = judged(made, None)
    assert "EP" not in without.terms
    assert "MP" not in without.applied
    assert "reference_progress_m" not in without.figures
    assert judged(made, math.nan).applied == without.applied


def test_progress_stands_still_away_from_the_route(drive, actor):
    # Route: the lane at y = 0. At y = 20 nothing is gained after the first row.
    rows = np.arange(51)
    path = np.stack([1.0 * rows, np.where(rows < 11, 0.0, 20.0)], -1)
    score = judged(drive(actor(speed=10.0, path=path)))
    assert score.figures["progress_m"] == pytest.approx(10.0)


def test_speed_limit(drive, actor, road):
    # 21 m/s where 20 is allowed: overspeed 1 in every row; 1 - 1 / 2.23
    score = judged(drive(actor(speed=21.0)))
    assert score.terms["SL"] == pytest.approx(1 - 1 / 2.23)
    assert score.ticks["overspeed_mps"] == pytest.approx(np.ones(51))
    # 23 m/s: 3 / 2.23 > 1 -> 0
    assert judged(drive(actor(speed=23.0))).terms["SL"] == 0.0
    # Half the time 1 m/s too fast: 25 of 51 rows; 1 - 25 / (2.23 * 51)
    speed = np.where(np.arange(51) < 25, 21.0, 19.0)
    assert judged(drive(actor(speed=speed))).terms["SL"] == pytest.approx(1 - 25 / (2.23 * 51))
    assert "SL" not in judged(drive(actor(speed=21.0), road=road(limit_mps=math.nan))).terms


def test_drivable_area(drive, actor):
    # The road's right edge is at y = -1.75; the ego's right side is 1 m right of its centre.
    for y, off in ((-0.75, 0.0), (-1.0, 0.25), (-1.04, 0.29), (-1.06, 0.31), (-2.0, 1.25)):
        score = judged(drive(actor(y=y, speed=10.0)))
        assert score.ticks["off_road_m"] == pytest.approx(np.full(51, off), abs=1e-9)
        assert score.terms["DAC"] == float(off <= 0.3)
        assert score.figures["off_road"] == float(off > 0.3)


def test_a_turned_box_is_measured_at_its_corners(drive, actor):
    # Half diagonal sqrt(2^2 + 1^2); at 90 degrees the box reaches 2 m down: -2 + 1.75 = 0.25 beyond.
    score = judged(drive(actor(heading=np.pi / 2)), 0.0)
    assert score.ticks["off_road_m"] == pytest.approx(np.full(51, 0.25), abs=1e-9)


@pytest.mark.parametrize(
    ("speed", "metres", "term"), [(1.9, 1.9, 1.0), (2.1, 2.1, 0.5), (5.9, 5.9, 0.5), (6.1, 6.1, 0.0)]
)
def test_driving_against_the_lane(drive, actor, road, speed, metres, term):
    # East on the westbound lane: every 0.1 s counts, ten of them make the window of 1 s.
    score = judged(drive(actor(y=3.5, speed=speed), road=road(oncoming=True)))
    assert np.max(score.ticks["wrong_way_m"]) == pytest.approx(metres)
    assert score.ticks["wrong_way_m"][5] == pytest.approx(speed * 0.5)
    assert score.terms["DDC"] == term


def test_a_short_spell_against_the_lane_is_summed_over_one_second_only(drive, actor, road):
    # Reversing at 1 m/s in the own lane for 3 s: 1 m in any one second.
    speed = np.where(np.arange(51) < 30, -1.0, 5.0)
    score = judged(drive(actor(speed=speed), road=road(oncoming=True)))
    assert np.max(score.ticks["wrong_way_m"]) == pytest.approx(1.0)
    assert score.ticks["wrong_way_m"][-1] == 0.0


def test_time_to_collision_behind_a_slower_car(drive, actor):
    # Gap 30 - 4 = 26 m, closing at 10 m/s from the first row: 2.6 s; each row 0.1 s less.
    score = judged(drive(actor(speed=15.0), [actor(x=30.0, speed=5.0)], rows=11))
    assert score.ticks["ttc_s"][0] == pytest.approx(2.6)
    assert score.ticks["ttc_s"][10] == pytest.approx(1.6)
    assert score.terms["TTC"] == 1.0
    # After 1.7 s the gap is 9 m: 0.9 s < 0.95 s.
    later = judged(drive(actor(speed=15.0), [actor(x=30.0, speed=5.0)], rows=18))
    assert later.terms["TTC"] == 0.0
    assert later.figures["min_ttc_s"] == pytest.approx(0.9)


def test_no_collision_ahead_is_infinite_per_tick_and_three_seconds_as_a_figure(drive, actor):
    score = judged(drive(actor(speed=10.0)))
    assert np.isinf(score.ticks["ttc_s"]).all()
    assert score.figures["min_ttc_s"] == pytest.approx(3.0)


def test_who_is_excluded_from_time_to_collision(drive, actor):
    behind = judged(drive(actor(speed=5.0), [actor(x=-12.0, speed=12.0)], rows=5))
    assert np.isinf(behind.ticks["ttc_s"]).all()
    stopped = judged(drive(actor(), [actor(x=12.0, speed=-8.0)], rows=5), 0.0)
    assert np.isinf(stopped.ticks["ttc_s"]).all()
    # Beside, drifting in at 2 m/s: 3.5 - 2 = 1.5 m of gap, but the ego keeps its lane.
    heading = math.atan2(-2.0, 10.0)
    drifting = actor(y=3.5, speed=math.hypot(2.0, 10.0), heading=heading)
    kept = judged(drive(actor(speed=10.0), [drifting], rows=3))
    assert np.isinf(kept.ticks["ttc_s"]).all()
    # The same with the ego astride the line (its left side at y = 1.9 > 1.75 + 0.1).
    astride = judged(drive(actor(y=0.9, speed=10.0), [drifting], rows=3))
    assert astride.ticks["ttc_s"][0] < 1.0


def test_comfort_of_braking(drive, actor):
    def braking(rate):
        return np.maximum(15.0 - rate * 0.1 * np.arange(31), 0.0)

    # A constant rate has no jerk: only the acceleration's bound of -4.05 counts.
    gentle = judged(drive(actor(speed=braking(4.0)), rows=31), 30.0)
    assert gentle.ticks["lon_accel_mps2"] == pytest.approx(np.full(31, -4.0))
    assert gentle.ticks["lon_jerk_mps3"] == pytest.approx(np.zeros(31), abs=1e-9)
    assert gentle.terms["C"] == 1.0
    assert judged(drive(actor(speed=braking(4.1)), rows=31), 30.0).terms["C"] == 0.0


def test_comfort_of_a_curve(drive, actor, road):
    # 10 m/s, 0.48 rad/s: 4.8 m/s2 lateral; 0.5 rad/s: 5.0 > 4.89.
    for rate, comfortable in ((0.48, 1.0), (0.5, 0.0)):
        score = judged(drive(actor(speed=10.0, heading=rate * 0.1 * np.arange(21)), rows=21), None)
        assert score.ticks["yaw_rate_radps"] == pytest.approx(np.full(21, rate))
        assert score.ticks["lat_accel_mps2"] == pytest.approx(np.full(21, 10 * rate))
        assert score.terms["C"] == comfortable


def test_comfort_is_left_out_of_the_shortest_drives(drive, actor):
    assert "C" not in judged(drive(actor(speed=10.0), rows=4)).terms


def test_displacement_from_the_log(drive, actor):
    # 0.1 * t m apart at step t of 1..50: mean 2.55, last 5.
    score = judged(drive(actor(speed=11.0), logged=actor(speed=10.0)))
    assert score.figures["ade_m"] == pytest.approx(2.55)
    assert score.figures["fde_m"] == pytest.approx(5.0)


def test_a_rollout_of_another_scenario_is_refused(drive, actor):
    scenario, rollout = drive(actor(speed=10.0))
    with pytest.raises(ValueError, match="other"):
        score_rollout(scenario.with_(id="other"), rollout, 50.0)
