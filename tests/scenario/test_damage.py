"""What is on disk is what was written, or an error says which file is not."""

import dataclasses
import errno
import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys

import hypothesis
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from waytrace.geometry import Polylines
from waytrace.scenario import (
    RolloutStore,
    ScenarioStore,
    ScenarioWriter,
    StoreError,
    WaytraceError,
    check_scenario,
    scenario_hash,
    write_rollouts,
)


@pytest.fixture
def store(tmp_path, make_scenario):
    path = tmp_path / "store"
    with ScenarioWriter(path, shard_items=2) as writer:
        for i in range(3):
            writer.add(make_scenario(f"s{i}", seed=i, steps=12, agents=2))
    return path


def read_all(path):
    with ScenarioStore.open(path) as opened:
        return [scenario_hash(scenario) for scenario in opened]


STEMS = ("maps-00000", "scenarios-00000", "scenarios-00001")
FILES = ["manifest.json", *(f"{stem}.{suffix}" for stem in STEMS for suffix in ("jsonl", "safetensors"))]


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_anywhere_is_found(store, name):
    path = store / name
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    offsets = {0, 1, 12, 13, 76, 77, 80, len(data) - 1, *rng.integers(0, len(data), 60).tolist()}
    for offset in sorted(o for o in offsets if o < len(data)):
        damaged = bytearray(data)
        damaged[offset] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(StoreError, match=name):
            read_all(store)
        with pytest.raises(StoreError, match=name):
            ScenarioStore.open(store, verify="full")
    path.write_bytes(data)
    assert len(read_all(store)) == 3


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", ["missing", "empty", "half", "one byte less", "one byte more"])
def test_a_file_of_another_length_is_found_at_opening(store, name, how):
    path = store / name
    data = path.read_bytes()
    changed = {"empty": b"", "half": data[: len(data) // 2], "one byte less": data[:-1], "one byte more": data + b"\n"}
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(changed[how])
    with pytest.raises(StoreError, match=r"manifest\.json" if name == "manifest.json" else name):
        ScenarioStore.open(store)


@pytest.mark.parametrize("name", ["scenarios-00002.safetensors", "extra.jsonl"])
def test_a_file_too_many_is_found_at_opening(store, name):
    (store / name).write_bytes(b"")
    with pytest.raises(StoreError, match=f"{name} does not belong"):
        ScenarioStore.open(store)


def test_notes_beside_the_shards_do_no_harm(store):
    (store / "README.txt").write_text("my notes")
    assert len(read_all(store)) == 3


def test_files_of_two_stores_are_not_mixed(store, tmp_path, make_scenario):
    other = tmp_path / "other"
    with ScenarioWriter(other, shard_items=2) as writer:
        for i in range(3):
            writer.add(make_scenario(f"s{i}", seed=i + 7, steps=12, agents=2))
    name = "scenarios-00000.safetensors"
    assert (store / name).stat().st_size == (other / name).stat().st_size
    shutil.copy(other / name, store / name)
    with pytest.raises(StoreError, match=name):
        read_all(store)


def test_validate_names_every_damaged_file(store):
    for name in ("maps-00000.safetensors", "scenarios-00001.jsonl"):
        data = bytearray((store / name).read_bytes())
        data[-5] ^= 1
        (store / name).write_bytes(data)
    faults = ScenarioStore.open(store).validate()
    assert len(faults) == 2
    assert all("damaged" in fault for fault in faults)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1, 2", b"\x80\x04N.", b'{"sha256": "' + b"0" * 64 + b'",\n}'])
def test_what_is_no_manifest_is_refused(tmp_path, content):
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(StoreError, match="damaged or not a store's"):
        ScenarioStore.open(tmp_path)


def test_where_there_is_no_store_the_error_says_so(tmp_path):
    with pytest.raises(StoreError, match="does not exist"):
        ScenarioStore.open(tmp_path / "nothing")
    with pytest.raises(StoreError, match=r"no manifest\.json"):
        ScenarioStore.open(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="file"):
        ScenarioStore.open(tmp_path / "file")
    assert issubclass(StoreError, WaytraceError)


def resigned(data: bytes) -> bytes:
    """A manifest with its first line made to fit the rest."""
    body = data.split(b"\n", 1)[1]
    return b'{"sha256": "' + hashlib.sha256(body).hexdigest().encode() + b'",\n' + body


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"scenarios-00000.jsonl"', b'"../../etc/passwd"'),
        (b'"scenarios-00000"', b'"../scenarios-00000"'),
        (b'"key": "0"', b'"key": "7"'),
        (b'"offset": 0', b'"offset": 3'),
        (b'"offset": 0', b'"offset": -3'),
        (b'"items"', b'"item"'),
        (b'"version"', b'"extra": 1, "version"'),
        (b'"map": "', b'"map": ["'),
    ],
)
def test_a_manifest_made_to_mislead_is_refused(store, old, new):
    path = store / "manifest.json"
    data = path.read_bytes()
    assert old in data
    path.write_bytes(resigned(data.replace(old, new)))
    with pytest.raises(StoreError):
        read_all(store)


