"""Bends straightened: the place along and across the route stays, what is behind stays to the bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waytrace.geometry import Polylines, from_frame, to_frame, wrap
from waytrace.geometry.unbend import Unbending
from waytrace.scenario import AgentKind, EditError, check_scenario
from waytrace.scenario.bends import CLEAR_M, straighten

from ..planners.bent_road import BEFORE_M, QUARTER_M, bent, driven
from ..planners.conftest import scene


def test_a_bend_becomes_straight_and_everything_keeps_its_place_along_and_across() -> None:
    """Along the x axis now: x is what s was, and y what d was, for lanes, lines, lights and agents."""
    scenario = driven((110.0, 0.0, 8.0), (125.0, 3.5, 8.0), (190.0, 0.0, 8.0))
    edited = straighten(scenario, 1)
    assert check_scenario(edited) == []
    assert edited.provenance.details["edits"][-1]["edit"] == "straighten"
    lanes = edited.map.centre
    for number, d in enumerate((0.0, 0.0, 0.0, 3.5, 3.5, 3.5)):
        assert np.abs(lanes[number][:, 1] - d).max() < 0.05, "straight"
    for number, (begin, end) in enumerate(((0.0, 100.0), (100.0, 131.4), (131.4, 251.4))):
        assert np.allclose(lanes[number][[0, -1], 0], [begin, end], atol=0.1), "as long as it was"
    assert np.allclose(edited.map.left[1][:, 1], 1.75, atol=0.05)
    assert np.allclose(edited.map.stop_line_xy[0], [[140.0, -1.75], [140.0, 1.75]], atol=0.1)
    assert np.allclose(edited.lights.xy, [[130.0, 0.0]], atol=0.1)
    assert np.allclose(edited.map.crosswalk[0].min(0), [120.0, -2.0], atol=0.1)
    assert np.allclose(edited.map.crosswalk[0].max(0), [123.0, 5.0], atol=0.1)
    time = (np.arange(scenario.steps) - 10) * 0.1
    for number, (s, d) in enumerate(((60.0, 0.0), (110.0, 0.0), (125.0, 3.5), (190.0, 0.0))):
        speed = 10.0 if number == 0 else 8.0
        place = np.stack([s + speed * time, np.full(len(time), d)], -1)
        assert np.abs(edited.agents.xy[number] - place).max() < 0.2, "the line is sampled at each metre"
        assert np.abs(edited.agents.heading_rad[number]).max() < 0.05
        inside = np.abs(place[:, :1] - [[BEFORE_M, BEFORE_M + QUARTER_M]]).min(1) > 2.0
        assert np.allclose(edited.agents.velocity_mps[number][inside], [speed, 0.0], atol=0.2)


def test_what_is_behind_stays_to_the_bit_and_the_other_fields_too() -> None:
    scenario = driven((30.0, 3.5, 8.0), (190.0, 0.0, 8.0))
    edited = straighten(scenario, 1)
    for name in ("xy", "heading_rad", "velocity_mps"):
        assert np.array_equal(getattr(edited.agents, name)[1], getattr(scenario.agents, name)[1])
        before = slice(0, scenario.start_step + 1)
        assert np.array_equal(getattr(edited.agents, name)[0, before], getattr(scenario.agents, name)[0, before])
    for lane in (0, 3):
        begun = scenario.map.centre[lane][:, 0] < 95.0
        assert np.array_equal(edited.map.centre[lane][: begun.sum()], scenario.map.centre[lane][begun])
    for name in ("successor", "successor_start", "speed_limit_mps", "lane_control", "stop_line_lane"):
        assert getattr(edited.map, name) is getattr(scenario.map, name)
    assert edited.route is scenario.route


def test_lanes_stay_connected() -> None:
    edited = straighten(driven(), 1).map
    for lane in range(len(edited)):
        for following in edited.successors(lane):
            assert np.allclose(edited.centre[lane][-1], edited.centre[int(following)][0], atol=1e-9)


@pytest.mark.parametrize("lane", [0, 1, 2])
def test_the_bend_is_the_same_whichever_of_its_lanes_is_named(lane: int) -> None:
    """A lane that borders on the bend takes all of it along, and so does the lane beside."""
    one, other = straighten(driven(), 1), straighten(driven(), lane + 3)
    assert np.allclose(one.map.centre.xy[-1], other.map.centre.xy[-1], atol=0.1)


def test_a_straight_road_stays_as_it_is_to_the_bit() -> None:
    scenario = scene((AgentKind.VEHICLE, 90.0, 0.0, 0.0, 6.0), lanes=2)
    edited = straighten(scenario, 0)
    assert edited.map is scenario.map
    assert edited.agents is scenario.agents
    assert edited.id == "by-hand+straight-0"


def test_within_the_bend_it_is_straightened_from_the_egos_place_on() -> None:
    begin = bent(115.0)
    x, y, heading = bent(115.0 - CLEAR_M).tolist()
    scenario = driven((117.0, 3.5, 0.0), (112.0, 3.5, 0.0), (200.0, 0.0, 0.0))
    edited = straighten(scenario, 1, (x, y, heading)).agents
    assert np.array_equal(edited.xy[2], scenario.agents.xy[2]), "3 m behind: where it was"
    for number, s, d in ((1, 117.0, 3.5), (3, 200.0, 0.0)):
        place = to_frame(edited.xy[number], begin)
        assert np.abs(place - [s - 115.0, d]).max() < 0.2, "straight on from the ego's heading"
        assert np.abs(wrap(edited.heading_rad[number] - begin[2])).max() < 0.05


def test_what_lies_beyond_the_centre_of_curvature_is_refused_and_not_torn() -> None:
    scenario = driven()
    lanes, walk = scenario.map, bent(np.array([90.0, 140.0, 140.0, 90.0]), np.array([24.0, 24.0, 30.0, 30.0]))[:, :2]
    with pytest.raises(EditError, match="crosswalk 0"):
        straighten(scenario.with_(map=replace(lanes, crosswalk=Polylines.of([walk]))), 1)
    with pytest.raises(EditError, match="'a1'"):
        straighten(driven((112.0, 18.0, 1.0)), 1)
    assert straighten(driven((112.0, 18.0, 0.0)), 1), "who stands there has a place"


def test_what_is_not_ahead_on_the_route_is_refused_in_words() -> None:
    with pytest.raises(EditError, match="no lane 6"):
        straighten(driven(), 6)
    x, y, heading = bent(180.0).tolist()
    with pytest.raises(EditError, match=r"not on the ego's route|behind the ego"):
        straighten(driven(), 1, (x, y, heading))


@st.composite
def lines(draw: st.DrawFn) -> tuple[Unbending, np.ndarray, np.ndarray, np.ndarray]:
    """A line of random bends with a part of it taken out; and points beside it: s, d, x and y."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    curvature = np.repeat(rng.uniform(-0.05, 0.05, 8), 20)
    heading = rng.uniform(-3, 3) + np.concatenate([[0.0], np.cumsum(curvature)])
    middle = 0.5 * (heading[1:] + heading[:-1])
    xy = np.cumsum(np.concatenate([rng.normal(0, 50, (1, 2)), np.stack([np.cos(middle), np.sin(middle)], -1)]), axis=0)
    first = draw(st.integers(1, 100))
    bend = Unbending.of(xy, heading, first, draw(st.integers(first + 1, 159)))
    i, u, d = rng.integers(0, 160, 200), rng.uniform(0.01, 0.99, 200)[:, None], rng.uniform(-5, 5, 200)
    foot = xy[i] + u * (xy[i + 1] - xy[i])
    tangent = bend.tangent[i] + u * np.diff(bend.tangent, axis=0)[i]
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], -1) / np.hypot(*tangent.T)[:, None]
    return bend, i, u, foot + d[:, None] * normal, d


