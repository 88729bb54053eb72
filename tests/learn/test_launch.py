"""Runs in processes of their own come back with what they left, and with what was wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from waytrace.learn.config import ConfigError, SftConfig
from waytrace.learn.launch import train_together
from waytrace.learn.run_folder import read_run


def _config(stores: dict[str, str], steps: int = 6) -> SftConfig:
    return SftConfig(
        samples=(stores["train"],),
        select=(stores["select"],),
        size="nano",
        steps=steps,
        batch=8,
        warmup=2,
        eval_every=3,
    )


@pytest.mark.slow
def test_two_processes_and_one_answer_alike(stores: dict[str, str], tmp_path: Path) -> None:
    said: list[str] = []
    for processes in (1, 2):
        out = tmp_path / str(processes)
        done = train_together(_config(stores), out, processes, said.append)
        assert (done.step, done.finished) == (6, True)
        assert done.best is not None
        assert done.best.parent == out / "checkpoints"
        assert read_run(out)["identity"]["processes"] == processes
    assert sum("6 of 6" in line for line in said) == 2, "what processes say is passed on"


@pytest.mark.slow
def test_what_is_wrong_comes_back_from_processes(stores: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    train_together(_config(stores), out, 2)
    with pytest.raises(ConfigError, match="steps"):
        train_together(replace(_config(stores), steps=9), out, 2)
    with pytest.raises(ConfigError, match="divided evenly"):
        train_together(replace(_config(stores), batch=7), tmp_path / "odd", 3)
