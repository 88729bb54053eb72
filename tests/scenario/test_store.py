import gc
import json
import resource
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import waytrace.scenario._shards as shards_module
from waytrace.scenario import (
    RolloutStore,
    ScenarioStore,
    ScenarioWriter,
    StoreError,
    check_scenario,
    map_hash,
    scenario_hash,
    write_rollouts,
)
from waytrace.scenario._layout import rollout_arrays, rollout_record, scenario_arrays, scenario_record

FEW = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])


def same(a, b) -> bool:
    """Whether two scenarios are equal in every field, array by array, dtype included."""
    if scenario_record(a, map_hash(a.map)) != scenario_record(b, map_hash(b.map)):
        return False
    arrays_a, arrays_b = scenario_arrays(a), scenario_arrays(b)
    return arrays_a.keys() == arrays_b.keys() and all(
        x.dtype == y.dtype and np.array_equal(x, y) for x, y in zip(arrays_a.values(), arrays_b.values(), strict=True)
    )


@given(data=st.data())
@FEW
def test_a_scenario_comes_back_as_it_went_in(tmp_path_factory, scenarios, data):
    drawn = data.draw(st.lists(scenarios, min_size=1, max_size=4, unique_by=lambda s: s.id))
    path = tmp_path_factory.mktemp("s") / "store"
    with ScenarioWriter(path, shard_items=2) as writer:
        hashes = [writer.add(scenario) for scenario in drawn]
    with ScenarioStore.open(path, verify="full") as store:
        assert store.ids == tuple(s.id for s in drawn)
        assert len(store) == len(drawn)
        for scenario, content in zip(drawn, hashes, strict=True):
            back = store[scenario.id]
            assert same(scenario, back)
            assert type(back.scripts) is tuple
            assert back.scripts == scenario.scripts
            assert back.provenance == scenario.provenance
            assert scenario_hash(back) == content == store.summary(scenario.id)["hash"]
            assert all(array.flags.c_contiguous and array.flags.writeable for array in scenario_arrays(back).values())
        assert store.validate() == []


@given(data=st.data())
@FEW
def test_a_rollout_comes_back_as_it_went_in(tmp_path_factory, rollouts, data):
    drawn = data.draw(st.lists(rollouts, max_size=3, unique_by=lambda r: r.scenario_id))
    path = write_rollouts(tmp_path_factory.mktemp("r") / "rollouts", iter(drawn))
    with RolloutStore.open(path) as store:
        assert store.ids == tuple(r.scenario_id for r in drawn)
        for rollout, back in zip(drawn, store, strict=True):
            assert rollout_record(rollout) == rollout_record(back)
            arrays = rollout_arrays(back)
            assert all(np.array_equal(array, arrays[name]) for name, array in rollout_arrays(rollout).items())
            assert store.summary(rollout.scenario_id)["ticks"] == len(rollout.pose)
        assert store.validate() == []


def test_scenarios_of_one_place_share_one_map_on_disk_and_in_memory(tmp_path, make_scenario):
    with ScenarioWriter(tmp_path / "store") as writer:
        for i in range(6):
            writer.add(make_scenario(f"s{i}", seed=i, x=float(i % 2)))
    store = ScenarioStore.open(tmp_path / "store")
    assert len({store.summary(id)["map"] for id in store.ids}) == 2
    assert (tmp_path / "store" / "maps-00000.jsonl").read_bytes().count(b"\n") == 2
    assert store["s0"].map is store["s2"].map
    assert store["s0"].map is not store["s1"].map


def test_the_summary_is_read_from_the_manifest_alone(tmp_path, make_scenario, monkeypatch):
    with ScenarioWriter(tmp_path / "store") as writer:
        writer.add(make_scenario())
    store = ScenarioStore.open(tmp_path / "store")
    monkeypatch.setattr(shards_module, "safe_open", None)
    monkeypatch.setattr(shards_module, "sha256_of", None)
    summary = store.summary("one")
    assert summary["licence"] == "CC-BY-4.0"
    assert (summary["agents"], summary["steps"], summary["lanes"], summary["recorded"]) == (5, 31, 2, True)


