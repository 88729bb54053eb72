"""A store becomes a folder of labels: resumable, checked, and of the right split."""

import json

import pytest

from waytrace.catalogue import generate
from waytrace.label import LabelError, LabelStore, label_store, runner_up_of
from waytrace.label import run as run_module
from waytrace.scenario import StoreError
from waytrace.scenario.splits import SplitError
from waytrace.scenario.store import ScenarioWriter


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("labels") / "store"
    with ScenarioWriter(path) as writer:
        for seed in range(3):
            writer.add(generate("ccrs", seed))
    return path


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(run_module, "SHARD_SCENARIOS", 1)


def test_labels_are_read_as_they_were_written(store, tmp_path):
    labels = label_store(store, tmp_path / "out", every_s=4.0, runner_up=True)
    lines = list(labels)
    assert len(lines) == len(labels) > 3
    assert [line.scenario for line in lines] == sorted(line.scenario for line in lines)
    assert {line.tick % 40 for line in lines} == {0}
    assert all(line.plan is not None and line.plan.waypoints.shape == (16, 4) for line in lines)
    seconds = [runner_up_of(line) for line in lines]
    assert any(second is not None for second in seconds)
    assert all(second.trace != line.trace for line, second in zip(lines, seconds, strict=True) if second is not None)
    one = labels.scenarios[1]
    assert {line.scenario for line in labels.of(one)} == {one}
    assert labels.families["ccrs"]["decisions"] == len(lines)


def test_repeating_the_call_does_what_is_left_and_nothing_else(store, tmp_path, small):
    out = tmp_path / "out"
    first = list(label_store(store, out, every_s=4.0))
    shards = sorted((out / "shards").glob("*.jsonl"))
    before = [shard.stat().st_mtime_ns for shard in shards]
    bytes_1 = shards[1].read_bytes()
    shards[1].unlink()
    seen = []
    again = label_store(store, out, every_s=4.0, progress=lambda done, total, last: seen.append((done, total)))
    assert seen == [(3, 3)]
    assert shards[1].read_bytes() == bytes_1
    assert [shards[k].stat().st_mtime_ns for k in (0, 2)] == [before[0], before[2]]
    assert [line.trace for line in again] == [line.trace for line in first]


@pytest.mark.slow
def test_the_labels_do_not_depend_on_workers(store, tmp_path, small):
    one = label_store(store, tmp_path / "one", every_s=4.0)
    two = label_store(store, tmp_path / "two", every_s=4.0, workers=2)
    assert [e["sha256"] for e in one.manifest["shards"]] == [e["sha256"] for e in two.manifest["shards"]]


def test_other_settings_need_another_folder(store, tmp_path):
    label_store(store, tmp_path / "out", every_s=4.0, limit=1)
    with pytest.raises(LabelError, match=r"every_s: 4\.0 -> 2\.0"):
        label_store(store, tmp_path / "out", every_s=2.0, limit=1)
    assert len(label_store(store, tmp_path / "out", every_s=2.0, limit=1, overwrite=True)) > 1


def test_a_damaged_shard_is_named(store, tmp_path):
    labels = label_store(store, tmp_path / "out", every_s=4.0, limit=1)
    (entry,) = labels.manifest["shards"]
    shard = labels.path / "shards" / entry["file"]
    shard.write_bytes(shard.read_bytes().replace(b"keep", b"kept", 1))
    with pytest.raises(StoreError, match="sha256"):
        list(LabelStore.open(labels.path))


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(StoreError, match="holds no finished labels"):
        LabelStore.open(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"format": "other"}))
    with pytest.raises(StoreError, match="damaged or of another kind"):
        LabelStore.open(tmp_path)
    (tmp_path / "something.txt").write_text("mine")
    (tmp_path / "manifest.json").unlink()
    with pytest.raises((LabelError, StoreError)):
        label_store(tmp_path / "none", tmp_path)


def test_labels_to_train_on_come_from_train_alone(tmp_path):
    path = tmp_path / "store"
    with ScenarioWriter(path) as writer:
        writer.add(generate("ccrs", 0, "select"))
    with pytest.raises(SplitError, match="split 'select'"):
        label_store(path, tmp_path / "out")
    assert len(label_store(path, tmp_path / "out", purpose="report", every_s=4.0)) > 0


def test_verified_labels_carry_their_tests(store, tmp_path):
    labels = label_store(store, tmp_path / "out", every_s=4.0, limit=1, verify=True)
    gates = {line.header.producer.label_gate for line in labels}
    assert gates <= {"verified", "rejected", "truncated"}
    for line in labels:
        tests = line.more["tests"]
        assert {"sufficient"} <= {test["claim"] for test in tests}
        if line.header.producer.label_gate == "verified":
            assert all(test["holds"] for test in tests)
