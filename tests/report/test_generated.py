"""Pages of drives that the simulator made, family by family."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from waytrace.catalogue import families, generate
from waytrace.evaluate import evaluate
from waytrace.report import scene_page, write_report
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
