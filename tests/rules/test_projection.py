from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waytrace.geometry import boxes_overlap
from waytrace.rules import time_to_collision_s, time_to_contact_s, ttc_relevance


def test_head_on():
    # Gap 46 - 4 = 42 m, closing at 20 m/s: 2.1 s.
    ego, other = (0.0, 0.0, 0.0, 4.0, 2.0, 10.0), (46.0, 0.0, math.pi, 4.0, 2.0, 10.0)
    assert time_to_contact_s(*ego, *other) == pytest.approx(2.1)


def test_beyond_three_seconds_is_never():
    # 31 m at 10 m/s.
    assert time_to_contact_s(0, 0, 0, 4.0, 2.0, 10.0, 35.0, 0, 0, 4.0, 2.0, 0.0) == math.inf
    assert time_to_contact_s(0, 0, 0, 4.0, 2.0, 10.0, 33.9, 0, 0, 4.0, 2.0, 0.0) == pytest.approx(3.0)


def test_the_same_velocity_never_closes():
    assert time_to_contact_s(0, 0, 0, 4.0, 2.0, 10.0, 5.0, 0, 0, 4.0, 2.0, 10.0) == math.inf


@settings(max_examples=300, derandomize=True)
@given(*[st.floats(-30, 30) for _ in range(2)], *[st.floats(-3.1, 3.1) for _ in range(2)],
       *[st.floats(-20, 20) for _ in range(2)])  # fmt: skip
def test_it_is_the_first_step_at_which_the_boxes_touch(x, y, h, oh, v, ov):
    ego, other = (0.0, 0.0, h, 4.5, 2.0, v), (x, y, oh, 6.0, 2.5, ov)
    expected = math.inf
    for k in range(1, 31):
        t = 0.1 * k
        if boxes_overlap(
            t * v * math.cos(h), t * v * math.sin(h), h, 4.5, 2.0,
            x + t * ov * math.cos(oh), y + t * ov * math.sin(oh), oh, 6.0, 2.5,
        ):  # fmt: skip
            expected = t
            break
    assert time_to_contact_s(*ego, *other) == pytest.approx(expected)


def test_relevance_by_bearing():
    # From the rear axle at x = -1.12.
    assert ttc_relevance(0, 0, 0, 4.0, 20.0, 5.0) == 2
    assert ttc_relevance(0, 0, 0, 4.0, 0.0, 3.5) == 1
    assert ttc_relevance(0, 0, 0, 4.0, -20.0, 5.0) == 0


def test_agents_beside_count_unless_the_ego_keeps_its_lane(maps, state):
    skip = np.zeros(2, np.bool_)
    drifting = (3.5, -0.2, math.hypot(10.0, 2.0))
    kept = state((-50.0, 0.0, 0.0, 10.0), (-50.0, *drifting))
    assert time_to_collision_s(maps.index, kept, 0, 0, 0, skip) == math.inf
    astride = state((-50.0, 1.0, 0.0, 10.0), (-50.0, *drifting))
    assert time_to_collision_s(maps.index, astride, 0, 0, 0, skip) < 1.0
    junction = state((10.0, 0.0, 0.0, 10.0), (10.0, *drifting))
    junction.lane[0, 0] = 1
    assert time_to_collision_s(maps.index, junction, 0, 0, 0, skip) < 1.0


def test_skipped_absent_and_standing(maps, state):
    skip = np.zeros(2, np.bool_)
    s = state((-50.0, 0.0, 0.0, 10.0), (-30.0, 0.0, 0.0, 0.0))
    assert time_to_collision_s(maps.index, s, 0, 0, 0, skip) == pytest.approx(1.6)
    assert time_to_collision_s(maps.index, s, 0, 0, 0, np.array([False, True])) == math.inf
    s.present[0, 1] = False
    assert time_to_collision_s(maps.index, s, 0, 0, 0, skip) == math.inf
    s.present[0, 1], s.speed[0, 0] = True, 0.005
    assert time_to_collision_s(maps.index, s, 0, 0, 0, skip) == math.inf
