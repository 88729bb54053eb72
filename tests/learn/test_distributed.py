"""Several processes learn as one: equal losses, one run, the same way on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from waytrace.learn.distributed import Crew
from waytrace.learn.run_folder import read_metrics, read_run
from waytrace.learn.sampler import Sampler
from waytrace.learn.samples import SampleStore
from waytrace.learn.steps import Steps
from waytrace.learn.stores import lengths
from waytrace.model import Branches

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python"]


def _train(stores: dict[str, str], out: Path, processes: int, *more: str) -> dict[str, Any]:
    command = [
        sys.executable, "-m", "waytrace", "train", "sft", stores["train"], "--select", stores["select"],
        "--out", str(out), "--size", "nano", "--steps", "12", "--batch", "8", "--eval-every", "6", "--json",
        "--set", "log_every=2", "warmup=4", *more,
    ]  # fmt: skip
    launched = command if processes == 1 else [*TORCHRUN, *command]
    done = subprocess.run(launched, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    last: dict[str, Any] = json.loads([line for line in done.stdout.splitlines() if line.startswith("{")][-1])
    return last


def _losses(run: Path, kind: str) -> list[float]:
    return [r["loss"] for r in read_metrics(run / "metrics.jsonl") if r["kind"] == kind]


def test_the_parts_of_two_processes_draw_what_one_draws(stores: dict[str, str]) -> None:
    store = SampleStore.open(stores["train"])
    sampler, branches = Sampler(lengths(store), 8, 3), Branches(runner_up=0.5, decision_only=0.5, fast=0.5)
    whole = Steps(store, sampler, branches, Crew())
    parts = [Steps(store, sampler, branches, Crew(rank, 2)) for rank in range(2)]
    for step in (0, 1, 17):
        one, two = whole.at(step), [part.at(step) for part in parts]
        assert len(one.query_at) == sum(len(p.query_at) for p in two)
        assert np.array_equal(one.accel, np.concatenate([p.accel for p in two]))
        assert np.array_equal(one.closed_value, np.concatenate([p.closed_value for p in two]))


@pytest.mark.slow
def test_two_processes_have_the_loss_of_one(stores: dict[str, str], tmp_path: Path) -> None:
    _train(stores, tmp_path / "one", 1)
    two = _train(stores, tmp_path / "two", 2)
    _train(stores, tmp_path / "parts", 2, "accumulate=2")
    for kind in ("train", "select"):
        one_losses = _losses(tmp_path / "one", kind)
        assert len(one_losses) > 1
        for name in ("two", "parts"):
            assert _losses(tmp_path / name, kind) == pytest.approx(one_losses, rel=2e-4), name
    assert read_run(tmp_path / "two")["identity"]["processes"] == 2
    assert two["finished"]


@pytest.mark.slow
def test_two_processes_go_on_bit_for_bit(stores: dict[str, str], tmp_path: Path) -> None:
    _train(stores, tmp_path / "whole", 2, "log_every=4")
    while not _train(stores, tmp_path / "cut", 2, "minutes=0.00001", "log_every=4")["finished"]:
        pass
    for kind in ("train", "select"):
        assert _losses(tmp_path / "cut", kind) == _losses(tmp_path / "whole", kind)
