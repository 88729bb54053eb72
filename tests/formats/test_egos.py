"""Which recorded vehicle becomes the ego."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from waytrace.formats import LaneDraft, Locator, Surroundings, build_road_map
from waytrace.formats.egos import best_first, drivable, sound, starts
from waytrace.formats.tracks import Track, build_agents
from waytrace.scenario import AgentKind


@pytest.fixture(scope="module")
def locator():
    left = np.array([[0.0, 1.75], [300.0, 1.75]])
    lanes = [LaneDraft("right", left, left - [0, 3.5]), LaneDraft("left", left + np.array([0, 3.5]), left)]
    return Locator(build_road_map(lanes, Surroundings(), np.zeros(2), "test")[0])


def car(id, x, speed, y=0.0, n=120, kind=AgentKind.VEHICLE):
    y = np.broadcast_to(y, n)
    xy = np.stack([x + 0.1 * speed * np.arange(n), y], axis=-1)
    heading = np.arctan2(np.gradient(y), 0.1 * speed) if np.ptp(y) else np.zeros(n)
    return Track(id, kind, 4.5, 1.8, np.arange(n), xy, heading, np.full((n, 2), np.nan))


def chosen(locator, *tracks):
    agents = build_agents(tracks, 0, 120, np.zeros(2), Counter())
    names = set(agents.agent_id)
    return [(agents.agent_id[i], start, end) for i, start, end in best_first(agents, locator, names)], agents


def test_most_future_goes_first_then_most_way_and_only_vehicles_go(locator):
    order, _ = chosen(
        locator, car("slow", 10, 5.0), car("fast", 100, 12.0, 3.5), car("short", 60, 8.0, n=50),
        car("walks", 5, 1.0, 3.5, kind=AgentKind.PEDESTRIAN), car("glimpse", 150, 9.0, n=25),
    )  # fmt: skip
    assert order == [("fast", 20, 119), ("slow", 20, 119), ("short", 10, 49)]


def test_the_future_ends_with_the_map(locator):
    order, _ = chosen(locator, car("out", 200, 10.0))
    ((_, start, end),) = order
    assert (start, end) == (17, 97)
    assert 200.0 + end + 2.25 < 300.0


def test_recordings_that_jump_sideways_leave_the_road_or_touch_others_come_last(locator):
    jump = np.r_[np.zeros(60), np.full(60, 1.2)]
    order, agents = chosen(
        locator, car("jumps", 20, 12.0, jump), car("verge", 30, 11.0, 4.8), car("a", 60, 7.0), car("b", 64.6, 7.0),
        car("sound", 10, 3.0, 3.5),
    )  # fmt: skip
    assert order[0][0] == "sound"
    row = {name: i for i, name in enumerate(agents.agent_id)}
    assert {name for name in row if not sound(agents, locator, row[name], 20, 100)} == {"jumps", "verge", "a", "b"}
    assert [name for name, *_ in order[1:]] == ["jumps", "verge", "a", "b"]


def test_a_sound_recording_that_is_much_shorter_does_not_go_before_a_flawed_one(locator):
    order, _ = chosen(locator, car("verge", 30, 11.0, 4.8), car("short", 10, 8.0, n=50))
    assert [name for name, *_ in order] == ["verge", "short"]


def test_hard_braking_and_ordinary_turns_are_drivable_and_kinks_are_not():
    t = 0.1 * np.arange(60)
    speed = np.maximum(15.0 - 7.0 * t, 0.0)
    assert drivable(np.zeros(60), np.stack([speed, 0 * t], axis=-1))
    turn = 0.5 * t
    assert drivable(turn, 7.0 * np.stack([np.cos(turn), np.sin(turn)], axis=-1))
    kink = np.where((t > 2) & (t < 2.5), 0.7, 0.0)
    assert not drivable(kink, np.tile([14.0, 0.0], (60, 1)))


def test_nobody_recorded_is_nobody_chosen(locator):
    agents = build_agents([car("thing", 10, 0.0, kind=AgentKind.STATIC)], 0, 120, np.zeros(2), Counter())
    assert starts(agents, locator, {"thing"}) == []
    assert list(best_first(agents, locator, set())) == []
