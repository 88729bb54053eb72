import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from waytrace.geometry import Polylines, arc_lengths, deduplicate, headings, polygon_contains, project, resample

POINT = st.tuples(st.floats(-100, 100), st.floats(-100, 100))
LINE = st.lists(POINT, min_size=2, max_size=8).map(np.array)
POINTS = st.lists(POINT, min_size=1, max_size=6).map(np.array)


def dense(line, n=4001):
    """A line sampled finely: arc length and points."""
    s = np.linspace(0, arc_lengths(line)[-1], n)
    return s, resample(line, s)


@given(st.lists(st.lists(POINT, max_size=4).map(lambda p: np.array(p).reshape(-1, 2)), max_size=5))
def test_ragged_lines_come_back_one_by_one(parts):
    lines = Polylines.of(iter(parts))
    assert len(lines) == len(parts)
    assert lines.start.dtype == np.int32
    assert (lines.start[0], lines.start[-1]) == (0, len(lines.xy))
    assert all(np.array_equal(a, b) for a, b in zip(lines, parts, strict=True))
    assert all(np.array_equal(lines[i], part) for i, part in enumerate(parts))


@given(LINE)
def test_arc_length_rises_by_the_length_of_each_segment(line):
    s = arc_lengths(line)
    assert s[0] == 0
    assert np.allclose(np.diff(s), np.linalg.norm(np.diff(line, axis=0), axis=1))
    assert arc_lengths(line[:1]).tolist() == [0.0]


@given(LINE, st.floats(0, 1))
def test_resampling_stays_on_the_line_and_clamps_to_its_ends(line, share):
    s = arc_lengths(line)
    at = resample(line, np.array([-5.0, share * s[-1], s[-1] + 5.0]))
    assert np.allclose(at[0], line[0])
    assert np.allclose(at[2], line[-1])
    assert abs(project(line, at[1:2])[1][0]) < 1e-6


@given(LINE, POINTS)
def test_projection_finds_the_nearest_point_of_the_line(line, points):
    s, lateral = project(line, points)
    samples_s, samples = dense(line)
    brute = np.linalg.norm(points[:, None] - samples[None], axis=-1).min(axis=1)
    step = samples_s[1] - samples_s[0]
    assert (np.abs(lateral) <= brute + 1e-9).all()
    assert (np.abs(lateral) >= brute - step).all()
    nearest = resample(line, s)
    assert np.allclose(np.linalg.norm(points - nearest, axis=1), np.abs(lateral), atol=1e-6)
    assert ((s >= 0) & (s <= samples_s[-1] + 1e-9)).all()


def test_left_of_the_line_is_positive():
    line = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]])
    s, lateral = project(line, np.array([[5.0, 2.0], [5.0, -2.0], [12.0, 5.0], [8.0, 6.0], [-3.0, 0.0]]))
    assert s.tolist() == [5.0, 5.0, 15.0, 16.0, 0.0]
    assert lateral.tolist() == [2.0, -2.0, -2.0, 2.0, 3.0]


def test_a_repeated_point_does_no_harm():
    line = np.array([[0.0, 0.0], [0.0, 0.0], [10.0, 0.0], [10.0, 0.0]])
    s, lateral = project(line, np.array([[4.0, 1.0]]))
    assert (s[0], lateral[0]) == (4.0, 1.0)
    assert deduplicate(line).tolist() == [[0.0, 0.0], [10.0, 0.0]]
    assert deduplicate(line[:1]).tolist() == [[0.0, 0.0]]


@given(LINE)
def test_headings_are_those_of_the_segments(line):
    assume((np.linalg.norm(np.diff(line, axis=0), axis=1) > 1e-3).all())
    h = headings(line)
    step = np.diff(line, axis=0)
    assert np.allclose(np.cos(h[:-1]) * step[:, 1], np.sin(h[:-1]) * step[:, 0], atol=1e-9)
    assert h[-1] == h[-2]


@given(POINTS, st.integers(3, 9), st.floats(0, 6))
def test_a_point_is_in_a_regular_polygon_or_out_of_it(points, corners, turn):
    angle = turn + np.arange(corners) * 2 * np.pi / corners
    polygon = 50 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    edge = np.roll(polygon, -1, axis=0) - polygon
    off = points[:, None] - polygon[None]
    side = edge[None, :, 0] * off[..., 1] - edge[None, :, 1] * off[..., 0]
    assume((np.abs(side) > 1e-6).all())
    assert np.array_equal(polygon_contains(polygon, points), (side > 0).all(axis=1))
    assert np.array_equal(polygon_contains(polygon[::-1], points), (side > 0).all(axis=1))


@pytest.mark.parametrize(("x", "inside"), [(0.5, True), (1.5, False), (2.5, True)])
def test_a_notch_is_outside(x, inside):
    polygon = np.array([[0, 0], [3, 0], [3, 2], [2, 2], [2, 1], [1, 1], [1, 2], [0, 2]], dtype=np.float64)
    assert polygon_contains(polygon, np.array([[x, 1.5]]))[0] == inside
