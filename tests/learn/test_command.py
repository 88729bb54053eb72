"""``waytrace train sft`` as it is typed: bad input in words, one JSON object, a page."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from waytrace.cli import main

QUICK = ["--size", "nano", "--steps", "4", "--batch", "8", "--eval-every", "2", "--set", "warmup=1", "log_every=1"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "holds no finished samples"),
        (["TRAIN", "--set", "clipp=1"], "write NAME=VALUE, with one of"),
        (["TRAIN", "--set", "clip=much"], "clip is of type float"),
        (["TRAIN", "--batch", "4096"], "fewer than a batch of 4096"),
        (["TRAIN", "--set", "drive_every=30"], "must be a multiple of eval_every"),
        (["TRAIN", "--init", "nowhere"], "does not exist"),
        (["TRAIN", "--set", "sinks=pigeon"], "there are tensorboard, wandb"),
        (["TRAIN", "--seed", "-1"], "seed = -1 must not be negative"),
        (["SELECT"], "samples of split 'select'"),
    ],
)
def test_bad_input_is_said_in_words(
    arguments: list[str], said: str, stores: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = [stores.get(word.lower(), word) for word in arguments]
    assert main(["train", "sft", *named, "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_without_torch_it_says_how_to_get_it(
    stores: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [m for m in sys.modules if m.startswith(("waytrace.learn.sft", "torch"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["train", "sft", stores["train"], "--out", str(tmp_path / "run")]) == 2
    assert "pip install 'waytrace[train]'" in capsys.readouterr().err


def test_it_leaves_a_checkpoint_a_page_and_one_object(
    stores: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "sft", stores["train"], "--select", stores["select"], "--out", str(tmp_path / "run"), *QUICK]
    assert main([*command, "--json"]) == 0
    captured = capsys.readouterr()
    (line,) = captured.out.splitlines()
    said = json.loads(line)
    assert (said["step"], said["finished"], said["ended"]) == (4, True, "all steps made")
    assert said["figures"]["decision"]["lateral"]["support"] > 0
    assert Path(said["checkpoint"], "manifest.json").is_file()
    assert "Losses" in Path(said["report"]).read_text()
    assert "samples/s" in captured.err
    assert main([*command, "--lr", "0.1"]) == 2
    assert "lr: 0.002 -> 0.1" in capsys.readouterr().err


@pytest.mark.parametrize(("call", "failing"), [("open", 3), ("write", 18), ("fsync", 30), ("replace", 5)])
def test_a_disk_that_refuses_is_said_in_one_line_and_the_run_goes_on(
    call: str, failing: int, stores: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    command = ["train", "sft", stores["train"], "--out", str(tmp_path / "run"), *QUICK]
    real, left = getattr(os, call), [failing]

    def full(*given: Any, **more: Any) -> Any:
        if call == "open" and not given[1] & os.O_CREAT:
            return real(*given, **more)
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        return real(*given, **more)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        assert main(command) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    last = said.splitlines()[-1]
    assert last.startswith(f"waytrace train sft: {tmp_path / 'run'}")
    assert "could not be written: No space left on device" in last
    assert last.endswith("Make room and repeat the command, or choose another folder.")
    assert main(command) == 0


def test_a_place_that_no_run_can_have_is_said(
    stores: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("precious")
    for place, said in (("file", "holds something that is no run"), ("file/run", "could not be written: Not a dir")):
        assert main(["train", "sft", stores["train"], "--out", str(tmp_path / place), *QUICK]) == 2
        assert said in capsys.readouterr().err.splitlines()[-1]
    assert (tmp_path / "file").read_text() == "precious"
