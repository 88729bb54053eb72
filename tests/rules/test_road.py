from __future__ import annotations

import math

import pytest

from waytrace.rules import (
    off_road_m,
    overspeed_mps,
    progress_m,
    red_light_entry,
    speed_limit_mps,
    wholly_in_one_lane,
    wrong_way_step_m,
)

RED, YELLOW, GREEN = 1, 2, 3


@pytest.mark.parametrize(
    ("x", "y", "h", "inside"),
    [
        (-50.0, 0.0, 0.0, True),
        (-50.0, 0.8, 0.0, True),  # left side at 1.8 <= 1.75 + 0.1
        (-50.0, 0.9, 0.0, False),
        (-50.0, 1.75, 0.0, False),
        (-50.0, 3.5, 0.0, True),  # wholly in the oncoming lane
        (0.0, 0.0, 0.0, True),  # half in the lane, half in the connector it leads to
        (20.0, 0.0, 0.0, True),  # from the connector into the next lane
        (-50.0, 0.0, math.pi / 2, False),  # across the lane: 4 m long, 3.5 m wide
        (-50.0, 60.0, 0.0, False),
    ],
)
def test_wholly_in_one_lane(maps, x, y, h, inside):
    for lane in (-1, 0):
        assert wholly_in_one_lane(maps.index, 0, lane, x, y, h, 4.0, 2.0) is inside


def test_off_road(maps):
    assert off_road_m(maps.index, 0, -50.0, 0.0, 0.0, 4.0, 2.0) == 0.0
    # Right side at -1 - 1 = -2, the edge at -1.75.
    assert off_road_m(maps.index, 0, -50.0, -1.0, 0.0, 4.0, 2.0) == pytest.approx(0.25)
    # Turned by 30 degrees the front right corner is at -2 sin 30 ... : y = 2 * sin(-30) - 1 * cos(-30) = -1.866.
    assert off_road_m(maps.index, 0, -50.0, 0.0, math.radians(-30), 4.0, 2.0) == pytest.approx(0.116, abs=1e-3)
    assert off_road_m(maps.index, 0, -50.0, -300.0, 0.0, 4.0, 2.0) == 4.0


@pytest.mark.parametrize(
    ("move", "against"),
    [
        ((-50.0, 0.0, -49.0, 0.0), 0.0),
        ((-50.0, 0.0, -51.0, 0.0), 1.0),  # backward in the own lane
        ((-50.0, 3.5, -49.0, 3.5), 1.0),  # forward in the oncoming lane
        ((-50.0, 3.5, -51.0, 3.5), 0.0),
        ((-50.0, 3.5, -49.2, 2.9), 0.8),  # only what goes along the lane
        ((-50.0, 60.0, -49.0, 60.0), 0.0),  # no lane there, no direction
        ((10.0, 0.0, 10.0, 1.0), 0.0),  # across: with the bearing connector
        ((-50.0, 0.0, -50.0, 0.0), 0.0),
    ],
)
def test_metres_against_the_lane(maps, move, against):
    for lane in (-1, 0):
        assert wrong_way_step_m(maps.index, 0, lane, *move) == pytest.approx(against)


def entry(maps, lights, x0, x1, path=-1, y=0.0, h=0.0):
    return red_light_entry(maps.index, lights, 0, x0, y, h, x1, y, h, 4.0, path)


def test_the_front_enters_on_red(maps, lights):
    both = lights(RED, RED)
    # The front is 2 m ahead of the centre; both connectors begin at x = 0.
    assert entry(maps, both, -2.5, -1.9) == 1
    assert entry(maps, both, -2.5, -1.9, path=2) == 2
    assert entry(maps, both, -2.5, -2.1) == -1  # still before it
    assert entry(maps, both, -1.9, -1.0) == -1  # in it already
    assert entry(maps, both, -2.0, -1.0) == -1  # front exactly on the line counts as entered before
    assert entry(maps, both, -1.0, -2.5) == -1  # backward out of it


def test_which_connector_is_entered_is_a_matter_of_the_path(maps, lights):
    one = lights(GREEN, RED)
    assert entry(maps, one, -2.5, -1.9, path=1) == -1
    assert entry(maps, one, -2.5, -1.9, path=2) == 2
    assert entry(maps, one, -2.5, -1.9) == -1  # not known: no charge while one of them is free


@pytest.mark.parametrize("state", [0, YELLOW, GREEN, 4])
def test_only_red_is_red(maps, lights, state):
    assert entry(maps, lights(state, state), -2.5, -1.9, path=1) == -1


def test_beside_or_across_the_lane_is_no_entry(maps, lights):
    both = lights(RED, RED)
    assert entry(maps, both, -2.5, -1.9, y=3.5) == -1
    assert red_light_entry(maps.index, both, 0, -0.5, -0.5, 1.5, 0.1, 0.4, 1.5, 4.0, 1) == -1


def test_a_stop_point_inside_the_connector_moves_the_entry(maps, lights):
    inside = lights(RED, RED, stop_x=3.0)
    assert entry(maps, inside, -2.5, -1.9, path=1) == -1
    assert entry(maps, inside, 0.9, 1.1, path=1) == 1
    before = lights(RED, RED, stop_x=-3.0)  # a stop line short of the connector: standing beyond it is not entering
    assert entry(maps, before, -5.5, -4.0, path=1) == -1
    assert entry(maps, before, -2.5, -1.9, path=1) == 1


def test_speed_limits(maps):
    assert speed_limit_mps(maps.index, 0) == 10.0
    assert speed_limit_mps(maps.index, 1) == 15.0  # a connector without: the higher of 10 and 15
    assert speed_limit_mps(maps.index, 2) == 10.0
    assert math.isnan(speed_limit_mps(maps.index, -1))
    assert overspeed_mps(maps.index, 0, 12.5) == 2.5
    assert overspeed_mps(maps.index, 0, -12.5) == 2.5
    assert overspeed_mps(maps.index, 0, 9.0) == 0.0
    assert math.isnan(overspeed_mps(maps.index, -1, 9.0))


def test_progress(maps):
    def at(x, y, last):
        return progress_m(maps.index, maps.routes, 0, x, y, last)

    assert at(-60.0, 0.0, math.nan) == pytest.approx(40.0)
    assert at(10.0, 1.0, 105.0) == pytest.approx(110.0)
    assert at(30.0, 5.9, 125.0) == pytest.approx(130.0)
    assert at(30.0, 6.1, 125.0) == 125.0  # too far beside the route: it stands still
