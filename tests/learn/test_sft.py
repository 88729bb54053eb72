"""A run learns, goes on bit for bit where it was cut off, and says what it did."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from waytrace.learn.config import ConfigError, SftConfig
from waytrace.learn.run_folder import read_metrics
from waytrace.learn.sft import Trained, train_sft
from waytrace.scenario.splits import SplitError

from .dying import Killed, killed_at

TIMED = ("samples_per_s", "begun")


def _config(stores: dict[str, str], **changed: Any) -> SftConfig:
    base: dict[str, Any] = {
        "samples": (stores["train"],), "select": (stores["select"],), "size": "nano", "steps": 24, "batch": 8,
        "warmup": 4, "eval_every": 8, "log_every": 4,
    }  # fmt: skip
    return SftConfig(**(base | changed))


def _lines(run: Path) -> list[dict[str, Any]]:
    """What was measured, without what depends on the clock."""
    kept = (r for r in read_metrics(run / "metrics.jsonl") if r["kind"] in ("train", "select"))
    return [{k: v for k, v in r.items() if k not in TIMED} for r in kept]


def _files(checkpoint: Path) -> dict[str, bytes]:
    return {p.relative_to(checkpoint).as_posix(): p.read_bytes() for p in checkpoint.rglob("*") if p.is_file()}


def test_it_learns_what_follows_from_the_scene(stores: dict[str, str], tmp_path: Path) -> None:
    done = train_sft(_config(stores, steps=60, eval_every=20, batch=16), tmp_path / "run")
    lines = list(read_metrics(tmp_path / "run" / "metrics.jsonl"))
    train, select = ([r["loss"] for r in lines if r["kind"] == kind] for kind in ("train", "select"))
    assert done.finished
    assert train[-1] < 0.8 * train[0]
    assert select[-1] == done.figures["loss"] < select[0]
    assert done.checkpoint.name == "step_0000060"


SLOWER = [pytest.param(extra, marks=pytest.mark.slow) for extra in ({"ema": 0.9}, {"precision": "bf16"})]


@pytest.mark.parametrize("extra", [{}, {"optimiser": "muon"}, *SLOWER], ids=["plain", "muon", "average", "bf16"])
def test_a_run_that_was_killed_ends_with_the_same_bits(
    stores: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any]
) -> None:
    config = _config(stores, **extra)
    whole = train_sft(config, tmp_path / "whole")
    torch.manual_seed(12345)  # whatever the process did before must not matter
    killed_at(5, monkeypatch, config, tmp_path / "cut")
    killed_at(13, monkeypatch, config, tmp_path / "cut")
    torch.rand(7)
    killed_at(23, monkeypatch, config, tmp_path / "cut")
    cut = train_sft(config, tmp_path / "cut")
    assert _lines(cut.run) == _lines(whole.run)
    assert _files(cut.checkpoint) == _files(whole.checkpoint)
    assert cut.figures == whole.figures
    assert [r["step"] for r in read_metrics(cut.run / "metrics.jsonl") if r["kind"] == "piece"] == [0, 0, 8, 16]
    assert sum(r["kind"] == "trained" for r in read_metrics(cut.run / "metrics.jsonl")) == 1


def test_a_run_that_dies_while_it_writes_ends_with_the_same_bits(
    stores: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _config(stores, steps=12, eval_every=4)
    whole = train_sft(config, tmp_path / "whole")
    real, deaths = os.fsync, 0
    for allowed in itertools.count(0, 5):
        left = [allowed]

        def dies(handle: int, left: list[int] = left) -> None:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            real(handle)

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", dies)
            try:
                cut = train_sft(config, tmp_path / "cut")
                break
            except Killed:
                deaths += 1
    assert deaths > 4
    assert _lines(cut.run) == _lines(whole.run)
    assert _files(cut.checkpoint) == _files(whole.checkpoint)
    assert sorted(p.name for p in (cut.run / "checkpoints").iterdir()) == sorted(
        p.name for p in (whole.run / "checkpoints").iterdir()
    )


def test_pieces_by_the_clock_make_the_same_run(stores: dict[str, str], tmp_path: Path) -> None:
    config = _config(stores)
    whole = train_sft(config, tmp_path / "whole")
    pieces: list[Trained] = []
    while not pieces or not pieces[-1].finished:
        pieces.append(train_sft(replace(config, minutes=1e-9), tmp_path / "cut"))
    assert [p.step for p in pieces] == [4, 8, 12, 16, 20, 24]
    assert pieces[0].ended.startswith("out of time")
    assert _lines(tmp_path / "cut") == _lines(tmp_path / "whole")
    assert _files(pieces[-1].checkpoint) == _files(whole.checkpoint)


def test_a_finished_run_has_nothing_left_to_do(stores: dict[str, str], tmp_path: Path) -> None:
    config = _config(stores)
    first, again = (train_sft(config, tmp_path / "run") for _ in range(2))
    assert (again.ended, again.step, again.finished) == ("all steps made", 24, True)
    assert again.checkpoint == first.checkpoint


def test_another_config_is_refused_with_the_difference(stores: dict[str, str], tmp_path: Path) -> None:
    train_sft(_config(stores), tmp_path / "run")
    with pytest.raises(ConfigError, match=r"  lr: 0\.002 -> 0\.001\n  seed: 0 -> 3\n"):
        train_sft(_config(stores, lr=1e-3, seed=3), tmp_path / "run")


def test_the_run_stops_when_select_gets_no_better(stores: dict[str, str], tmp_path: Path) -> None:
    config = _config(stores, steps=400, lr=1e-30, patience=2, eval_every=4)
    done = train_sft(config, tmp_path / "run")
    assert done.finished
    assert done.step < 400
    assert done.ended == "no better on select for 2 looks"
    assert done.best is not None
    assert done.best.name == f"step_{done.step - 8:07d}"
    assert train_sft(config, tmp_path / "run").step == done.step


def test_samples_of_other_splits_are_refused(stores: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(SplitError, match="holds samples of split 'select'; to train only train"):
        train_sft(_config(stores, samples=(stores["select"],)), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_loss_that_is_no_number_ends_the_run(stores: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no finite number"):
        train_sft(_config(stores, lr=1e30, clip=1e30, warmup=0), tmp_path / "run")


def test_a_run_can_begin_with_the_weights_of_another(stores: dict[str, str], tmp_path: Path) -> None:
    first = train_sft(_config(stores), tmp_path / "first")
    config = _config(stores, steps=8, warmup=1, lr=1e-6, init=str(first.checkpoint))
    second = train_sft(config, tmp_path / "second")
    assert second.figures["loss"] == pytest.approx(first.figures["loss"], rel=1e-2)


@pytest.mark.slow
def test_two_threads_give_the_same_bits_each_time(stores: dict[str, str], tmp_path: Path) -> None:
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    config = _config(stores, threads=2, steps=5, select=())
    first, second = (train_sft(config, tmp_path / name) for name in ("first", "second"))
    assert _files(first.checkpoint) == _files(second.checkpoint)
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before


@pytest.mark.slow
def test_a_process_that_is_killed_goes_on_bit_for_bit(stores: dict[str, str], tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "waytrace", "train", "sft", stores["train"], "--select", stores["select"],
        "--size", "nano", "--steps", "120", "--batch", "8", "--eval-every", "10",
        "--set", "log_every=4", "warmup=4", "--json",
    ]  # fmt: skip
    whole = _json(
        subprocess.run([*command, "--out", str(tmp_path / "whole")], capture_output=True, text=True, check=True)
    )
    for looks in (2, 6):
        process = subprocess.Popen(
            [*command, "--out", str(tmp_path / "cut")], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        _await(tmp_path / "cut" / "metrics.jsonl", looks, process)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    cut = _json(subprocess.run([*command, "--out", str(tmp_path / "cut")], capture_output=True, text=True, check=True))
    assert _lines(tmp_path / "cut") == _lines(tmp_path / "whole")
    assert _files(Path(cut["checkpoint"])) == _files(Path(whole["checkpoint"]))
    assert cut["figures"] == whole["figures"]


def _await(metrics: Path, looks: int, process: subprocess.Popen[bytes]) -> None:
    """Until a run has looked at select so often."""
    while sum(r["kind"] == "select" for r in read_metrics(metrics)) < looks:
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.02)


def _json(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return record
