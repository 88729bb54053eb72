"""Lane graphs: what is derived, what is dropped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from waytrace.formats import LaneDraft, Surroundings, build_road_map
from waytrace.formats.crossings import crossing_lanes
from waytrace.formats.lanegraph import centre_line
from waytrace.scenario import BadFileError, LaneKind

HERE = Path("map.json")
ORIGIN = np.zeros(2)


def lane(name, x0, x1, y, **kwargs):
    left = np.array([[x0, y + 1.75], [x1, y + 1.75]])
    return LaneDraft(name, left, left - [0, 3.5], **kwargs)


def build(*drafts, **kwargs):
    return build_road_map(drafts, Surroundings(**kwargs), ORIGIN, HERE)


def test_a_lane_that_names_no_successor_leads_on_to_those_that_begin_at_its_end():
    road, counts = build(lane("a", 0, 50, 0), lane("b", 50.4, 90, 0.2), lane("back", 50, 0, 0), lane("far", 55, 90, 0))
    assert [road.lane_id[k] for k in road.successors(0)] == ["b"]
    assert counts["successors_derived"] == 1


def test_named_successors_are_kept_and_references_to_lanes_that_are_not_there_dropped():
    road, counts = build(
        lane("a", 0, 50, 0, successors=["c", "gone", "a"]), lane("b", 50, 90, 0), lane("c", 50, 90, 0.5)
    )
    assert [road.lane_id[k] for k in road.successors(0)] == ["c"]
    assert counts["references_dropped"] == 2


def test_predecessors_count_as_successors_of_the_other_lane():
    road, _ = build(lane("a", 0, 50, 0), lane("b", 60, 90, 0, predecessors=["a"]))
    assert [road.lane_id[k] for k in road.successors(0)] == ["b"]


def test_neighbours_are_derived_along_shared_boundaries_of_one_direction():
    road, counts = build(lane("r", 0, 50, 0), lane("l", 0, 50, 3.5), lane("opposite", 50, 0, 7.0))
    assert list(road.left_neighbor) == [1, -1, -1]
    assert list(road.right_neighbor) == [-1, 0, -1]
    assert counts["neighbors_derived"] == 1


def test_named_neighbours_of_another_direction_or_use_are_left_out():
    bike = lane("bike", 0, 50, -3.5, kind=LaneKind.BIKE)
    road, _ = build(lane("a", 0, 50, 0, left_neighbor="b", right_neighbor="bike"), lane("b", 50, 0, 3.5), bike)
    assert road.left_neighbor[0] == road.right_neighbor[0] == -1


def test_centre_lines_lie_between_boundaries_of_unequal_point_counts():
    a = np.linspace(0, np.pi / 2, 90)
    left, right = (r * np.stack([np.sin(a), 1 - np.cos(a)], axis=-1) + [0, 20 - r] for r in (18.25, 21.75))
    centre = centre_line(left[::7], right)
    np.testing.assert_allclose(np.hypot(centre[:, 0], centre[:, 1] - 20.0), 20.0, atol=0.05)


def test_degenerate_and_repeated_lanes_are_dropped_and_a_map_of_nothing_refused():
    point = LaneDraft("p", np.zeros((3, 2)), np.zeros((3, 2)))
    road, counts = build(lane("a", 0, 50, 0), lane("a", 0, 50, 0), point)
    assert len(road) == 1
    assert counts["lanes_dropped"] == 2
    with pytest.raises(BadFileError, match="no usable lane"):
        build(point)
    with pytest.raises(BadFileError, match="km apart"):
        build(lane("a", 0, 50, 0), lane("b", 3e6, 3.1e6, 0))


def test_stop_lines_of_dropped_lanes_go_with_them():
    line = np.array([[50.0, 1.75], [50.0, -1.75]])
    road, _ = build(lane("a", 0, 50, 0), stop_lines=[(line, "a"), (line, "gone")])
    assert list(road.stop_line_lane) == [0]


def test_only_lanes_that_cut_each_other_cross():
    east, north = np.array([[0.0, 0.0], [20.0, 0.0]]), np.array([[10.0, -10.0], [10.0, 10.0]])
    merging, after = np.array([[0.0, 5.0], [20.0, 0.0]]), np.array([[20.0, 0.0], [30.0, 0.0]])
    assert list(crossing_lanes([east, north, after])) == [True, True, False]
    assert not crossing_lanes([east, merging, after]).any()
    assert not crossing_lanes([east]).any()
