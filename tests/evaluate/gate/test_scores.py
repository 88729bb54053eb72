"""The detectable effect of equal results, which only failures can change."""

from __future__ import annotations

import numpy as np
import pytest

from waytrace.evaluate.gate.clusters import design
from waytrace.evaluate.gate.scores import compare_scores


@pytest.mark.parametrize("scenes", [90, 600])
def test_failures_of_the_printed_effect_are_found_where_nothing_differed_before(scenes: int) -> None:
    rng = np.random.default_rng(scenes)
    of = design(np.repeat([f"f{k}" for k in range(6)], scenes // 6).tolist(), [f"c{k // 2}" for k in range(scenes)])
    before = np.repeat(rng.uniform(0.8, 1.0, (1, scenes)), 1000, axis=0)
    printed = compare_scores(of, before[0], before[0], 0.025)
    assert float(printed.even) == 0.0
    fails = rng.random(before.shape) < float(printed.failures) / before[0].mean()
    found = compare_scores(of, before, np.where(fails, 0.0, before), 0.025)
    assert 0.75 < (found.high < 0).mean() < 0.95
