"""Pages of drives that the simulator made, family by family."""

from __future__ import annotations

import numpy as np
import pytest

from waytrace.catalogue import families, generate
from waytrace.report import scene_page
from waytrace.score import score_rollout
from waytrace.sim import World

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("family", families())
def test_a_generated_drive_has_a_page_under_200_kb(family: str) -> None:
    scenario = generate(family, seed=3)
    world = World([scenario], traffic="reactive", seed=1)
    for _ in range(scenario.end_step - scenario.start_step):
        world.step_controls(np.zeros(1), np.zeros(1))
    (rollout,) = world.rollouts("coasting")
    page = scene_page(scenario, [(rollout, score_rollout(scenario, rollout, None))])
    assert len(page.encode()) < 200_000
