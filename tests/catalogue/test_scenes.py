"""Every generated scene: in its lanes, free of overlap, leading somewhere, with valid lights and scripts."""

from __future__ import annotations

import numpy as np
import pytest

from waytrace.catalogue import families, generate, splits
from waytrace.geometry import arc_lengths, boxes_overlap, deduplicate, project, wrap
from waytrace.scenario import LaneControl, LightState, Scenario, Trigger, check_scenario


def check_scene(s: Scenario) -> None:
    assert check_scenario(s) == []
    assert not s.recorded
    assert s.source == "catalogue"
    assert 80 <= s.end_step - s.start_step <= 200
    assert s.steps == s.end_step + 1 == len(s.lights.state)
    assert s.agents.valid[:, : s.start_step + 1].all()
    check_no_overlap(s)
    check_past(s)
    check_in_lane(s)
    check_route(s)
    check_lights(s)
    check_scripts(s)


def check_no_overlap(s: Scenario) -> None:
    a = s.agents
    for t in (0, s.start_step):
        for i in range(len(a)):
            for j in range(i):
                near = np.hypot(*(a.xy[i, t] - a.xy[j, t])) < 30.0
                assert not near or not boxes_overlap(
                    *a.xy[i, t], a.heading_rad[i, t], *a.size_m[i], *a.xy[j, t], a.heading_rad[j, t], *a.size_m[j]
                ), f"{s.id}: {a.agent_id[i]} and {a.agent_id[j]} overlap"


def check_past(s: Scenario) -> None:
    a, t = s.agents, s.start_step + 1
    moved = np.diff(a.xy[:, :t], axis=1) / s.dt_s
    mean = 0.5 * (a.velocity_mps[:, : t - 1] + a.velocity_mps[:, 1:t])
    assert np.abs(moved - mean).max() < 0.15
    speed = np.hypot(*np.moveaxis(a.velocity_mps[:, :t], -1, 0))
    course = np.arctan2(a.velocity_mps[:, :t, 1], a.velocity_mps[:, :t, 0])
    assert np.abs(wrap(course - a.heading_rad[:, :t])[speed > 0.5]).max(initial=0.0) < 1e-3
    assert speed[s.ego_index].min() > 1.5
    assert speed.max() < 45.0


def check_in_lane(s: Scenario) -> None:
    a, t = s.agents, s.start_step
    driving = [i for i in range(len(a)) if s.agent_route[i]]
    assert s.ego_index in driving
    for i in driving:
        if a.agent_id[i].startswith("emergency-"):
            continue  # it may drive over the middle of the road
        lane = s.agent_route[i][0]
        assert not s.map.in_intersection[lane]
        at, d = project(s.map.centre[lane], a.xy[i, t][None])
        assert 0.0 < at[0] < arc_lengths(s.map.centre[lane])[-1]
        width = np.hypot(*(s.map.left[lane][0] - s.map.right[lane][0]))
        assert abs(d[0]) + 0.5 * a.size_m[i, 1] <= 0.5 * width, f"{s.id}: {a.agent_id[i]} is not within its lane"


def check_route(s: Scenario) -> None:
    assert s.agent_route[s.ego_index][0] in s.route.groups[first_group(s)]
    for group, following in zip(s.route.groups[:-1], s.route.groups[1:], strict=True):
        leads_on = {lane for lane in group if set(s.map.successors(lane).tolist()) & set(following)}
        assert leads_on
        for lane in set(group) - leads_on:
            beside = {int(s.map.left_neighbor[lane]), int(s.map.right_neighbor[lane])}
            assert beside & set(group), f"{s.id}: lane {lane} of the route is a trap"
    lanes = s.agent_route[s.ego_index]
    assert all(any(lane in group for group in s.route.groups) for lane in lanes)
    onward = s.route.groups[first_group(s) + 1 :]
    ahead = sum(arc_lengths(s.map.centre[lane])[-1] for lane in (lanes[0], *(group[-1] for group in onward)))
    ahead -= project(s.map.centre[lanes[0]], s.agents.xy[s.ego_index, s.start_step][None])[0][0]
    limit = s.map.speed_limit_mps[lanes[0]]
    assert ahead > 0.95 * limit * (s.end_step - s.start_step) * s.dt_s


def first_group(s: Scenario) -> int:
    return next(k for k, group in enumerate(s.route.groups) if s.agent_route[s.ego_index][0] in group)


