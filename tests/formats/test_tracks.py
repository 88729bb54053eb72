"""Tracks: velocities, headings and boxes repaired, and nothing made up."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waytrace.formats.tracks import Track, build_agents, motion, overlaps, part, standing
from waytrace.scenario import AgentKind

NAN = float("nan")


def track(xy, heading, velocity=None, id="a", kind=AgentKind.VEHICLE, step=None, length=4.5, width=1.8):
    xy = np.asarray(xy, dtype=float)
    n = len(xy)
    heading = np.full(n, heading, dtype=float) if np.isscalar(heading) else np.asarray(heading, dtype=float)
    velocity = np.full((n, 2), NAN) if velocity is None else np.asarray(velocity, dtype=float)
    step = np.arange(n) if step is None else np.asarray(step)
    return Track(id, kind, length, width, step, xy, heading, velocity)


def line(speed, n=50, heading=0.0):
    return 0.1 * speed * np.arange(n)[:, None] * np.array([np.cos(heading), np.sin(heading)])


def agents_of(*tracks, steps=50, notes=None):
    return build_agents(tracks, 0, steps, np.zeros(2), Counter() if notes is None else notes)


@given(
    x=st.floats(-20, 20), y=st.floats(-20, 20),
    keep=st.lists(st.booleans(), min_size=12, max_size=12).filter(lambda k: sum(k[:3]) == 3),
)  # fmt: skip
def test_motion_is_exact_on_straight_lines_whatever_samples_are_missing(x, y, keep):
    step = np.flatnonzero(keep)
    velocity = motion(step, 0.1 * step[:, None] * np.array([x, y]) + 7.0)
    known = np.isfinite(velocity).all(1)
    assert known[:3].all()
    np.testing.assert_allclose(velocity[known], np.tile((x, y), (known.sum(), 1)), atol=1e-9)


def test_a_lone_sample_has_no_motion_of_its_own():
    assert np.isnan(motion(np.array([4]), np.zeros((1, 2)))).all()
    a = agents_of(track([[1.0, 2.0]], 0.3, [[5.0, 0.0]]))
    np.testing.assert_array_equal(a.velocity_mps[0, 0], (5.0, 0.0))
    assert a.valid.sum() == 1


def test_a_velocity_that_contradicts_the_positions_is_replaced_and_one_that_agrees_kept():
    notes: Counter[str] = Counter()
    wrong = track(line(8.0), 0.0, np.tile((12.0, 0.0), (50, 1)), "wrong")
    right = track(line(8.0) + np.array([0, 9]), 0.0, np.tile((8.2, 0.0), (50, 1)), "right")
    a = agents_of(wrong, right, notes=notes)
    np.testing.assert_allclose(a.velocity_mps[0, :, 0], 8.0, atol=1e-9)
    np.testing.assert_allclose(a.velocity_mps[1, :, 0], 8.2)
    assert notes["velocity_from_positions"] == 1


def test_missing_headings_come_from_motion_and_are_held_at_rest():
    xy = np.concatenate([line(8.0, 25, 0.5), np.tile(line(8.0, 25, 0.5)[-1:], (25, 1))])
    a = agents_of(track(xy, NAN))
    np.testing.assert_allclose(a.heading_rad[0, :20], 0.5, atol=1e-6)
    np.testing.assert_allclose(a.heading_rad[0, 30:], 0.5, atol=1e-6)


def test_headings_against_the_motion_are_turned_and_lone_flips_undone():
    notes: Counter[str] = Counter()
    flips = np.zeros(50)
    flips[[10, 30]] = np.pi
    a = agents_of(
        track(line(8.0), np.pi, id="backward"), track(line(8.0) + np.array([0, 9]), flips, id="flips"), notes=notes
    )
    np.testing.assert_allclose(np.cos(a.heading_rad), 1.0)
    assert notes["heading_reversed"] == 1
    assert notes["heading_flips_undone"] == 2


def test_a_short_reversing_manoeuvre_stays_one():
    a = agents_of(track(line(-2.0), 0.0))
    np.testing.assert_allclose(a.heading_rad[0], 0.0)
    np.testing.assert_allclose(a.velocity_mps[0, :, 0], -2.0, atol=1e-9)


def test_a_waiting_car_that_drives_off_is_not_standing():
    waits = np.concatenate([np.zeros((40, 2)), line(4.0, 20)])
    assert not standing(track(waits, 0.0))
    assert standing(track(np.random.default_rng(0).normal(0, 0.3, (60, 2)), 0.0))
    assert not standing(track(np.random.default_rng(0).normal(0, 0.3, (60, 2)), 0.0, kind=AgentKind.PEDESTRIAN))


def test_states_that_the_source_lacks_stay_invalid_and_zero():
    step = np.array([0, 1, 2, 5, 6, 7])
    a = agents_of(track(line(5.0, 8)[step], 0.0, step=step), steps=10)
    np.testing.assert_array_equal(np.flatnonzero(a.valid[0]), step)
    assert not a.xy[0, ~a.valid[0]].any()
    assert not a.velocity_mps[0, ~a.valid[0]].any()


@pytest.mark.parametrize(
    "bad",
    [
        track(np.array([[0.0, 0], [300.0, 0], [2.0, 0]]), 0.0),
        track(np.array([[0.0, 0], [NAN, 0]]), 0.0),
        track(line(5.0), 0.0, length=0.0),
        track(line(5.0), 0.0, width=500.0),
        track(line(5.0) + 1e7, 0.0),
    ],
)
def test_tracks_that_nothing_real_can_leave_are_left_out_and_counted(bad):
    notes: Counter[str] = Counter()
    assert len(agents_of(bad, track(line(5.0), 0.0, id="good"), notes=notes)) == 1
    assert notes["implausible_tracks"] == 1


def test_boxes_that_just_touch_are_shrunk_and_those_that_coincide_leave_the_ego():
    notes: Counter[str] = Counter()
    near = track(line(5.0) + np.array([4.3, 0.0]), 0.0, id="near")
    ego = track(line(5.0), 0.0, id="ego")
    twin = track(line(5.0) + np.array([0.5, 0.1]), 0.0, id="twin")
    a = agents_of(near, twin, ego)
    assert len(overlaps(a, 10)) == 3
    parted, row = part(a, 2, 10, notes)
    assert parted.agent_id == ("near", "ego")
    assert parted.agent_id[row] == "ego"
    assert not overlaps(parted, 10)
    assert notes == {"boxes_shrunk": 1, "overlapping_agents_dropped": 1}
    assert (parted.size_m / a.size_m[[0, 2]]).min() >= 0.8


@given(st.integers(0, 1000))
def test_no_two_boxes_overlap_once_parted_and_the_ego_is_there(seed):
    rng = np.random.default_rng(seed)
    tracks = [
        track(rng.uniform(0, 25, 2) + line(3.0, 3), rng.uniform(-3, 3), id=str(i), length=rng.uniform(0.5, 9))
        for i in range(12)
    ]
    a = agents_of(*tracks, steps=3)
    ego = int(rng.integers(len(a)))
    parted, row = part(a, ego, 1, Counter())
    assert not overlaps(parted, 1)
    assert parted.agent_id[row] == a.agent_id[ego]
