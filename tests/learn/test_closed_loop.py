"""The scenes that a run is steered by are few, of split select, always the same, and of every family."""

from __future__ import annotations

from pathlib import Path

import pytest

from waytrace.evaluate import load_suite
from waytrace.learn.closed_loop import drive_checkpoint, scenes
from waytrace.microgpt import GPTConfig
from waytrace.model import Waytrace, save_checkpoint
from waytrace.scenario import SplitError


def test_they_are_evenly_taken_from_the_suite() -> None:
    chosen = scenes(36)
    assert len(chosen.scenes) == 36
    assert chosen == scenes(36)
    assert chosen.splits == ("select",)
    assert {s.id.split("/")[0] for s in chosen.scenes} == {s.id.split("/")[0] for s in load_suite("pr").scenes}
    assert set(chosen.scenes) <= set(load_suite("pr").scenes)


def test_held_out_scenes_steer_no_run() -> None:
    with pytest.raises(SplitError, match="split test"):
        scenes(4, "heldout")


@pytest.mark.slow
def test_a_checkpoint_drives_and_is_scored(tmp_path: Path) -> None:
    checkpoint = save_checkpoint(tmp_path / "step_0000001", Waytrace(GPTConfig(1)))
    figures = drive_checkpoint(checkpoint, tmp_path / "drive", count=2)
    assert figures["scenes"] == 2
    assert figures["failed"] == 0
    assert 0.0 <= figures["score"] <= 1.0
    assert (tmp_path / "drive" / "result.json").is_file()
