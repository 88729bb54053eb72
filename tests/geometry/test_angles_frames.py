import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waytrace.geometry import from_frame, heading_in_frame, to_frame, wrap, wrap_angle

ANGLE = st.floats(-1e3, 1e3)
POSE = st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.floats(-10, 10)).map(np.array)
POINTS = st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=5).map(np.array)


@given(ANGLE)
def test_wrapping_gives_the_same_direction_within_the_range(angle):
    wrapped = float(wrap(angle))
    assert -math.pi <= wrapped < math.pi
    assert math.cos(wrapped) == pytest.approx(math.cos(angle), abs=1e-9)
    assert math.sin(wrapped) == pytest.approx(math.sin(angle), abs=1e-9)
    assert wrap_angle(angle) == wrapped


@pytest.mark.parametrize(
    ("angle", "wrapped"), [(0.0, 0.0), (math.pi, -math.pi), (-math.pi, -math.pi), (3 * math.pi, -math.pi)]
)
def test_half_a_turn_is_negative(angle, wrapped):
    assert float(wrap(angle)) == wrapped
    assert wrap_angle(angle) == wrapped


def test_wrapping_keeps_the_shape():
    assert wrap(np.zeros((2, 0, 3))).shape == (2, 0, 3)


@given(POINTS, POSE)
def test_into_a_frame_and_back_is_the_same_point(points, pose):
    assert np.allclose(from_frame(to_frame(points, pose), pose), points, atol=1e-8)
    assert np.allclose(to_frame(from_frame(points, pose), pose), points, atol=1e-8)


@given(POINTS, POSE)
def test_frames_keep_distances(points, pose):
    local = to_frame(points, pose)
    assert np.allclose(np.hypot(*local.T), np.hypot(*(points - pose[:2]).T), atol=1e-8)


def test_x_is_forward_and_y_is_left():
    pose = np.array([10.0, 5.0, math.pi / 2])
    assert np.allclose(to_frame(np.array([[10.0, 8.0], [7.0, 5.0]]), pose), [[3.0, 0.0], [0.0, 3.0]])
    assert np.allclose(heading_in_frame(np.array([math.pi]), pose), [math.pi / 2])


@given(ANGLE, POSE)
def test_a_heading_turns_with_its_frame(heading, pose):
    direction = np.array([math.cos(heading), math.sin(heading)])
    local = to_frame(pose[:2] + direction, pose)
    inside = heading_in_frame(np.array(heading), pose)
    assert np.allclose([np.cos(inside), np.sin(inside)], local, atol=1e-7)
