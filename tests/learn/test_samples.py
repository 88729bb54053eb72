"""The sample store: what goes in comes out, and nothing damaged does."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from waytrace.catalogue import generate
from waytrace.label import label_drive
from waytrace.learn.drives import drive_samples
from waytrace.learn.packing import pack
from waytrace.learn.sample import BRANCHES
from waytrace.learn.samples import SampleStore
from waytrace.learn.shard import FEATURE_SHAPES, shard_bytes
from waytrace.microgpt import PLACES
from waytrace.scenario import StoreError
from waytrace.trace.codec import decode
from waytrace.trace.slots import SLOTS, token


def test_a_batch_holds_what_was_collected(store):
    again = [
        sample for family, seed in (("ccrm", 400_000), ("cut-in", 400_000), ("ccrm", 400_001), ("cut-in", 400_001))
        for sample in drive_samples(generate(family, seed), "expert", tally=Counter(), every_s=4.0)
    ]  # fmt: skip
    assert len(store) == len(again) > 10
    order = np.random.default_rng(0).permutation(len(store))
    batch = store.batch(order)
    longest = max(len(branch.slot) for sample in again for branch in sample.branches)
    assert batch.slot.shape == batch.value.shape == (len(store), len(BRANCHES), longest)
    for b, i in enumerate(order):
        sample = again[i]
        for kind in PLACES:
            exact = getattr(sample.tokens, kind)[0]
            assert getattr(batch.tokens, kind)[b] == pytest.approx(exact, rel=1e-3, abs=1e-3)
        assert (batch.tokens.valid[b] == sample.tokens.valid[0]).all()
        assert (batch.tokens.row[b] == sample.tokens.row[0]).all()
        assert batch.present[b].tolist() == [k < len(sample.branches) for k in range(len(BRANCHES))]
        for k, branch in enumerate(sample.branches):
            n = len(branch.slot)
            assert (batch.slot[b, k, :n] == branch.slot).all()
            assert (batch.value[b, k, :n] == branch.value).all()
            assert (batch.slot[b, k, n:] == -1).all()
            assert tuple(batch.decision[b, k]) == branch.decision
            assert batch.accel[b, k] == pytest.approx(branch.accel_mps2, abs=1e-6)
            assert batch.curvature[b, k] == pytest.approx(branch.curvature_1pm, abs=1e-6)
        assert tuple(batch.before[b]) == sample.before
        assert batch.speed[b] == pytest.approx(sample.speed_mps, abs=1e-5)
        assert (batch.scenario[b], batch.tick[b]) == (sample.scenario, sample.tick)


def test_a_branch_is_the_trace_of_the_label(store):
    moments = list(label_drive(generate("ccrm", 400_000), every_s=4.0, runner_up=True))
    batch = store.batch(range(len(moments)))
    for b, moment in enumerate(moments):
        for k, label in enumerate([moment.label, moment.runner_up]):
            if label is None:
                assert not batch.present[b, k]
                continue
            chosen = batch.slot[b, k] >= 0
            tokens = [
                token(SLOTS[slot], value)
                for slot, value in zip(batch.slot[b, k, chosen], batch.value[b, k, chosen], strict=True)
            ]
            assert decode(tokens, moment.at.present, forced=False) == label.trace
        last = moments[b - 1].label.trace.decision.longitudinal if b else None
        assert (last is None) == (batch.before[b, 0] < 0)


def test_what_batches_are_planned_by_is_there_without_reading_them(store):
    batch = store.batch(range(len(store)))
    assert (store.tokens == batch.tokens.valid.sum(1)).all()
    assert (store.traces == (batch.slot >= 0).sum(2)).all()
    assert (store.decisions == batch.decision).all()
    assert store.scenarios == batch.scenario
    assert set(store.drivers.tolist()) == {0}


def test_pages_of_the_files_serve_as_well_as_memory(store, folder):
    mapped = SampleStore.open(folder, mapped=True)
    picked = [len(store) - 1, 0, 3, 3]
    for one, other in zip(store.batch(picked), mapped.batch(picked), strict=True):
        if isinstance(one, tuple) and not isinstance(one[0], str):
            assert all((a == b).all() for a, b in zip(one, other, strict=True))
        else:
            assert np.all(np.asarray(one) == np.asarray(other))


def test_stores_joined_are_numbered_through(store):
    both = SampleStore.join([store, store])
    assert len(both) == 2 * len(store)
    last = both.batch([len(both) - 1])
    assert last.scenario == (store.scenarios[-1],)
    assert (last.tokens.agent == store.batch([len(store) - 1]).tokens.agent).all()


def test_numbers_that_there_are_not_are_refused(store):
    for wrong in ([len(store)], [-1]):
        with pytest.raises(StoreError, match=f"samples 0 to {len(store) - 1}"):
            store.batch(wrong)
    empty = store.batch([])
    assert empty.present.shape == (0, len(BRANCHES))


def damaged(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    return copy, manifest, copy / "shards" / manifest["shards"][0]["file"]


def test_one_flipped_bit_is_found_and_the_file_named(folder, tmp_path):
    copy, _, shard = damaged(folder, tmp_path)
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 4
    shard.write_bytes(data)
    with pytest.raises(StoreError, match=rf"{shard.name} is not what the manifest says \(sha256\)\. Delete it"):
        SampleStore.open(copy)


def test_a_shard_that_is_short_or_gone_is_named(folder, tmp_path):
    copy, _, shard = damaged(folder, tmp_path)
    shard.write_bytes(shard.read_bytes()[:-10])
    with pytest.raises(StoreError, match=f"{shard.name} has .* bytes, the manifest says"):
        SampleStore.open(copy)
    shard.unlink()
    with pytest.raises(StoreError, match=f"{shard.name} is missing"):
        SampleStore.open(copy)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [("features", float("nan"), "features are not finite"), ("slot", 200, "slot is none"),
     ("value", 999, "value is none"), ("row", 151, "row points outside"), ("driver", 9, "driver is out"),
     ("scenario", 7, "scenario is out of its range"),
     ("accel", float("inf"), "plans are not finite"), ("branch_lo", -1, "traces do not fit")],
)  # fmt: skip
def test_numbers_out_of_their_range_are_found_though_the_hash_fits(name, value, message, samples, folder, tmp_path):
    copy, manifest, shard = damaged(folder, tmp_path)
    packed = pack(samples, [samples[0].scenario])
    array = getattr(packed, name).copy()
    flat = array.view(np.float16) if name == "features" else array.reshape(-1)
    flat[len(flat) // 2] = value
    data = shard_bytes(packed._replace(**{name: array}))
    shard.write_bytes(data)
    manifest["shards"][0] |= {
        "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "samples": len(samples),
        "scenarios": [samples[0].scenario],
    }  # fmt: skip
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(StoreError, match=f"{shard.name}: {message}"):
        SampleStore.open(copy)


def test_bytes_that_are_no_shard_are_an_error_not_a_crash(folder, tmp_path):
    copy, manifest, shard = damaged(folder, tmp_path)
    for data in (b"", b"short", b"\xff" * 100, (20).to_bytes(8, "little") + b'{"features": {}}    '):
        shard.write_bytes(data)
        manifest["shards"][0] |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        (copy / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(StoreError, match=r"shards/.*\.safetensors"):
            SampleStore.open(copy)


@pytest.mark.parametrize(
    ("field", "message"), [("vocabulary", "made with other slots"), ("features", "made with other features")]
)
def test_samples_of_another_version_are_refused(field, message, folder, tmp_path):
    copy, manifest, _ = damaged(folder, tmp_path)
    assert manifest["shapes"] == FEATURE_SHAPES
    (copy / "manifest.json").write_text(json.dumps(manifest | {field: "0" * 64}))
    with pytest.raises(StoreError, match=message):
        SampleStore.open(copy)


def test_a_folder_that_is_none_says_what_to_do(tmp_path):
    with pytest.raises(StoreError, match="holds no finished samples"):
        SampleStore.open(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(StoreError, match="repeat the command"):
        SampleStore.open(tmp_path)
    (tmp_path / "manifest.json").write_text("[1]")
    with pytest.raises(StoreError, match="damaged or of another kind"):
        SampleStore.open(tmp_path)


def test_a_sample_without_a_runner_up_has_one_branch(samples):
    alone = [replace(sample, branches=sample.branches[:1]) for sample in samples]
    packed = pack(alone, [samples[0].scenario])
    assert packed.present.tolist() == [[True, False]] * len(samples)
    assert (packed.decision[:, 1] == -1).all()
    assert (np.diff(packed.branch_lo)[1::2] == 0).all()
