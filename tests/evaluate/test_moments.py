"""Moments for people to judge: spread, seeded, of split train, without what comes after."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from waytrace.catalogue import generate, generate_many
from waytrace.evaluate.moments import choose, moments
from waytrace.scenario import WaytraceError
from waytrace.scenario.store import ScenarioStore, ScenarioWriter

FAMILIES = ("cut-in", "red-light", "lead-braking")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ScenarioStore:
    path = tmp_path_factory.mktemp("moments") / "store"
    with ScenarioWriter(path) as writer:
        for scenario in generate_many(9, FAMILIES):
            writer.add(scenario)
        writer.add(generate("cut-in", 0, "select"))
    return ScenarioStore.open(path)


def test_families_are_taken_in_turn_and_the_seed_decides(store: ScenarioStore) -> None:
    ids = choose(store, 6, seed=1)
    assert Counter(name.split("/")[0] for name in ids) == dict.fromkeys(FAMILIES, 2)
    assert ids == choose(store, 6, seed=1)
    assert ids != choose(store, 6, seed=2)
    assert all(name.split("/")[1] == "train" for name in choose(store, 9))


def test_more_than_there_are_is_refused(store: ScenarioStore) -> None:
    with pytest.raises(WaytraceError, match="holds 9 scenarios of split train; 10 are wanted"):
        choose(store, 10)


def test_other_splits_are_refused(store: ScenarioStore) -> None:
    with pytest.raises(WaytraceError, match="of split 'select'"):
        list(moments(store, [generate("cut-in", 0, "select").id]))


def test_a_moment_can_be_come_by_again(store: ScenarioStore) -> None:
    ids = choose(store, 2)
    first, again = list(moments(store, ids, planner="idm")), list(moments(store, ids[::-1], planner="idm"))[::-1]
    for (one, scenario, scene), (two, _, same) in zip(first, again, strict=True):
        assert one == two
        assert one.tick == scene.tick
        assert one.tick % 5 == 0
        assert len(scene.ego.pose_history) == scenario.start_step + one.tick + 1, "nothing after the moment"
        np.testing.assert_array_equal(scene.agents.pose, same.agents.pose)


def test_where_a_store_is_written_does_not_matter(store: ScenarioStore, tmp_path: Path) -> None:
    with ScenarioWriter(tmp_path / "again") as writer:
        for name in store.ids:
            writer.add(store[name])
    assert choose(ScenarioStore.open(tmp_path / "again"), 5) == choose(store, 5)