def test_reading_one_scenario_reads_its_tensors_and_no_others(tmp_path, make_scenario, monkeypatch):
    with ScenarioWriter(tmp_path / "store", shard_items=4) as writer:
        for i in range(10):
            writer.add(make_scenario(f"s{i}", seed=i))
    opened, read = [], []

    def counting_open(path, framework):
        handle = original(path, framework=framework)
        opened.append(path.name)

        class Counting:
            def get_tensor(self, name):
                read.append((path.name, name))
                return handle.get_tensor(name)

        return Counting()

    original = shards_module.safe_open
    monkeypatch.setattr(shards_module, "safe_open", counting_open)
    store = ScenarioStore.open(tmp_path / "store")
    assert opened == []
    store["s5"]
    assert opened == ["scenarios-00001.safetensors", "maps-00000.safetensors"]
    assert {name.split("/")[0] for file, name in read if file.startswith("scenarios")} == {"5"}
    assert len(read) == len(set(read))


def test_few_shards_and_maps_stay_open(tmp_path, make_scenario):
    with ScenarioWriter(tmp_path / "store", shard_items=1) as writer:
        for i in range(20):
            writer.add(make_scenario(f"s{i}", x=float(i)))
    store = ScenarioStore.open(tmp_path / "store")
    assert [scenario.id for scenario in store] == list(store.ids)
    assert len(store._shards._open) <= 16
    assert len(store._maps) <= 8


def test_threads_may_share_a_store(tmp_path, make_scenario):
    with ScenarioWriter(tmp_path / "store", shard_items=1) as writer:
        hashes = [writer.add(make_scenario(f"s{i}", seed=i, x=float(i))) for i in range(30)]
    store = ScenarioStore.open(tmp_path / "store")
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            assert list(pool.map(lambda id: scenario_hash(store[id]), store.ids)) == hashes


def test_the_writer_keeps_its_own_copy(tmp_path, make_scenario):
    scenario = make_scenario()
    with ScenarioWriter(tmp_path / "store") as writer:
        content = writer.add(scenario)
        scenario.agents.xy[:] = 7.0
    assert scenario_hash(ScenarioStore.open(tmp_path / "store")["one"]) == content


def test_arrays_that_are_not_contiguous_are_stored_rightly(tmp_path, make_scenario):
    scenario = make_scenario()
    turned = replace(scenario.agents, xy=np.asfortranarray(scenario.agents.xy))
    with ScenarioWriter(tmp_path / "store") as writer:
        writer.add(scenario.with_(agents=turned))
    back = ScenarioStore.open(tmp_path / "store")["one"]
    assert np.array_equal(back.agents.xy, scenario.agents.xy)
    assert check_scenario(back) == []


def test_the_same_scenarios_give_the_same_bytes(tmp_path, make_scenario):
    for name in ("a", "b"):
        with ScenarioWriter(tmp_path / name) as writer:
            for i in range(3):
                writer.add(make_scenario(f"s{i}", seed=i))
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "b").iterdir())
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in names)


@pytest.mark.parametrize("field", ["xy", "kind", "valid"])
def test_a_wrong_dtype_or_shape_is_refused_by_name(tmp_path, make_scenario, field):
    scenario = make_scenario()
    wrong = {"xy": np.zeros((5, 30, 2)), "kind": np.zeros(5, np.int64), "valid": np.ones((5, 31))}[field]
    bad = scenario.with_(agents=replace(scenario.agents, **{field: wrong}))
    with ScenarioWriter(tmp_path / "store") as writer:
        with pytest.raises(StoreError, match=f"'one' cannot be stored: .*agents.{field}|agents.heading_rad"):
            writer.add(bad)
        writer.add(scenario)
    assert len(ScenarioStore.open(tmp_path / "store")) == 1


@pytest.mark.parametrize("details", [{"x": float("nan")}, {"x": object()}, {"x": "\ud800"}])
def test_provenance_that_json_cannot_say_is_refused(tmp_path, make_scenario, details):
    scenario = make_scenario()
    bad = scenario.with_(provenance=replace(scenario.provenance, details=details))
    with ScenarioWriter(tmp_path / "store") as writer, pytest.raises(StoreError, match="cannot be stored"):
        writer.add(bad)
    assert any("plain JSON" in fault for fault in check_scenario(bad))


