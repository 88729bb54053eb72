"""Routes: wide, connected, longer than the log, and free of its lane changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waytrace.formats import LaneDraft, Locator, Surroundings, build_road_map, connected, route_along
from waytrace.formats.routes import match, route_to
from waytrace.geometry import arc_lengths


def grid_road(sections=6, lanes=3, length=60.0):
    """A straight road of ``sections`` sections of ``lanes`` parallel lanes, with an exit right after section 2."""
    drafts = []
    for k in range(sections):
        for j in range(lanes):
            left = np.array([[k * length, 3.5 * j + 1.75], [(k + 1) * length, 3.5 * j + 1.75]])
            drafts.append(
                LaneDraft(
                    f"{k}.{j}", left, left - [0, 3.5],
                    successors=[f"{k + 1}.{j}"] + (["exit"] if (k, j) == (2, 0) else []),
                    left_neighbor=f"{k}.{j + 1}" if j + 1 < lanes else None,
                    right_neighbor=f"{k}.{j - 1}" if j else None,
                )
            )  # fmt: skip
    a = np.linspace(0, np.pi / 3, 8)
    turn = np.stack([3 * length + 40 * np.sin(a), -40 + 40 * np.cos(a)], axis=-1)
    out = np.stack([np.sin(a), np.cos(a)], axis=-1)
    drafts.append(LaneDraft("exit", turn + 1.75 * out, turn - 1.75 * out))
    road, _ = build_road_map(drafts, Surroundings(), np.zeros(2), "test")
    return road


ROAD = grid_road()


def names(route):
    return [{ROAD.lane_id[k] for k in group} for group in route.groups]


def drive(x0, x1, y_of_x):
    x = np.arange(x0, x1, 0.9)
    y = np.array([y_of_x(v) for v in x])
    return np.stack([x, y], axis=-1), np.arctan2(np.gradient(y), np.gradient(x))


def test_a_lane_change_does_not_show_in_the_route():
    locator = Locator(ROAD)
    stays = route_along(locator, *drive(10, 150, lambda x: 0.0))
    changes = route_along(locator, *drive(10, 150, lambda x: 3.5 / (1 + np.exp(-(x - 90) / 6))))
    assert names(stays) == names(changes) == [{f"{k}.0", f"{k}.1", f"{k}.2"} for k in range(len(stays.groups))]
    assert connected(ROAD, changes)


def test_the_route_runs_on_past_the_end_of_the_log_by_150_m():
    for end in (50.0, 100.0, 130.0):
        route = route_along(Locator(ROAD), *drive(10, end, lambda x: 0.0))
        assert 60.0 * len(route.groups) >= end + 150
        assert "exit" not in set().union(*names(route))


def test_a_log_that_takes_the_exit_routes_over_it():
    xy = np.concatenate([drive(100, 180, lambda x: 0.0)[0], ROAD.centre[ROAD.lane_id.index("exit")][1:]])
    d = np.gradient(xy, axis=0)
    route = route_along(Locator(ROAD), xy, np.arctan2(d[:, 1], d[:, 0]))
    assert names(route)[-1] == {"exit"}
    assert connected(ROAD, route)


def test_against_the_traffic_or_far_away_there_is_no_route():
    xy, heading = drive(10, 60, lambda x: 0.0)
    assert route_along(Locator(ROAD), xy, heading + np.pi) is None
    assert route_along(Locator(ROAD), xy + np.array([0, 60]), heading) is None


def test_a_vehicle_beside_the_road_is_matched_to_the_nearest_lane():
    xy, heading = drive(10, 60, lambda x: -6.0)
    assert [ROAD.lane_id[k] for k in match(Locator(ROAD), xy, heading)] == ["0.0"]


@pytest.mark.parametrize(("goal", "last"), [("exit", "exit"), ("4.2", "5.0")])
def test_a_goal_lane_decides_where_the_route_leads(goal, last):
    route = route_to(Locator(ROAD), np.array([10.0, 0.0]), 0.0, [ROAD.lane_id.index(goal)], None)
    assert last in names(route)[-1]
    assert connected(ROAD, route)


@given(
    start=st.floats(0, 150), length=st.floats(1, 180), lane=st.integers(0, 2), sway=st.floats(-1.2, 1.2),
    seed=st.integers(0, 9),
)  # fmt: skip
def test_every_route_is_connected_and_begins_where_the_log_does(start, length, lane, sway, seed):
    rng = np.random.default_rng(seed)
    xy, heading = drive(start, start + length, lambda x: 3.5 * lane + sway * np.sin(x / 15))
    xy, heading = xy + rng.normal(0, 0.1, xy.shape), heading + rng.normal(0, 0.05, len(xy))
    route = route_along(Locator(ROAD), xy, heading)
    assert connected(ROAD, route)
    assert f"{min(int(max(xy[0, 0], 0) // 60), 5)}.{lane}" in names(route)[0] or abs(xy[0, 0] % 60) < 2
    assert len(set(route.lanes)) == len(route.lanes)
    reach = sum(arc_lengths(ROAD.centre[group[0]])[-1] for group in route.groups)
    if {"exit"} not in names(route):  # a last pose right at the exit that is turned towards it leads there, to its end
        assert reach >= min(360.0 - 60.0 * (xy[0, 0] // 60), length + 150) - 61
