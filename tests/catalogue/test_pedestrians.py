"""People on foot and on bicycles: from the side and at the speed of their family, out of sight, on and on."""

from __future__ import annotations

import numpy as np
import pytest

from waytrace.catalogue import generate
from waytrace.geometry import project
from waytrace.scenario import AgentKind
from waytrace.sim import World


@pytest.mark.parametrize(
    ("family", "kmh", "from_right"),
    [("pedestrian-near", 5, True), ("pedestrian-far", 8, False), ("pedestrian-occluded", 5, True)],
)
def test_pedestrians_cross_from_the_side_of_their_family(family, kmh, from_right):
    speeds = []
    for s in (generate(family, seed) for seed in range(30)):
        speeds.append(3.6 * np.hypot(*s.agents.velocity_mps[s.ego_index, s.start_step]))
        assert s.scripts
        for walk in s.scripts:
            assert s.agents.kind[walk.agent] == AgentKind.PEDESTRIAN
            assert walk.value == pytest.approx(kmh / 3.6)
            lane = s.agent_route[s.ego_index][-1]
            (_, before), (_, after) = (
                project(s.map.centre[lane], np.array(xy)[None])
                for xy in (s.agents.xy[walk.agent, s.start_step], walk.to_xy)
            )
            assert (before[0] < 0.0 < after[0]) if from_right else (after[0] < 0.0 < before[0])
    assert 10.0 <= min(speeds) < 25.0
    assert 25.0 < max(speeds) <= 60.0


@pytest.mark.parametrize("family", ["pedestrian-near", "pedestrian-far", "pedestrian-occluded"])
def test_an_ego_that_does_not_brake_strikes_them_with_its_front(family):
    struck = []
    for s in (generate(family, seed) for seed in range(20)):
        if s.provenance.details["layout"]["curved"]:
            continue
        world = World([s])
        zero = np.zeros(1)
        world.step_controls(zero, zero, 100)
        (r,) = world.rollouts()
        ego, walker = r.pose[:, s.ego_index], r.pose[:, s.scripts[0].agent]
        ahead = np.array([np.cos(ego[0, 2]), np.sin(ego[0, 2])])
        reached = int(np.argmax((walker[:, :2] - ego[:, :2]) @ ahead < 0.5 * s.agents.size_m[s.ego_index, 0]))
        aside = (walker[reached, :2] - ego[reached, :2]) @ [-ahead[1], ahead[0]]
        struck.append(abs(aside) / s.agents.size_m[s.ego_index, 1])
    assert len(struck) >= 4
    assert max(struck) < 0.55


def test_whoever_is_occluded_is_not_seen_at_first():
    seen = []
    for s in (generate("pedestrian-occluded", seed) for seed in range(12)):
        world = World([s])
        world.advance(1)
        seen.append(bool(world.rollouts()[0].visible[1, s.scripts[0].agent]))
    assert not any(seen)


def test_whoever_walks_along_keeps_going():
    variants = set()
    for s in (generate("pedestrian-along", seed) for seed in range(24)):
        params = s.provenance.details["params"]
        variants.add(params["variant"])
        world = World([s], controlled="none")
        world.advance(100)
        a = next(i for i in range(len(s.agents)) if s.agents.agent_id[i] in ("pedestrian", "cyclist"))
        speed = world.rollouts()[0].speed_mps[:, a]
        if params["variant"] in ("edge", "lane"):
            assert np.abs(speed[20:] - params["pace_mps"]).max() < 0.2, s.id
        elif params["variant"] == "cyclist":
            assert speed.min() > 2.0, s.id
    assert variants == {"edge", "lane", "steps in", "cyclist"}
