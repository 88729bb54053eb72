"""A model comes back bit by bit, with what its training goes on with; and is on disk whole or not at all.

What is refused, and by which words, is tested where checkpoints are read: ``tests/microgpt/test_checkpoint.py``.
"""

from __future__ import annotations

import os
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
from waytrace.scenario import StoreError

NAMES = [files.MANIFEST, *files.REQUIRED, files.BASE, files.TRAINER_JSON, files.TRAINER]


@pytest.fixture
def model() -> Waytrace:
    return Waytrace(GPTConfig(1), seed=4)


@pytest.fixture
def saved(tmp_path: Path, model: Waytrace) -> Path:
    trainer = {"rng/torch": torch.get_rng_state(), "exp_avg/head.trace.begin": torch.ones(32) / 3}
    return save_checkpoint(tmp_path / "step_0000001", model, trainer=({"step": 1}, trainer))


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
    base, head = (safetensors.numpy.load_file(saved / name) for name in (files.BASE, files.HEAD))
    assert {name.split(".")[0] for name in base} == {"scene", "backbone"}
    assert {name.split(".")[0] for name in head} == {"head"}


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


def test_what_does_not_fit_is_called_so(tmp_path: Path, saved: Path) -> None:
    with pytest.raises(CheckpointError, match="Choose the size of the checkpoint"):
        load_checkpoint(saved, Waytrace(GPTConfig(2)))
    save_checkpoint(tmp_path / "bare", Waytrace(GPTConfig(1)))
    with pytest.raises(CheckpointError, match="no state of training"):
        load_trainer(tmp_path / "bare")


def test_weights_that_are_not_finite_are_never_written(tmp_path: Path, model: Waytrace) -> None:
    with torch.no_grad():
        model.head.trace.begin[3] = torch.inf
    with pytest.raises(CheckpointError, match=r"'head\.trace\.begin' holds a number that is not finite"):
        save_checkpoint(tmp_path / "step", model)
    assert not list(tmp_path.iterdir())


def test_nothing_that_is_there_is_overwritten(saved: Path, model: Waytrace) -> None:
    before = (saved / "manifest.json").read_bytes()
    with pytest.raises(CheckpointError, match="exists already"):
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
