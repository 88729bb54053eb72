"""Stages are done once, add up their time over pieces, and refuse other settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from waytrace.learn.config import ConfigError
from waytrace.learn.stages import OutOfTimeError, Stages


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_finished_stage_is_passed_over(tmp_path: Path) -> None:
    done: list[str] = []

    def work() -> Mapping[str, Any]:
        done.append("once")
        return {"samples": 3}

    for _ in range(3):
        assert Stages(tmp_path).run("collect", {"count": 1}, work) == {"samples": 3}
    assert done == ["once"]


def test_time_adds_up_over_pieces_that_broke(tmp_path: Path) -> None:
    clock = Clock()

    def breaks() -> Mapping[str, Any]:
        clock.now += 7.0
        raise KeyboardInterrupt

    def ends() -> Mapping[str, Any]:
        clock.now += 5.0
        return {}

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            Stages(tmp_path, clock=clock).run("train", {}, breaks)
    stages = Stages(tmp_path, clock=clock)
    stages.run("train", {}, ends)
    assert stages.stamps()["train"]["seconds"] == 19.0


def test_other_settings_are_refused(tmp_path: Path) -> None:
    Stages(tmp_path).run("collect", {"count": 1, "split": "train"}, dict)
    with pytest.raises(ConfigError, match=r"Stage collect .*\n  count: 1 -> 2\n"):
        Stages(tmp_path).run("collect", {"count": 2, "split": "train"}, dict)


def test_a_piece_ends_when_its_time_is_over_and_the_next_goes_on(tmp_path: Path) -> None:
    clock, seen = Clock(), []

    def slow() -> Mapping[str, Any]:
        for k in range(4):
            if k in seen:
                continue
            seen.append(k)
            clock.now += 70.0
            stages.advance(k + 1, 4, "")
        return {"done": len(seen)}

    stages = Stages(tmp_path, minutes=2.0, clock=clock)
    with pytest.raises(OutOfTimeError):
        stages.run("collect", {}, slow)
    with pytest.raises(OutOfTimeError):
        stages.run("later", {}, dict)
    assert seen == [0, 1]
    assert "later" not in stages.stamps()
    stages = Stages(tmp_path, minutes=60.0, clock=clock)
    assert stages.run("collect", {}, slow) == {"done": 4}
    assert stages.stamps()["collect"]["seconds"] == 4 * 70.0
    assert Stages(tmp_path, clock=clock).minutes_left == 0.0