def test_a_ragged_array_without_starts_is_refused(tmp_path, make_scenario):
    scenario = make_scenario()
    bad = dataclasses.replace(scenario.map, crosswalk=Polylines(np.zeros((0, 2)), np.zeros(0, np.int32)))
    assert check_scenario(scenario.with_(map=bad))
    with ScenarioWriter(tmp_path / "store") as writer, pytest.raises(StoreError, match=r"crosswalk\.start"):
        writer.add(scenario.with_(map=bad))


@given(data=st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_store_forged_with_fitting_hashes_is_read_or_refused(store, tmp_path, data):
    """Whoever can rewrite the hashes can write any content; reading it still ends in a scenario or in an error."""
    forged = tmp_path / "forged"
    shutil.rmtree(forged, ignore_errors=True)
    shutil.copytree(store, forged)
    name = data.draw(st.sampled_from(FILES))
    content = bytearray((forged / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        first = (
            data.draw(st.integers(0, len(content) - 1)) if data.draw(st.booleans()) else data.draw(st.integers(0, 600))
        )
        content[first : first + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    (forged / name).write_bytes(content)
    manifest = forged / "manifest.json"
    if name == "manifest.json":
        manifest.write_bytes(resigned(bytes(content) + b"\n"))
    else:
        said = json.loads(manifest.read_bytes())
        del said["sha256"]
        said["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        manifest.write_bytes(resigned(b"\n" + json.dumps(said).encode()[1:]))
    try:
        faults = ScenarioStore.open(forged).validate()
    except StoreError:
        return
    assert all(isinstance(fault, str) for fault in faults)


def test_a_store_is_not_overwritten_unasked(store, make_scenario):
    before = read_all(store)
    with pytest.raises(StoreError, match="holds a store already"):
        ScenarioWriter(store)
    with ScenarioWriter(store, overwrite=True) as writer:
        writer.add(make_scenario("new"))
        assert read_all(store) == before
    assert ScenarioStore.open(store).ids == ("new",)
    assert [path.name for path in store.parent.iterdir()] == ["store"]


def test_a_store_behind_a_link_is_replaced_and_the_link_stays(store, tmp_path, make_scenario):
    link = tmp_path / "current"
    link.symlink_to(store)
    with ScenarioWriter(link, overwrite=True) as writer:
        writer.add(make_scenario("new"))
    assert link.is_symlink()
    assert ScenarioStore.open(store).ids == ScenarioStore.open(link).ids == ("new",)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "store"]


def test_nothing_but_a_store_is_overwritten(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("years of work")
    for path in (tmp_path / "thesis", tmp_path / "thesis" / "chapter.tex"):
        with pytest.raises(StoreError):
            ScenarioWriter(path, overwrite=True)
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "years of work"


def test_an_error_in_the_block_leaves_nothing(tmp_path, make_scenario):
    def read_badly():
        with ScenarioWriter(tmp_path / "store", shard_items=1) as writer:
            for i in range(3):
                writer.add(make_scenario(f"s{i}"))
            raise RuntimeError("the reader broke")

    with pytest.raises(RuntimeError, match="the reader broke"):
        read_badly()
    assert list(tmp_path.iterdir()) == []


def test_a_closed_writer_takes_nothing_more(tmp_path, make_scenario):
    with ScenarioWriter(tmp_path / "store") as writer:
        writer.add(make_scenario())
    with pytest.raises(StoreError, match="closed"):
        writer.add(make_scenario("two"))


class FaultAt:
    """Makes the n-th call that touches the disk fail; counts them."""

    def __init__(self, monkeypatch, n):
        self.calls = 0
        for name in ("open", "write", "fsync", "rename", "mkdir"):
            monkeypatch.setattr(os, name, self.failing(getattr(os, name), n))

    def failing(self, original, n):
        def call(*args, **kwargs):
            self.calls += 1
            if self.calls == n:
                raise OSError(errno.ENOSPC, "No space left on device")
            return original(*args, **kwargs)

        return call


@pytest.mark.parametrize("existing", [False, True])
def test_a_fault_at_any_write_leaves_the_old_store_or_none(tmp_path, make_scenario, existing):
    path = tmp_path / "place" / "store"
    made = [make_scenario(f"s{i}", seed=i, steps=12, agents=2) for i in range(3)]

    def start_again():
        shutil.rmtree(path.parent, ignore_errors=True)
        if existing:
            with ScenarioWriter(path) as writer:
                writer.add(make_scenario("old"))

    failed = 0
    for n in itertools.count(1):
        start_again()
        error = None
        with pytest.MonkeyPatch.context() as patch:
            disk = FaultAt(patch, n)
            try:
                with ScenarioWriter(path, shard_items=1, overwrite=existing) as writer:
                    for scenario in made:
                        writer.add(scenario)
            except StoreError as raised:
                error = raised
        if error is not None:
            failed += 1
            assert "No space left" in str(error)
            assert not existing or ScenarioStore.open(path).ids == ("old",)
            left = [p.name for p in path.parent.iterdir()] if path.parent.exists() else []
            assert left == (["store"] if existing else [])
        else:
            # No fault, or one that did no harm (in clearing away the replaced store, when the new one stood already).
            assert len(read_all(path)) == 3
        if disk.calls < n:
            break
    assert failed > 20


def test_a_killed_writer_leaves_no_store(tmp_path):
    code = (
        "import os, sys\n"
        "from waytrace.scenario._shards import ShardWriter\n"
        "from pathlib import Path\n"
        "w = ShardWriter(Path(sys.argv[1]), 'x/1', version='0', overwrite=False, shard_bytes=1, shard_items=1)\n"
        "for i in range(3): w.put('items', 'x', {}, {}, {'i': i})\n"
        "os._exit(9)\n"
    )
    path = tmp_path / "store"
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 9
    assert not path.exists()
    (left,) = tmp_path.iterdir()
    assert left.name.startswith("store.unfinished-")
    with pytest.raises(StoreError, match="never ended"):
        ScenarioStore.open(left)


def test_rollouts_are_guarded_alike(tmp_path, rollouts):
    rollout = hypothesis.find(rollouts, lambda rollout: len(rollout.pose) > 3)
    path = write_rollouts(tmp_path / "rollouts", [rollout])
    with pytest.raises(StoreError, match="already"):
        write_rollouts(path, [rollout])
    with pytest.raises(StoreError, match="one rollout per scenario"):
        write_rollouts(tmp_path / "twice", [rollout, rollout])
    assert not (tmp_path / "twice").exists()
    file = path / "rollouts-00000.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 4
    file.write_bytes(data)
    with RolloutStore.open(path) as store, pytest.raises(StoreError, match=file.name):
        list(store)
    assert len(RolloutStore.open(path).validate()) == 1
