"""Metrics go where they were asked to go, by path; what is not installed is named."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from waytrace.learn.config import ConfigError
from waytrace.learn.sinks import flat, open_sinks


def test_figures_go_by_their_path_and_only_numbers_go() -> None:
    figures = {"loss": 1.5, "decision": {"lateral": {"macro_f1": 0.5, "accuracy": None}}, "why": "text", "yes": True}
    assert flat(figures, "select") == {"select/loss": 1.5, "select/decision/lateral/macro_f1": 0.5}


@pytest.mark.parametrize(("name", "module"), [("tensorboard", "torch.utils.tensorboard"), ("wandb", "wandb")])
def test_a_sink_that_is_not_installed_is_named(
    name: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError, match=f"pip install {name}"):
        open_sinks([name], tmp_path, {})


def test_a_sink_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there are tensorboard, wandb"):
        open_sinks(["carrier-pigeon"], tmp_path, {})


def test_tensorboard_gets_every_figure_at_its_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[tuple[str, float, int]] = []
    closed: list[bool] = []

    class SummaryWriter:
        def __init__(self, folder: str) -> None:
            assert folder == str(tmp_path / "tensorboard")

        def add_scalar(self, name: str, value: float, step: int) -> None:
            written.append((name, value, step))

        def close(self) -> None:
            closed.append(True)

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", types.SimpleNamespace(SummaryWriter=SummaryWriter))
    (sink,) = open_sinks(["tensorboard"], tmp_path, {})
    sink.write(7, {"train/loss": 1.0, "train/lr": 0.1})
    sink.close()
    assert written == [("train/loss", 1.0, 7), ("train/lr", 0.1, 7)]
    assert closed == [True]


def test_wandb_goes_on_in_the_same_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    logged: list[tuple[dict[str, float], int]] = []
    run = types.SimpleNamespace(log=lambda figures, step: logged.append((figures, step)), finish=lambda: None)
    monkeypatch.setitem(sys.modules, "wandb", types.SimpleNamespace(init=lambda **given: asked.update(given) or run))
    (sink,) = open_sinks(["wandb"], tmp_path / "run-7", {"lr": 0.1})
    sink.write(7, {"train/loss": 1.0})
    sink.close()
    assert (asked["id"], asked["resume"], asked["config"]) == ("run-7", "allow", {"lr": 0.1})
    assert logged == [({"train/loss": 1.0}, 7)]
