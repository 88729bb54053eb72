import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from waytrace.geometry import (
    boxes_distance,
    boxes_overlap,
    corners,
    from_frame,
    point_box_distance2,
    point_segment_distance2,
    segment_hits_box,
    to_frame,
)

PLACE = st.floats(-12, 12)
SIZE = st.floats(0.1, 12)
ANGLE = st.floats(-7, 7)
BOX = st.tuples(PLACE, PLACE, ANGLE, SIZE, SIZE)


def corners_of(box):
    x, y, heading, length, width = box
    return corners(np.array([x, y]), np.array(heading), np.array(length), np.array(width))


def samples(box, n=25):
    """A grid of points that covers a box, its border included; and the grid's half diagonal."""
    x, y, heading, length, width = box
    u, v = np.meshgrid(np.linspace(-length / 2, length / 2, n), np.linspace(-width / 2, width / 2, n))
    points = from_frame(np.stack([u.ravel(), v.ravel()], axis=-1), np.array([x, y, heading]))
    return points, math.hypot(length, width) / (n - 1) / 2


def to_box(points, box):
    """Distance from each point to a box, written the plain way."""
    local = np.abs(to_frame(points, np.array(box[:3])))
    return np.hypot(*np.maximum(local - np.array(box[3:]) / 2, 0).T)


def brute_distance(a, b):
    """Distance between boxes by sampling, and the error that sampling may make."""
    (pa, ea), (pb, eb) = samples(a), samples(b)
    return min(to_box(pa, b).min(), to_box(pb, a).min()), min(ea, eb)


def test_corners_run_counter_clockwise_from_front_left():
    box = corners(np.array([1.0, 2.0]), np.array(math.pi / 2), np.array(4.0), np.array(2.0))
    assert np.allclose(box, [[0, 4], [0, 0], [2, 0], [2, 4]])


@given(BOX)
def test_corners_enclose_the_area(box):
    c = corners_of(box)
    nxt = np.roll(c, -1, axis=0)
    area = 0.5 * (c[:, 0] * nxt[:, 1] - c[:, 1] * nxt[:, 0]).sum()
    assert area == pytest.approx(box[3] * box[4])
    assert np.allclose(c.mean(axis=0), box[:2])


@given(BOX, BOX)
def test_overlap_and_distance_agree_with_sampling(a, b):
    distance, error = brute_distance(a, b)
    overlap = boxes_overlap(*a, *b)
    if distance == 0:
        assert overlap or boxes_distance(*a, *b) < 1e-9
    if distance > error:
        assert not overlap
    assert boxes_distance(*a, *b) <= distance + 1e-9
    assert boxes_distance(*a, *b) >= distance - error - 1e-9


@given(BOX, BOX)
def test_overlap_and_distance_are_symmetric(a, b):
    distance = boxes_distance(*a, *b)
    assert distance == pytest.approx(boxes_distance(*b, *a), abs=1e-9)
    assume(not 0 < distance < 1e-9)
    assert boxes_overlap(*a, *b) == boxes_overlap(*b, *a) == (distance == 0)


@given(BOX, BOX, PLACE, PLACE, ANGLE)
def test_overlap_and_distance_do_not_depend_on_the_frame(a, b, x, y, turn):
    pose = np.array([x, y, turn])

    def moved(box):
        return (*from_frame(np.array(box[:2]), pose).tolist(), box[2] + turn, *box[3:])

    assert boxes_distance(*moved(a), *moved(b)) == pytest.approx(boxes_distance(*a, *b), abs=1e-7)


def test_touching_counts_and_a_hair_does_not():
    assert boxes_overlap(0, 0, 0, 4, 2, 4, 0, 0, 4, 2)
    assert not boxes_overlap(0, 0, 0, 4, 2, 4.001, 0, 0, 4, 2)
    assert boxes_overlap(0, 0, 0, 4, 2, 0, 0, 1.0, 1, 1)
    assert boxes_distance(0, 0, 0, 4, 2, 7, 0, 0, 4, 2) == 3
    assert boxes_distance(0, 0, 0, 4, 2, 7, 6, math.pi / 2, 2, 4) == pytest.approx(math.hypot(3, 4))


@given(PLACE, PLACE, BOX)
def test_point_to_box_is_zero_inside_and_the_distance_outside(x, y, box):
    point = np.array([[x, y]])
    expected = to_box(point, box)[0]
    assert math.sqrt(point_box_distance2(x, y, *box)) == pytest.approx(expected, abs=1e-9)


@given(*[PLACE] * 6)
def test_point_to_segment_is_the_nearest_of_its_points(px, py, x0, y0, x1, y1):
    t = np.linspace(0, 1, 2001)
    brute = np.hypot(x0 + t * (x1 - x0) - px, y0 + t * (y1 - y0) - py).min()
    exact = math.sqrt(point_segment_distance2(px, py, x0, y0, x1, y1))
    assert exact <= brute + 1e-9
    assert exact >= brute - math.hypot(x1 - x0, y1 - y0) / 2000 - 1e-9
    assert math.sqrt(point_segment_distance2(px, py, x0, y0, x0, y0)) == pytest.approx(math.hypot(px - x0, py - y0))


@given(PLACE, PLACE, PLACE, PLACE, BOX)
def test_a_segment_hits_a_box_where_one_of_its_points_does(x0, y0, x1, y1, box):
    t = np.linspace(0, 1, 2001)
    near = to_box(np.stack([x0 + t * (x1 - x0), y0 + t * (y1 - y0)], axis=-1), box).min()
    hit = segment_hits_box(x0, y0, x1, y1, *box)
    assume(not 0 < near <= math.hypot(x1 - x0, y1 - y0) / 2000 + 1e-9)
    inner = (*box[:3], box[3] * (1 - 1e-9), box[4] * (1 - 1e-9))
    assume(near > 0 or segment_hits_box(x0, y0, x1, y1, *inner) == hit)
    assert hit == (near == 0)
    assert segment_hits_box(x1, y1, x0, y0, *box) == hit


@pytest.mark.parametrize(
    ("segment", "hit"),
    [
        ((-5, 0, 5, 0), True),
        ((-5, 1.1, 5, 1.1), False),
        ((-5, 1.0, 5, 1.0), True),
        ((0, 0, 0, 0), True),
        ((3, 0, 3, 0), False),
        ((2.5, -5, 2.5, 5), False),
        ((-5, 0, -2.1, 0), False),
    ],
)
def test_segments_beside_through_and_at_the_border(segment, hit):
    assert segment_hits_box(*segment, 0.0, 0.0, 0.0, 4.0, 2.0) == hit
