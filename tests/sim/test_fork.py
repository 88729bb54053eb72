"""Snapshots, forks and reruns: the same moment goes on in the same way."""

from __future__ import annotations

import numpy as np
import pytest

from waytrace.sim import World

from .conftest import Actor, digest, scene, straight, wave

TRAFFIC = ["replay", "reactive", "mixed"]


def assert_alike(a: World, b: World) -> None:
    """Every bit of what a drive changes, and what is observed now."""
    for mine, theirs in zip(a.snapshot().bundles, b.snapshot().bundles, strict=True):
        for left, right in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(left, right)
    for left, right in zip(a.observe_arrays(), b.observe_arrays(), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("traffic", TRAFFIC)
def test_a_fork_goes_on_as_a_rerun_does(catalogue, traffic):
    rerun = wave(World(catalogue, traffic=traffic), 80)
    trunk = wave(World(catalogue, traffic=traffic), 40)
    fork = trunk.fork()
    wave(fork, 40)
    assert digest(fork) == digest(rerun)
    assert_alike(fork, rerun)
    assert (trunk.tick == 40).all()
    assert digest(wave(trunk, 40)) == digest(rerun), "the fork changed nothing in what it came from"


def test_restoring_a_snapshot_returns_to_its_moment_bit_by_bit(catalogue):
    world = wave(World(catalogue), 30)
    then = world.snapshot()
    seen = [array.copy() for array in world.observe_arrays()]
    first = digest(wave(world, 30))
    world.restore(then)
    for before, now in zip(seen, world.observe_arrays(), strict=True):
        np.testing.assert_array_equal(before, now)
    assert (world.tick == 30).all()
    assert digest(wave(world, 30)) == first
    world.restore(then)
    assert digest(wave(world, 30)) == first, "a snapshot can be used again"


def test_a_snapshot_of_the_trunk_restores_a_fork_of_the_same_shape(catalogue):
    trunk = wave(World(catalogue), 20)
    fork, then = trunk.fork(), trunk.snapshot()
    wave(fork, 20)
    fork.restore(then)
    assert_alike(fork, trunk)


def test_some_worlds_are_forked_in_any_order_and_number(catalogue):
    trunk = wave(World(catalogue), 30)
    chosen = [5, 2, 17]
    fork = trunk.fork(copies=3, worlds=chosen)
    assert [s.id for s in fork.scenarios] == [catalogue[w].id for w in chosen for _ in range(3)]
    wave(trunk, 30)
    wave(fork, 30)
    whole, parts = trunk.rollouts(), fork.rollouts()
    for i, w in enumerate(chosen):
        for part in parts[3 * i : 3 * i + 3]:
            np.testing.assert_array_equal(part.pose, whole[w].pose)
            np.testing.assert_array_equal(part.visible, whole[w].visible)
            np.testing.assert_array_equal(part.plan_waypoints, whole[w].plan_waypoints)


def test_scenes_of_a_fork_are_those_of_its_trunk(catalogue):
    trunk = wave(World(catalogue[:4]), 20)
    fork = trunk.fork(worlds=[3])
    mine, theirs = trunk.observe().scenes[3], fork.observe().scenes[0]
    assert mine.scenario_id == theirs.scenario_id
    np.testing.assert_array_equal(trunk.scene_record(3, 20).pose, fork.scene_record(0, 20).pose)
    np.testing.assert_array_equal(trunk.scene_record(3, 20).seen, fork.scene_record(0, 20).seen)


def test_several_controlled_agents_keep_their_rows_in_a_fork():
    scenes = [scene(straight(), *(Actor(60.0 + 25.0 * i, speed=5.0 + i) for i in range(3 + k))) for k in range(3)]
    mask = np.zeros((3, 5), bool)
    mask[0, :2], mask[1, 1:4], mask[2, [0, 4]] = True, True, True
    trunk = wave(World(scenes, controlled=mask), 20)
    fork = trunk.fork(copies=2, worlds=[2, 0])
    assert fork.rows.slot.tolist() == [0, 4, 0, 4, 0, 1, 0, 1]
    wave(trunk, 20)
    wave(fork, 20)
    np.testing.assert_array_equal(fork.record.pose[0], trunk.record.pose[2])
    np.testing.assert_array_equal(fork.record.pose[3], trunk.record.pose[0])


def test_forks_share_maps_and_nothing_that_changes(catalogue):
    trunk = World(catalogue)
    fork = trunk.fork(copies=2)
    assert fork.maps.index is trunk.maps.index
    for mine, theirs in zip(trunk._mutable(), fork._mutable(), strict=True):
        for left, right in zip(mine, theirs, strict=True):
            assert not np.shares_memory(left, right)


def test_a_fork_of_a_fork_and_one_without_record(catalogue):
    trunk = wave(World(catalogue, record=False), 20)
    fork = wave(wave(trunk.fork(), 10).fork(), 10)
    wave(trunk, 20)
    assert_alike(fork, trunk)


def test_a_fork_can_be_reset(catalogue):
    fork = wave(World(catalogue), 20).fork(worlds=[1, 4])
    fork.reset()
    fresh = World([catalogue[1], catalogue[4]])
    assert digest(wave(fork, 30)) == digest(wave(fresh, 30))
