"""Runs that die in the middle."""

from __future__ import annotations

from pathlib import Path

import pytest

from waytrace.learn.config import SftConfig
from waytrace.learn.progress import Pace
from waytrace.learn.sft import train_sft


class Killed(BaseException):
    """The process is gone."""


def killed_at(step: int, monkeypatch: pytest.MonkeyPatch, config: SftConfig, out: Path) -> None:
    """Begin a run, and let it die after a step."""
    own = Pace.step

    def dies(self: Pace, at: int, loss: float, lr: float) -> None:
        own(self, at, loss, lr)
        if at == step:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Pace, "step", dies)
        with pytest.raises(Killed):
            train_sft(config, out)
