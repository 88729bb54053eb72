from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from realism import SIDES, compare, stops
from realism_page import MEASURES, figures, histogram, kolmogorov, page, pictures, wasserstein
from traffic_measures import find_contacts, find_gaps, find_lanes, lane_changes, motion
from waytrace.catalogue import generate
from waytrace.geometry import Polylines
from waytrace.scenario import Agents, Lights, RoadMap
from waytrace.scenario.index import compile_maps

TICKS = 60


def two_lanes() -> RoadMap:
    """Lanes 0 and 1 run east side by side (0 on the right) for 100 m and lead on to 2 and 3 of the same length."""
    centre = [np.array([[x, y], [x + 100.0, y]]) for x in (0.0, 100.0) for y in (0.0, 3.5)]
    side = np.array([0.0, 1.75])
    return RoadMap(
        lane_id=("0", "1", "2", "3"), centre=Polylines.of(centre), left=Polylines.of([c + side for c in centre]),
        right=Polylines.of([c - side for c in centre]), successor=np.array([2, 3], np.int32),
        successor_start=np.array([0, 1, 2, 2, 2], np.int32), left_neighbor=np.array([1, -1, 3, -1], np.int32),
        right_neighbor=np.array([-1, 0, -1, 2], np.int32), speed_limit_mps=np.full(4, 30.0),
        lane_kind=np.zeros(4, np.uint8), in_intersection=np.zeros(4, np.bool_), lane_control=np.zeros(4, np.uint8),
        stop_line_xy=np.zeros((0, 2, 2)), stop_line_lane=np.zeros(0, np.int32), crosswalk=Polylines.of([]),
        drivable=Polylines.of([np.array([[0.0, -2.0], [200.0, -2.0], [200.0, 6.0], [0.0, 6.0]])]),
    )  # fmt: skip


@pytest.fixture(scope="module")
def index():
    scene = generate("lead-braking", 0).with_(map=two_lanes(), scripts=(), agent_route=(), lights=Lights.none(11))
    return compile_maps([scene.with_(route=type(scene.route)(((0,),)))]).index


def lanes_of(index, x, y):
    lane, s, d = np.full(x.shape, -1, np.int64), np.zeros(x.shape), np.zeros(x.shape)
    find_lanes(index, 0, x, y, np.zeros(x.shape), np.ones(x.shape, np.bool_), lane, s, d)
    return lane, s, d


def test_the_gap_reaches_from_bumper_to_bumper_across_lane_ends_and_ignores_the_next_lane(index):
    x, y = np.array([[80.0, 110.0, 90.0, 30.0]]), np.array([[0.0, 0.0, 3.5, 3.5]])
    length, width, gap = np.array([4.0, 6.0, 4.0, 4.0]), np.full(4, 2.0), np.zeros((1, 4))
    find_gaps(index, *lanes_of(index, x, y), length, width, gap)
    assert gap[0] == pytest.approx([30.0 - 5.0, np.inf, np.inf, 60.0 - 4.0])


def test_a_change_of_lane_counts_when_both_lanes_are_kept_for_a_second(index):
    t = np.arange(TICKS)
    straight, change = np.zeros(TICKS), np.clip((t - 25) / 10.0, 0.0, 1.0) * 3.5
    nudge = np.where((t > 25) & (t < 32), 3.0, 0.0)
    late = np.where(t > TICKS - 6, 3.5, 0.0)
    back = np.where((t > 20) & (t < 40), 3.5, 0.0)
    y = np.stack([straight, change, nudge, late, back], 1)
    x = np.repeat(80.0 + 1.5 * t[:, None], 5, axis=1) * 0.9
    lane, _, _ = lanes_of(index, x, y)
    assert set(lane[:, 0]) == {0, 2}
    assert lane_changes(index, lane).tolist() == [0, 1, 0, 0, 2]


def test_speed_acceleration_and_jerk_of_a_known_motion():
    t = 0.1 * np.arange(TICKS)[:, None]
    x = 10.0 * t + t**2
    use = np.ones(x.shape, np.bool_)
    moved = motion(x, np.zeros_like(x), use)
    assert moved.speed_mps[30, 0] == pytest.approx(10.0 + 2.0 * t[30, 0])
    assert moved.accel_mps2[30, 0] == pytest.approx(2.0)
    assert moved.jerk_mps3[30, 0] == pytest.approx(0.0, abs=1e-9)
    use[30] = False
    assert np.isnan(motion(x, np.zeros_like(x), use).speed_mps[23:38]).all()


def test_a_stop_is_a_halt_after_moving():
    speed = np.array([[0.0, 5.0], [0.1, 0.2], [5.0, 0.5], [0.2, 5.0], [0.0, 4.0]])
    assert stops(speed) == 2


def test_contacts_are_counted_once_and_not_when_they_were_there_from_the_start():
    x = np.array([[0.0, 2.0, 20.0], [0.0, 2.0, 10.0], [0.0, 2.0, 5.0]])
    still, there = np.zeros_like(x), np.ones(x.shape, np.bool_)
    struck, first = np.zeros((3, 3), np.bool_), np.zeros((3, 3), np.bool_)
    find_contacts(x, still, still, there, np.full(3, 4.0), np.full(3, 2.0), struck, first)
    assert struck.tolist() == [[False] * 3, [False, False, True], [False] * 3]


def test_distances_between_distributions_that_are_one_apart():
    speed = MEASURES["speed"]
    a, b = (histogram(np.array([v, v + 2.0]), speed)[None] for v in (5.05, 6.05))
    assert wasserstein(a, b, speed)[0] == pytest.approx(1.0)
    assert kolmogorov(a, b, speed)[0] == pytest.approx(0.5)
    assert wasserstein(a, a, speed)[0] == 0.0


def recorded(family: str, seed: int):
    """A generated scene as a recording: everybody keeps their speed and heading."""
    scene = generate(family, seed)
    agents, start = scene.agents, scene.start_step
    ahead = 0.1 * np.arange(1, TICKS + 1)[:, None]
    xy, heading, velocity, valid = (
        np.concatenate([past[:, : start + 1], np.repeat(past[:, start : start + 1], TICKS, axis=1)], axis=1)
        for past in (agents.xy, agents.heading_rad, agents.velocity_mps, agents.valid)
    )
    xy[:, start + 1 :] += ahead * velocity[:, start + 1 :]
    kept = Agents(agents.agent_id, agents.kind, agents.size_m, xy, heading, velocity, valid)
    return scene.with_(agents=kept, end_step=start + TICKS, scripts=(), agent_route=(), family="", source="made")


def test_two_made_drives_give_a_page_with_pictures():
    drives = [compare(recorded("lead-braking", 1)), compare(recorded("cut-in", 2))]
    assert all(drive["vehicles"] >= 2 for drive in drives)
    for drive in drives:
        assert np.ptp(drive["sides"]["recorded"]["speed"]) >= 0.0
        assert drive["sides"]["recorded"]["acceleration"] == pytest.approx(0.0, abs=1e-6)
        assert drive["sides"]["normal"]["ticks"] == drive["sides"]["recorded"]["ticks"]
    found = figures(drives, SIDES)
    assert found["made"]["drives"] == 2
    assert found["made"]["rates"]["lane changes per vehicle-minute"]["normal"]["value"] == 0.0
    assert "## made" in page(drives, found, SIDES, 0)
    for svg in pictures(drives, found, SIDES).values():
        assert len(ElementTree.fromstring(svg)) > 4
