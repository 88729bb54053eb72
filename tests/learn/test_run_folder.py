"""A run's folder belongs to one run, and its metrics are whole lines of what the checkpoint stands for."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from waytrace.learn.config import ConfigError
from waytrace.learn.run_folder import Metrics, RunFolder, read_metrics, read_run
from waytrace.scenario import StoreError

IDENTITY = {"lr": 0.1, "samples": ("a",)}


def _claim(path: Path, **changed: object) -> RunFolder:
    return RunFolder.claim(path, "sft", {"lr": 0.1}, IDENTITY | changed)


def test_a_run_says_what_made_it(tmp_path: Path) -> None:
    _claim(tmp_path / "run")
    run = read_run(tmp_path / "run")
    assert run["config"] == {"lr": 0.1}
    assert run["identity"] == {"kind": "sft", "lr": 0.1, "samples": ["a"]}
    assert len(run["identity_sha256"]) == len(run["code"]) == 64
    assert run["environment"]["torch"]
    assert run["begun"].endswith("Z")


def test_another_config_is_refused_field_by_field(tmp_path: Path) -> None:
    _claim(tmp_path)
    _claim(tmp_path)
    with pytest.raises(ConfigError) as refused:
        _claim(tmp_path, lr=0.2, seed=1)
    assert "  lr: 0.1 -> 0.2\n  seed: None -> 1\n" in str(refused.value)
    assert "samples" not in str(refused.value)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(ConfigError, match="no run"):
        _claim(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "other"}', '{"schema": "waytrace.run/1"}'])
def test_a_damaged_run_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(ConfigError, match=r"run\.json is damaged"):
        _claim(tmp_path)


def test_metrics_go_back_to_the_checkpoint_and_lose_a_torn_line(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "metrics.jsonl")
    for step in (10, 20, 30):
        metrics.write("train", step, {"loss": 1.0 / step, "bad": float("nan")})
    with metrics.path.open("a") as file:
        file.write('{"kind":"train","step":4')
    before = metrics.path.read_text()
    metrics.rewind(20)
    assert [r["step"] for r in read_metrics(metrics.path)] == [10, 20]
    assert before.startswith(metrics.path.read_text())
    metrics.write("train", 30, {"loss": 1.0 / 30, "bad": float("nan")})
    assert before.startswith(metrics.path.read_text())
    assert json.loads(before.splitlines()[0])["bad"] is None


def test_the_newest_and_the_best_checkpoints_are_kept(tmp_path: Path) -> None:
    folder = _claim(tmp_path)
    assert folder.latest() is None
    for step in range(1, 8):
        folder.checkpoint(step).mkdir()
    (folder.path / "checkpoints" / "step_0000009.unfinished-0123").mkdir()
    folder.point("latest", folder.checkpoint(7))
    folder.point("best", folder.checkpoint(2))
    folder.tidy()
    left = sorted(p.name for p in (folder.path / "checkpoints").iterdir() if p.is_dir())
    assert left == [folder.checkpoint(k).name for k in (2, 6, 7)]
    assert folder.latest() == folder.checkpoint(7)
    assert folder.best() == folder.checkpoint(2)


def test_a_checkpoint_that_is_gone_is_named(tmp_path: Path) -> None:
    folder = _claim(tmp_path)
    folder.point("latest", folder.checkpoint(7))
    folder.point("best", folder.checkpoint(3))
    with pytest.raises(ConfigError, match="step_0000007, which is gone"):
        folder.latest()
    assert folder.best() is None


@pytest.mark.parametrize("text", [b"", b"\n", b"step_", b"../run.json", b"a/b\n", b"st\xe5p_0000007\n"])
def test_a_damaged_pointer_is_named(tmp_path: Path, text: bytes) -> None:
    folder = _claim(tmp_path)
    (folder.path / "checkpoints" / "latest").write_bytes(text)
    with pytest.raises(ConfigError, match=r"latest is damaged: it names no checkpoint"):
        folder.latest()


@pytest.mark.parametrize("line", [b'{"kind":"tr\xff"}', b"[]", b'{"kind":"train"}', b'{"kind":"train","step":"1"}'])
def test_a_damaged_line_of_metrics_is_named(tmp_path: Path, line: bytes) -> None:
    metrics = Metrics(tmp_path / "metrics.jsonl")
    metrics.write("train", 1, {})
    metrics.path.write_bytes(metrics.path.read_bytes() + line + b"\n")
    with pytest.raises(ConfigError, match=r"metrics\.jsonl, line 2 is damaged"):
        metrics.rewind(1)


def test_a_disk_that_takes_half_a_line_is_no_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics, real = Metrics(tmp_path / "metrics.jsonl"), os.write
    metrics.write("train", 1, {"loss": 1.0})
    left = [10, 0]

    def full(handle: int, data: memoryview) -> int:
        if not left[0]:
            raise OSError(28, "No space left on device")
        return real(handle, data[: left.pop(0)])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(StoreError, match=r"metrics\.jsonl could not be written: No space"):
            metrics.write("train", 2, {"loss": 0.5})
    metrics.rewind(2)
    metrics.write("train", 2, {"loss": 0.5})
    assert [r["loss"] for r in read_metrics(metrics.path)] == [1.0, 0.5]


def test_what_bears_a_name_is_whole_even_if_its_removal_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _claim(tmp_path)
    for step in range(1, 5):
        folder.checkpoint(step).mkdir()
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
    folder.tidy()
    monkeypatch.undo()
    assert not folder.checkpoint(1).exists()
    folder.tidy()
    assert sorted(p.name for p in (folder.path / "checkpoints").iterdir()) == ["step_0000003", "step_0000004"]
