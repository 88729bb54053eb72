"""A checkpoint comes back bit by bit, or is refused by name; and is on disk whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch

from waytrace.microgpt import GPTConfig
from waytrace.microgpt import checkpoint_files as files
from waytrace.microgpt.checkpoint_files import CheckpointError
from waytrace.model import Waytrace, load_checkpoint, load_trainer, save_checkpoint
from waytrace.scenario import StoreError, WaytraceError

NAMES = ["manifest.json", *files.ALWAYS, *files.SOMETIMES]
Tensors = dict[str, Any]


@pytest.fixture
def model() -> Waytrace:
    return Waytrace(GPTConfig(1), seed=4)


@pytest.fixture
def saved(tmp_path: Path, model: Waytrace) -> Path:
    trainer = {"rng/torch": torch.get_rng_state(), "exp_avg/head.trace.begin": torch.ones(32) / 3}
    return save_checkpoint(tmp_path / "step_0000001", model, trainer=({"step": 1}, trainer))


def reseal(folder: Path, change: Callable[[dict[str, Any]], None] | None = None) -> None:
    """Make the manifest agree with the files again, as somebody would who means to; ``change`` is what they change."""
    file = folder / "manifest.json"
    manifest = json.loads(file.read_bytes())
    del manifest["sha256"]
    for name in list(manifest["files"]):
        data = (folder / name).read_bytes()
        manifest["files"][name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    if change:
        change(manifest)
    body = json.dumps(manifest).encode()[1:] + b"\n"
    file.write_bytes(b'{"sha256": "%s",\n' % hashlib.sha256(body).hexdigest().encode() + body)


def edit(folder: Path, change: Callable[[Tensors], None], name: str = files.HEAD_WEIGHTS, list_it: bool = True) -> None:
    """Change tensors of a file, with a manifest that agrees."""
    tensors = safetensors.numpy.load_file(folder / name)
    change(tensors)
    safetensors.numpy.save_file(tensors, folder / name)
    listed = {k: {"shape": list(v.shape), "dtype": v.dtype.name} for k, v in tensors.items()}
    reseal(folder, (lambda m: m["tensors"].update({name: listed})) if list_it else None)


def test_a_model_comes_back_bit_by_bit(saved: Path, model: Waytrace) -> None:
    loaded = load_checkpoint(saved)
    assert loaded.config == model.config
    for name, value in model.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name]), name
    record, tensors = load_trainer(saved)
    assert record == {"step": 1}
    assert torch.equal(tensors["rng/torch"], torch.get_rng_state())
    assert torch.equal(tensors["exp_avg/head.trace.begin"], torch.ones(32) / 3)


def test_it_lies_as_the_design_says(saved: Path) -> None:
    assert sorted(p.relative_to(saved).as_posix() for p in saved.rglob("*") if p.is_file()) == sorted(NAMES)
    base, head = (safetensors.numpy.load_file(saved / name) for name in (files.BASE_WEIGHTS, files.HEAD_WEIGHTS))
    assert {name.split(".")[0] for name in base} == {"scene", "backbone"}
    assert {name.split(".")[0] for name in head} == {"head"}
    record = json.loads((saved / "base.json").read_text())
    assert record["kind"] == "micro"
    assert record["weights_sha256"] == files.weights_hash(base)


@pytest.mark.parametrize("name", NAMES)
def test_one_flipped_bit_anywhere_is_seen_and_the_file_named(saved: Path, name: str) -> None:
    whole = (saved / name).read_bytes()
    for at in np.random.default_rng(0).integers(0, len(whole), 5):
        data = bytearray(whole)
        data[at] ^= 1 << 3
        (saved / name).write_bytes(data)
        with pytest.raises(CheckpointError, match=Path(name).name):
            load_checkpoint(saved)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(CheckpointError, match=Path(name).name):
        load_checkpoint(saved)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.pop("head.trace.begin"), "'head.trace.begin' is missing"),
        (lambda t: t.update({"head.delta.weight": t["head.trace.begin"]}), "there is a tensor 'head.delta.weight'"),
        (lambda t: t.update({"head.trace.begin": np.zeros(64, np.float32)}), r"'head.trace.begin' is float32\[64\]"),
        (lambda t: t.update({"head.trace.begin": np.zeros(32)}), r"'head.trace.begin' is float64"),
        (lambda t: t["head.control.out.weight"].__setitem__((1, 2), np.nan), "'head.control.out.weight' has 1 values"),
    ],
)  # fmt: skip
def test_tensors_that_do_not_fit_are_named(saved: Path, change: Any, said: str) -> None:
    edit(saved, change)
    with pytest.raises(CheckpointError, match=said) as caught:
        load_checkpoint(saved)
    assert str(saved) in str(caught.value)
    assert any(way in str(caught.value) for way in ("Take another", "Take an earlier"))


def test_tensors_that_the_manifest_does_not_list_are_named(saved: Path) -> None:
    edit(saved, lambda t: t.update({"head.extra": t["head.trace.begin"]}), list_it=False)
    with pytest.raises(CheckpointError, match=r"'head\.extra', which the manifest does not list"):
        load_checkpoint(saved)


def test_another_base_of_the_same_shape_is_refused(saved: Path, tmp_path: Path) -> None:
    other = save_checkpoint(tmp_path / "step_0000002", Waytrace(GPTConfig(1), seed=5))
    shutil.copy(other / files.BASE_WEIGHTS, saved / files.BASE_WEIGHTS)
    reseal(saved)
    with pytest.raises(CheckpointError, match="its shapes fit, its weights are others"):
        load_checkpoint(saved)
    shutil.copy(other / files.BASE, saved / files.BASE)
    reseal(saved)
    with pytest.raises(CheckpointError, match=r"head_config\.json belongs to the base"):
        load_checkpoint(saved)


def test_other_slots_or_columns_are_refused(saved: Path) -> None:
    for key, what in (("vocabulary_sha256", "slots"), ("features_sha256", "columns")):
        record = json.loads((saved / files.HEAD_CONFIG).read_text())
        (saved / files.HEAD_CONFIG).write_text(json.dumps(record | {key: "0" * 64}))
        reseal(saved)
        with pytest.raises(CheckpointError, match=f"trained with other {what}"):
            load_checkpoint(saved)
        (saved / files.HEAD_CONFIG).write_text(json.dumps(record))


def test_a_file_put_there_later_is_named(saved: Path) -> None:
    (saved / "head" / "notes.txt").write_text("mine")
    with pytest.raises(CheckpointError, match=r"notes\.txt is not in the manifest"):
        load_checkpoint(saved)


def test_what_is_no_checkpoint_is_called_so(tmp_path: Path, saved: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        load_checkpoint(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match=r"has no manifest\.json"):
        load_checkpoint(tmp_path)
    with pytest.raises(CheckpointError, match="Choose the size of the checkpoint"):
        load_checkpoint(saved, Waytrace(GPTConfig(2)))
    save_checkpoint(tmp_path / "bare", Waytrace(GPTConfig(1)))
    with pytest.raises(CheckpointError, match="no state of training"):
        load_trainer(tmp_path / "bare")
    assert issubclass(CheckpointError, WaytraceError)


def test_weights_that_are_not_finite_are_never_written(tmp_path: Path, model: Waytrace) -> None:
    with torch.no_grad():
        model.head.trace.begin[3] = torch.inf
    with pytest.raises(CheckpointError, match=r"'head\.trace\.begin' has 1 values"):
        save_checkpoint(tmp_path / "step", model)
    assert not list(tmp_path.iterdir())


def test_nothing_that_is_there_is_overwritten(saved: Path, model: Waytrace) -> None:
    before = (saved / "manifest.json").read_bytes()
    with pytest.raises(StoreError):
        save_checkpoint(saved, model)
    assert (saved / "manifest.json").read_bytes() == before
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]


@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
def test_a_disk_that_fails_at_any_write_leaves_nothing(
    tmp_path: Path, model: Waytrace, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    real = getattr(os, call) if call != "rename" else Path.rename
    for failing in range(40):
        left = [failing]

        def fail(*args: Any, left: list[int] = left) -> Any:
            if left[0] == 0:
                raise OSError(28, "No space left on device")
            left[0] -= 1
            return real(*args)

        with monkeypatch.context() as patch:
            patch.setattr(*((os, call) if call != "rename" else (Path, "rename")), fail)
            try:
                save_checkpoint(tmp_path / "step", model)
                break
            except StoreError as error:
                assert "No space left" in str(error)  # noqa: PT017
        assert not list(tmp_path.iterdir()), failing
    assert failing >= {"write": 6, "fsync": 6, "rename": 1}[call]
    load_checkpoint(tmp_path / "step")
