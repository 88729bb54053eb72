import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from waytrace.geometry import polygon_contains, project
from waytrace.report.clip import Region, clip_line, clip_polygon, counter_clockwise, simplify

LOW, HIGH = np.array([0.0, 0.0]), np.array([10.0, 10.0])
POINTS = st.lists(st.tuples(st.floats(-30, 30), st.floats(-30, 30)), min_size=2, max_size=25)


@settings(max_examples=60)
@given(POINTS)
def test_simplified_line_stays_within_tolerance_and_keeps_its_ends(points: list[tuple[float, float]]) -> None:
    xy = np.array(points)
    (short,) = simplify([xy], 0.04)
    assert np.array_equal(short[[0, -1]], xy[[0, -1]])
    if len(short) > 1:
        assert np.abs(project(short, xy)[1]).max() <= 0.04 + 1e-9


def test_simplify_handles_many_lines_together_as_alone() -> None:
    rng = np.random.default_rng(1)
    lines = [np.cumsum(rng.normal(size=(n, 2)), axis=0) for n in (2, 3, 40, 17, 1)]
    together = simplify(lines, 0.5)
    for line, kept in zip(lines, together, strict=True):
        np.testing.assert_array_equal(kept, simplify([line], 0.5)[0])


def test_straight_line_becomes_two_points() -> None:
    xy = np.stack([np.linspace(0, 100, 300), np.linspace(0, 50, 300)], -1)
    assert len(simplify([xy])[0]) == 2


def test_a_line_that_leaves_and_comes_back_is_cut_in_two() -> None:
    parts = clip_line(np.array([[-5.0, 5.0], [5.0, 5.0], [15.0, 5.0], [15.0, 8.0], [5.0, 8.0]]), LOW, HIGH)
    assert [p.tolist() for p in parts] == [[[0, 5], [5, 5], [10, 5]], [[10, 8], [5, 8]]]


def test_a_segment_that_only_passes_through_is_kept() -> None:
    parts = clip_line(np.array([[-100.0, 5.0], [100.0, 5.0]]), LOW, HIGH)
    np.testing.assert_allclose(parts, [[[0, 5], [10, 5]]], atol=1e-9)
    assert clip_line(np.array([[-100.0, 12.0], [100.0, 12.0]]), LOW, HIGH) == []


@settings(max_examples=60)
@given(POINTS)
def test_clipped_lines_lie_inside(points: list[tuple[float, float]]) -> None:
    for part in clip_line(np.array(points), LOW, HIGH):
        assert (part >= LOW - 1e-6).all()
        assert (part <= HIGH + 1e-6).all()


def test_clipped_polygon_covers_the_same_points() -> None:
    polygon = np.array([[-4.0, 2.0], [6.0, -7.0], [14.0, 6.0], [3.0, 17.0]])
    inside = np.random.default_rng(2).uniform(0.01, 9.99, (200, 2))
    cut = clip_polygon(polygon, LOW, HIGH)
    np.testing.assert_array_equal(polygon_contains(cut, inside), polygon_contains(polygon, inside))
    assert len(clip_polygon(polygon + 100, LOW, HIGH)) == 0


def test_polygons_are_turned_counter_clockwise() -> None:
    square = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    assert counter_clockwise(square).tolist() == square[::-1].tolist()
    assert counter_clockwise(square[::-1]).tolist() == square[::-1].tolist()


def test_region_sees_long_segments_between_far_vertices() -> None:
    region = Region.around(np.array([[0.0, 0.0], [10.0, 0.0]]))
    assert region.near(np.array([[-900.0, 50.0], [900.0, 50.0]]), 60.0)
    assert not region.near(np.array([[-900.0, 70.0], [900.0, 70.0]]), 60.0)
