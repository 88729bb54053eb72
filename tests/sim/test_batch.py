"""A world's drive does not depend on its company: batch, order, shards, recording, processes."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from waytrace.catalogue import families
from waytrace.sim import World

from .conftest import digest, same, wave

TRAFFIC = ["replay", "reactive", "mixed"]


@pytest.mark.parametrize("traffic", TRAFFIC)
def test_worlds_together_drive_as_each_alone(catalogue, traffic):
    together = wave(World(catalogue, traffic=traffic), 100).rollouts()
    for scenario, rollout in zip(catalogue, together, strict=True):
        (alone,) = wave(World([scenario], traffic=traffic), 100).rollouts()
        same(rollout, alone)


def test_the_order_of_worlds_does_not_matter(catalogue):
    order = np.random.default_rng(0).permutation(len(catalogue))
    straight = wave(World(catalogue), 80).rollouts()
    shuffled = wave(World([catalogue[i] for i in order]), 80).rollouts()
    for place, i in enumerate(order):
        same(shuffled[place], straight[i])


@pytest.mark.parametrize("shards", [2, 3, 40])
def test_the_number_of_shards_does_not_matter(catalogue, shards):
    one, several = World(catalogue), World(catalogue, shards=shards)
    for world in (one, several):
        wave(world, 60)
    for a, b in zip(one.rollouts(), several.rollouts(), strict=True):
        same(a, b)
    for a, b in zip(one.observe_arrays(), several.observe_arrays(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_recording_changes_nothing(catalogue):
    kept, bare = World(catalogue), World(catalogue, record=False)
    for world in (kept, bare):
        wave(world, 100)
    for bundle in ("state", "lights", "moving", "rows"):
        for name in getattr(kept, bundle)._fields:
            np.testing.assert_array_equal(
                getattr(getattr(kept, bundle), name), getattr(getattr(bare, bundle), name), err_msg=name
            )


def test_several_ticks_at_once_are_single_ticks(catalogue):
    at_once, single = World(catalogue), World(catalogue)
    for world, every in ((at_once, 5), (single, 1)):
        for _ in range(10):
            rows = np.zeros(len(world.rows.world))
            for _ in range(5 // every):
                world.step_controls(rows + 0.4, rows + 0.002, every)
    assert digest(at_once) == digest(single)


def test_reset_begins_anew(catalogue):
    world = wave(World(catalogue), 60)
    first = digest(world)
    seen = [array.copy() for array in world.observe_arrays()]
    world.reset()
    assert (world.tick == 0).all()
    wave(world, 60)
    assert digest(world) == first
    for before, now in zip(seen, world.observe_arrays(), strict=True):
        np.testing.assert_array_equal(before, now)


def test_every_controlled_agent_of_a_batch_drives_as_alone(catalogue):
    scenario = catalogue[0]
    vehicles = (scenario.agents.kind <= 2) & scenario.agents.valid[:, scenario.start_step]
    both = wave(World([scenario, scenario], controlled=np.stack([vehicles, vehicles])), 60).rollouts()
    (alone,) = wave(World([scenario], controlled=vehicles[None]), 60).rollouts()
    same(both[0], alone)
    same(both[1], alone)


def test_the_seed_matters_and_a_rerun_is_the_same_bits(catalogue):
    runs = [digest(wave(World(catalogue, traffic="reactive", seed=seed), 80)) for seed in (0, 0, 1)]
    assert runs[0] == runs[1] != runs[2]


OTHER_PROCESS = """
import sys
sys.path.insert(0, {folder!r})
from tests.sim.conftest import digest, wave
from waytrace.catalogue import families, generate
from waytrace.sim import World
print(digest(wave(World([generate(f, 0) for f in families("train")]), 60)))
"""


def test_another_process_drives_the_same_bits(catalogue, request):
    root = str(request.config.rootpath)
    here = digest(wave(World(catalogue[: len(families("train"))]), 60))
    done = subprocess.run(
        [sys.executable, "-c", OTHER_PROCESS.format(folder=root)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == here
