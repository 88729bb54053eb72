"""Pages of drives that the simulator made, family by family."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from waytrace.catalogue import families, generate
from waytrace.evaluate import evaluate
from waytrace.report import Extras, TraceFile, scene_page, write_report
from waytrace.report.undo import undoing
from waytrace.score import score_rollout
from waytrace.sim import World

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("family", families("train"))
def test_a_generated_drive_has_a_page_under_200_kb(family: str) -> None:
    scenario = generate(family, seed=3)
    world = World([scenario], traffic="reactive", seed=1)
    for _ in range(scenario.end_step - scenario.start_step):
        world.step_controls(np.zeros(1), np.zeros(1))
    (rollout,) = world.rollouts("coasting")
    page = scene_page(scenario, [(rollout, score_rollout(scenario, rollout, None))])
    assert len(page.encode()) < 200_000


def test_a_report_of_a_real_evaluation_links_every_drive(tmp_path: Path) -> None:
    scenarios = [generate("cut-in", seed=seed) for seed in (3, 4)]
    result = evaluate("constant-velocity", scenarios, out=tmp_path / "result")
    index = write_report([result.path], tmp_path / "report")
    rows = json.loads(re.findall(r'id="data">(.*?)</script>', index.read_text(encoding="utf-8"), re.S)[0])["rows"]
    assert sorted(row[0] for row in rows) == sorted(s.id for s in scenarios)
    assert {row[0]: row[5] for row in rows} == {i: round(result.score(i).score, 4) for i in result.ids}
    assert all((index.parent / row[1]).is_file() for row in rows)


def test_of_a_drive_of_the_expert_the_plan_with_the_cause_is_the_one_it_held(tmp_path: Path) -> None:
    scenario = generate("ccrm", 0)
    result = evaluate("expert", [scenario], out=tmp_path / "result", traces=True)
    file = TraceFile.of(result.path)
    assert file is not None
    rollout = result.rollout(scenario.id)
    asked = undoing()(scenario, rollout, file.decisions(scenario.id))
    found = {decision.tick: decision.undone for decision in asked if decision.undone}
    assert len(found) > 5
    assert any(one.moves for undone in found.values() for one in undone)
    for row, held in zip(rollout.decision_row, rollout.plan_waypoints, strict=True):
        for one in found.get(int(row), ()):
            assert np.abs(one.cited[1:, :2] - held[:, :2]).max() < 0.05
    index = write_report([result.path], tmp_path / "report", extras=Extras(undo=undoing(), undo_scenes=1))
    (page,) = (index.parent / "scenes").iterdir()
    assert len(page.read_bytes()) > len(write_plain(result.path, tmp_path).read_bytes())


def write_plain(result: Path, folder: Path) -> Path:
    """The only scene's page without causes undone."""
    index = write_report([result], folder / "plain")
    (page,) = (index.parent / "scenes").iterdir()
    return page