def check_lights(s: Scenario) -> None:
    signalled = set(np.flatnonzero(s.map.lane_control == LaneControl.SIGNAL).tolist())
    assert signalled == set(s.lights.lane.tolist())
    for k, lane in enumerate(s.lights.lane):
        assert np.hypot(*(s.lights.xy[k] - s.map.centre[lane][0])) < 1e-6
    opened = {
        lane: s.lights.state[:, k] != LightState.RED for k, lane in enumerate(s.lights.lane.tolist())
    }  # lanes that cross at a steep angle are never open together
    for a in opened:
        for b in opened:
            ha, hb = (s.map.centre[n][1] - s.map.centre[n][0] for n in (a, b))
            steep = abs(ha @ hb) < 0.7 * np.hypot(*ha) * np.hypot(*hb)
            assert not steep or not (opened[a] & opened[b]).any()


def check_scripts(s: Scenario) -> None:
    for script in s.scripts:
        if script.trigger in (Trigger.EGO_TIME, Trigger.EGO_DISTANCE):
            ego = s.agents.xy[s.ego_index, s.start_step]
            to = np.array(script.at_xy) - ego
            heading = s.agents.heading_rad[s.ego_index, s.start_step]
            assert to @ [np.cos(heading), np.sin(heading)] > 0.0, "the trigger point lies ahead"
            speed = np.hypot(*s.agents.velocity_mps[s.ego_index, s.start_step])
            assert np.hypot(*to) > script.trigger_value * speed, "it is not set off at once"


@pytest.mark.parametrize("family", families())
def test_scenes_are_sound(family):
    for seed in range(6):
        check_scene(generate(family, seed, splits(family)[seed % len(splits(family))]))


@pytest.mark.slow
@pytest.mark.parametrize("family", families())
def test_two_hundred_scenes_are_sound(family):
    for seed in range(200):
        check_scene(generate(family, 1000 + seed, splits(family)[seed % len(splits(family))]))


@pytest.mark.slow
@pytest.mark.parametrize("family", ["lead-braking", "cut-in", "cut-out"])
def test_most_scenes_are_preventable_and_some_are_not(family):
    tags = [generate(family, seed).provenance.details["preventable"] for seed in range(200)]
    assert 0.9 <= np.mean(tags) < 1.0


@pytest.mark.slow
@pytest.mark.parametrize("family", ["ccrs", "ccrm", "ccrb"])
def test_rear_scenes_are_preventable_almost_always(family):
    scenes = [generate(family, seed) for seed in range(200)]
    assert np.mean([s.provenance.details["preventable"] for s in scenes]) >= 0.9


def aside_m(s: Scenario, agent: str) -> float:
    """How far an agent stands to the left of the ego, both measured from the middle of the ego's lanes."""
    way = np.concatenate([s.map.centre[lane] for lane in s.agent_route[s.ego_index]])
    both = s.agents.xy[[s.agents.agent_id.index(agent), s.ego_index], s.start_step]
    target, ego = project(deduplicate(way), both)[1]
    return float(target - ego)


@pytest.mark.parametrize("family", ["ccrs", "ccrm", "ccrb"])
def test_targets_are_struck_by_half_to_all_of_the_egos_width(family):
    scenes = [generate(family, k) for k in range(30)]
    for s in scenes:
        aside = (1.0 - s.provenance.details["params"]["overlap"]) * s.agents.size_m[s.ego_index, 1]
        assert abs(aside_m(s, "target")) == pytest.approx(aside, abs=0.12)
    assert {aside_m(s, "target") > 0 for s in scenes} == {True, False}


def test_rear_targets_stand_drive_or_brake_as_euro_ncap_has_them():
    for family, speed_kmh, ego_kmh in (("ccrs", 0, (10, 80)), ("ccrm", 20, (30, 80)), ("ccrb", 50, (49.9, 50.1))):
        for seed in range(12):
            params = generate(family, seed).provenance.details["params"]
            assert params["target_mps"] * 3.6 == pytest.approx(speed_kmh, abs=1e-3)
            assert ego_kmh[0] <= params["ego_mps"] * 3.6 <= ego_kmh[1]
    braking = [generate("ccrb", seed).provenance.details["params"] for seed in range(30)]
    assert {(p["gap_m"], p["brake_mps2"]) for p in braking} == {(12, 2), (12, 6), (40, 2), (40, 6)}


def test_lights_turn_both_ways():
    variants = {generate("red-light", seed).provenance.details["params"]["variant"] for seed in range(40)}
    assert variants == {"turns green", "turns red", "stays green", "stays red"}