def test_an_id_is_taken_once(tmp_path, make_scenario):
    with ScenarioWriter(tmp_path / "store") as writer:
        writer.add(make_scenario())
        with pytest.raises(StoreError, match="already"):
            writer.add(make_scenario(seed=1))


def test_an_unknown_id_is_answered_with_near_ones(tmp_path, make_scenario):
    with ScenarioWriter(tmp_path / "store") as writer:
        writer.add(make_scenario("crossing-3"))
    store = ScenarioStore.open(tmp_path / "store")
    assert "crossing-3" in store
    assert "crossing-4" not in store
    with pytest.raises(StoreError, match="mean crossing-3"):
        store["crossing-4"]


def test_validate_finds_a_malformed_scenario(tmp_path, make_scenario):
    scenario = make_scenario()
    with ScenarioWriter(tmp_path / "store") as writer:
        writer.add(scenario)
        writer.add(scenario.with_(id="two", end_step=10))
        with pytest.raises(StoreError, match="ego_index 9"):
            writer.add(scenario.with_(id="three", ego_index=9))
    faults = ScenarioStore.open(tmp_path / "store").validate()
    assert faults
    assert all(fault.startswith("two: ") for fault in faults)


def test_a_store_and_a_folder_of_rollouts_are_told_apart(tmp_path, make_scenario):
    with ScenarioWriter(tmp_path / "store") as writer:
        writer.add(make_scenario())
    write_rollouts(tmp_path / "rollouts", [])
    with pytest.raises(StoreError, match=r"where waytrace.rollouts/1 was expected"):
        RolloutStore.open(tmp_path / "store")
    with pytest.raises(StoreError, match=r"where waytrace.scenarios/1 was expected"):
        ScenarioStore.open(tmp_path / "rollouts")


def test_no_pickle_anywhere(tmp_path, make_scenario):
    with ScenarioWriter(tmp_path / "store") as writer:
        writer.add(make_scenario())
    suffixes = {path.suffix for path in (tmp_path / "store").iterdir()}
    assert suffixes == {".json", ".jsonl", ".safetensors"}
    manifest = json.loads((tmp_path / "store" / "manifest.json").read_text())
    assert set(manifest) == {"sha256", "format", "version", "files", "items", "shared"}


@pytest.mark.slow
def test_thousands_of_scenarios_in_bounded_memory(tmp_path, make_scenario):
    base = make_scenario(agents=16, steps=91)

    def peak_mb() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    size = 1 << 20
    with ScenarioWriter(tmp_path / "warm", shard_bytes=size) as writer:
        for i in range(100):
            writer.add(base.with_(id=f"s{i}"))
    for scenario in ScenarioStore.open(tmp_path / "warm"):
        assert scenario.steps == 91
    before = peak_mb()
    rng = np.random.default_rng(0)
    with ScenarioWriter(tmp_path / "store", shard_bytes=size) as writer:
        for i in range(2500):
            xy = rng.normal(size=base.agents.xy.shape)
            writer.add(base.with_(id=f"s{i}", agents=replace(base.agents, xy=xy)))
    written = sum(path.stat().st_size for path in (tmp_path / "store").iterdir()) / 2**20
    total = sum(float(scenario.agents.xy[0, 0, 0]) for scenario in ScenarioStore.open(tmp_path / "store"))
    assert np.isfinite(total)
    assert written > 140
    assert peak_mb() - before < 60


def test_iteration_holds_one_scenario_at_a_time(tmp_path, make_scenario):
    with ScenarioWriter(tmp_path / "store") as writer:
        for i in range(5):
            writer.add(make_scenario(f"s{i}"))
    alive: list[weakref.ref] = []
    for scenario in ScenarioStore.open(tmp_path / "store"):
        alive.append(weakref.ref(scenario.agents))
        gc.collect()
        assert sum(ref() is not None for ref in alive) <= 2
