"""Twenty seconds of every family with nobody controlled: reactive traffic does not collide."""

from __future__ import annotations

import pytest

from waytrace.catalogue import families, generate, splits
from waytrace.sim import STYLES, World

from .conftest import overlaps

SECONDS = 20.0
KNOWN = {
    ("cut-in", "ego"): "a vehicle that changes lane by script does so whatever stands beside it",
    ("work-zone", "ego"): "a vehicle that nobody drives cannot change lane and creeps into the taper",
    ("parked-car", 37): "a car reaches so far into a road with one lane each way that nobody can pass it in the lane",
    ("unprotected-left", 16): "assertive: a lorry at a stop sign turns before a car that creeps from its yield sign",
    ("unprotected-left", 32): "assertive: two lorries turn left and the one that has to yield goes all the same",
    ("work-zone", 1, "changing"): "a vehicle touches two cones of the taper; its cause is not found yet",
    ("merge", 38): "assertive: a car enters the main road at 27 m/s beside another as fast",
}
"""Collisions that are known, by family, seed of the split ``select`` and, where it is in one alone, style."""

BEYOND = 900_000
"""Families of split ``test`` alone are looked at from this seed on, beyond those of every suite."""


def collisions(family: str, seeds: range, style: str) -> list[tuple[str, int, str]]:
    """(family, seed, what) of every collision that is not known."""
    if "select" in splits(family):
        scenes = [generate(family, seed, "select") for seed in seeds]
    else:
        scenes = [generate(family, BEYOND + seed, "test") for seed in seeds]
    scenes = [s.with_(end_step=s.start_step + round(10 * SECONDS)) for s in scenes]
    world = World(scenes, controlled="none", traffic="reactive", style=style)
    world.advance(round(10 * SECONDS))
    found = []
    for w, (seed, s) in enumerate(zip(seeds, scenes, strict=True)):
        for tick, a, b in overlaps(world, w):
            with_ego = s.ego_index in (a, b)
            known = (family, seed) in KNOWN or (family, seed, style) in KNOWN
            if not known and not (with_ego and (family, "ego") in KNOWN):
                what = f"{s.agents.agent_id[a]} and {s.agents.agent_id[b]} at {tick / 10} s"
                found.append((family, seed, what))
    return found


@pytest.mark.parametrize("family", families())
def test_reactive_traffic_does_not_collide(family):
    assert collisions(family, range(4), "normal") == []


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("family", families())
def test_reactive_traffic_does_not_collide_in_many_scenes(family, style):
    assert collisions(family, range(50), style) == []
