from __future__ import annotations

import pytest

from waytrace.catalogue.careful import (
    CAREFUL,
    REGULATION,
    cut_in_preventable,
    cut_out_preventable,
    lead_braking_preventable,
    travelled,
    uncovered_s,
)


def test_stopping_distance_is_reaction_and_braking():
    assert travelled(20.0, CAREFUL.brake_mps2, 0.75)[-1] == pytest.approx(
        15.0 + 400.0 / (2 * CAREFUL.brake_mps2), rel=1e-3
    )


def test_a_ramp_costs_half_its_time():
    sharp, ramped = (travelled(20.0, CAREFUL.brake_mps2, 0.75, ramp_s=r)[-1] for r in (0.0, 0.6))
    assert ramped - sharp == pytest.approx(0.5 * 0.6 * 20.0, rel=0.02)


def test_slowing_to_a_speed_goes_on_at_that_speed():
    distance = travelled(20.0, 5.0, 0.0, 10.0)
    assert distance[-1] - distance[-51] == pytest.approx(10.0, rel=1e-6)


@pytest.mark.parametrize(("gap", "preventable"), [(24.0, False), (30.0, True)])
def test_a_full_stop_of_the_lead_needs_reaction_and_the_difference_in_braking(gap, preventable):
    # 20 m/s: 15 m of reaction + 6 m of ramp + 26.3 m of braking against 20.4 m of the lead at 1 g: 27 m
    assert lead_braking_preventable(CAREFUL, 20.0, 20.0, gap, 9.81, 0.0) is preventable


def test_a_gentle_lead_is_preventable_at_any_usual_gap():
    assert lead_braking_preventable(CAREFUL, 30.0, 30.0, 24.0, 0.05 * 9.81, 0.0)


def test_a_slow_near_cutter_cannot_be_avoided_and_a_far_one_can():
    assert not cut_in_preventable(CAREFUL, 30.0, 20.0, 3.0, 1.8, 1.5)
    assert cut_in_preventable(CAREFUL, 30.0, 20.0, 80.0, 0.5, 1.5)
    assert cut_in_preventable(CAREFUL, 20.0, 20.0, 3.0, 1.8, 1.5)


def test_the_regulation_reacts_sooner_and_brakes_less():
    assert REGULATION.stopping_s(10.0) < CAREFUL.stopping_s(10.0)
    assert REGULATION.stopping_s(45.0) > CAREFUL.stopping_s(45.0)


def test_a_wider_lead_and_a_narrower_obstacle_are_seen_past_later():
    # half of 2.5 m, less half of 1 m seen at 20 m instead of 60 m
    assert uncovered_s(2.5, 1.0, 20.0, 60.0, 0.5) == pytest.approx((1.25 - 0.5 / 3.0) / 0.5)
    assert uncovered_s(1.9, 1.9, 20.0, 25.0, 1.0) == pytest.approx(0.375), "no sooner than a cut-out is noticed"


@pytest.mark.parametrize(("gap", "preventable"), [(56.0, False), (62.0, True)])
def test_what_a_cut_out_uncovers_needs_a_stop_from_when_it_is_seen(gap, preventable):
    # 20 m/s: 10 m until it is seen, 15 m of reaction, 6 m of ramp, 26.3 m of braking: 57.3 m
    assert cut_out_preventable(CAREFUL, 20.0, 0.0, gap, 0.5) is preventable
