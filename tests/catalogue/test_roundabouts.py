"""Roundabouts: driven counter-clockwise, the ring has priority, every exit can be reached. Seeds beyond every suite."""

from __future__ import annotations

import numpy as np
import pytest

from waytrace.catalogue import generate, layout_count
from waytrace.catalogue.generate import _layout
from waytrace.catalogue.roundabouts import Roundabout
from waytrace.scenario import LaneControl
from waytrace.sim import World

BEYOND = 900_000


def layouts() -> list[Roundabout]:
    made = [_layout("roundabout", "test", index) for index in range(layout_count("roundabout"))]
    assert all(isinstance(layout, Roundabout) for layout in made)
    return made


def test_rings_differ_in_arms_lanes_and_radius():
    figures = [layout.figures for layout in layouts()]
    assert {f["arms"] for f in figures} == {3, 4, 5}
    assert {f["lanes"] for f in figures} == {1, 2}
    radius = [f["radius_m"] for f in figures]
    assert 12.0 <= min(radius) < 16.0
    assert 24.0 < max(radius) <= 32.0


def test_the_ring_turns_left_has_priority_and_is_entered_by_yielding():
    for layout in layouts():
        road = layout.map
        for lane in (*layout.past, *(lane for row in layout.between for lane in row)):
            xy = road.centre[lane]
            first, last = xy[1] - xy[0], xy[-1] - xy[-2]
            assert first[0] * last[1] - first[1] * last[0] > 0.0
            assert road.lane_control[lane] == LaneControl.PRIORITY
        for lane in (lane for row in layout.entries for lane in row):
            assert road.lane_control[lane] == LaneControl.YIELD


@pytest.mark.parametrize("index", [0, 1, 2])
def test_every_exit_is_reached_from_every_arm(index):
    layout = layouts()[index]
    arms = len(layout.roads)
    for start in range(arms):
        for steps in range(1, arms + 1):
            path = layout.through(start, steps, 0)
            assert path.lanes[-1] in layout.roads[(start + steps) % arms].forward[-1]
            groups = layout.groups(start, steps)
            assert all(lane in group for lane, group in zip(path.lanes, groups, strict=True))
            assert np.hypot(*np.diff(path.xy, axis=0).T).max() < 3.0, "no jump"


def test_who_circulates_is_not_held_up_by_who_enters():
    checked = 0
    for seed in range(12):
        s = generate("roundabout", BEYOND + seed, "test")
        world = World([s], controlled="none", traffic="reactive")
        world.advance(60)
        (r,) = world.rollouts()
        for a, name in enumerate(s.agents.agent_id):
            if name.startswith("circulating"):
                assert r.speed_mps[r.valid[:, a], a].min() > 1.5, f"{s.id}: {name}"
                checked += 1
    assert checked >= 10
