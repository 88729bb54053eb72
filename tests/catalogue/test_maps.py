"""Every road layout: lanes meet, boundaries are boundaries, the surface holds the lanes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from waytrace.catalogue import families, layout_count, splits
from waytrace.catalogue.generate import _layout
from waytrace.geometry import arc_lengths, headings, polygon_contains, project, wrap
from waytrace.scenario import LaneControl, LaneKind, RoadMap, check_map, map_hash

FEW = [(family, splits(family)[-2:][0], index) for family in families() for index in (0, 1, 2)]
ALL = [
    (family, split, index) for family in families() for split in splits(family) for index in range(layout_count(family))
]


def road_map(family: str, split: str, index: int) -> RoadMap:
    return _layout(family, split, index).map


@lru_cache
def digest(family: str, split: str, index: int) -> str:
    return map_hash(road_map(family, split, index))


def check_layout(family: str, split: str, index: int) -> None:
    road = road_map(family, split, index)
    assert check_map(road) == []
    driven = [i for i in range(len(road)) if road.lane_kind[i] == LaneKind.VEHICLE]
    for lane in range(len(road)):
        check_lane(road, lane, 1.8 if lane not in driven else 2.8)
    for lane in driven:
        for following in road.successors(lane).tolist():
            check_join(road, lane, following)
        check_neighbours(road, lane)
        check_surface(road, lane)
    for lane, line in zip(road.stop_line_lane, road.stop_line_xy, strict=True):
        assert np.hypot(*(line.mean(axis=0) - road.centre[lane][-1])) < 0.05
        assert all(road.lane_control[n] != LaneControl.NONE for n in road.successors(lane))


def check_lane(road: RoadMap, lane: int, least_width_m: float) -> None:
    centre, left, right = road.centre[lane], road.left[lane], road.right[lane]
    assert len(centre) == len(left) == len(right)
    width = np.hypot(*(left - right).T)
    assert width.min() > least_width_m
    assert width.max() < 4.2
    for line in (centre, left, right):
        step = np.diff(arc_lengths(line))
        assert step.min() > 0.05
        assert step.max() < 2.5  # 2 m along the road is more on the outside of a bend
        assert np.abs(wrap(np.diff(headings(line)))).max() < np.radians(12)
    _, left_m = project(centre, left)
    _, right_m = project(centre, right)
    assert left_m.min() > 0.45 * least_width_m
    assert right_m.max() < -0.45 * least_width_m
    # the tightest circle through three neighbouring points
    turn = np.abs(wrap(np.diff(headings(centre))))[:-1]
    radius = np.diff(arc_lengths(centre))[:-1] / np.maximum(turn, 1e-6)
    assert radius[1:-1].min(initial=1e6) >= 6.0


def check_join(road: RoadMap, lane: int, following: int) -> None:
    for lines in (road.centre, road.left, road.right):
        a, b = lines[lane], lines[following]
        assert np.array_equal(a[-1], b[0])
        assert abs(wrap(headings(a)[-1] - headings(b)[0])) < np.radians(10)


def check_neighbours(road: RoadMap, lane: int) -> None:
    left, right = int(road.left_neighbor[lane]), int(road.right_neighbor[lane])
    if left >= 0:
        assert np.abs(project(road.right[left], road.left[lane][1:-1])[1]).max() < 0.05
        apart = project(road.centre[left], road.centre[lane][1:-1])[1]
        assert ((apart < -2.8) & (apart > -4.2)).all()
    if right >= 0:
        assert road.left_neighbor[right] == lane


def check_surface(road: RoadMap, lane: int, margin_m: float = 0.45) -> None:
    """Half a metre beyond both boundaries is road as well, but for the open ends of the map."""
    centre, heading = road.centre[lane], headings(road.centre[lane])
    normal = np.stack([-np.sin(heading), np.cos(heading)], axis=-1)
    points = np.concatenate([road.left[lane] + margin_m * normal, road.right[lane] - margin_m * normal, centre])
    keep = np.ones(len(centre), np.bool_)
    keep[[0, -1]] = False
    points = points[np.tile(keep, 3)]
    inside = np.zeros(len(points), np.bool_)
    for polygon in road.drivable:
        inside |= polygon_contains(polygon, points)
    assert inside.all(), points[~inside]


@pytest.mark.parametrize(("family", "split", "index"), FEW)
def test_a_layout_is_clean(family, split, index):
    check_layout(family, split, index)


@pytest.mark.slow
@pytest.mark.parametrize("family", families())
def test_every_layout_is_clean(family):
    for case in ALL:
        if case[0] == family:
            check_layout(*case)


@pytest.mark.parametrize("family", families())
def test_there_are_enough_layouts_and_no_two_splits_share_one(family):
    assert layout_count(family) >= 15
    seen = [digest(family, split, index) for split in splits(family) for index in range(0, layout_count(family), 4)]
    assert len(set(seen)) == len(seen)


@pytest.mark.slow
def test_no_two_layouts_are_the_same():
    seen = [digest(*case) for case in ALL]
    assert len(set(seen)) == len(seen)
