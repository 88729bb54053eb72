"""Jaywalkers: several, from both sides, some hesitating, their way free of what stands. Seeds beyond every suite."""

from __future__ import annotations

import numpy as np

from waytrace.catalogue import generate
from waytrace.scenario import AgentKind, Trigger
from waytrace.sim import World

from ..sim.conftest import overlaps

SCENES = [generate("jaywalker", 900_000 + seed, "test") for seed in range(20)]


def test_people_cross_in_groups_and_some_hesitate():
    params = [s.provenance.details["params"] for s in SCENES]
    assert {p["groups"] for p in params} >= {1, 2}
    assert max(p["people"] for p in params) >= 3
    assert {p["queue"] for p in params} == {True, False}
    hesitating = sum(q.trigger is Trigger.AFTER for s in SCENES for q in s.scripts)
    assert hesitating == sum(p["hesitating"] for p in params) > 0


def test_nobody_walks_into_anybody_or_anything():
    for s in SCENES:
        world = World([s], controlled="none", traffic="reactive")
        world.advance(180)
        assert overlaps(world) == [], s.id


def test_everybody_arrives():
    arrived = []
    for s in SCENES[:8]:
        world = World([s.with_(end_step=s.start_step + 400)], controlled="none", traffic="reactive")
        world.advance(400)
        (r,) = world.rollouts()
        for number in {q.agent for q in s.scripts if s.agents.kind[q.agent] == AgentKind.PEDESTRIAN}:
            goal = [q.to_xy for q in s.scripts if q.agent == number][-1]
            arrived.append(np.hypot(*(r.pose[-1, number, :2] - goal)) < 0.1)
    assert all(arrived)