@given(drawn=lines())
@settings(max_examples=60, deadline=None)
def test_points_beside_any_line_keep_their_place_and_their_neighbours(drawn) -> None:
    bend, i, u, points, d = drawn
    nearest = np.hypot(*(points[:, None] - bend.xy[None]).transpose(2, 0, 1)).min(1)
    alone = nearest > np.abs(d) - 0.02  # no other part of a line that comes back to itself is nearer
    moved = bend.moved(points)
    foot = bend.image_xy[i] + u * (bend.image_xy[i + 1] - bend.image_xy[i])
    away = np.hypot(*(moved.xy - foot).T)
    assert np.allclose(away[alone], np.abs(d)[alone], atol=1e-6)
    step = 1e-6 * np.stack([np.cos(d), np.sin(d)], -1)
    near = bend.moved(points + step)
    same = alone & (near.side == moved.side) & (moved.room > 0.5)
    assert np.abs(near.xy - moved.xy - moved.directed(step))[same].max(initial=0.0) < 1e-7
    before = alone & (i < bend.first)
    assert np.array_equal(moved.xy[before], points[before])
    beyond = np.flatnonzero(alone & (i >= bend.last))
    if len(beyond):
        old = to_frame(points[beyond], np.array([*bend.xy[-1], np.arctan2(*bend.tangent[-1][::-1])]))
        pose = np.array([*bend.image_xy[-1], np.arctan2(*bend.image_tangent[-1][::-1])])
        assert np.allclose(from_frame(old, pose), moved.xy[beyond], atol=1e-6), "one rigid body"
